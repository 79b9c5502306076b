#!/usr/bin/env bash
# Export to ONNX, and run that in onnxruntime beside jem itself.
# examples/onnx/run.sh [FOLDER]: FOLDER, new or empty, gets everything; JEM names the program, STEPS the length of training.
set -eu
out=$(realpath "${1:-$(mktemp -d)}") jem=${JEM:-bin/jem} steps=${STEPS:-200}
cd "$(dirname "$0")/../.."

"$jem" train --preset shapes-demo --steps "$steps" --out "$out/run" --quiet
"$jem" convert "$out/run" "$out/model.onnx" --quiet
go run ./examples/pictures "$out" 10
"$jem" score "$out/run" "$out/others" --json --quiet >"$out/scores.json"

python=${PYTHON:-python3} # one that has onnxruntime, numpy and Pillow: python3 -m venv V && V/bin/pip install onnxruntime numpy Pillow
"$python" -c 'import onnxruntime, numpy, PIL' 2>/dev/null || { echo "skipped: $python has no onnxruntime, numpy, Pillow"; exit 0; }
"$python" - "$out" <<'PYTHON'
import glob, json, sys
import numpy as np, onnxruntime as ort
from PIL import Image

out = sys.argv[1]
x = np.stack([np.asarray(Image.open(f), np.float32)[None] / 255 for f in sorted(glob.glob(out + "/others/*.png"))])
log_px, = ort.InferenceSession(out + "/model.onnx").run(["log_density"], {"image": x})
ours = [image["log_px"] for image in json.load(open(out + "/scores.json"))["images"]]
print("largest difference in log p(x):", np.abs(log_px - ours).max())
assert np.allclose(log_px, ours, rtol=1e-4, atol=1e-4)
PYTHON
