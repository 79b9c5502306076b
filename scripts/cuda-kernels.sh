#!/usr/bin/env bash
# Compiles kernels/all.cu to kernels/fatbin/cuda-VERSION.fatbin with every toolkit that is here: machine code for each
# card that it knows and PTX for later ones. A driver older than the toolkit may refuse its machine code; the
# program then takes the other fatbin.
#
#   scripts/cuda-kernels.sh            the toolkit that scripts/cuda-env.sh finds, and the cached ones
#   scripts/cuda-kernels.sh --report   also print what ptxas says: "TOOLKIT CARD KERNEL REGISTERS SPILLED SHARED"
set -euo pipefail
cd "$(dirname "$0")/.."

release() { "$1/bin/nvcc" --version | sed -nE 's/.*release ([0-9]+\.[0-9]+).*/\1/p'; }

# cards VERSION: the architectures to compile for. CUDA 13 dropped 7.0, 12.8 brought 10.0 and 12.0.
cards() {
    case $1 in
    12.[0-7]) echo 70 75 80 86 89 90 ;;
    12.*) echo 70 75 80 86 89 90 100 120 ;;
    *) echo 75 80 86 89 90 100 103 120 ;;
    esac
}

# flags ROOT: the same for fatbins and checks. Contraction to fused multiply-adds stays on, fast-math off.
flags() {
    local card
    printf '%s\n' -O3 -std=c++17 -Werror all-warnings --threads 0
    case $(release "$1") in # half the size of the default, or less
    12.*) printf '%s\n' -Xfatbin -compress-all ;;
    *) printf '%s\n' --compress-mode=size ;; # which drivers before CUDA 13 can't read; neither can they run its machine code
    esac
    for card in $(cards "$(release "$1")"); do
        printf '%s\n' -gencode "arch=compute_$card,code=sm_$card"
    done
    printf '%s\n' -gencode arch=compute_90,code=compute_90
}

# compile ROOT OUT LOG: ptxas' words go to LOG.
compile() {
    local all
    mapfile -t all < <(flags "$1")
    "$1/bin/nvcc" -fatbin "${all[@]}" -Xptxas -v kernels/all.cu -o "$2.tmp" >"$3" 2>&1 || {
        grep -vE 'ptxas info|bytes stack frame' "$3" >&2
        rm -f "$3" "$2.tmp"
        echo "cuda-kernels: $1 does not compile kernels/all.cu" >&2
        exit 1
    }
    mv "$2.tmp" "$2"
}

# report LOG: one line for each kernel and card.
report() {
    awk '/Compiling entry function/ { gsub("\047", ""); kernel = $(NF - 2); card = $NF }
        /bytes stack frame/ { spilled = $(NF - 7) + $(NF - 3) }
        /Used [0-9]+ registers/ {
            shared = 0
            for (i = 1; i <= NF; i++) { if ($i == "registers,") used = $(i - 1); if ($i == "smem" || $i == "smem,") shared = $(i - 2) }
            print card, kernel, used, spilled, shared
        }' "$1"
}

# known ROOT VERSION OUT LOG: compiles, or takes what the same sources, this script and the same nvcc made before: minutes of
# ptxas, the same for every tree. Warnings are errors: what is kept had none.
known() {
    local at
    at=$cache/$2-$({ "$1/bin/nvcc" --version; cat kernels/*.cu kernels/*.cuh scripts/cuda-kernels.sh; } | sha256sum | cut -c1-32)
    if [[ -f $at.fatbin && -f $at.log ]]; then
        cp "$at.log" "$4"
        cp "$at.fatbin" "$3.tmp" && mv "$3.tmp" "$3"
        touch "$at".*
        return
    fi
    echo "compiling the kernels with CUDA $2" >&2
    compile "$1" "$3" "$4"
    mkdir -p "$cache"
    find "$cache" -name '*-*.*' -mtime +14 -delete # of sources of long ago
    cp "$4" "$at.log.$$" && mv "$at.log.$$" "$at.log"
    cp "$3" "$at.fatbin.$$" && mv "$at.fatbin.$$" "$at.fatbin"
}

main() {
    local roots root version out log newest cache=${XDG_CACHE_HOME:-$HOME/.cache}/jem-cuda-kernels
    mapfile -t roots < <({
        scripts/cuda-env.sh --root
        scripts/cuda-toolchain.sh --path 13.0
        scripts/cuda-toolchain.sh --path 12.4
    } 2>/dev/null | awk '!seen[$0]++')
    [[ ${#roots[@]} -gt 0 ]] || { scripts/cuda-env.sh --root; exit 69; }
    mkdir -p build/kernels
    # shellcheck disable=SC2012 # the names are ours
    newest=$(ls -t kernels/*.cu kernels/*.cuh scripts/cuda-kernels.sh | head -n 1)
    for root in "${roots[@]}"; do
        version=$(release "$root")
        out=kernels/fatbin/cuda-$version.fatbin log=build/kernels/cuda-$version.log
        if [[ ! $out -nt $newest || ! -f $log ]]; then
            known "$root" "$version" "$out" "$log"
        fi
        [[ ${1:-} != --report ]] || report "$log" | sed "s/^/$version /"
    done
}

main "$@"
