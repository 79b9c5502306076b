#!/usr/bin/env python3
"""Prints what other libraries answer to the inputs of docs/conventions.md, a row each.

    python3 -m venv v; v/bin/pip install $(sed -n 's/^#pin //p' scripts/conventions.py)
    v/bin/pip install --no-deps oodeel==0.4.0; v/bin/python scripts/conventions.py

Python 3.12. A library that isn't there is left out with a row that says so.
"""
#pin torch==2.15.0 torchvision==0.29.2 numpy==2.5.5 scikit-learn==1.9.1 torchmetrics==1.9.0 torch-fidelity==0.4.0
#pin clean-fid==0.1.35 netcal==1.4.0 torch-uncertainty[cpu]==0.13.0 probmetrics==1.3.0 numba==0.68.1 pandas==3.0.6
#pin uncertainty-calibration==0.1.4 pytorch-ood==0.4.0 torchattacks==3.5.1 torchebm==0.8.9 ebmkit==0.16.0 faiss-cpu==1.15.1
import logging
import warnings

import numpy as np
import torch

warnings.filterwarnings("ignore")
logging.disable(logging.CRITICAL)


def row(figure, library, answer):
    """answer imports what it needs, so that one library's absence costs its rows alone."""
    try:
        seen = answer()
    except Exception as e:  # a refusal is an answer
        seen = f"{type(e).__name__}: {str(e)[:90]}"
    print(f"{figure:24} {library:38} {seen}", flush=True)


def number(v):
    return float(np.asarray(v.detach() if isinstance(v, torch.Tensor) else v).reshape(-1)[0])


def calibration(name, p, y, bins):
    y = np.array(y)
    for kind in (np.float64, np.float32):
        q = np.array(p, kind)
        t, labels = torch.tensor(q), torch.tensor(y)
        figure, k = f"{name} {kind.__name__}", q.shape[1]

        def torchmetrics():
            from torchmetrics.classification import MulticlassCalibrationError as C
            return number(C(k, n_bins=bins)(t, labels))

        def uncertainty():
            from torch_uncertainty.metrics.classification import CalibrationError as C
            return number(C(task="multiclass", num_classes=k, num_bins=bins)(t, labels))

        def probmetrics():
            from probmetrics.metrics import CalibrationError as C
            return number(C(n_bins=bins).compute_from_labels_probs(labels, t))

        def netcal(equal=True):
            from netcal.metrics import ECE
            return number(ECE(bins, equal_intervals=equal).measure(q, y))

        def verified(which="get_ece", **more):
            import calibration as c
            return number(getattr(c, which)(q, y, **more))

        def ebmkit():
            from ebm.eval import expected_calibration_error as C
            return C(t, labels, n_bins=bins)

        def adaptive():
            from torch_uncertainty.metrics.classification.calibration import AdaptiveCalibrationError as C
            return number(C(task="multiclass", num_classes=k, num_bins=bins, norm="l1")(t, labels))

        def classwise():
            from torch_uncertainty.metrics.classification.calibration import ClasswiseCalibrationError as C
            return number(C(num_classes=k, num_bins=bins)(t, labels))

        row(figure, "torchmetrics", torchmetrics)
        row(figure, "torch-uncertainty", uncertainty)
        row(figure, "probmetrics", probmetrics)
        row(figure, "netcal", netcal)
        row(figure, "uncertainty-calibration", lambda: verified(num_bins=bins))
        row(figure, "ebmkit", ebmkit)
        row(figure + " mass", "netcal", lambda: netcal(False))
        row(figure + " mass", "uncertainty-calibration", lambda: verified("get_ece_em", num_bins=bins))
        row(figure + " mass", "torch-uncertainty", adaptive)
        row(figure + " class-wise", "torch-uncertainty", classwise)
        row(figure + " as it comes", "uncertainty-calibration", lambda: verified("get_calibration_error"))


def brier(p, y):
    t, labels = torch.tensor(p), torch.tensor(y)

    def uncertainty():
        from torch_uncertainty.metrics.classification import BrierScore
        return number(BrierScore(num_classes=3)(t, labels))

    def probmetrics():
        from probmetrics.metrics import BrierLoss
        return number(BrierLoss().compute_from_labels_probs(labels, t))

    def sklearn(y=y, p=p, **more):
        from sklearn.metrics import brier_score_loss
        return number(brier_score_loss(y, p, **more))

    def verified():
        import calibration
        return number(calibration.utils.eval_marginal_mse(p, p, y))

    row("Brier", "torch-uncertainty", uncertainty)
    row("Brier", "probmetrics", probmetrics)
    row("Brier", "scikit-learn", lambda: sklearn(labels=[0, 1, 2]))
    row("Brier", "scikit-learn, scale_by_half", lambda: sklearn(labels=[0, 1, 2], scale_by_half=True))
    row("Brier, two classes", "scikit-learn", lambda: sklearn([1, 0], [.8, .3]))
    row("Brier", "uncertainty-calibration", verified)


