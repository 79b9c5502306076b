#!/usr/bin/env bash
# make demo: gets Fashion-MNIST, trains the preset fashion-demo into a fresh run folder,
# evaluates it and names what there is to look at.
#
#   scripts/demo.sh [--data-dir DIR] [further flags of jem train]
set -euo pipefail
cd "$(dirname "$0")/.."

data=()
if [[ ${1:-} == --data-dir ]]; then
    data=(--data-dir "${2:?--data-dir needs a folder}")
    shift 2
fi

say() { printf '\n== %s\n' "$*"; }

scripts/fashion-mnist.sh "${data[@]}"

run=runs/demo
for ((i = 2; ; i++)); do
    [[ -e $run ]] || break
    run=runs/demo-$i
done

say "training into $run"
bin/jem train --preset fashion-demo "${data[@]}" --out "$run" "$@"
say "accuracy on the test images"
bin/jem eval --run "$run" "${data[@]}"
say "new samples from the model"
bin/jem sample --run "$run" --out "$run/samples.png"
say "done"
printf 'report:                             %s\n' "$run/report.html"
printf 'initial draws and trained samples:  %s\n' "$run/samples/first-and-latest.png"
printf 'new samples:                        %s\n' "$run/samples.png"
