#!/usr/bin/env bash
# Runs a command in the environment that the CUDA build compiles in, or says which toolkit that is.
#
#   [CUDA=13.0|12.4] scripts/cuda-env.sh COMMAND…
#   [CUDA=13.0|12.4] scripts/cuda-env.sh --root        print the toolkit's folder
#
# The toolkit is the cached one of version CUDA (scripts/cuda-toolchain.sh) if that is set; else CUDA_HOME, else
# /usr/local/cuda, if it has nvcc and cuDNN's header is beside it or in the system; else the newest cached one.
set -euo pipefail
here=$(cd "$(dirname "$0")/.." && pwd)

die() { echo "cuda-env: $*" >&2 && exit 69; }

cudnn_header() { # of the toolkit $1, or of the system
    local folder
    for folder in "$1/include" /usr/include /usr/include/x86_64-linux-gnu; do
        [[ -f $folder/cudnn_version.h ]] && echo "$folder/cudnn_version.h" && return
    done
}

usable() { [[ -x $1/bin/nvcc && -f $1/include/cuda.h && -n $(cudnn_header "$1") ]]; }

cached() { "$here/scripts/cuda-toolchain.sh" --path "$1" 2>/dev/null; }

find_root() {
    if [[ -n ${CUDA:-} ]]; then
        cached "$CUDA" || die "CUDA $CUDA is not in the cache: run make cuda-toolchain CUDA=$CUDA"
    elif [[ -n ${CUDA_HOME:-} ]]; then
        usable "$CUDA_HOME" || die "CUDA_HOME=$CUDA_HOME lacks bin/nvcc, include/cuda.h or cuDNN's headers"
        echo "$CUDA_HOME"
    elif usable /usr/local/cuda; then
        echo /usr/local/cuda
    else
        cached 13.0 || cached 12.4 || die "no CUDA toolkit with cuDNN here: run make cuda-toolchain, or set CUDA_HOME"
    fi
}

root=$(find_root)
if [[ ${1:-} == --root ]]; then
    echo "$root"
    exit
fi
# go's build cache doesn't see headers outside a package: their hash is part of the flags.
headers=$(cat "$here"/cuda/compat/include/*.h "$root/include/cuda.h" "$(cudnn_header "$root")" | sha256sum | cut -c1-12)
export CGO_ENABLED=1
export CGO_CFLAGS="-O2 -DCOMPAT_HASH=0x$headers -I$here/cuda/compat/include -I$root/include"
export CGO_LDFLAGS="-L$root/lib64 -L$root/lib64/stubs"
exec "$@"
