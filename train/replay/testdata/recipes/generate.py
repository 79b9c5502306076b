#!/usr/bin/env python3
"""Write the recorded steps of the recipes: what PyTorch makes of two training steps of each.

    python3 -m venv /tmp/venv && /tmp/venv/bin/pip install torch==2.15.0 numpy==2.5.5 safetensors==0.8.0
    /tmp/venv/bin/python train/replay/testdata/recipes/generate.py [RECIPE …]

This is a definition of its own, written from the papers' objectives, with none of the program's
shortcuts: every part of a batch has a pass of its own, autograd differentiates the whole loss.
Everything random (weights, images, labels, noise) is drawn here and recorded, so that the
program can be given it. The network is WRN-10-1 on 8x8 pixels, 4 classes.

A recording is RECIPE.json (settings by their names in the program, values of the terms) and
RECIPE.safetensors; all share the weights of start.safetensors. What is recorded was computed in
float64. The same in float32 tells how much rounding makes: "rounding" holds, by kind of result,
the largest difference of the two as a share of the tensor's largest entry. What is recorded must not hang on
the side of zero that a sum falls on by rounding: seeds are tried until every input of a LeakyReLU
and every gradient whose sign is taken are farther from 0 than a share of the largest beside it.
"""

import json
import math
import sys
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from safetensors.numpy import save_file

HERE = Path(__file__).parent
CLASSES, CHANNELS, SIZE = 4, 3, 8
STEPS = 2  # training steps of a recording
MARGIN = 1e-6  # of inputs of LeakyReLUs: 16 roundings of float32
SIGN_MARGIN = 2e-5  # of gradients, which a whole pass has rounded
STRIDE = 31  # of parameters and their gradients every so manieth entry is recorded


def single(x):
    """The number that float32 makes of x, as the program has it."""
    return float(np.float32(x))


SLOPE, NORM_EPS, NORM_MOMENTUM = single(0.2), single(1e-5), single(0.9)


# ---- the network ------------------------------------------------------------------------------


def layout():
    """Names and shapes of the parameters, in the order of the state dict; norms included."""
    yield from conv("f.conv1", 16, CHANNELS, 3)
    inp = 16
    for stage, out in enumerate([16, 32, 64], 1):
        name = f"f.layer{stage}.0"
        yield from norm(name + ".bn1", inp)
        yield from conv(name + ".conv1", out, inp, 3)
        yield from norm(name + ".bn2", out)
        yield from conv(name + ".conv2", out, out, 3)
        if inp != out:
            yield from conv(name + ".shortcut.0", out, inp, 1)
        inp = out
    yield from norm("f.bn1", inp)
    yield "class_output.weight", (CLASSES, inp)
    yield "class_output.bias", (CLASSES,)


def conv(name, out, inp, kernel):
    yield name + ".weight", (out, inp, kernel, kernel)
    yield name + ".bias", (out,)


def norm(name, channels):
    yield name + ".weight", (channels,)
    yield name + ".bias", (channels,)


def start(rng):
    """Weights and running statistics with which logits and gradients are of the order of 1."""
    w = {}
    for name, shape in layout():
        fan = math.prod(shape[1:])
        bound, mean = (0.25, 0.0) if len(shape) == 1 else (math.sqrt(3 / fan), 0.0)
        if name.startswith("class_output"):
            bound *= 4
        if "bn" in name and name.endswith("weight"):
            mean = 1.0
        w[name] = mean + rng.uniform(-bound, bound, shape)
        if "bn" in name and name.endswith("bias"):
            w[name[:-4] + "running_mean"] = rng.uniform(-0.25, 0.25, shape)
            w[name[:-4] + "running_var"] = rng.uniform(0.5, 2.0, shape)
    return {k: v.astype(np.float32) for k, v in w.items()}


