#!/usr/bin/env bash
# Times one published training step here and in PyTorch, in turns, on this machine, and
# prints every figure and the ratio of the medians. PyTorch goes into an environment outside the
# tree, or PYTHON names an interpreter that has it.
#
#   bench/peers/run.sh [--depth 16] [--width 2] [--batch 64] [--sgld-steps 20] [--rounds 3] [--cpu-isa avx2] [--conv-algo auto] [--precision bf16]
#
# --cpu-isa avx2 holds both sides to AVX2 and FMA; what each then says it uses is printed.
set -euo pipefail
cd "$(dirname "$0")/../.."

depth=16 width=2 batch=64 k=20 rounds=3 isa="" options=()
while [[ $# -gt 0 ]]; do
    [[ $# -gt 1 ]] || { echo "$1 wants a value" >&2 && exit 2; }
    case $1 in
    --depth) depth=$2 ;;
    --width) width=$2 ;;
    --batch) batch=$2 ;;
    --sgld-steps) k=$2 ;;
    --rounds) rounds=$2 ;;
    --cpu-isa) isa=$2 options+=(--cpu-isa "$2") ;;
    --precision) options+=(--precision "$2") ;;
    --conv-algo) options+=(--conv-algo "$2") ;;
    *) echo "unknown option $1" >&2 && exit 2 ;;
    esac
    shift 2
done
case $isa in
"" | avx512) ;;
avx2) export ATEN_CPU_CAPABILITY=avx2 ONEDNN_MAX_CPU_ISA=AVX2 MKL_ENABLE_INSTRUCTIONS=AVX2 ;;
*) echo "--cpu-isa $isa: PyTorch can be held to avx2 only" >&2 && exit 2 ;;
esac

env=${XDG_CACHE_HOME:-$HOME/.cache}/jem-peers
python=${PYTHON:-$env/bin/python}
if [[ ! -x $python ]]; then
    python3 -m venv "$env"
    "$python" -m pip install --quiet torch==2.15.0 numpy
fi

ours() { bin/jem bench step --model "wrn-$depth-$width" --batch "$batch" --sgld-steps "$k" --steps 3 --device cpu ${options[@]+"${options[@]}"} --json; }
theirs() { "$python" bench/peers/torch_step.py --depth "$depth" --width "$width" --batch "$batch" --sgld-steps "$k" --steps 2 "$@"; }

# A line a measurement: name, seconds a step, peak resident MiB, instruction set.
results=$(mktemp)
trap 'rm -f "$results"' EXIT
measure() {
    local name=$1
    shift
    "$@" | "$python" -c '
import json, sys
r = json.load(sys.stdin)
isa = r.get("capability") or r["device"]["isa"]
print(sys.argv[1], "%.4f" % r["step_seconds"], "%.0f" % (r.get("process_peak_bytes", 0) / 2**20), isa)' "$name" | tee -a "$results"
}

echo "WRN-$depth-$width, batch $batch, K = $k: seconds a step, peak MiB, instruction set"
for ((round = 1; round <= rounds; round++)); do
    measure jem ours
    measure torch-contiguous theirs
    measure torch-channels_last theirs --format channels_last
    if [[ -z $isa ]] && grep -qw avx512_bf16 /proc/cpuinfo 2>/dev/null; then
        measure torch-bf16 theirs --format channels_last --bf16
    fi
done
"$python" - "$results" <<'PY'
import statistics, sys
runs, memory, isa = {}, {}, {}
for line in open(sys.argv[1]):
    name, seconds, mib, used = line.split()
    runs.setdefault(name, []).append(float(seconds))
    memory[name], isa[name] = max(memory.get(name, 0), float(mib)), used
ours = statistics.median(runs["jem"])
print(f"\n{'':22}{'min':>9}{'median':>9}{'max':>9}{'jem / it':>10}{'MiB':>8}  instructions")
for name, v in runs.items():
    print(f"{name:22}{min(v):9.3f}{statistics.median(v):9.3f}{max(v):9.3f}{ours / statistics.median(v):10.2f}{memory[name]:8.0f}  {isa[name]}")
PY
