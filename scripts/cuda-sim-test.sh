#!/usr/bin/env bash
# Runs the CUDA program and its tests, unchanged, on the stand-ins for driver and cuDNN: no GPU, no library of
# NVIDIA's at run time. What is compared with what is in the tests (cuda, cuda/sim/control); docs/cuda.md lists them.
#
#   scripts/cuda-sim-test.sh [tests|all-tests|race|asan|program]…      default: all-tests program
#
# all-tests: go vet and the tests with every cached toolkit, so with both generations of cuDNN. tests: those of the
# older one shortened: without every call failing once, and with fewer shapes. race: those that share
# memory under the race detector. asan: the stand-ins under the address sanitizer. program: bin/jem-cuda repeats the
# golden steps in float32, whose tolerances they have, and trains 30 steps of a smaller fashion-demo beside the CPU.
set -euo pipefail
cd "$(dirname "$0")/.."

# on VERSION COMMAND…: with the toolkit's environment and its stand-ins in place of the libraries.
on() {
    local version=$1 sim
    shift
    sim=$(scripts/cuda-sim.sh "$version")
    CUDA=$version LD_LIBRARY_PATH=$sim scripts/cuda-env.sh "$@"
}

cached() { # the versions that are here, newest first
    local version
    for version in 13.0 12.4; do
        if scripts/cuda-toolchain.sh --path "$version" >/dev/null; then
            echo "$version"
        fi
    done
}

# tests_with FLAGS: FLAGS are for all toolkits but the newest.
tests_with() {
    local version flags=()
    for version in $(cached); do
        echo "== CUDA $version ${flags[*]}"
        on "$version" go vet -tags cuda ./cuda/... ./kernels ./cmd/jem
        on "$version" go test -tags cuda -count 1 -timeout 20m "${flags[@]}" ${TESTFLAGS:-} ./cuda/... ./kernels
        flags=("$@")
    done
}

tests() { tests_with -short; }
all-tests() { tests_with; }

race() {
    on 13.0 go test -race -tags cuda -count 1 -short -timeout 20m ${TESTFLAGS:-} -run 'Chains|Launch|Fails|Late|Golden.*/jem_sgd' ./cuda/...
}

asan() {
    local sim
    sim=$(scripts/cuda-sim.sh 13.0 asan)
    mkdir -p build/tests
    CUDA=13.0 scripts/cuda-env.sh go test -c -tags cuda -o build/tests/cuda.test ./cuda
    # Go keeps its own handler of memory faults; its runtime's memory isn't the sanitizer's to judge.
    (cd cuda && LD_PRELOAD=$(gcc -print-file-name=libasan.so) LD_LIBRARY_PATH=$sim \
        ASAN_OPTIONS=detect_leaks=0:handle_segv=0:handle_sigill=0:detect_stack_use_after_return=0 \
        ../build/tests/cuda.test -test.short -test.timeout 20m -test.run 'Conformance/.*graph|Chains|Golden.*/jem_sgd')
}

# losses FILE: the loss of each step in a run's metrics.
losses() { grep '"kind":"train"' "$1" | grep -ohE '"loss":[-0-9.e+]+' | cut -d: -f2; }

program() {
    local jem=bin/jem-cuda sim device file work small
    make cuda CUDA=13.0
    sim=$(scripts/cuda-sim.sh 13.0)
    export LD_LIBRARY_PATH=$sim
    "$jem" devices | grep -E '^cuda'
    for file in train/replay/testdata/{,recipes/}*.json; do
        "$jem" selftest --device cuda --golden "$file"
    done
    work=$(mktemp -d)
    # shellcheck disable=SC2064 # the folder of now
    trap "rm -rf '$work'" EXIT
    if ! "$jem" data verify fashion-mnist >/dev/null 2>&1; then
        echo "not run: 30 steps of fashion-demo: Fashion-MNIST is not here"
        return
    fi
    # The stand-in takes seconds where the CPU device takes milliseconds: fewer images, shorter chains.
    small=(--set train.batch=8 --set sampler.steps=2 --set data.valid=100 --set train.log_every=1)
    for device in cpu cuda; do
        "$jem" train --preset fashion-demo --device "$device" --steps 30 "${small[@]}" --out "$work/$device" --log-format json >"$work/$device.log" 2>&1 ||
            { tail -n 5 "$work/$device.log"; return 1; }
    done
    # Float32 on both, sums in other orders: 1e-8 of the loss in the first steps, and chains carry that on: 1e-4 after thirty.
    paste <(losses "$work/cpu/metrics.jsonl") <(losses "$work/cuda/metrics.jsonl") | awk '
        { d = $1 - $2; if (d < 0) d = -d; if (NR <= 5 && d > early) early = d; if (d > late) late = d }
        END { printf "%d steps beside the CPU: losses differ by %.2g in the first five, by %.2g in all\n", NR, early, late
              exit !(NR == 30 && early <= 1e-6 && late <= 0.01) }'
}

[[ -n $(cached) ]] || {
    echo "cuda-sim-test: no CUDA toolkit in the cache: run make cuda-toolchain CUDA=all" >&2
    exit 69
}
[[ $# -gt 0 ]] || set -- all-tests program
for part in "$@"; do
    case $part in
    tests | all-tests | race | asan | program) "$part" ;;
    *) echo "cuda-sim-test: unknown part $part" >&2 && exit 2 ;;
    esac
done