class Net:
    """The Wide-ResNet as a function of its weights. A norm takes its statistics from where a mode
    says: "running" are those that were averaged, "batch" the batch's own, "moving" the batch's own,
    which then enter the average, too."""

    def __init__(self, values, normed, dtype):
        t = {k: torch.tensor(v, dtype=dtype) for k, v in values.items() if normed or "bn" not in k}
        self.stats = {k: v for k, v in t.items() if "running" in k}
        self.w = {k: v.requires_grad_() for k, v in t.items() if "running" not in k}
        self.normed = normed
        self.closest = math.inf  # of all inputs of LeakyReLUs to 0, as a share of the layer's largest

    def __call__(self, x, mode):
        h = self.conv(x, "f.conv1", 1, 1)
        for stage in (1, 2, 3):
            name, stride = f"f.layer{stage}.0", 1 if stage == 1 else 2
            r = self.conv(self.active(h, name + ".bn1", mode), name + ".conv1", 1, 1)
            r = self.conv(self.active(r, name + ".bn2", mode), name + ".conv2", stride, 1)
            h = r + (self.conv(h, name + ".shortcut.0", stride, 0) if stage > 1 else h)
        h = self.active(h, "f.bn1", mode).mean((2, 3))
        return F.linear(h, self.w["class_output.weight"], self.w["class_output.bias"])

    def conv(self, x, name, stride, pad):
        return F.conv2d(x, self.w[name + ".weight"], self.w[name + ".bias"], stride, pad)

    def active(self, x, name, mode):
        if self.normed:
            running = (None, None) if mode == "batch" else (self.stats[name + ".running_mean"], self.stats[name + ".running_var"])
            x = F.batch_norm(x, *running, self.w[name + ".weight"], self.w[name + ".bias"], mode != "running", NORM_MOMENTUM, NORM_EPS)
        near = x.detach().abs()
        self.closest = min(self.closest, float(near.min() / near.max()))
        return F.leaky_relu(x, SLOPE)


# ---- negatives: what an image climbs, how it moves, where it must stay ---------------------------

CLIMBS = {
    "log_px": lambda f, y: torch.logsumexp(f, 1),
    "logit": lambda f, y: f[torch.arange(len(f)), y],
    "cross_entropy": lambda f, y: F.cross_entropy(f, y, reduction="none"),
}


def norms(g):
    return g.flatten(1).norm(dim=1)[:, None, None, None]


def keep(n, x, centre):
    """Into the ball around where the image came from, then into the range of pixels, which reaches
    as far as the image did."""
    if n["keep"] == "linf":
        x = centre + (x - centre).clamp(-n["radius"], n["radius"])
    if n["keep"] == "l2":
        away = x - centre
        x = centre + away * (n["radius"] / norms(away)).clamp(max=1)
    if n["keep"] == "none":
        return x
    if n["keep"] == "box":
        return x.clamp(-1, 1)
    return torch.maximum(torch.minimum(x, centre.clamp(min=1)), centre.clamp(max=-1))


# ---- a run ---------------------------------------------------------------------------------------


