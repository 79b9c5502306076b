#!/usr/bin/env bash
# Says where a headless Chromium is, and unpacks Debian's with the libraries that it lacks here, 100 MB, into a cache
# outside the tree where none is installed. Nothing is installed, so it needs no root where apt's lists are there.
#
#   scripts/chromium.sh [--cached]     --cached: fetch nothing, say only what is here
#
# Exit code 1, and the reason on standard output, if it cannot be had.
set -euo pipefail

package=chromium-headless-shell
no() { echo "no Chromium: $*"; exit 1; }

for program in "$package" chromium chromium-browser google-chrome; do
    command -v "$program" && exit
done
cache=${XDG_CACHE_HOME:-$HOME/.cache}/jem-debian/$package
path=$cache/$package.sh
[[ -x $path ]] && { echo "$path"; exit; }
[[ ${1:-} != --cached ]] || no "make browser fetches Debian's"
command -v apt-get >/dev/null && command -v dpkg-deb >/dev/null || no "this is no Debian, install chromium by hand"
mkdir -p "$(dirname "$cache")"
exec 9>"$cache.lock"
flock 9
[[ -x $path ]] && { echo "$path"; exit; }
work=$(mktemp -d "$cache.XXXXXX")
trap 'rm -rf "$work"' EXIT

# missing lists the package and those that it needs and that are not installed, a name and a version each.
missing() { apt-get install -y --no-install-recommends --simulate "$package" fonts-dejavu-core | sed -n 's/^Inst \([^ ]*\) .*(\([^ ]*\) .*/\1=\2/p'; }
fetch() { (cd "$work" && mapfile -t packages < <(missing) && [[ ${#packages[@]} -gt 0 ]] && apt-get download "${packages[@]}") >"$work/log" 2>&1; }
if ! fetch; then
    [[ $(id -u) == 0 ]] || no "apt-get download $package: $(tail -n 1 "$work/log")"
    apt-get update >"$work/log" 2>&1 || no "apt-get update: $(tail -n 1 "$work/log")"
    fetch || no "apt-get download $package: $(tail -n 1 "$work/log")"
fi
for deb in "$work"/*.deb; do
    dpkg-deb -x "$deb" "$work/root" || no "the package $(basename "$deb") does not unpack"
done
[[ -x $work/root/usr/lib/chromium/$package ]] || no "the package $package lacks it"

# The libraries lie beside the program, not where the system looks; fonts are the system's, and one more.
cat >"$work/root/fonts.conf" <<TEXT
<?xml version="1.0"?>
<!DOCTYPE fontconfig SYSTEM "fonts.dtd">
<fontconfig><dir>/usr/share/fonts</dir><dir prefix="relative">usr/share/fonts</dir></fontconfig>
TEXT
cat >"$work/root/$package.sh" <<TEXT
#!/bin/sh
root=\$(dirname "\$(readlink -f "\$0")")
for folder in "\$root"/usr/lib/*-linux-gnu "\$root"/usr/lib/*-linux-gnu/pulseaudio; do LD_LIBRARY_PATH=\$folder\${LD_LIBRARY_PATH:+:\$LD_LIBRARY_PATH}; done
export LD_LIBRARY_PATH
[ -e /etc/fonts/fonts.conf ] || export FONTCONFIG_FILE="\$root/fonts.conf"
exec "\$root/usr/lib/chromium/$package" "\$@"
TEXT
chmod 755 "$work/root/$package.sh"
rm -rf "$cache"
mv "$work/root" "$cache"
echo "$path"
