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
dir=$PWD/build/sim/$version${asan:+-$asan}
stamp=$(cat cuda/sim/*.{sh,cpp,h,cu,symbols} kernels/*.{cu,cuh} "$root/made-of" | sha256sum)
if [[ $(cat "$dir/built-from" 2>/dev/null) != "$stamp" ]]; then
    rm -rf "$dir" && mkdir -p "$dir"
    {
        cuda/sim/build.sh "$dir" $asan
        cuda/sim/build-cudnn.sh "$dir" "$root" $asan
    } >&2
    echo "$stamp" >"$dir/built-from"
fi
echo "$dir"
