#!/usr/bin/env bash
# Makes CUDA roots on a machine that has none and needs no GPU: nvcc, headers, link stubs and
# the real libcudnn, in ${JEM_CUDA_CACHE:-~/.cache/jem-cuda}/VERSION, outside the repository.
#
#   scripts/cuda-toolchain.sh [13.0|12.4|all]          make what is missing (default 13.0)
#   scripts/cuda-toolchain.sh nccl                     bring NVIDIA's NCCL (a wheel of 305 MB), for tests of comm/nccl
#   scripts/cuda-toolchain.sh --path VERSION|nccl      print the root, exit code 1 if it is not there; of NCCL the folder of its library
#
# 13.0 is 530 MB of wheels, 12.4 is 820 MB of wheels and a Debian package. A second run does nothing, a run
# after an interrupted one goes on with the part that was interrupted. Nothing is installed; python3 with pip,
# gcc and, for 12.4, apt-get are used with the sources that they are configured for.
set -euo pipefail
cd "$(dirname "$0")/.."
# shellcheck source=../versions.mk
source versions.mk
cache=${JEM_CUDA_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/jem-cuda}
python=${PYTHON:-python3}
sums=$PWD/scripts/cuda-wheels.sha256
layout=1 # of a root; raise it when what root_* makes changes, so that finished roots are made again

die() { echo "cuda-toolchain: $*" >&2 && exit 1; }

need() { # COMMAND WHY
    command -v "$1" >/dev/null || die "$1 is needed $2: install it and run this again"
}

