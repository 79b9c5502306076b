# shellcheck shell=bash
# What the scripts share that time builds of the program in turns. Sourced by them, after set -euo pipefail.

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
python=${PYTHON:-python3}
builds=(jem) # and beside, where --beside names another one
depth=16 width=2 batch=64 k=20 rounds=3 beside="" flags=()

fail() { echo "${0##*/}: $1" >&2 && exit "${2:-1}"; }

# usage prints the comment at the top of the script.
usage() { sed -n '2,/^set /{/^set /d;s/^# \{0,1\}//p;}' "$0" && exit; }

# option NAME VALUE takes an option that several of the scripts have.
option() {
    [[ $1 != --help && $1 != -h ]] || usage
    [[ $1 == --* ]] || fail "unexpected $1; --help lists the options" 2
    case $1 in
    --beside | --rounds | --depth | --width | --batch | --sgld-steps | --cpu-isa | --precision | --conv-algo) ;;
    *) fail "unknown option $1; --help lists them" 2 ;;
    esac
    [[ $# -gt 1 && -n $2 ]] || fail "$1 wants a value" 2
    case $1 in
    --beside) beside=$2 builds=(jem beside) ;;
    --rounds) rounds=$2 ;;
    --depth) depth=$2 ;;
    --width) width=$2 ;;
    --batch) batch=$2 ;;
    --sgld-steps) k=$2 ;;
    *) flags+=("$1" "$2") ;;
    esac
}

# program BUILD prints where it is.
program() { if [[ $1 == jem ]]; then echo "$root/bin/jem"; else echo "$beside"; fi; }

# introduce sees that every build is there and runs, and prints what it calls itself.
introduce() {
    local build path said
    [[ $rounds =~ ^[1-9][0-9]*$ ]] || fail "--rounds $rounds: want a number, at least 1" 2
    command -v "$python" >/dev/null || fail "no $python: install it, or name an interpreter in PYTHON"
    for build in "${builds[@]}"; do
        path=$(program "$build")
        if [[ ! -e $path ]]; then
            [[ $build == beside ]] || fail "no $path yet: make build"
            fail "--beside $path: there is no such program"
        fi
        [[ -f $path && -x $path ]] || fail "--beside $path: this is no program"
        [[ $path == */* ]] || path=./$path
        said=$("$path" version 2>&1) || fail "--beside $path doesn't run: ${said##*"$path": }"
        [[ $said == "jem "* ]] || fail "--beside $path is no build of jem: asked for its version, it says ${said:-nothing}"
        echo "$build: $path, $said"
    done
    [[ -z $beside || $beside == */* ]] || beside=./$beside
}

# records is what has been measured so far; ended forgets it and stops what was being measured.
records=$(mktemp) measured=""
ended() {
    [[ -z $measured ]] || kill "$measured" 2>/dev/null || true
    rm -f "$records"
}
trap ended EXIT
trap 'exit 1' INT TERM HUP

# measure step|whole NAME COMMAND… adds a record. In the background, since a trap waits for what is in front.
measure() {
    "$python" "$root/bench/figures.py" "$1" "$records" "${@:2}" &
    measured=$!
    wait "$measured"
    measured=""
}

# step NAME COMMAND… measures training steps; COMMAND ends with bench step and flags for this one alone.
step() {
    measure step "$@" --model "wrn-$depth-$width" --batch "$batch" --sgld-steps "$k" --steps 3 --device cpu \
        ${flags[@]+"${flags[@]}"} --json
}

# tabulate table|busy prints what the records come to.
tabulate() { "$python" "$root/bench/figures.py" "$1" "$records"; }
