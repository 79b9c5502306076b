#!/usr/bin/env bash
# safetensors 0.8.0 (PyPI), safetensors.numpy: arrays that are views of others, transposed or strided.
#
# Expected: save and load give the array back, or save refuses it, as safetensors.torch does with tensors
# that aren't contiguous.
# Seen: no error; the file has the view's shape and the numbers as they lie in memory from the view's first
# on. A transposed matrix comes back as another matrix, every second column as the first columns, and with
# numbers that the view never had. numpy.ascontiguousarray before saving gives the right file.
#
# Exit code 0: still so. Needs python3 (3.11 or later) and PyPI.
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
python3 -m venv "$dir"
"$dir/bin/pip" install -q --disable-pip-version-check --no-deps safetensors==0.8.0 numpy==2.4.6
"$dir/bin/python" - <<'PY'
import numpy as np
from safetensors.numpy import load, save

def back(x):
    return load(save({"x": x}))["x"]

whole = np.arange(6, dtype=np.float32).reshape(2, 3)
seen = {"transposed": back(whole.T), "every second column": back(whole[:, ::2])}
for (name, got), view in zip(seen.items(), (whole.T, whole[:, ::2])):
    print(f"{name}: saved {view.tolist()}, loaded {got.tolist()}")
assert np.array_equal(seen["transposed"], [[0, 1], [2, 3], [4, 5]]), seen
assert np.array_equal(seen["every second column"], [[0, 1], [2, 3]]), seen
assert np.array_equal(back(np.ascontiguousarray(whole.T)), whole.T)
PY