class Run:
    def __init__(self, recipe, values, draws, dtype):
        self.r, self.draws, self.dtype = recipe, draws, dtype
        self.net = Net(values, recipe["norm"], dtype)
        self.moments = {}
        self.log, self.trace = {}, []
        self.faint = math.inf  # smallest gradient whose sign is taken, as a share of the largest

    def drawn(self, name):
        v = torch.from_numpy(self.draws[f"{self.step}/{name}"])
        return v.long() if v.dtype == torch.int32 else v.to(self.dtype)

    def note(self, name, value):
        self.log[f"{self.step}/{name}"] = value.detach().clone()

    def train(self):
        for self.step in range(STEPS):
            self.values = {}
            self.take()
            self.trace.append({k: v.item() for k, v in self.values.items()})
            for name, v in self.net.stats.items():
                self.note("stats/" + name, v)
        for name, w in self.net.w.items():
            self.log["param/" + name] = w.detach().clone()

    def take(self):
        """One training step: load, make the negatives, differentiate the terms, move the weights."""
        parts = self.parts()
        frozen = self.r.get("frozen_stats", False)
        gradient = self.differentiate(parts, "running" if frozen else "moving", "")
        sam = self.r.get("sam")
        if sam:
            away = self.climb(gradient, sam)
            gradient = self.differentiate(parts, "running" if frozen else "batch", "climbed/")
            with torch.no_grad():
                for name, e in away.items():
                    self.net.w[name] -= e
        with torch.no_grad():
            OPTIMISERS[self.r["optimiser"]](self, gradient)

    def parts(self):
        """The images that the terms speak of, with their labels, in the order of their passes."""
        labeled, y = self.drawn("labeled"), self.drawn("labels")
        parts = {}
        if "data" in self.r["streams"]:
            parts["data"] = self.drawn("data"), None
        if "chain" in self.r:
            parts["chain"] = self.moved("chain", self.drawn("chain/start"), None), None
        if "p_y_given_x" in self.r["terms"]:
            parts["labeled"] = labeled, y
        if "attack" in self.r:
            parts["attacked"] = self.moved("attack", labeled, y), y
        if "dream" in self.r:
            label = self.drawn("data_labels")
            parts["dream"] = self.moved("dream", self.drawn("outliers"), label), label
        return parts

    def moved(self, name, centre, y):
        """The images of a negative after its moves."""
        n = self.r[name]
        x = centre
        if n.get("scatter"):
            x = keep(n, centre + self.drawn(name + "/scatter"), centre)
            self.note(f"{name}/x0", x)
        for k in range(n["steps"]):
            x = x.detach().requires_grad_()
            g, = torch.autograd.grad(CLIMBS[n["climb"]](self.net(x, n["mode"]), y).sum(), x)
            x = keep(n, self.move(name, n, x.detach(), g, k), centre)
            if self.step == 0:
                self.note(f"{name}/g{k}", g)
            if self.step == 0 or k + 1 == n["steps"]:
                self.note(f"{name}/x{k + 1}", x)
        return x.detach()

    def move(self, name, n, x, g, k):
        if n["move"] == "sign":
            self.faint = min(self.faint, float(g.abs().min() / g.abs().max()))
            return x + n["step_size"] * g.sign()
        if n["move"] == "unit":
            return x + n["step_size"] * g / norms(g)
        if n.get("grad_clip"):
            g = g.clamp(-n["grad_clip"], n["grad_clip"])
        x = x + n["step_size"] * g
        return x + n["noise"] * self.drawn(f"{name}/noise")[k] if n["noise"] else x

    def differentiate(self, parts, mode, at):
        """The terms' values and the gradient of their weighted sum. Images are constants."""
        f = {name: self.net(x, mode) for name, (x, _) in parts.items()}
        lse = {name: torch.logsumexp(v, 1) for name, v in f.items()}
        v = {"log_px_" + name: lse[name].mean() for name in parts}
        if "chain" in parts:
            v["p_x"] = v["log_px_chain"] - v["log_px_data"]
        if "labeled" in parts:
            v["p_y_given_x"] = F.cross_entropy(f["labeled"], parts["labeled"][1])
        if "attacked" in parts:
            v["attacked"] = F.cross_entropy(f["attacked"], parts["attacked"][1])
        if "attacked_p_x" in self.r["terms"]:
            v["attacked_p_x"] = v["log_px_attacked"] - v["log_px_data"]
        if "dream" in parts:
            v["bce"] = F.softplus(-lse["data"]).mean() + F.softplus(lse["dream"]).mean()
        loss = sum(weight * v[name] for name, weight in self.r["terms"].items())
        names = list(self.net.w)
        found = torch.autograd.grad(loss, [self.net.w[n] for n in names] + list(f.values()))
        gradient = dict(zip(names, found))
        v["L"] = loss
        v["grad_norm"] = torch.cat([g.flatten() for g in gradient.values()]).norm()
        self.values.update({at + name: x for name, x in v.items() if not at or name in ("L", "grad_norm") or "log_px" in name})
        for name, d in zip(f, found[len(names):]):
            self.note(f"{at}logits/{name}", f[name])
            self.note(f"{at}dlogits/{name}", d)
        if self.step == 0:
            for name, g in gradient.items():
                self.note(f"{at}grad/{name}", g)
        return gradient

    def climb(self, gradient, sam):
        """Sharpness-aware: move the weights by rho up the gradient, in the metric of their own size
        where adaptive. Returns the way that was gone."""
        scale = {n: self.net.w[n].detach().abs() if sam["adaptive"] else torch.ones_like(g) for n, g in gradient.items()}
        size = torch.cat([(scale[n] * g).flatten() for n, g in gradient.items()]).norm()
        self.values["sam_norm"] = size
        away = {n: sam["rho"] / (size + 1e-12) * scale[n] ** 2 * g for n, g in gradient.items()}
        with torch.no_grad():
            for n, e in away.items():
                self.net.w[n] += e
        return away


def sgd(run, gradient):
    """Momentum as PyTorch's SGD has it, without Nesterov's variant, which DAT takes and the program hasn't."""
    for name, w in run.net.w.items():
        g = gradient[name] + run.r["weight_decay"] * w
        m = g if run.step == 0 else run.r["momentum"] * run.moments[name] + g
        run.moments[name] = m
        w -= run.r["lr"] * m


