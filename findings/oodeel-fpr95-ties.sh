#!/usr/bin/env bash
# oodeel 0.4.0 (PyPI), bench_metrics: the false-positive rate at 95 % true positives of scores with ties.
#
# Expected: the smallest rate of any threshold that takes at least 95 % of the OOD scores; 1 where all
# scores are equal, since every threshold takes all or none.
# Seen: it is read at the first threshold whose true-positive rate is below 95 %. Scores that are all
# equal, so of a detector that can't tell anything, have fpr95tpr 0.0, a perfect detector's, beside an AUROC of
# 0.5; scores rounded to steps have 0.7 where no threshold that takes 95 % has less than 0.8
# (scikit-learn's roc_curve). The integration step is 1 here, so it isn't the coarse default of 4.
#
# Exit code 0: still so. Needs python3 (3.10 to 3.12) and PyPI.
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
python3 -m venv "$dir"
"$dir/bin/pip" install -q --disable-pip-version-check --no-deps oodeel==0.4.0 # the function needs these two alone
"$dir/bin/pip" install -q --disable-pip-version-check numpy==1.26.4 scikit-learn==1.7.2 2> /dev/null
"$dir/bin/python" - <<'PY'
import numpy as np
from oodeel.eval.metrics import bench_metrics
from sklearn.metrics import roc_curve

def both(inside, outside):  # OOD is the positive class and has the higher scores
    ours = bench_metrics((inside, outside), metrics=["auroc", "fpr95tpr"], step=1)
    labels = np.r_[np.zeros(len(inside)), np.ones(len(outside))]
    fpr, tpr, _ = roc_curve(labels, np.r_[inside, outside], drop_intermediate=False)
    return float(ours["auroc"]), float(ours["fpr95tpr"]), float(fpr[tpr >= 0.95].min())

equal = both(np.zeros(10), np.zeros(10))
rounded = both(np.arange(0, 20) // 2 * 1.0, np.arange(4, 24) // 2 * 1.0)
for name, (auroc, oodeel, sklearn) in {"equal": equal, "rounded": rounded}.items():
    print(f"{name}: AUROC {auroc:.2f}, FPR95 by oodeel {oodeel:.2f}, by scikit-learn {sklearn:.2f}")
assert equal == (0.5, 0.0, 1.0), equal
assert np.allclose(rounded, (0.68, 0.7, 0.8)), rounded
PY
