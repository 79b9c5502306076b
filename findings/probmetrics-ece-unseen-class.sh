#!/usr/bin/env bash
# probmetrics 1.3.0 (PyPI), CalibrationError: predictions of four classes, labels of which three occur.
#
# Expected: the error of the predictions that were made, as each sample's confidence and whether it is
# right decide it. Four predictions of confidence 0.6, three of them right: |0.75 − 0.6| = 0.15.
# Seen: a class that no label has is taken out of the probabilities, and the others are scaled to a sum
# of 1, so that 0.6 beside 0.2 for that class becomes 0.75: the error is 0, that of perfectly calibrated
# predictions, without a warning. With one more sample, of the missing class and right, it is 0.2, as it
# should be. torchmetrics, which it calls, gives 0.15 and 0.2. A test set with fewer classes than the
# network meets this.
#
# Exit code 0: still so. Needs python3 (3.11 or later) and PyPI (some gigabytes: torch).
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
python3 -m venv "$dir"
"$dir/bin/pip" install -q --disable-pip-version-check probmetrics==1.3.0 torch==2.15.0 torchmetrics==1.9.0 numpy==2.4.6 numba==0.68.1 pandas==3.0.6
"$dir/bin/python" - <<'PY'
import warnings
import torch
from probmetrics.metrics import CalibrationError
from torchmetrics.classification import MulticlassCalibrationError

def both(p, y):
    p, y = torch.tensor(p), torch.tensor(y)
    with warnings.catch_warnings(record=True) as said:
        warnings.simplefilter("always")
        ours = float(CalibrationError(n_bins=10).compute_from_labels_probs(y, p))
    return round(ours, 4), round(float(MulticlassCalibrationError(num_classes=4, n_bins=10)(p, y)), 4), [str(w.message)[:60] for w in said]

p = [[.6, .1, .1, .2], [.1, .6, .1, .2], [.1, .1, .6, .2], [.6, .1, .1, .2]]
without = both(p, [0, 1, 2, 1])
complete = both(p + [[.2, .1, .1, .6]], [0, 1, 2, 1, 3])
print("probmetrics, torchmetrics, warnings:", without, complete)
assert without[0] < 1e-6 and without[1] == 0.15, without
assert complete[:2] == (0.2, 0.2), complete
PY
