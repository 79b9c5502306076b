#!/usr/bin/env bash
# Says where a program is, and unpacks it from Debian's package into a cache outside the tree where it isn't installed.
# Nothing is installed, so it needs no root where apt's lists are there.
#
#   scripts/debian-program.sh PACKAGE PROGRAM     e.g. prometheus promtool
#
# Exit code 1, and the reason on standard output, if it cannot be had.
set -euo pipefail

package=$1 program=$2
no() { echo "no $program: $*"; exit 1; }

command -v "$program" && exit
cache=${XDG_CACHE_HOME:-$HOME/.cache}/jem-debian/$package
path=$cache/usr/bin/$program
[[ -x $path ]] && { echo "$path"; exit; }
command -v apt-get >/dev/null && command -v dpkg-deb >/dev/null || no "this is no Debian, install $package by hand"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
fetch() { (cd "$work" && apt-get download "$package") >"$work/log" 2>&1; }
if ! fetch; then
    [[ $(id -u) == 0 ]] || no "apt-get download $package: $(tail -n 1 "$work/log")"
    apt-get update >"$work/log" 2>&1 || no "apt-get update: $(tail -n 1 "$work/log")"
    fetch || no "apt-get download $package: $(tail -n 1 "$work/log")"
fi
mkdir -p "$work/root" "$(dirname "$cache")"
dpkg-deb -x "$work"/*.deb "$work/root" || no "the package $package does not unpack"
[[ -x $work/root/usr/bin/$program ]] || no "the package $package lacks it"
rm -rf "$cache"
mv "$work/root" "$cache"
echo "$path"