def adam(run, gradient):
    b1, b2, eps = single(0.9), single(0.999), single(1e-8)
    t = run.step + 1
    for name, w in run.net.w.items():
        g = gradient[name]
        m, v = run.moments.get(name, (torch.zeros_like(g), torch.zeros_like(g)))
        m, v = b1 * m + (1 - b1) * g, b2 * v + (1 - b2) * g * g
        run.moments[name] = m, v
        w -= run.r["lr"] * (m / (1 - b1**t)) / ((v / (1 - b2**t)).sqrt() + eps)


OPTIMISERS = {"sgd": sgd, "adam": adam}


# ---- the recipes -----------------------------------------------------------------------------------


LANGEVIN = dict(climb="log_px", move="langevin", step_size=1.0, noise=0.0)
CLIPPED = dict(LANGEVIN, grad_clip=0.1, keep="box", mode="batch")
SGD = dict(optimiser="sgd", lr=0.1, momentum=0.9, weight_decay=5e-4)
JOINT = dict(p_x=1.0, p_y_given_x=1.0)
SADA = dict(norm=True, streams={"labeled": 6, "data": 4}, terms=JOINT, chain=dict(CLIPPED, steps=3), sam=dict(rho=2.0, adaptive=True), **SGD)

# Clip, radii and lengths of moves are such that each recording comes to the border of what it is kept in.
# Where that doesn't matter numbers are the published ones.
RECIPES = {
    "jem": dict(
        norm=False, streams={"labeled": 4, "data": 4}, terms=JOINT, chain=dict(LANGEVIN, steps=2, noise=0.01, keep="none", mode="running"),
        optimiser="adam", lr=1e-4),
    "jempp": dict(
        SGD, norm=True, streams={"labeled": 4, "data": 4}, terms=JOINT, chain=dict(CLIPPED, steps=3), weight_decay=4e-4),
    "sada-jem": SADA,
    "eb-jdat": dict(
        SADA, terms=dict(JOINT, attacked=1.0, attacked_p_x=0.1), chain=dict(CLIPPED, steps=2), lr=0.01,
        attack=dict(climb="cross_entropy", move="sign", step_size=0.04, steps=3, keep="linf", radius=0.0627, scatter=True, mode="running")),
    "dat": dict(
        SGD, norm=True, streams={"labeled": 4, "data": 4, "outliers": 4}, terms=dict(attacked=1.0, bce=1.0), frozen_stats=True, lr=0.01,
        attack=dict(climb="cross_entropy", move="unit", step_size=0.6, steps=3, keep="l2", radius=1.0, mode="running"),
        dream=dict(climb="logit", move="unit", step_size=1.0, steps=3, keep="box", mode="running")),
    "at": dict(
        SGD, norm=False, streams={"labeled": 6}, terms=dict(attacked=1.0), lr=0.01,
        attack=dict(climb="cross_entropy", move="sign", step_size=0.04, steps=2, keep="linf", radius=0.0627, mode="running")),
}


def rounded(r):
    """The recipe with the numbers that float32 makes of its own."""
    return {k: rounded(v) if isinstance(v, dict) else single(v) if isinstance(v, float) else v for k, v in r.items()}


def settings(r):
    """The recipe by the program's names for it. Each draw of chains begins afresh, where the recording says."""
    s = {
        "data": {"shared_stream": False},
        "model": {"depth": 10, "width": 1, "norm": "batch" if r["norm"] else "none", "slope": 0.2},
        "objective": {name: r["terms"].get(name, 0) for name in ("p_x", "p_y_given_x", "attacked", "attacked_p_x", "bce")},
        "sampler": {"buffer": 10, "reinit": 1},
        "optim": {"name": r["optimiser"], "lr": r["lr"], "warmup": 0} | {k: r[k] for k in ("momentum", "weight_decay") if k in r},
        "train": {"batch": r["streams"].get("data", r["streams"]["labeled"]), "labeled_batch": r["streams"]["labeled"], "frozen_stats": r.get("frozen_stats", False)},
    }
    if c := r.get("chain"):
        s["sampler"] |= {"steps": c["steps"], "step_size": c["step_size"], "noise": c["noise"], "grad_clip": c.get("grad_clip", 0),
                         "clamp": c["keep"] == "box", "batch_stats": c["mode"] == "batch"}
    for name, begins, label in ("attack", "labeled", "labeled"), ("dream", "outliers", "data"):
        if n := r.get(name):
            s[name] = {"start": begins, "label": label, "scatter": n.get("scatter", False), "batch_stats": n["mode"] == "batch"}
            s[name] |= {k: n[k] for k in ("climb", "move", "steps", "step_size", "keep", "radius") if k in n}
    if "outliers" in r["streams"]:
        s["outliers"] = {"name": "shuffled"}  # any: their images are recorded
    if sam := r.get("sam"):
        s["sam"] = sam | {"every": 1}
    return s


