#!/usr/bin/env bash
# Asks a bundle's run.sh to unpack its programs as on machines that have xz, only Python, neither, or half an archive.
#
#   scripts/gpu-bundle-test.sh BUNDLE      which still has the folders cudnn* beside the archive of them
set -euo pipefail
bundle=$(cd "$1" && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# machine NAME PROGRAM…: a folder of programs that such a machine has, besides those that run.sh never goes without.
machine() {
    local at=$work/$1 program
    shift
    mkdir "$at"
    for program in bash cat cut date dirname mkdir mv rm rmdir sed tar tee uname "$@"; do
        ln -s "$(type -P "$program")" "$at/$program"
    done
}

# as MACHINE BUNDLE MAJOR: run.sh there, its code in $code, what it says in $work/said.
as() {
    code=0
    PYTHON='' PATH=$work/$1 bash "$2/run.sh" --out "$work/out-$1" --unpack "$3" >"$work/said" 2>&1 || code=$?
}

# refuses MACHINE BUNDLE TEXT: it leaves with 69, says why and leaves nothing that looks whole.
refuses() {
    as "$1" "$2" "$major"
    [[ $code == 69 ]] && grep -qF -- "$3" "$work/said" && [[ ! -e $work/out-$1/cudnn$major ]] ||
        { cat "$work/said"; echo "gpu-bundle-test: $1: left with $code, want 69 and \"$3\""; exit 1; }
}

machine xz xz
machine python
printf '#!%s\nexec %q "$@"\n' "$(type -P bash)" "$(python3 -c 'import sys; print(sys.executable)')" >"$work/python/python3"
chmod +x "$work/python/python3" # a link may be to a program that looks for others by its own name
machine neither
for folder in "$bundle"/cudnn*; do
    major=${folder##*cudnn}
    for has in xz python; do
        as "$has" "$bundle" "$major"
        diff -r "$folder" "$work/out-$has/cudnn$major" || { cat "$work/said"; echo "gpu-bundle-test: with $has, cuDNN $major: left with $code"; exit 1; }
    done
done
refuses neither "$bundle" "neither xz nor Python is here"
mkdir "$work/half" && cp "$bundle"/{run.sh,bundle.json} "$work/half/"
head -c "$(($(wc -c <"$bundle/programs.tar.xz") / 2))" "$bundle/programs.tar.xz" >"$work/half/programs.tar.xz"
rm -rf "$work"/out-*
for has in xz python; do
    refuses "$has" "$work/half" "programs.tar.xz can't be unpacked: "
done
echo "gpu-bundle-test: unpacks with xz and with Python, refuses without either and half an archive"
