#!/usr/bin/env bash
# Samples by class, and a film of the chains that draw them.
# examples/sample-by-class/run.sh [FOLDER]: FOLDER, new or empty, gets everything; JEM names the program, STEPS the length of training.
set -eu
out=$(realpath "${1:-$(mktemp -d)}") jem=${JEM:-bin/jem} steps=${STEPS:-300}
cd "$(dirname "$0")/../.."

"$jem" train --preset shapes-demo --steps "$steps" --out "$out/run" --quiet
"$jem" sample "$out/run" --fresh --class each --guidance 1 --count 40 --out "$out/by-class.png" --gif "$out/chains.gif" --quiet
