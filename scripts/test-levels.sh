#!/usr/bin/env bash
# Runs the CPU device's tests and jem selftest --short as on machines with fewer or with more instruction sets.
#
#   scripts/test-levels.sh [LEVEL…]           generic, avx2, avx512, avx512-bf16; default: all that can be had
#   scripts/test-levels.sh --why-not LEVEL    exit code 1, and the reason, if the level cannot be had here
#   scripts/test-levels.sh --beside-tests LEVEL    what make test and a jem selftest for each instruction set leave to ask:
#                                             of the machine's own level little
#
# A level below the machine's is reached by GODEBUG=cpu.*=off, which golang.org/x/sys/cpu obeys: the process then sees
# a machine without it. A level above the machine's runs under qemu-user, as far as that has its instructions. TestLevel
# fails on any level but the one that is meant, so none passes for another one.
set -euo pipefail
cd "$(dirname "$0")/.."

levels=(generic avx2 avx512 avx512-bf16)
emulator=qemu-x86_64
tests=() selftest=()
declare -A rank=([generic]=0 [avx2]=1 [avx512]=2 [avx512-bf16]=3)
declare -A without=([generic]=cpu.avx512f=off,cpu.avx2=off [avx2]=cpu.avx512f=off [avx512]=cpu.avx512bf16=off [avx512-bf16]=)

# under COMMAND: the level of a machine as programs see it that COMMAND runs.
under() { go test -count=1 -v -run '^TestLevel$' -exec "$1" ./backend/cpu/asm 2>/dev/null | sed -n 's/.*: level //p'; }

# reach LEVEL: sets runner to what runs a program at that level, here to the machine's own, and tests and selftest to further
# arguments there, or prints why nothing does.
reach() {
    local level=$1 there why
    [[ -n ${rank[$level]:-} ]] || { echo "no level $level: want ${levels[*]}"; return 1; }
    here=$(under env)
    runner="env JEM_TEST_LEVEL=$level GODEBUG=${without[$level]}"
    ((rank[$here] < rank[$level])) || return 0
    why=$(scripts/qemu-user.sh $emulator) || { echo "this machine has $here, and $why"; return 1; }
    export GOARCH=amd64
    there=$(under "env GODEBUG= $emulator -cpu max") # whatever this script is held down to
    ((rank[${there:-generic}] >= rank[$level])) ||
        { echo "this machine has $here, and $($emulator --version | sed -n '1s/ *(.*//p') emulates ${there:-generic}"; return 1; }
    runner+=" $emulator -cpu max"
    # The portable kernels this machine runs itself, and timing algorithms says nothing under emulation.
    tests=(-skip '.*/generic') selftest=(--conv-algo winograd)
}

jem() { go run -exec "$runner" ./cmd/jem "$@"; }

# refused: bf16 is, in one sentence, where there are no instructions for it.
refused() {
    local said
    if said=$(jem selftest --precision bf16 --only mistakes 2>&1); then
        echo "--precision bf16 is not refused"
        return 1
    fi
    [[ $(grep '^jem: ' <<<"$said") == "jem: "*"precision bf16 needs AVX512_BF16"* ]] || { echo "$said"; return 1; }
}

run() {
    local level=$1
    reach "$level" || return 1
    echo "== $level: $runner"
    if [[ -n $beside && $level == "$here" ]]; then
        go test -count=1 ${TESTFLAGS:-} -run '^TestLevel$' -exec "$runner" ./backend/cpu/asm
    else
        go test -short -count=1 -timeout 20m ${TESTFLAGS:-} "${tests[@]}" -exec "$runner" ./backend/cpu/... ./backend/backendtest
        jem selftest --short "${selftest[@]}"
    fi
    if [[ $level == *-bf16 ]]; then
        jem selftest --short --precision bf16 --precision-scope all --only conv
    else
        refused
    fi
}

here="" beside=""
[[ ${1:-} != --beside-tests ]] || { beside=1; shift; }
case ${1:-} in
--why-not)
    reach "${2:?--why-not needs a level}"
    ;;
'')
    for level in "${levels[@]}"; do
        if why=$("$0" --why-not "$level"); then "$0" "$level"; else echo "== $level: not run: $why"; fi
    done
    ;;
*)
    for level; do (run "$level"); done
    ;;
esac
