#!/usr/bin/env bash
# Own pictures, a folder a class: train, find the ones that belong to none.
# examples/own-pictures/run.sh [FOLDER]: FOLDER, new or empty, gets everything; JEM names the program, STEPS the length of training.
set -eu
out=$(realpath "${1:-$(mktemp -d)}") jem=${JEM:-bin/jem} steps=${STEPS:-300}
cd "$(dirname "$0")/../.."

go run ./examples/pictures "$out" 200 # or put your own there: pictures/CLASS/*.png, and others in others/

"$jem" train --preset folder --data-dir "$out/pictures" --set data.size=16 --set data.grey=true --set model.width=1 --steps "$steps" --out "$out/run" --quiet
"$jem" eval "$out/run" --quiet
"$jem" eval "$out/run" --task ood --ood "folder:$out/others" --scores all --pictures "$out/figures" --quiet
"$jem" score "$out/run" "$out/others" --rule mahalanobis --false-alarms 0.05 --out "$out/scores.csv" --quiet
"$jem" sample "$out/run" --fresh --class each --count 30 --out "$out/samples.png" --quiet
head -n 4 "$out/scores.csv"
echo "pictures: $out/samples.png, $out/figures"
