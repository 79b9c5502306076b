#!/usr/bin/env bash
# Times jem eval --task ood of a trained model, start and reading included, with this build and another one in
# turns, and prints seconds and peak memory of every run, their medians and the ratios.
#
#   bench/eval.sh [--beside BINARY] [--rounds 3] MODEL [flags of jem eval]
#
# MODEL is a run's or a checkpoint's folder. Without --ood among the flags the other set is uniform.
set -euo pipefail
# shellcheck source=bench/builds.sh
source "$(dirname "$0")/builds.sh"

while [[ ${1:-} == -* ]]; do
    case $1 in
    --beside | --rounds | --help | -h) option "$@" ;;
    *) fail "unknown option $1 before MODEL; flags of jem eval come after it, --help says how" 2 ;;
    esac
    shift 2
done
[[ $# -gt 0 && -n $1 ]] || fail "MODEL is missing: a run's or a checkpoint's folder" 2
[[ -e $1 ]] || fail "MODEL $1: there is no such folder"
model=$1
shift
arguments=(--run "$model" --task ood --quiet "$@") # --run: older builds take no argument
[[ " $* " == *" --ood"[\ =]* ]] || arguments+=(--ood uniform)

introduce
echo "jem eval ${arguments[*]}: seconds, peak memory"
for ((round = 1; round <= rounds; round++)); do
    for build in "${builds[@]}"; do
        measure whole "$build" "$(program "$build")" eval "${arguments[@]}"
    done
done
tabulate table
