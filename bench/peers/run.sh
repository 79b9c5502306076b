#!/usr/bin/env bash
# Times one published training step here and in PyTorch, in turns, on this machine, and prints every
# figure, each side's peak memory and the ratios of the medians. PyTorch goes into an environment outside
# the tree, or PYTHON names an interpreter that has it.
#
#   bench/peers/run.sh [--beside BINARY] [--no-torch] [--rounds 3] [--depth 16] [--width 2] [--batch 64]
#                      [--sgld-steps 20] [--cpu-isa avx2] [--conv-algo auto] [--precision bf16]
#
# --beside BINARY  another build of the program, taking its turns with the others
# --no-torch       without PyTorch: this build alone, or two builds
# --cpu-isa avx2   holds all sides to AVX2 and FMA; what each then says it uses is printed
set -euo pipefail
# shellcheck source=bench/builds.sh
source "$(dirname "$0")/../builds.sh"

torch=(torch-contiguous torch-channels_last)
! grep -qw avx512_bf16 /proc/cpuinfo 2>/dev/null || torch+=(torch-bf16)
isa=""
while [[ $# -gt 0 ]]; do
    [[ $1 != --cpu-isa ]] || isa=${2:-}
    if [[ $1 == --no-torch ]]; then
        torch=()
        shift
    else
        option "$@"
        shift 2
    fi
done
case $isa,${#torch[@]} in
,* | avx512,* | *,0) ;;
avx2,*)
    export ATEN_CPU_CAPABILITY=avx2 ONEDNN_MAX_CPU_ISA=AVX2 MKL_ENABLE_INSTRUCTIONS=AVX2
    torch=(torch-contiguous torch-channels_last)
    ;;
*) fail "--cpu-isa $isa: PyTorch can be held to avx2 only; --no-torch leaves it out" 2 ;;
esac

# with_torch sees that there is an interpreter with PyTorch.
with_torch() {
    local env=${XDG_CACHE_HOME:-$HOME/.cache}/jem-peers
    torch_python=${PYTHON:-$env/bin/python}
    if [[ ! -x $torch_python ]]; then
        python3 -m venv "$env"
        "$torch_python" -m pip install --quiet torch==2.15.0 numpy
    fi
}

theirs() {
    local format=()
    case $1 in
    *-channels_last) format=(--format channels_last) ;;
    *-bf16) format=(--format channels_last --bf16) ;;
    esac
    measure step "$1" "$torch_python" "$root/bench/peers/torch_step.py" --depth "$depth" --width "$width" --batch "$batch" \
        --sgld-steps "$k" --steps 2 ${format[@]+"${format[@]}"}
}

introduce
[[ ${#torch[@]} == 0 ]] || with_torch
echo "WRN-$depth-$width, batch $batch, K = $k: seconds a step, peak memory, instruction set"
for ((round = 1; round <= rounds; round++)); do
    for build in "${builds[@]}"; do
        step "$build" "$(program "$build")" bench step
    done
    for name in ${torch[@]+"${torch[@]}"}; do
        theirs "$name"
    done
done
tabulate table