# done_with ROOT: the versions that a finished root was made of, which its mark repeats.
done_with() {
    local v=${1//./_} name
    echo "layout=$layout"
    for name in NVCC CUDART CCCL NVRTC CUDNN; do
        name=${name}_$v
        echo "$name=${!name:-none}"
    done
}

finished() { [[ -f $cache/$1/made-of && $(cat "$cache/$1/made-of") == "$(done_with "$1")" ]]; }

# publish FROM TO: puts a finished folder in its place, by one rename.
publish() {
    if [[ -e $2 ]]; then
        mv "$2" "$work/replaced-$(basename "$2")"
    fi
    mv "$1" "$2"
}

# wheel PACKAGE VERSION: unpacks a wheel into parts/PACKAGE-VERSION, unless it is there. The checksum is the
# committed one, so that another registry serves the same bytes or none.
wheel() {
    local part=$cache/parts/$1-$2 into=$work/$1 file
    [[ -d $part ]] && return
    echo "  $1 $2"
    mkdir -p "$into"
    "$python" -m pip download --quiet --no-deps --only-binary=:all: --dest "$into" \
        --platform manylinux1_x86_64 --platform manylinux2010_x86_64 --platform manylinux2014_x86_64 \
        --platform manylinux_2_17_x86_64 --platform manylinux_2_27_x86_64 "$1==$2" 2>"$work/pip.log" ||
        { tail -n 3 "$work/pip.log" >&2; die "pip cannot get $1 $2: is this machine offline, or its package index without it?"; }
    file=$(cd "$into" && echo *.whl)
    grep -q " $file\$" "$sums" || die "no checksum of $file in scripts/cuda-wheels.sha256"
    (cd "$into" && grep " $file\$" "$sums" | sha256sum --check --quiet) || die "$file is not the file that this project was checked with"
    "$python" -m zipfile -e "$into/$file" "$into/tree"
    publish "$into/tree" "$part"
    rm -rf "$into"
}

debian_mirror() { # of this machine's own source lists, in either of their formats
    local lists=(/etc/apt/sources.list /etc/apt/sources.list.d/*.list /etc/apt/sources.list.d/*.sources)
    cat "${lists[@]}" 2>/dev/null | sed -nE 's#^(URIs:|deb( +\[[^]]*\])?) +([^ ]+/debian/?)( .*)?$#\3#p' | head -n 1 || true
}

# debian PACKAGE VERSION SUITE: unpacks a package of the configured Debian mirror's SUITE into parts/PACKAGE-VERSION.
debian() {
    local part=$cache/parts/$1-$2 apt=$work/apt uri options
    [[ -d $part ]] && return
    echo "  $1 $2 (Debian $3)"
    need apt-get "to get $1"
    need dpkg-deb "to unpack $1"
    uri=${JEM_DEBIAN_URI:-$(debian_mirror)}
    [[ -n $uri ]] || die "no Debian mirror is configured: name one in JEM_DEBIAN_URI, or use CUDA 13.0"
    mkdir -p "$apt"/{lists/partial,archives/partial,sources,tree}
    printf '%s\n' 'Types: deb' "URIs: $uri" "Suites: $3" 'Components: main non-free' \
        'Signed-By: /usr/share/keyrings/debian-archive-keyring.gpg' >"$apt/sources/debian.sources"
    options=(-o "Dir::State::Lists=$apt/lists" -o "Dir::Cache::archives=$apt/archives" -o "Dir::Etc::SourceList=/dev/null"
        -o "Dir::Etc::SourceParts=$apt/sources" -o APT::Sandbox::User= -o Acquire::Languages=none)
    (cd "$apt" && apt-get -qq "${options[@]}" update && apt-get -qq "${options[@]}" download "$1=$2*") >"$work/apt.log" 2>&1 ||
        { tail -n 3 "$work/apt.log" >&2; die "apt-get cannot get $1 $2 from Debian $3: is this machine offline?"; }
    dpkg-deb -x "$apt"/*.deb "$apt/tree"
    publish "$apt/tree" "$part"
}

# graft FROM TO: puts FROM's files into TO as hard links, so that parts and roots share their bytes.
graft() {
    mkdir -p "$2"
    cp -alT "$1" "$2" || die "cannot link $1 into $2"
}

# libraries DIR: gives each libNAME.so.N the name libNAME.so that the linker looks for.
libraries() {
    local file
    for file in "$1"/lib*.so.*; do
        [[ $file == *.alt.so* ]] || ln -sf "$(basename "$file")" "${file%%.so.*}.so"
    done
}

# driver_stub ROOT: a libcuda.so with every function that cuda.h names, also those that it renames, for the linker only:
# each returns 999, CUDA_ERROR_UNKNOWN. Programs find the driver's own libcuda.so.1 when they run.
driver_stub() {
    mkdir -p "$1/lib64/stubs"
    grep -ohE '\bcu[A-Z][A-Za-z0-9_]+' "$1/include/cuda.h" | sort -u | sed 's/.*/int &(void) { return 999; }/' >"$work/stub.c"
    gcc -w -shared -fPIC -Wl,-soname,libcuda.so.1 -o "$1/lib64/stubs/libcuda.so" "$work/stub.c"
    ln -sf libcuda.so "$1/lib64/stubs/libcuda.so.1"
}

root_13_0() { # DEST
    local p=$cache/parts name
    wheel nvidia-cuda-nvcc "$NVCC_13_0"
    wheel nvidia-nvvm "$NVCC_13_0"
    wheel nvidia-cuda-crt "$NVCC_13_0"
    wheel nvidia-cuda-runtime "$CUDART_13_0"
    wheel nvidia-cuda-cccl "$CCCL_13_0"
    wheel nvidia-cuda-nvrtc "$NVRTC_13_0"
    wheel nvidia-cudnn-cu13 "$CUDNN_13_0"
    for name in nvidia-cuda-nvcc-$NVCC_13_0 nvidia-nvvm-$NVCC_13_0 nvidia-cuda-crt-$NVCC_13_0 \
        nvidia-cuda-runtime-$CUDART_13_0 nvidia-cuda-cccl-$CCCL_13_0 nvidia-cuda-nvrtc-$NVRTC_13_0; do
        graft "$p/$name/nvidia/cu13" "$1"
    done
    mv "$1/lib" "$1/lib64" && ln -s lib64 "$1/lib"
    graft "$p/nvidia-cudnn-cu13-$CUDNN_13_0/nvidia/cudnn/include" "$1/include"
    graft "$p/nvidia-cudnn-cu13-$CUDNN_13_0/nvidia/cudnn/lib" "$1/lib64"
    chmod +x "$1"/bin/* "$1"/nvvm/bin/*
}

root_12_4() { # DEST
    local p=$cache/parts deb=$cache/parts/nvidia-cuda-toolkit-$NVCC_12_4 tool
    wheel nvidia-cuda-runtime-cu12 "$CUDART_12_4"
    wheel nvidia-cuda-nvcc-cu12 "$NVCC_12_4"
    wheel nvidia-cudnn-cu12 "$CUDNN_12_4"
    debian nvidia-cuda-toolkit "$NVCC_12_4" "$DEBIAN_12_4"
    mkdir -p "$1"/{bin,lib64,nvvm/bin,nvvm/libdevice}
    for tool in cudafe++ ptxas fatbinary nvlink bin2c cuobjdump nvdisasm; do
        cp -lL "$deb/usr/bin/$tool" "$1/bin/"
    done
    cp -lL "$deb/usr/lib/nvidia-cuda-toolkit/bin/nvcc" "$1/bin/"
    cp -lL "$deb/usr/lib/nvidia-cuda-toolkit/bin/cicc" "$1/nvvm/bin/"
    cp -lL "$deb"/usr/lib/nvidia-cuda-toolkit/libdevice/*.bc "$1/nvvm/libdevice/"
    # shellcheck disable=SC2016 # $(…) is nvcc's
    printf '%s\n' 'TOP = $(_HERE_)/..' 'NVVMIR_LIBRARY_DIR = $(TOP)/nvvm/libdevice' 'PATH += $(TOP)/nvvm/bin:$(_HERE_):' \
        'INCLUDES += "-I$(TOP)/include" $(_SPACE_)' >"$1/bin/nvcc.profile"
    graft "$p/nvidia-cuda-runtime-cu12-$CUDART_12_4/nvidia/cuda_runtime/include" "$1/include"
    graft "$p/nvidia-cuda-nvcc-cu12-$NVCC_12_4/nvidia/cuda_nvcc/include" "$1/include"
    graft "$p/nvidia-cudnn-cu12-$CUDNN_12_4/nvidia/cudnn/include" "$1/include"
    graft "$p/nvidia-cudnn-cu12-$CUDNN_12_4/nvidia/cudnn/lib" "$1/lib64"
    chmod +x "$1"/bin/* "$1"/nvvm/bin/*
}

# check ROOT: a kernel compiles and a program that asks for the driver and cuDNN links.
check() {
    printf '__global__ void k(float* x) { x[threadIdx.x] += 1; }\n' >"$work/k.cu"
    printf '#include <cuda.h>\n#include <cudnn.h>\nint main(void) { return cuInit(0) + (int)cudnnGetVersion(); }\n' >"$work/k.c"
    "$1/bin/nvcc" -cubin -arch=sm_80 "$work/k.cu" -o "$work/k.cubin" &&
        gcc -I"$1/include" "$work/k.c" -L"$1/lib64" -L"$1/lib64/stubs" -lcuda -lcudnn -Wl,--allow-shlib-undefined -o "$work/k"
}

make_root() { # VERSION
    local root=$work/root-$1
    if finished "$1"; then
        echo "CUDA $1 is in $cache/$1"
        return
    fi
    echo "CUDA $1: making $cache/$1"
    "root_${1//./_}" "$root"
    libraries "$root/lib64"
    driver_stub "$root"
    check "$root" || die "the CUDA $1 root does not compile and link a program"
    done_with "$1" >"$root/made-of"
    publish "$root" "$cache/$1"
    echo "CUDA $1 is in $cache/$1"
}

# nccl prints the folder of NCCL's library, where it is here.
nccl() { [[ -e $cache/parts/nvidia-nccl-cu13-$NCCL ]] && echo "$cache/parts/nvidia-nccl-cu13-$NCCL/nvidia/nccl/lib"; }

known() { [[ " $CUDA_ROOTS " == *" $1 "* ]] || die "unknown CUDA version $1: want one of $CUDA_ROOTS, or all"; }

main() {
    local version
    if [[ ${1:-} == --path && ${2:-} == nccl ]]; then
        nccl
        return
    fi
    if [[ ${1:-} == --path ]]; then
        known "${2:?--path needs a version}"
        finished "$2" && echo "$cache/$2"
        return
    fi
    [[ $(uname -sm) == "Linux x86_64" ]] || die "CUDA is supported on Linux x86_64 only, this is $(uname -sm)"
    need gcc "to make the driver's link stub"
    need flock "to be alone in the cache"
    "$python" -m pip --version >/dev/null 2>&1 || die "$python has no pip, which brings the wheels: install python3-pip"
    mkdir -p "$cache/parts" || die "cannot write to $cache: set JEM_CUDA_CACHE"
    exec 9>"$cache/lock"
    flock 9
    rm -rf "$cache"/work.* # left by a run that was killed
    work=$(mktemp -d "$cache/work.XXXXXX") # on the same file system, so that a rename publishes
    trap 'rm -rf "$work"' EXIT
    version=${1:-$CUDA_DEFAULT}
    if [[ $version == nccl ]]; then
        wheel nvidia-nccl-cu13 "$NCCL"
        echo "NCCL $NCCL is in $(nccl)"
    elif [[ $version == all ]]; then
        for version in $CUDA_ROOTS; do make_root "$version"; done
    else
        known "$version"
        make_root "$version"
    fi
}

main "$@"
