#!/usr/bin/env bash
# make gallery: runs every example of examples/ into a folder, one after the other.
#
#   scripts/gallery.sh [--small] [FOLDER]    --small: a few training steps, to see that each still runs
set -euo pipefail
cd "$(dirname "$0")/.."
if [[ ${1:-} == --small ]]; then
    export STEPS=20
    shift
fi
out=$(realpath "${1:-$(mktemp -d)}")
export JEM=${JEM:-bin/jem}

for script in examples/*/run.sh; do
    name=$(basename "$(dirname "$script")") begin=$SECONDS
    printf '== %s\n' "$name"
    mkdir -p "$out/$name"
    "$script" "$out/$name"
    printf '== %s: %s s\n' "$name" $((SECONDS - begin))
done
printf '== library\n'
go run ./examples/library "$out/own-pictures/run" "$out"/own-pictures/others/00[0-4].png
