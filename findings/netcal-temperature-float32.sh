#!/usr/bin/env bash
# netcal 1.4.0 (PyPI), TemperatureScaling fitted on probabilities in float32, as networks give them.
#
# Expected: the same temperature as from the same numbers in float64. 1,000 predictions of three classes
# are right in three cases of four and say 0.987: dividing their logits by T = 5/ln 6 = 2.7906 makes
# them say 0.75.
# Seen: from float64 the fit is found, and `temperature` is what logits are multiplied by, 0.3584 = 1/T
# (the documentation divides by T). From float32 nothing is fitted: `temperature` stays 1.0 and transform
# gives back the confidence of 0.987, without a word about it. (The optimiser takes differences of 1.5e-8,
# which float32 doesn't see.)
#
# Exit code 0: still so. Needs python3 (3.11 or later) and PyPI (some gigabytes: torch).
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
python3 -m venv "$dir"
"$dir/bin/pip" install -q --disable-pip-version-check netcal==1.4.0 torch==2.15.0 numpy==2.4.6 scipy==1.17.1
"$dir/bin/python" - <<'PY'
import warnings
import numpy as np
from netcal.scaling import TemperatureScaling

logits = np.tile(np.array([[5., 0, 0], [0, 5, 0], [0, 0, 5], [5, 0, 0]]), (250, 1))
labels = np.tile([0, 1, 2, 1], 250)
p = np.exp(logits) / np.exp(logits).sum(1, keepdims=True)
seen = {}
for dtype in (np.float64, np.float32):
    with warnings.catch_warnings(record=True) as said:
        warnings.simplefilter("always")
        scaling = TemperatureScaling()
        scaling.fit(p.astype(dtype), labels)
    after = scaling.transform(p.astype(dtype)).max(1).mean()
    seen[dtype] = (float(scaling.temperature[0]), float(after))
    print(f"{dtype.__name__}: temperature {seen[dtype][0]:.4f}, confidence {p.max(1).mean():.4f} becomes {after:.4f}, warnings {[str(w.message)[:60] for w in said]}")
assert np.allclose(seen[np.float64], (np.log(6) / 5, 0.75), atol=1e-3), seen
assert np.allclose(seen[np.float32], (1, 0.9867), atol=1e-4), seen
PY
