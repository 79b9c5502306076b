#!/usr/bin/env bash
# Sees that an emulator of programs of another processor is here, and installs it where that can be done.
#
#   scripts/qemu-user.sh qemu-x86_64|qemu-aarch64
#
# Exit code 1, and the reason on standard output, if it cannot be had.
set -euo pipefail

program=$1
no() { echo "no $program: $*"; exit 1; }

command -v "$program" >/dev/null && exit
[[ $(uname -s) == Linux ]] || no "it is for Linux"
command -v apt-get >/dev/null || no "this is no Debian, install qemu-user by hand"
[[ $(id -u) == 0 ]] || no "apt-get install qemu-user as root brings it"
log=$(mktemp)
trap 'rm -f "$log"' EXIT
apt-get update >"$log" 2>&1 || no "apt-get update: $(tail -n 1 "$log")"
DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends qemu-user >"$log" 2>&1 || no "apt-get install qemu-user: $(tail -n 1 "$log")"
command -v "$program" >/dev/null || no "the package qemu-user lacks it"
