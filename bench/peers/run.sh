#!/usr/bin/env bash
# Times one published training step here and in PyTorch, in turns, on this machine, and
# prints every figure and the ratio of the medians. PyTorch goes into an environment outside the
# tree, or PYTHON names an interpreter that has it.
#
#   bench/peers/run.sh [--depth 16] [--width 2] [--batch 64] [--sgld-steps 20] [--rounds 3] [--cpu-isa avx2]
set -euo pipefail
cd "$(dirname "$0")/../.."

depth=16 width=2 batch=64 k=20 rounds=3 isa=()
while [[ $# -gt 0 ]]; do
    case $1 in
    --depth) depth=$2 ;;
    --width) width=$2 ;;
    --batch) batch=$2 ;;
    --sgld-steps) k=$2 ;;
    --rounds) rounds=$2 ;;
    --cpu-isa) isa=(--cpu-isa "$2") ;;
    *) echo "unknown option $1" >&2 && exit 2 ;;
    esac
    shift 2
done
if [[ ${isa[1]:-} == avx2 ]]; then # hold PyTorch to the same instructions
    export ATEN_CPU_CAPABILITY=avx2 ONEDNN_MAX_CPU_ISA=AVX2
fi

env=${XDG_CACHE_HOME:-$HOME/.cache}/jem-peers
python=${PYTHON:-$env/bin/python}
if [[ ! -x $python ]]; then
    python3 -m venv "$env"
    "$python" -m pip install --quiet torch==2.15.0 numpy
fi

ours() { bin/jem bench step --model "wrn-$depth-$width" --batch "$batch" --sgld-steps "$k" --steps 3 --device cpu "${isa[@]}" --json; }
theirs() { "$python" bench/peers/torch_step.py --depth "$depth" --width "$width" --batch "$batch" --sgld-steps "$k" --steps 2 "$@"; }
seconds() { "$python" -c 'import json,sys; print(json.load(sys.stdin)["step_seconds"])'; }

times=$(mktemp)
trap 'rm -f "$times"' EXIT
for ((round = 1; round <= rounds; round++)); do
    echo "jem $(ours | seconds)" | tee -a "$times"
    echo "torch-contiguous $(theirs | seconds)" | tee -a "$times"
    echo "torch-channels_last $(theirs --format channels_last | seconds)" | tee -a "$times"
    if [[ ${#isa[@]} == 0 ]] && grep -qw avx512_bf16 /proc/cpuinfo 2>/dev/null; then
        echo "torch-bf16 $(theirs --format channels_last --bf16 | seconds)" | tee -a "$times"
    fi
done
"$python" - "$times" <<'PY'
import statistics, sys
runs = {}
for line in open(sys.argv[1]):
    name, value = line.split()
    runs.setdefault(name, []).append(float(value))
ours = statistics.median(runs["jem"])
print(f"{'':22}{'min':>9}{'median':>9}{'max':>9}{'jem / it':>10}")
for name, v in runs.items():
    print(f"{name:22}{min(v):9.3f}{statistics.median(v):9.3f}{max(v):9.3f}{ours / statistics.median(v):10.2f}")
PY
