#!/usr/bin/env bash
# Evaluate a checkpoint of the official PyTorch code, and make a run of it.
# examples/pytorch-checkpoint/run.sh [FOLDER]: FOLDER, new or empty, gets everything; JEM names the program, STEPS the length of training.
set -eu
out=$(realpath "${1:-$(mktemp -d)}") jem=${JEM:-bin/jem} steps=${STEPS:-1}
cd "$(dirname "$0")/../.."

go run ./examples/pictures "$out" 10
weights=${WEIGHTS:-internal/torchfile/testdata/official_wrn10_1_zip.pt} # a small one that comes along, of random weights

"$jem" score "$weights" "$out/others" --quiet           # class, confidence, log p(x), straight from the file
"$jem" convert "$weights" "$out/run" --quiet            # a run: eval, attack and sample take it
"$jem" sample "$out/run" --fresh --steps 20 --count 10 --out "$out/samples.png" --quiet
"$jem" convert "$out/run" "$out/back.pt" --quiet        # and back into a state dict
