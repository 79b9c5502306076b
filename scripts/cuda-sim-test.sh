#!/usr/bin/env bash
# Runs the CUDA program and its tests, unchanged, on the stand-ins for driver, cuDNN and NCCL: no GPU, no library of
# NVIDIA's at run time. What is compared with what is in the tests (cuda, cuda/sim/control); docs/cuda.md lists them.
#
#   scripts/cuda-sim-test.sh [tests|all-tests|race|asan|program|all-program|ranks]…      default: all-tests all-program ranks
#
# all-tests: go vet and the tests with every cached toolkit, so with both generations of cuDNN. tests: those of the
# older one shortened: every call failing fewer times, fewer shapes, ten steps beside the CPU's; those of the newest with
# every call failing at four moments instead of a dozen. race: those that share
# memory under the race detector. asan: the stand-ins under the address sanitizer. all-program: bin/jem-cuda repeats the
# golden steps in float32, whose tolerances they have, and trains 30 steps of a smaller fashion-demo beside the CPU. program:
# one golden step and one recipe's, since tests ask for all of them, and ten steps.
# ranks: the tests of comm/nccl, of NVIDIA's own library, too, where scripts/cuda-toolchain.sh nccl has brought it; two ranks of
# bin/jem-cuda train twelve steps, are stopped and resumed, lose one another, under MPI as well where an engine is here.
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
        on "$version" go vet -tags cuda,mpi ./cuda/... ./kernels ./cmd/jem ./comm/...
        on "$version" go test -tags cuda -count 1 -timeout 20m "${flags[@]}" ${TESTFLAGS:-} ./cuda/... ./kernels
        flags=("$@")
    done
}

tests() { JEM_CUDA_FAILURES=1 tests_with -short; }
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

program() { program_with 10 train/replay/testdata/{jem_sgd_wrn16_1,recipes/sada-jem}.json; }
all-program() { program_with 30 train/replay/testdata/{,recipes/}*.json; }

# program_with STEPS GOLDEN…
program_with() {
    local jem=bin/jem-cuda sim device file work small steps=$1
    shift
    make cuda CUDA=13.0
    sim=$(scripts/cuda-sim.sh 13.0)
    export LD_LIBRARY_PATH=$sim
    "$jem" devices | grep -E '^cuda'
    for file; do
        "$jem" selftest --device cuda --golden "$file"
    done
    work=$(mktemp -d)
    # shellcheck disable=SC2064 # the folder of now
    trap "rm -rf '$work'" EXIT
    if ! "$jem" data verify fashion-mnist >/dev/null 2>&1; then
        echo "not run: $steps steps of fashion-demo: Fashion-MNIST is not here"
        return
    fi
    # The stand-in takes seconds where the CPU device takes milliseconds: fewer images, shorter chains.
    small=(--set train.batch=8 --set sampler.steps=2 --set data.valid=100 --set train.log_every=1)
    for device in cpu cuda; do
        "$jem" train --preset fashion-demo --device "$device" --steps "$steps" "${small[@]}" --out "$work/$device" --log-format json >"$work/$device.log" 2>&1 ||
            { tail -n 5 "$work/$device.log"; return 1; }
    done
    # Float32 on both, sums in other orders: 1e-8 of the loss in the first steps, and chains carry that on: 1e-4 after thirty.
    paste <(losses "$work/cpu/metrics.jsonl") <(losses "$work/cuda/metrics.jsonl") | awk -v steps="$steps" '
        { d = $1 - $2; if (d < 0) d = -d; if (NR <= 5 && d > early) early = d; if (d > late) late = d }
        END { printf "%d steps beside the CPU: losses differ by %.2g in the first five, by %.2g in all\n", NR, early, late
              exit !(NR == steps && early <= 1e-6 && late <= 0.01) }'
}

# two NAME RANK-1'S-VARIABLES ARGUMENTS…: two ranks, started as torchrun does; their codes go to $codes, what they say to $work/NAME.
two() {
    local name=$1 own=$2 rank pids=()
    shift 2
    for rank in 0 1; do
        # shellcheck disable=SC2086 # several variables
        env RANK=$rank WORLD_SIZE=2 LOCAL_RANK=$rank LOCAL_WORLD_SIZE=2 MASTER_ADDR=127.0.0.1 MASTER_PORT="$port" CUDA_VISIBLE_DEVICES=$rank TMPDIR="$work" \
            $([[ $rank == 1 ]] && echo "$own") "$jem" train "$@" >>"$work/$name" 2>&1 &
        pids+=($!)
    done
    codes=""
    for rank in 0 1; do
        wait "${pids[rank]}" && codes+="0 " || codes+="$? "
    done
}

