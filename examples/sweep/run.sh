#!/usr/bin/env bash
# A grid of settings, in one table.
# examples/sweep/run.sh [FOLDER]: FOLDER, new or empty, gets everything; JEM names the program, STEPS the length of training.
set -eu
out=$(realpath "${1:-$(mktemp -d)}") jem=${JEM:-bin/jem} steps=${STEPS:-200}
cd "$(dirname "$0")/../.."

"$jem" sweep --preset shapes-demo --steps "$steps" --out "$out/sweep" --grid objective.p_x=0,0.15 --seeds 1 --quiet
cat "$out/sweep/sweep.md"
"$jem" compare --run "$out/sweep/p_x=0-seed1" --run "$out/sweep/p_x=0.15-seed1" --out "$out/loss.png"
