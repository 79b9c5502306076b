#!/usr/bin/env bash
# Makes Fashion-MNIST available to bin/jem: does nothing if it is in the folder named, or
# in one of the usual places; else installs Debian's package (as root or by sudo without a
# password), else downloads it. Exit code 65 says what to put where.
#
#   scripts/fashion-mnist.sh [--data-dir DIR]
set -euo pipefail
cd "$(dirname "$0")/.."

here() { bin/jem data verify "$@" fashion-mnist >/dev/null 2>&1; }

as_root() { if [[ $(id -u) == 0 ]]; then "$@"; else sudo -n "$@"; fi; }

debian() { command -v apt-get >/dev/null && as_root true 2>/dev/null; }

install() {
    as_root apt-get install -y dataset-fashion-mnist ||
        { as_root apt-get update && as_root apt-get install -y dataset-fashion-mnist; }
}

here "$@" && exit 0
if [[ $# == 0 ]] && debian; then
    echo "Fashion-MNIST is not here: installing Debian's package dataset-fashion-mnist (31 MB)"
    install && here && exit 0
fi
if [[ $# == 0 ]]; then
    echo "Fashion-MNIST is not here: downloading it (31 MB)"
    bin/jem data fetch fashion-mnist && here && exit 0
fi
cat >&2 <<TEXT
Fashion-MNIST could not be had. Put these four files, as published at
https://github.com/zalandoresearch/fashion-mnist, into a folder:
  train-images-idx3-ubyte.gz  train-labels-idx1-ubyte.gz
  t10k-images-idx3-ubyte.gz   t10k-labels-idx1-ubyte.gz
and run: make demo DATA_DIR=that/folder
TEXT
exit 65