def temperature(logits, y):
    t, labels = torch.tensor(logits, dtype=torch.float64), torch.tensor(y)
    p = t.softmax(1).numpy()

    def netcal(kind):
        from netcal.scaling import TemperatureScaling
        s = TemperatureScaling()
        s.fit(p.astype(kind), np.array(y))
        return number(s.temperature)

    def uncertainty():
        from torch.utils.data import DataLoader, TensorDataset
        from torch_uncertainty.post_processing import TemperatureScaler
        s = TemperatureScaler()
        s.fit(DataLoader(TensorDataset(t.float(), labels), batch_size=len(y)), progress=False)
        return number(s.temperature[0])

    def ebmkit():
        from ebm.eval import temperature_scale
        return number(temperature_scale(t, labels))

    def probmetrics(name, key):
        from probmetrics.calibrators import get_calibrator
        from probmetrics.distributions import CategoricalLogits
        c = get_calibrator(name)
        c.fit_torch(CategoricalLogits(t), labels)
        return number(getattr(c, key))

    def sklearn():
        from sklearn.calibration import _TemperatureScaling
        return number(_TemperatureScaling().fit(np.log(p), np.array(y)).beta_)

    row("temperature", "netcal, float64", lambda: netcal(np.float64))
    row("temperature", "netcal, float32", lambda: netcal(np.float32))
    row("temperature", "torch-uncertainty", uncertainty)
    row("temperature", "ebmkit", ebmkit)
    row("temperature", "probmetrics temp-scaling invtemp_", lambda: probmetrics("temp-scaling", "invtemp_"))
    row("temperature", "probmetrics guo-ts temp_", lambda: probmetrics("guo-ts", "temp_"))
    row("temperature", "scikit-learn beta_", sklearn)


def detection(name, inside, outside):
    """Scores higher in the distribution; AUROC, AUPR in and out, FPR95."""
    i, o = np.array(inside, float), np.array(outside, float)
    s, y = np.r_[i, o], np.r_[np.ones(len(i), int), np.zeros(len(o), int)]

    def sklearn():
        from sklearn.metrics import average_precision_score, roc_auc_score, roc_curve
        fpr, tpr, _ = roc_curve(y, s, drop_intermediate=False)
        return [float(v) for v in (roc_auc_score(y, s), average_precision_score(y, s), average_precision_score(1 - y, -s), fpr[tpr >= .95].min())]

    def torchmetrics():
        from torchmetrics.classification import BinaryAUROC, BinaryAveragePrecision
        return [number(m(torch.tensor(s), torch.tensor(y))) for m in (BinaryAUROC(), BinaryAveragePrecision())]

    def pytorch_ood():
        from pytorch_ood.metrics import OODMetrics
        m = OODMetrics()
        m.update(torch.tensor(-s), torch.tensor(np.where(y == 1, 0, -1)))
        return {k: round(v, 6) for k, v in m.compute().items() if k != "AUTC"}

    def oodeel(step):
        from oodeel.eval.metrics import bench_metrics
        return {k: float(v) for k, v in bench_metrics((-i, -o), metrics=["auroc", "fpr95tpr"], step=step).items()}

    def uncertainty():
        from torch_uncertainty.metrics.classification import FPR95
        m = FPR95(pos_label=1)
        m.update(torch.tensor(-s), torch.tensor(1 - y))
        return number(m.compute())

    row(name, "scikit-learn", sklearn)
    row(name, "torchmetrics AUROC, AP", torchmetrics)
    row(name, "pytorch-ood", pytorch_ood)
    row(name, "oodeel, step 4 as it comes", lambda: oodeel(4))
    row(name, "oodeel, step 1", lambda: oodeel(1))
    row(name, "torch-uncertainty FPR95", uncertainty)


class Linear(torch.nn.Module):
    """Logits (sum of x, 0)."""

    def __init__(self):
        super().__init__()
        self.weight = torch.nn.Parameter(torch.ones(1))

    def forward(self, x):
        sums = self.weight * x.reshape(len(x), -1).sum(1)
        return torch.stack([sums, 0 * sums], 1)


