#!/usr/bin/env bash
# Runs tests of the arm64 build under qemu-user: the CPU device, and what does not take minutes there.
#
#   scripts/test-arm64.sh              the tests, the recorded training steps, jem selftest --short
#   scripts/test-arm64.sh --quick      those of packages that compute or move bytes, one recorded step, a part of the selftest, whose
#                                      whole suite the device's tests put as well
#   scripts/test-arm64.sh --why-not    exit code 1, and the reason, if they cannot be run here
#
# Not run there: cmd/jem and what else starts the program (the kernel here does not run arm64 programs), eval/...,
# predict, experiments and the rest of train (minutes of emulation). An arm64 machine runs it all in make test.
set -euo pipefail
cd "$(dirname "$0")/.."

export GOARCH=arm64
emulator=qemu-aarch64

why=$(scripts/qemu-user.sh $emulator) || { echo "$why"; exit 1; }
[[ ${1:-} == --why-not ]] && exit

packages=(./backend/... ./model ./sampler ./optim ./config/... ./feed/... ./bench/roofline ./train/journal ./internal/...)
golden='^TestGoldenSteps$' selftest=()
if [[ ${1:-} == --quick ]]; then
    packages=(./backend ./backend/cpu/... ./backend/philox ./model ./sampler ./optim ./feed)
    packages+=(./internal/{checkpoint,data,dtype,figure,imagefile,metrics,picture,safetensors,sysmem,tboard,torchfile})
    golden='^TestGoldenSteps$/^jem_wrn10_1_' selftest=(--only conv)
fi

go test -short -count=1 -timeout 20m ${TESTFLAGS:-} -exec $emulator "${packages[@]}"
said=$(go test -count=1 -timeout 20m -v -run "$golden" -exec $emulator ./train/replay 2>&1) || { echo "$said"; exit 1; }
echo "$said"
grep -q -- '--- PASS: TestGoldenSteps/' <<<"$said" # a -run that fits nothing would pass
# The algorithms are not timed, which says nothing under emulation and takes minutes.
go run -exec $emulator ./cmd/jem selftest --short --conv-algo winograd "${selftest[@]}"
