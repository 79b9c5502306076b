#!/usr/bin/env bash
# A job that is stopped, comes back and goes on until the run is finished; under Slurm: sbatch cluster/slurm/jem.sbatch RUN --preset …
# examples/cluster-job/run.sh [FOLDER]: FOLDER, new or empty, gets everything; JEM names the program, STEPS the length of training.
set -eu
out=$(realpath "${1:-$(mktemp -d)}") jem=${JEM:-bin/jem} steps=${STEPS:-400}
cd "$(dirname "$0")/../.."

job() { exec "$jem" train --preset shapes-demo --steps "$steps" --out "$out/run" --resume-if-there --quiet; }

limit=${LIMIT:-3} # seconds that the cluster grants; USR1 is what Slurm sends before its limit
for attempt in 1 2 3 4 5 6 7 8 9; do
    job & run=$!
    { sleep "$limit"; kill -USR1 $run; } 2>/dev/null & clock=$!
    status=0; wait $run || status=$?
    kill $clock 2>/dev/null || true
    echo "attempt $attempt: exit code $status"
    case $status in 75 | 13?) ;; *) break ;; esac # stopped by a signal, checkpoint saved; or killed: come back
done
"$jem" status "$out/run"
exit $status
