#!/usr/bin/env bash
# Kill a run, go on with it: it ends with the bits of one that never stopped.
# examples/resume/run.sh [FOLDER]: FOLDER, new or empty, gets everything; JEM names the program, STEPS the length of training.
set -eu
out=$(realpath "${1:-$(mktemp -d)}") jem=${JEM:-bin/jem} steps=${STEPS:-400}
cd "$(dirname "$0")/../.."

train() { exec "$jem" train --preset shapes-demo --steps "$steps" --set train.save_every=10 --out "$out/$1" --resume-if-there --quiet; }

(train steady)
train killed & run=$!
until ls "$out"/killed/checkpoints/step-* >"$out/saved" 2>/dev/null || ! kill -0 $run 2>/dev/null; do sleep 0.1; done
kill -KILL $run 2>/dev/null || echo "it was faster than the kill"
wait $run || echo "ended with $?"
(train killed) # the same command

last=$(ls "$out/steady/checkpoints" | tail -n 1)
for file in model optim buffer.rank000; do cmp "$out"/{steady,killed}/checkpoints/"$last/$file.safetensors"; done
echo "$last: weights, optimiser and replay buffer are equal bit by bit"
