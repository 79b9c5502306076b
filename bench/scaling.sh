#!/usr/bin/env bash
# Ranks on this machine, measured and foretold.
#
#   bench/scaling.sh [--engine ENGINE] [--rounds N] [--model wrn-D-W] [--batch N] [--sgld-steps K] [--steps N]
#
# In turns, so that what else the machine does meets all alike: one rank with as many threads as there are cores, and
# 1, 2 and 4 ranks of one thread. Prints each round's step times, the medians' ratios, and beside them what jem bench scaling
# foretells from the rank of one thread: ranks beyond the cores share them.
set -euo pipefail
cd "$(dirname "$0")/.."
engine=openmpi-5 rounds=5 model=wrn-16-2 batch=64 sgld=5 steps=5
while (($#)); do
    case $1 in
    --engine) engine=$2 ;;
    --rounds) rounds=$2 ;;
    --model) model=$2 ;;
    --batch) batch=$2 ;;
    --sgld-steps) sgld=$2 ;;
    --steps) steps=$2 ;;
    *) sed -n '2,/^set /{/^set /d;s/^# \{0,1\}//p}' "$0" >&2; exit 2 ;;
    esac
    shift 2
done
cores=$(nproc)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
what=(--model "$model" --batch "$batch" --sgld-steps "$sgld")
scripts/mpi.sh get

# measure RANKS THREADS: one line of JSON.
measure() {
    local command=(bin/jem-mpi bench step "${what[@]}" --steps "$steps" --threads "$2" --json)
    if (($1 == 1)); then "${command[@]}"; else scripts/mpi.sh run "$engine" "$1" "${command[@]}"; fi
}

for ((round = 1; round <= rounds; round++)); do
    for kind in "1 $cores" "1 1" "2 1" "4 1"; do
        read -r ranks threads <<<"$kind"
        measure "$ranks" "$threads" | tr -d '\n' >>"$work/$ranks-$threads"
        echo >>"$work/$ranks-$threads"
    done
done
python3 - "$work" "$cores" "${what[@]}" <<'EOP'
import json, statistics, subprocess, sys
work, cores, what = sys.argv[1], int(sys.argv[2]), sys.argv[3:]
def read(name):
    return [json.loads(line) for line in open(f"{work}/{name}")]
whole, ranks = read(f"1-{cores}"), {n: read(f"{n}-1") for n in (1, 2, 4)}
seconds = lambda rs: statistics.median(r["step_seconds"] for r in rs)
for name, rs in [(f"1 rank, {cores} threads", whole)] + [(f"{n} ranks, 1 thread", rs) for n, rs in ranks.items()]:
    print(f"{name:20} {' '.join('%.3f' % r['step_seconds'] for r in rs)}   median {seconds(rs):.3f} s, waiting {100 * statistics.median(r['exchange_share'] for r in rs):.1f} %")
pairs = [a["step_seconds"] / b["step_seconds"] for a, b in zip(ranks[2], whole)]
print(f"2 ranks of one thread beside one rank of {cores}, round by round: {' '.join('%.2f' % p for p in pairs)}, median {statistics.median(pairs):.2f}")
one = statistics.median(r["gflops"] for r in ranks[1])
print("\nranks  measured  foretold  ratio   (foretold from one rank of one thread, %.1f GFLOP/s, memory's rate of 2 GB/s between ranks)" % one)
for n, rs in ranks.items():
    rate = one * min(1, cores / n) / 1000
    told = json.loads(subprocess.check_output(["bin/jem-mpi", "bench", "scaling", *what, "--ranks", str(n), "--tflops", repr(rate), "--half", "0",
        "--gigabytes", "2", "--latency", "500us", "--copy", "2", "--jitter", "0.05", "--json"]))["rows"][0]["simulated"]["step_seconds"]
    print(f"{n:5}  {seconds(rs):8.3f}  {told:8.3f}  {seconds(rs) / told:5.2f}")
EOP
