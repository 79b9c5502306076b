#!/usr/bin/env bash
# Asks the real cuDNN 9, on a machine without a GPU, for a plan of every convolution of a training step, fused as
# the device fuses it, for cards that are not here. Prints a table for docs/verification.md; exit code 1 if a
# convolution has no plan that ought to have one (cuda/plancheck/known-gaps lists those that never had).
#
#   scripts/plan-check.sh [--models "wrn-28-10 wrn-16-2"] [--cards "sm_80 sm_90 sm_100 sm_120"]
#                         [--precisions "bf16 tf32 fp32"] [--root CUDA] [--details FILE]
#
# A card is a file in cuda/plancheck/cards: a device's properties as cuDNN writes and reads them. Those that are
# committed are filled in from data sheets; a GPU bundle's run brings a real card's.
set -euo pipefail
cd "$(dirname "$0")/.."

models="wrn-28-10 wrn-16-2" cards="sm_80 sm_90 sm_100 sm_120" precisions="bf16 tf32 fp32"
root=${CUDA_HOME:-} details=
while [[ $# -gt 0 ]]; do
    case $1 in
    --models) models=$2 ;;
    --cards) cards=$2 ;;
    --precisions) precisions=$2 ;;
    --root) root=$2 ;;
    --details) details=$2 ;;
    *) echo "plan-check: unknown option $1" >&2 && exit 2 ;;
    esac
    shift 2
done
root=${root:-$(scripts/cuda-toolchain.sh --path 13.0)} || {
    echo "plan-check: no CUDA 13.0 with cuDNN 9 in the cache: run make cuda-toolchain" >&2
    exit 69
}
dir=build/plan-check
rm -rf "$dir" && mkdir -p "$dir"

# stand_ins makes the two libraries that cuDNN loads and that need a card or aren't here: the driver, and
# cublasLt, which no convolution uses but whose version cuDNN asks for.
stand_ins() {
    local own='cuLibraryLoadData|cuLibraryGetKernel|cuKernelGetFunction|cuLibraryUnload|cuKernelSetAttribute|cuFuncSetAttribute'
    grep -ohE '\bcu[A-Z][A-Za-z0-9_]+' "$root/include/cuda.h" | sort -u | grep -vxE "$own" |
        sed 's/.*/int &(void) { return 100; }/' >"$dir/rest.c"
    gcc -w -shared -fPIC -Wl,-soname,libcuda.so.1 -o "$dir/libcuda.so.1" cuda/plancheck/driver.c "$dir/rest.c"
    {
        echo 'unsigned long cublasLtGetVersion(void) { return 130000; }'
        grep -aohE '\bcublasLt[A-Z][A-Za-z]+' "$root"/lib64/libcudnn*.so.9 | sort -u | grep -vx cublasLtGetVersion |
            sed 's/.*/int &(void) { return 1; }/'
    } >"$dir/cublaslt.c"
    gcc -w -shared -fPIC -Wl,-soname,libcublasLt.so.13 -o "$dir/libcublasLt.so.13" "$dir/cublaslt.c"
}

# ask CARD FILE: the answers to the patterns in FILE, "NUMBER ANSWER" each. A pattern that the library dies of is
# answered "crashed", and the next process goes on behind it.
ask() {
    local total done=0 answers
    total=$(wc -l <"$2")
    answers=$2.answers
    : >"$answers"
    while ((done < total)); do
        LD_LIBRARY_PATH=$dir:$root/lib64 "$dir/plancheck" "cuda/plancheck/cards/$1.json" "$done" <"$2" 2>>"$2.log" |
            grep -E '^[0-9]+ (ok|no) ' >>"$answers" || true
        done=$(wc -l <"$answers")
        ((done == total)) && return
        if [[ $(tail -n 1 "$2.log" 2>/dev/null) == plancheck:* ]]; then
            tail -n 1 "$2.log" >&2
            exit 2
        fi
        echo "$done crashed" >>"$answers"
        done=$((done + 1))
    done
}

# job MODEL CARD PRECISION writes "MODEL CARD PRECISION PATTERN|ANSWER" lines. In bfloat16 the device computes only
# layers whose channels are multiples of 8.
job() {
    local file=$dir/$1.$2.$3
    awk -v p="$3" 'p != "bf16" || $3 % 8 == 0 && $6 % 8 == 0' "$dir/$1.patterns" >"$file.asked"
    awk -v p="$3" '{ $1 = $1 " " p; print }' "$file.asked" >"$file"
    ask "$2" "$file"
    paste -d'|' "$file.asked" <(cut -d' ' -f2- "$file.answers") | sed "s/^/$1 $2 $3 /" >"$file.out"
}

stand_ins
gcc -O2 -Wall -Wextra -Werror -DJEM_DEVICE_PROPERTIES -I"$root/include" cuda/plancheck/plancheck.c cuda/internal/dnn/graph.c \
    -o "$dir/plancheck" -L"$root/lib64" -lcudnn -Wl,--allow-shlib-undefined
for model in $models; do
    go run ./bench/roofline -model "$model" -patterns >"$dir/$model.patterns"
done
export root dir
export -f ask job
for model in $models; do
    for card in $cards; do
        for precision in $precisions; do
            echo "$model $card $precision"
        done
    done
done | xargs -P "${JEM_JOBS:-$(nproc)}" -L 1 bash -euo pipefail -c 'job "$@"' job
sort -s -k1,1 -k2,2V -k3,3 "$dir"/*.out >"$dir/all"
[[ -z $details ]] || cp "$dir/all" "$details"
awk -f cuda/plancheck/table.awk cuda/plancheck/known-gaps "$dir/all"
