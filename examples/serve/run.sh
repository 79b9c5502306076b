#!/usr/bin/env bash
# A service: asked over HTTP by curl, then stopped.
# examples/serve/run.sh [FOLDER]: FOLDER, new or empty, gets everything; JEM names the program, STEPS the length of training.
set -eu
out=$(realpath "${1:-$(mktemp -d)}") jem=${JEM:-bin/jem} steps=${STEPS:-200}
cd "$(dirname "$0")/../.."
command -v curl >/dev/null || { echo "skipped: no curl here"; exit 0; }

"$jem" train --preset shapes-demo --steps "$steps" --out "$out/run" --quiet
"$jem" sample "$out/run" --class 0 --count 1 --out "$out/picture.png" --quiet
"$jem" serve "$out/run" --listen 127.0.0.1:0 --rule px >"$out/address" 2>"$out/log" &
service=$!
trap 'kill $service 2>/dev/null || true' EXIT
until [[ -s $out/address ]]; do kill -0 $service; sleep 0.2; done
url=$(cat "$out/address")

curl -sf "$url/v2/models/jem" | head -c 300 && echo
# a picture's file as it is: its bytes are base64 in JSON
curl -sf "$url/v2/models/jem/infer" -d @- <<JSON
{"inputs": [{"name": "pictures", "datatype": "BYTES", "shape": [1], "data": ["$(base64 <"$out/picture.png" | tr -d '\n')"]}],
 "outputs": [{"name": "class"}, {"name": "probabilities"}, {"name": "log_px"}, {"name": "unusual"}]}
JSON
echo
kill $service && wait $service # it answers what was asked, and ends with 0
