#!/usr/bin/env bash
# Breaks the kernels in one place after the other (cuda/sim/mutate) and runs their tests and the conformance suite on
# the stand-ins: each broken place must be noticed. Needs a CUDA toolkit in the cache, for cuDNN's headers, and the
# kernels compiled (make kernels); no GPU. Prints who noticed what.
#
#   [CUDA=13.0|12.4] scripts/kernels-mutate.sh
set -euo pipefail
cd "$(dirname "$0")/.."
ls kernels/fatbin/*.fatbin >/dev/null 2>&1 || { echo "kernels-mutate: no compiled kernels: run make kernels" >&2; exit 69; }
root=$(scripts/cuda-env.sh --root)
dir=$PWD/build/mutate
rm -rf "$dir" && mkdir -p "$dir"

CGO_ENABLED=0 go build -o "$dir/mutate" ./cuda/sim/mutate
"$dir/mutate" -write "$dir/kernels"
JEM_KERNELS=$dir/kernels cuda/sim/build.sh "$dir/sim"
cuda/sim/build-cudnn.sh "$dir/sim" "$root"
for package in cuda cuda/sim/control; do
    scripts/cuda-env.sh go test -tags cuda -c -o "$dir/$(basename $package).test" ./$package
done
# One engine is enough: it is the one that uses all kernels.
LD_LIBRARY_PATH=$dir/sim "$dir/mutate" -run cuda -- \
    "$dir/control.test" -test.failfast -- \
    "$dir/cuda.test" -test.failfast -test.short -test.run 'TestConformance/fp32_legacy/(memory|pointwise|head|norm|random|update|moves|chain|conv|window)/'
