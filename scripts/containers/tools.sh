#!/usr/bin/env bash
# Sees that the tools which build and run images without a daemon are here, and installs them where that can be done.
#
#   scripts/containers/tools.sh
#
# Exit code 1, and the reason on standard output, if they cannot be had.
set -euo pipefail

no() { echo "no containers: $*"; exit 1; }

tools=(buildah umoci runc crun mmdebstrap) # Debian's packages have the names of their programs
missing=()
for tool in "${tools[@]}"; do
    command -v "$tool" >/dev/null || missing+=("$tool")
done
[[ $(uname -sm) == "Linux x86_64" ]] || no "the base image is made for Linux on x86_64, this is $(uname -sm)"
[[ $(id -u) == 0 ]] || no "building without a daemon needs root"
command -v python3 >/dev/null || no "no python3"
[[ -f /usr/share/keyrings/debian-archive-keyring.gpg ]] || no "no keys of Debian's archive, which the base image is made of"
[[ ${#missing[@]} -gt 0 ]] || exit 0
command -v apt-get >/dev/null || no "this is no Debian, install by hand ${missing[*]}"
log=$(mktemp)
trap 'rm -f "$log"' EXIT
wait=(-o DPkg::Lock::Timeout=300)
apt-get "${wait[@]}" update >"$log" 2>&1 || no "apt-get update: $(tail -n 1 "$log")"
DEBIAN_FRONTEND=noninteractive apt-get "${wait[@]}" install -y --no-install-recommends "${missing[@]}" >"$log" 2>&1 ||
    no "apt-get install ${missing[*]}: $(tail -n 1 "$log")"
