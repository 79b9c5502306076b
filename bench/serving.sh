#!/usr/bin/env bash
# Times a network's answers, by the size of the batch and to many who ask at once, in turns with onnxruntime, to which
# jem convert hands the same network, on the same cores: jem bench score, then onnxruntime, round by round.
#
#   bench/serving.sh [--rounds 3] [--time 1s] [--threads 2] [--no-http] MODEL
#
# MODEL is a run's folder or a file of weights. A jem serve of it is started for the requests over HTTP, but with
# --no-http. ONNX_PYTHON is a Python with onnxruntime; without it one is made in a cache outside the tree.
set -euo pipefail
cd "$(dirname "$0")/.."
rounds=3 time=1s threads=2 http=yes
fail() { echo "${0##*/}: $1" >&2 && exit "${2:-1}"; }
while [[ ${1:-} == -* ]]; do
    case $1 in
    --rounds | --time | --threads)
        [[ $# -gt 1 ]] || fail "$1 wants a value" 2
        declare "${1#--}=$2"
        shift 2
        ;;
    --no-http) http="" && shift ;;
    --help | -h) sed -n '2,/^set /{/^set /d;s/^# \{0,1\}//p;}' "$0" && exit ;;
    *) fail "unknown option $1; --help lists them" 2 ;;
    esac
done
[[ $# == 1 && -e $1 ]] || fail "MODEL is missing: a run's folder or a file of weights" 2
[[ -x bin/jem ]] || fail "no bin/jem yet: make build"
[[ $time =~ ^[0-9.]+s$ ]] || fail "--time $time: want seconds, as in 1s" 2

python=${ONNX_PYTHON:-}
if [[ -z $python ]]; then
    env=${XDG_CACHE_HOME:-$HOME/.cache}/jem-onnxruntime
    python=$env/bin/python
    if [[ ! -e $env/ready ]]; then
        python3 -m venv "$env"
        "$python" -m pip install --quiet onnxruntime==1.32.0 numpy
        touch "$env/ready"
    fi
fi

work=$(mktemp -d) server=""
ended() {
    [[ -z $server ]] || kill "$server" 2>/dev/null || true
    wait
    rm -rf "$work"
}
trap ended EXIT
bin/jem convert "$1" "$work/model.onnx" >/dev/null
bench=(bin/jem bench score "$1" --quiet --json --rounds 1 --time "$time" --threads "$threads")
if [[ -n $http ]]; then
    bin/jem serve "$1" --listen 127.0.0.1:0 --threads "$threads" --max-batch 64 --no-access-log --reload 0 >"$work/serve.out" 2>&1 &
    server=$!
    for ((i = 0; i < 300; i++)); do
        url=$(grep -oE -m 1 'http://127\.0\.0\.1:[0-9]+' "$work/serve.out") && break
        kill -0 "$server" 2>/dev/null || fail "jem serve ended: $(tail -n 1 "$work/serve.out")"
        sleep 0.1
    done
    bench+=(--url "$url" --name jem)
fi
for ((round = 1; round <= rounds; round++)); do
    "${bench[@]}" | "$python" -c 'import json, sys; print(json.dumps(json.load(sys.stdin)))' >>"$work/records"
    "$python" bench/peers/onnx_score.py rates "$work/model.onnx" "$threads" "${time%s}" 1 4 16 64 >>"$work/records"
done
"$python" bench/peers/onnx_score.py table "$work/records"
