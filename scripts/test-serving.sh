#!/usr/bin/env bash
# Asks jem serve by real clients of the Open Inference Protocol, Triton's and KServe's for Python, which pip brings into a
# cache outside the tree once.
#
#   scripts/test-serving.sh              the tests, with bin/jem
#   scripts/test-serving.sh --why-not    exit code 1, and the reason, if they cannot be run here at once
set -euo pipefail
cd "$(dirname "$0")/.."
venv=${XDG_CACHE_HOME:-$HOME/.cache}/jem-serving/venv
pins=scripts/serving-clients.txt

# clients is a Python with the clients; it is made anew when the pins change.
clients() {
    cmp -s "$pins" "$venv/pins" && return
    command -v python3 >/dev/null || { echo "no python3"; return 1; }
    rm -rf "$venv"
    mkdir -p "$(dirname "$venv")"
    python3 -m venv "$venv" >/dev/null || { echo "no python3 with venv"; return 1; }
    timeout 600 "$venv/bin/pip" install --quiet --disable-pip-version-check --no-deps --only-binary=:all: -r "$pins" >"$venv/log" 2>&1 ||
        { echo "pip cannot get the clients: $(tail -n 1 "$venv/log")"; return 1; }
    cp "$pins" "$venv/pins"
}

if [[ ${1:-} == --why-not ]]; then
    cmp -s "$pins" "$venv/pins" && exit
    echo "the clients are not in the cache: make test-serving brings them once, in minutes"
    exit 1
fi
clients || exit 1

dir=$(mktemp -d)
server=
trap '[[ -z $server ]] || kill -9 "$server" 2>/dev/null; rm -rf "$dir"' EXIT
official=internal/torchfile/testdata/official_wrn10_1
token=0123456789abcdef
echo "$token" >"$dir/token"
"${JEM:-bin/jem}" score -q "${official}_zip.pt" "${official}_expect.safetensors" --out "$dir/scores.safetensors"
"${JEM:-bin/jem}" serve "${official}_zip.pt" --listen 127.0.0.1:0 --token-file "$dir/token" --log-format json >"$dir/address" 2>"$dir/log" &
server=$!
for _ in $(seq 600); do
    [[ -s $dir/address ]] && break
    kill -0 "$server" 2>/dev/null || { cat "$dir/log"; exit 1; }
    sleep 0.1
done
"$venv/bin/python" scripts/serving-clients.py "$(<"$dir/address")" "${official}_expect.safetensors" "$dir/scores.safetensors" "$token" ||
    { tail -n 5 "$dir/log"; exit 1; }
kill -TERM "$server"
code=0
wait "$server" || code=$?
server=
[[ $code == 0 ]] || { echo "jem serve ended with $code after SIGTERM"; tail -n 5 "$dir/log"; exit 1; }
echo "SIGTERM: ended with 0"
