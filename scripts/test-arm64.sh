#!/usr/bin/env bash
# Runs tests of the arm64 build under qemu-user: the CPU device, and what does not take minutes there.
#
#   scripts/test-arm64.sh              the tests, the recorded training steps, jem selftest --short
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

go test -short -count=1 -timeout 20m ${TESTFLAGS:-} -exec $emulator \
    ./backend/... ./model ./sampler ./optim ./config/... ./feed/... ./bench/roofline ./train/journal ./internal/...
go test -list '^TestGoldenSteps$' -exec $emulator ./train/replay | grep TestGoldenSteps # a -run that fits nothing would pass
go test -count=1 -timeout 20m ${TESTFLAGS:-} -run '^TestGoldenSteps$' -exec $emulator ./train/replay
# The algorithms are not timed, which says nothing under emulation and takes minutes.
go run -exec $emulator ./cmd/jem selftest --short --conv-algo winograd