def scores():
    logits, x = torch.tensor([[5., 0, 0]]), torch.tensor([[.5, .5, .5, .5]])

    def odin(shape=(1, 4), **more):
        from pytorch_ood.detector import odin_preprocessing
        return number((odin_preprocessing(Linear(), x.reshape(shape), **more) - x.reshape(shape)))

    def energy():
        from pytorch_ood.detector import EnergyBased
        return number(EnergyBased.score(logits))

    def oodeel(name):
        import oodeel.methods as m
        d, net = getattr(m, name)(), torch.nn.Sequential(torch.nn.Linear(4, 2, bias=False)).eval()
        net[0].weight.data = torch.tensor([[1., 1, 1, 1], [0, 0, 0, 0]])
        d.fit(net)
        moved = number(d._input_perturbation(x, d.eps, d.temperature) - x)
        return f"moved by {moved:.4f}, score {float(d.score(x)[0][0]):.6f}"

    def ebmkit():
        from ebm import ClassifierEnergy
        return number(ClassifierEnergy(torch.nn.Identity())(logits))

    row("energy of (5,0,0)", "pytorch-ood", energy)
    row("energy of (5,0,0)", "ebmkit", ebmkit)
    row("energy of (2,0)", "oodeel", lambda: oodeel("Energy"))
    row("ODIN moves by", "pytorch-ood", odin)
    row("ODIN moves by", "pytorch-ood, norm_std=[0.5]", lambda: odin((1, 1, 2, 2), norm_std=[.5]))
    row("ODIN", "oodeel", lambda: oodeel("ODIN"))


def lcg(n, d, seed):
    """n×d sums of three uniform numbers, as internal/metrics/conventions_test.go makes them."""
    out = np.empty(n * d)
    for i in range(n * d):
        out[i] = 0
        for _ in range(3):
            seed = (seed * 6364136223846793005 + 1442695040888963407) % 2**64
            out[i] += (seed >> 40) / 2**24
    return out.reshape(n, d)


class Identity(torch.nn.Module):
    def __init__(self, d):
        super().__init__()
        self.num_features = d

    def forward(self, x):
        return x.reshape(len(x), -1).float()


def fed(metric, x, y=None):
    metric.set_dtype(torch.float64)
    for part, real in ((x, True), (y, False)):
        if part is not None:
            metric.update(torch.tensor(part).reshape(len(part), 1, 1, -1), **({} if y is None else {"real": real}))
    return metric.compute()


def distances():
    for n, m in ((6, 9), (200, 6), (200, 17), (200, 100), (6, 0)):
        x, name = lcg(n, 16, 1), f"FID {n}, {m or 'itself'}"
        y = lcg(m, 16, 2) if m else x

        def clean():
            from cleanfid.fid import frechet_distance
            return float(frechet_distance(x.mean(0), np.cov(x, rowvar=False), y.mean(0), np.cov(y, rowvar=False)))

        def fidelity():
            import torch_fidelity.metric_fid as f
            a, b = (f.fid_features_to_statistics(torch.tensor(v)) for v in (x, y))
            return f.fid_statistics_to_metric(a, b, False)

        def torchmetrics():
            from torchmetrics.image.fid import FrechetInceptionDistance as F
            return number(fed(F(feature=Identity(16), input_img_size=(1, 1, 16)), x, y))

        def ebmkit():
            from ebm.eval.sample_quality import frechet_distance
            return frechet_distance(torch.tensor(x), torch.tensor(y))

        for library, f in (("clean-fid", clean), ("torch-fidelity", fidelity), ("torchmetrics", torchmetrics), ("ebmkit", ebmkit)):
            row(name, library, f)


def kernels():
    x, y = lcg(20, 4, 3), lcg(20, 4, 4) + .5

    def fidelity(**more):
        import torch_fidelity.metric_kid as k
        return k.kid_features_to_metric(torch.tensor(x), torch.tensor(y), verbose=False, rng_seed=1, **more)

    def torchmetrics(**more):
        from torchmetrics.image.kid import KernelInceptionDistance as K
        return [number(v) for v in fed(K(feature=Identity(4), **more), x, y)]

    def clean(**more):
        from cleanfid.fid import kernel_distance
        return kernel_distance(x, y, **more)

    def ebmkit():
        from ebm.eval.sample_quality import mmd
        return mmd(torch.tensor(x), torch.tensor(y))

    row("KID, one subset of all", "torch-fidelity", lambda: fidelity(kid_subsets=1, kid_subset_size=20))
    row("KID, two subsets of all", "torchmetrics", lambda: torchmetrics(subsets=2, subset_size=20))
    row("KID, one subset of all", "clean-fid", lambda: clean(num_subsets=1, max_subset_size=20))
    for library, f in (("torch-fidelity", fidelity), ("torchmetrics", torchmetrics), ("clean-fid", clean), ("ebmkit mmd", ebmkit)):
        row("KID as it comes", library, f)