# must NAME CODES TEXT: what the last ranks left with, and what they said.
must() {
    [[ $codes == "$2 $2 " ]] && grep -qF -- "$3" "$work/$1" || { cat "$work/$1"; echo "ranks: $1: left with $codes, want $2 of both and \"$3\""; return 1; }
    echo "ranks: $1: both left with $2"
}

# weights RUN: the checksum of its last checkpoint's parts.
weights() { (cd "$1/checkpoints/$(ls "$1/checkpoints" | sort | tail -n 1)" && sha256sum -- *.safetensors); }

# beside ONE TWO: losses of one rank and of two. Float32 in other orders: the bounds of program above.
beside() {
    paste <(losses "$1/metrics.jsonl") <(losses "$2/metrics.jsonl") | awk '
        { d = $1 - $2; if (d < 0) d = -d; if (NR <= 5 && d > early) early = d; if (d > late) late = d }
        END { printf "ranks: %d steps beside one rank: losses differ by %.2g in the first five, by %.2g in all\n", NR, early, late
              exit !(NR == 12 && early <= 1e-6 && late <= 0.01) }'
}

ranks() {
    local jem=bin/jem-cuda sim work port=29519 codes small engine real
    make cuda CUDA=13.0
    sim=$(scripts/cuda-sim.sh 13.0)
    LD_LIBRARY_PATH=$sim CGO_ENABLED=0 go test -tags cuda -count 1 ${TESTFLAGS:-} ./comm/nccl
    if real=$(scripts/cuda-toolchain.sh --path nccl); then
        JEM_TEST_NCCL=$real/libnccl.so.2 CGO_ENABLED=0 go test -tags cuda -count 1 -v -run RealLibrary ./comm/nccl | grep -E '^ok|NCCL'
    else
        echo "not run: NVIDIA's own library: scripts/cuda-toolchain.sh nccl brings it"
    fi
    export LD_LIBRARY_PATH=$sim
    work=$(mktemp -d)
    # shellcheck disable=SC2064 # the folder of now
    trap "rm -rf '$work'" EXIT
    small=(--preset shapes-demo --device cuda --set train.batch=8 --set sampler.steps=2 --set train.log_every=1 --set train.save_every=5 --rank-timeout 20s)
    "$jem" train "${small[@]}" --steps 12 --out "$work/one" >"$work/one.log" 2>&1
    two whole "" "${small[@]}" --steps 12 --out "$work/two" && must whole 0 "report.html"
    beside "$work/one" "$work/two"
    # A loss of the eighth step's sums; what both had saved after five goes on to the bits of those that lost nothing.
    two lost JEM_SIM_FAIL=ncclAllReduce:8=6 "${small[@]}" --steps 12 --out "$work/again" && must lost 69 "ncclAllReduce: a remote process ended or the network failed (6)"
    two resumed "" --resume "$work/again" && must resumed 0 "report.html"
    diff <(weights "$work/two") <(weights "$work/again") && echo "ranks: resumed ones have the bits of those that went through"
    two twice "JEM_JOB_ID=another" "${small[@]}" --steps 12 --out "$work/none" || true
    [[ $codes == *" 78 " ]] && grep -q "belongs to another job" "$work/twice"
    for engine in $(scripts/mpi.sh engines | head -n 1); do
        env TMPDIR="$work" CUDA_VISIBLE_DEVICES=0 scripts/mpi.sh run "$engine" 2 "$jem" train "${small[@]}" --steps 12 --out "$work/mpi" >"$work/mpi.log" 2>&1 || { cat "$work/mpi.log"; return 1; }
        diff <(weights "$work/two") <(weights "$work/mpi") && echo "ranks: over $engine they have the same bits: $(grep -ohE '"engine": *"[^"]*"' "$work/mpi/env.json")"
    done
}

[[ -n $(cached) ]] || {
    echo "cuda-sim-test: no CUDA toolkit in the cache: run make cuda-toolchain CUDA=all" >&2
    exit 69
}
[[ $# -gt 0 ]] || set -- all-tests all-program ranks
for part in "$@"; do
    case $part in
    tests | all-tests | race | asan | program | all-program | ranks) "$part" ;;
    *) echo "cuda-sim-test: unknown part $part" >&2 && exit 2 ;;
    esac
done
