#!/usr/bin/env bash
# Builds the stand-ins for libcuda.so.1 and libcudnn.so.8 or .9 (cuda/sim) unless they are up to date, and prints
# their folder: programs that find it in LD_LIBRARY_PATH compute on the host as if there were a GPU.
#
#   scripts/cuda-sim.sh 13.0|12.4 [asan]
set -euo pipefail
cd "$(dirname "$0")/.."
version=${1:?version of a cached CUDA toolkit} asan=${2:-}
root=$(scripts/cuda-toolchain.sh --path "$version") || {
    echo "cuda-sim: CUDA $version is not in the cache: run make cuda-toolchain CUDA=$version" >&2
    exit 69
}
name=$version${asan:+-$asan}
dir=$PWD/build/sim/$name cache=${XDG_CACHE_HOME:-$HOME/.cache}/jem-cuda-sim

# made_of FILES: what a stand-in is compiled of, the compiler included.
made_of() { { g++ --version; cat "$@"; } | sha256sum | cut -c1-32; }

# taken NAME STAMP COMMAND…: puts into $dir what the command compiles there, from the cache where it has been compiled
# before. Minutes of g++, the same for every tree with the same sources.
taken() {
    local at=$cache/$1-$2
    shift 2
    if [[ ! -e $at ]]; then
        "$@" >&2
        mkdir -p "$cache"
        find "$cache" -mindepth 1 -maxdepth 1 -mtime +14 -exec rm -rf {} + # of sources of long ago
        rm -rf "$at.$$" && mkdir "$at.$$"
        cp -a "$dir"/lib*.so* "$at.$$/"
        mv -T "$at.$$" "$at" 2>/dev/null || rm -rf "$at.$$" # another was quicker
    fi
    cp -a "$at"/. "$dir/"
    touch "$at"
}

driver=$(made_of cuda/sim/{build.sh,state.cpp,memory.cpp,stream.cpp,device.cpp,simt.cpp,kernels.cpp,nccl.cpp,driver.symbols} cuda/sim/*.{h,cu} kernels/*.{cu,cuh})
cudnn=$(made_of cuda/sim/build-cudnn.sh cuda/sim/*.{h,cpp} "$root/made-of")
if [[ $(cat "$dir/built-from" 2>/dev/null) != "$driver $cudnn" ]]; then
    rm -rf "$dir" && mkdir -p "$dir"
    taken "driver${asan:+-$asan}" "$driver" cuda/sim/build.sh "$dir" $asan # the same for every toolkit
    taken "cudnn-$name" "$driver-$cudnn" cuda/sim/build-cudnn.sh "$dir" "$root" $asan
    rm -rf "$dir"/obj*
    echo "$driver $cudnn" >"$dir/built-from"
fi
echo "$dir"