def inception_scores():
    p = np.array([[.9, .05, .05], [.05, .9, .05], [.05, .05, .9], [.6, .3, .1], [.1, .6, .3], [.3, .1, .6], [.8, .1, .1]])

    def fidelity(splits, shuffle):
        import torch_fidelity.metric_isc as m
        return list(m.isc_features_to_metric(torch.tensor(np.log(p)), splits=splits, shuffle=shuffle).values())

    def torchmetrics(splits):
        from torchmetrics.image.inception import InceptionScore
        torch.manual_seed(0)
        return [number(v) for v in fed(InceptionScore(feature=Identity(3), splits=splits), np.log(p))]  # of 7 rows

    def ebmkit():
        from ebm.eval.sample_quality import inception_score
        return inception_score(torch.tensor(p))

    for splits in (1, 2, 3, 5):
        row(f"IS, {splits} splits", "torch-fidelity, unshuffled", lambda: fidelity(splits, False))
        row(f"IS, {splits} splits", "torch-fidelity, shuffled", lambda: fidelity(splits, True))
        row(f"IS, {splits} splits", "torchmetrics", lambda: torchmetrics(splits))
    row("IS", "ebmkit", ebmkit)


def attacks():
    dark, grey = torch.full((1, 1, 2, 2), -.9), torch.full((1, 1, 2, 2), .5)

    def pgd(image, label, **more):
        import torchattacks
        attack = torchattacks.PGD(Linear())
        if more:
            attack.set_normalization_used(**more)
        return f"{number(image):.1f} moves by {255 * number(attack(image, torch.tensor([label])) - image):.1f}/255"

    def start():
        import torchattacks
        images = torch.full((2000, 1, 32, 32), .5)
        moved = torchattacks.PGDL2(Linear(), steps=0)(images, torch.zeros(2000).long()) - images
        return f"mean length {moved.flatten(1).norm(dim=1).mean():.2f} of ε = 1"

    row("PGD, ε 8/255", "torchattacks", lambda: pgd(grey, 0))
    row("PGD, ε 8/255", "torchattacks", lambda: pgd(dark, 1))
    row("PGD, ε 8/255", "torchattacks, mean and std 0.5", lambda: pgd(dark, 0, mean=[.5], std=[.5]))
    row("L2 start", "torchattacks", start)


def langevin():
    z = torch.zeros(1000, 1000)

    def torchebm(step, noise):
        from torchebm.core import BaseModel
        from torchebm.samplers import LangevinDynamics

        class Sum(BaseModel):
            def forward(self, x):
                return x.sum(-1)

        return LangevinDynamics(Sum(), step_size=step, noise_scale=noise).sample(x=z.clone(), n_steps=1)

    def ebmkit(step, noise):
        from ebm.samplers import LangevinDynamics
        return LangevinDynamics(step_size=step, noise_scale=noise).step(lambda x: x.sum(-1), z.clone())

    def told(x):
        return f"moves by {float(x.mean()):.4f} ± {float(x.std()):.5f}"

    torch.manual_seed(0)
    for noise in (.01, .01 / 2**.5):
        row(f"Langevin (1, {noise:.5f})", "torchebm", lambda: told(torchebm(1., noise)))
    for noise in (.01, None):
        row(f"Langevin (1, {noise})", "ebmkit", lambda: told(ebmkit(1., noise)))


calibration("edge", [[.35, .33, .32], [.4, .3, .3], [.3, .4, .3], [.25, .25, .5], [.5, .25, .25]], [1, 0, 2, 2, 0], 5)
calibration("edge, 3 bins", [[.35, .33, .32], [.4, .3, .3], [.3, .4, .3], [.25, .25, .5], [.5, .25, .25]], [1, 0, 2, 2, 0], 3)
calibration("one", [[1, 0, 0], [0, 1, 0], [.025, .95, .025], [.025, .025, .95]], [0, 2, 1, 2], 1)
calibration("unseen class", [[.6, .2, .2], [.2, .6, .2], [.6, .2, .2], [.2, .6, .2]], [0, 1, 1, 1], 10)
brier(np.array([[.7, .2, .1], [.6, .3, .1], [.1, .8, .1], [.2, .2, .6]]), np.array([0, 1, 1, 2]))
temperature([[5., 0, 0], [0, 5, 0], [0, 0, 5], [5, 0, 0]], [0, 1, 2, 1])
detection("9 and 1 equal", [0] * 9, [0])
detection("10 and 10 equal", [0] * 10, [0] * 10)
detection("one tie", [3, 2], [2, 1])
detection("rounded", np.arange(4, 24) // 2, np.arange(20) // 2)
detection("large", [50, 51], [40, 41])
scores()
distances()
kernels()
inception_scores()
attacks()
langevin()
