#!/usr/bin/env bash
# Times a training step with every core to itself and with one core kept busy by a process that spins there, in
# turns, and prints the medians beside the ideal. The process that spins and the program share that core evenly: of
# C cores C - 1/2 are left to a program with C threads, all that it needs to one with fewer.
#
#   bench/busy.sh [--beside BINARY] [--rows all,1,2,pinned] [--rounds 3] [--depth 16] [--width 2] [--batch 64]
#                 [--sgld-steps 20] [--cpu-isa avx2] [--conv-algo auto] [--precision bf16]
#
# --beside BINARY  another build of the program, taking its turns with this one
# --rows LIST      what to measure: all (as many threads as the program takes by itself), a number (--threads), pinned
#                  (on the busy core alone, by taskset)
set -euo pipefail
# shellcheck source=bench/builds.sh
source "$(dirname "$0")/builds.sh"

rows=all,1,2,pinned
while [[ $# -gt 0 ]]; do
    if [[ $1 == --rows ]]; then
        rows=${2:-}
    else
        option "$@"
    fi
    shift 2 2>/dev/null || shift
done
[[ $rows =~ ^(all|pinned|[1-9][0-9]*)(,(all|pinned|[1-9][0-9]*))*$ ]] || fail "--rows '$rows': want some of all, pinned and numbers, between commas" 2
command -v taskset >/dev/null || fail "no taskset here: it is part of util-linux, for Linux alone"

introduce
core=$("$python" -c 'import os; print(min(os.sched_getaffinity(0)))') # the busy one

# The process that spins ends with this script, even where that is killed: it looks for it now and then.
spinning=""
spin() {
    # shellcheck disable=SC2016 # for the other shell
    taskset -c "$core" bash -c 'while kill -0 "$1" 2>/dev/null; do for ((i = 0; i < 50000; i++)); do :; done; done' spin $$ &
    spinning=$!
}
rest() {
    [[ -n $spinning ]] || return 0
    kill "$spinning" 2>/dev/null || fail "the process that was to keep core $core busy has ended by itself"
    wait "$spinning" 2>/dev/null || true
    spinning=""
}
trap '[[ -z $spinning ]] || kill "$spinning" 2>/dev/null || true; ended' EXIT

# row NAME STATE measures each build once.
row() {
    local build command flag=() where="all threads"
    for build in "${builds[@]}"; do
        command=("$(program "$build")")
        case $1 in
        all) ;;
        pinned) where="taskset -c $core" command=(taskset -c "$core" "${command[@]}") ;;
        *) where="--threads $1" flag=(--threads "$1") ;;
        esac
        step "$build, $where, $2" "${command[@]}" bench step ${flag[@]+"${flag[@]}"}
    done
}

echo "WRN-$depth-$width, batch $batch, K = $k, core $core busy: seconds a step, peak memory, instruction set"
for ((round = 1; round <= rounds; round++)); do
    for name in ${rows//,/ }; do
        row "$name" quiet
        spin
        row "$name" busy
        rest
    done
done
tabulate busy