def draw(r, rng):
    """Everything random that the steps take, by step and name."""
    d = {}
    for step in range(STEPS):
        image = lambda n: np.clip(rng.normal(0, 0.6, (n, CHANNELS, SIZE, SIZE)), -1, 1).astype(np.float32)
        label = lambda n: rng.integers(CLASSES, size=n).astype(np.int32)
        n = r["streams"]
        for name, size in n.items():
            d[f"{step}/{name}"] = image(size)
        if r.get("attack", {}).get("scatter"):  # images with pixel noise, which reaches beyond the range
            x = d[f"{step}/labeled"]
            x += rng.normal(0, 0.03, x.shape).astype(np.float32)
            radius = r["attack"]["radius"]
            d[f"{step}/attack/scatter"] = rng.uniform(-radius, radius, x.shape).astype(np.float32)
        d[f"{step}/labels"] = label(n["labeled"])
        if "dream" in r:
            d[f"{step}/data_labels"] = label(n["data"])
        if c := r.get("chain"):
            d[f"{step}/chain/start"] = image(n["data"])
            if c["noise"]:
                d[f"{step}/chain/noise"] = rng.normal(size=(c["steps"], n["data"], CHANNELS, SIZE, SIZE)).astype(np.float32)
    return d


# ---- recording ---------------------------------------------------------------------------------------


def kind(name):
    for k in ("logits", "grad", "stats", "param"):
        if k in name.split("/"):
            return k
    return "dlogits" if "dlogits" in name else "move"


def sizes(a, b):
    """The largest difference between two runs by kind, as a share of the tensor's largest entry, or of a tenth
    of the kind's: biases before a batch norm have no gradient but rounding."""
    worst = {}
    most = {}
    for name, v in b.log.items():
        most[kind(name)] = max(most.get(kind(name), 0), float(v.abs().max()))
    for name, v in b.log.items():
        k = kind(name)
        scale = max(float(v.abs().max()), 0.1 * most[k])
        worst[k] = max(worst.get(k, 0), float((a.log[name].double() - v).abs().max()) / scale)
    for one, two in zip(a.trace, b.trace):
        top = max(abs(x) for n, x in two.items() if not n.endswith("norm"))  # a term may be a small difference
        worst["terms"] = max([worst.get("terms", 0)] + [abs(one[n] - two[n]) / (abs(two[n]) if n.endswith("norm") else top) for n in two])
    return worst


def record(name, values):
    recipe = rounded(RECIPES[name])
    for seed in range(1, 1000):
        rng = np.random.default_rng([seed, sorted(RECIPES).index(name)])
        draws = draw(recipe, rng)
        exact = Run(recipe, values, draws, torch.float64)
        exact.train()
        if exact.net.closest > MARGIN and exact.faint > SIGN_MARGIN:
            break
    plain = Run(recipe, values, draws, torch.float32)
    plain.train()
    out = {"in/" + k: v for k, v in draws.items()}
    norms = {}
    for k, v in exact.log.items():
        if kind(k) in ("grad", "param"):
            norms.setdefault(k.split("/f.")[0].split("/class")[0], []).append(v.norm().item())
            v = v.flatten()[::STRIDE]
        out[k] = np.ascontiguousarray(v.numpy().astype(np.float32))
    out |= {"norms/" + k: np.array(v, np.float32) for k, v in norms.items()}
    rounding = {k: float(f"{v:.2g}") for k, v in sorted(sizes(plain, exact).items())}
    about = {"recipe": name, "seed": seed, "classes": CLASSES, "stride": STRIDE,
             "settings": settings(RECIPES[name]), "rounding": rounding, "trace": [{k: float(f"{v:.9g}") for k, v in t.items()} for t in exact.trace]}
    (HERE / f"{name}.json").write_text(json.dumps(about, indent=1) + "\n")
    save(out, f"{name}.safetensors")
    print(f"{name}: seed {seed}, LeakyReLU from {exact.net.closest:.1e}, signs from {exact.faint:.1e}, rounding {rounding}")


def save(tensors, name):
    save_file(tensors, HERE / name)
    (HERE / name).chmod(0o644)


def main():
    torch.set_num_threads(1)
    values = start(np.random.default_rng(20))
    save(values, "start.safetensors")
    for name in sys.argv[1:] or RECIPES:
        record(name, values)


if __name__ == "__main__":
    main()
