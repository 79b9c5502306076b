#!/usr/bin/env bash
# Makes one folder to carry to a machine with a GPU, build/jem-gpu-bundle, and build/jem-gpu-bundle.tar.gz: programs and
# tests for the cuDNN generations whose toolkit is here, golden steps, run.sh. Nothing of NVIDIA's is in it. Needs xz.
#
#   scripts/gpu-bundle.sh
set -euo pipefail
cd "$(dirname "$0")/.."
dest=build/jem-gpu-bundle limit=60000000
release=$(git describe --tags --always --dirty 2>/dev/null || echo unknown)
command -v xz >/dev/null || { echo "gpu-bundle: no xz here: install Debian's xz-utils" >&2; exit 69; }
rm -rf "$dest" && mkdir -p "$dest"/{bin,golden,patterns}

major() { printf '#include <cudnn.h>\nCUDNN_MAJOR\n' | gcc -E -P -I"$1/include" -x c - | tail -n 1; }

# programs VERSION: jem-cuda and the test binaries of the packages that have the tag, for a cached toolkit; the one that
# scripts/cuda-env.sh finds by itself if VERSION is empty.
programs() {
    local root at package name
    export CUDA=$1
    root=$(scripts/cuda-env.sh --root)
    at=$dest/cudnn$(major "$root")
    [[ ! -e $at ]] || return 0
    mkdir -p "$at/tests"
    scripts/cuda-env.sh go build -trimpath -tags cuda,mpi -ldflags "-s -w -X main.release=$release" -o "$at/jem-cuda" ./cmd/jem
    [[ $at == *9 ]] || return 0 # jem-cuda selftest asks the same suite
    for package in ./cuda ./cuda/internal/driver ./cuda/internal/dnn ./kernels ./comm/nccl; do
        compgen -G "$package/*_test.go" >/dev/null || continue
        name=$(tr / - <<<"${package#./}")
        mkdir -p "$at/tests/$name"
        scripts/cuda-env.sh go test -c -trimpath -tags cuda -ldflags '-s -w' -o "$at/tests/$name/$name.test" "$package"
        [[ ! -d $package/testdata ]] || cp -r "$package/testdata" "$at/tests/$name/"
    done
}

# asker builds the two small programs that ask cuDNN 9 about cards.
asker() {
    local root
    root=$(scripts/cuda-env.sh --root)
    [[ $(major "$root") == 9 ]] || return 0
    for name in deviceprops plancheck; do
        sources=("cuda/plancheck/$name.c")
        [[ $name == deviceprops ]] || sources+=(cuda/internal/dnn/graph.c)
        gcc -O2 -s -DJEM_DEVICE_PROPERTIES -I"$root/include" "${sources[@]}" -o "$dest/bin/$name" -L"$root/lib64" -lcudnn -Wl,--allow-shlib-undefined
    done
    for model in wrn-28-10 wrn-16-2; do
        for precision in bf16 tf32 fp32; do
            CGO_ENABLED=0 go run ./bench/roofline -model "$model" -patterns |
                awk -v p="$precision" 'p != "bf16" || $3 % 8 == 0 && $6 % 8 == 0 { $1 = $1 " " p; print }' >"$dest/patterns/$model.$precision"
        done
    done
}

scripts/cuda-kernels.sh
if [[ -n ${CUDA:-} || -n ${CUDA_HOME:-} ]]; then
    programs "${CUDA:-}"
else
    for version in 13.0 12.4; do
        if scripts/cuda-toolchain.sh --path "$version" >/dev/null; then
            programs "$version"
        fi
    done
    [[ -e $dest/cudnn9 || -e $dest/cudnn8 ]] || programs ""
    unset CUDA
fi
asker
cp -r train/replay/testdata/. "$dest/golden/"
rm "$dest"/golden/recipes/*.py
cp scripts/gpu-run.sh "$dest/run.sh"
cp bench/peers/torch_step.py LICENSE "$dest/"
generations=$(for at in "$dest"/cudnn*; do printf '%s' "${at#"$dest"/cudnn}"; done)
printf '{"release": "%s", "kernels": "%s", "cudnn": "%s"}\n' "$release" "$(cat kernels/fatbin/*.fatbin | sha256sum | cut -c1-16)" "$generations" >"$dest/bundle.json"
cat >"$dest/README" <<'TEXT'
Carry this folder to a machine with an NVIDIA GPU and run ./run.sh there (./run.sh --help says more). It needs the driver, and
cuDNN and NVRTC from anywhere: the wheels that PyTorch brings will do. Send back results/log.txt and results/results.json.
TEXT
# One archive of all: the programs have the Go runtime, most packages and the kernels in common, and a window as long as
# the archive keeps those once. xz's quickest preset: the slowest takes a tenth off for four times the time.
(cd "$dest" && tar -cf - cudnn*) | xz -T1 --lzma2=preset=1,dict=128MiB -c >"$dest/programs.tar.xz"
scripts/gpu-bundle-test.sh "$dest" # against the folders it was made of
rm -rf "$dest"/cudnn*
size=$(du -sb "$dest" | cut -f1)
tar -C build -czf build/jem-gpu-bundle.tar.gz jem-gpu-bundle
ls -sh "$dest"
echo "$dest: $((size / 1000000)) MB"
if ((size > limit)); then
    echo "gpu-bundle: more than $((limit / 1000000)) MB" >&2
    exit 1
fi
