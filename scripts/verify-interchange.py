#!/usr/bin/env python3
"""Check jem's weight files against PyTorch, ONNX and safetensors themselves.

    python3 -m venv /tmp/venv && /tmp/venv/bin/pip install torch onnx onnxruntime safetensors
    make build && /tmp/venv/bin/python scripts/verify-interchange.py bin/jem

For each norm it makes a small network with the official code's names and random weights, saves
it in both of PyTorch's file formats, and lets jem convert it: to .pt, which must load with
strict=True and give the same tensors; to safetensors; to ONNX, which must pass the checker and
give PyTorch's logits, log-density, features; and lets jem score it, against autograd.
Then it saves one network in every wrapping that is usual, by every pickle protocol, and as
safetensors of other types and in shards: jem must find the same tensors in each.
docs/verification.md has the outcome.
"""

import json
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import safetensors
import safetensors.numpy
import safetensors.torch
import torch
from torch import nn

DEPTH, WIDTH, CLASSES = 10, 2, 10


def norm_layer(kind, channels):
    return {
        "none": nn.Identity,
        "batch": lambda: nn.BatchNorm2d(channels, momentum=0.9),
        "instance": lambda: nn.InstanceNorm2d(channels, affine=True),
        "layer": lambda: nn.GroupNorm(1, channels),
    }[kind]()


class Block(nn.Module):
    def __init__(self, inside, outside, stride, kind):
        super().__init__()
        self.bn1 = norm_layer(kind, inside)
        self.conv1 = nn.Conv2d(inside, outside, 3, padding=1)
        self.bn2 = norm_layer(kind, outside)
        self.conv2 = nn.Conv2d(outside, outside, 3, stride=stride, padding=1)
        self.shortcut = nn.Sequential()
        if stride != 1 or inside != outside:
            self.shortcut = nn.Sequential(nn.Conv2d(inside, outside, 1, stride=stride))

    def forward(self, x):
        h = self.conv1(nn.functional.leaky_relu(self.bn1(x), 0.2))
        h = self.conv2(nn.functional.leaky_relu(self.bn2(h), 0.2))
        return h + self.shortcut(x)


class Trunk(nn.Module):
    def __init__(self, kind):
        super().__init__()
        self.conv1 = nn.Conv2d(3, 16, 3, padding=1)
        inside = 16
        for stage in range(3):
            blocks, outside = [], 16 * WIDTH * 2**stage
            for i in range((DEPTH - 4) // 6):
                blocks.append(Block(inside, outside, 2 if stage > 0 and i == 0 else 1, kind))
                inside = outside
            setattr(self, f"layer{stage + 1}", nn.Sequential(*blocks))
        self.bn1 = norm_layer(kind, inside)
        self.linear = nn.Linear(inside, 10)  # never used, as in the official network
        self.width = inside

    def forward(self, x):
        x = self.layer3(self.layer2(self.layer1(self.conv1(x))))
        return nn.functional.leaky_relu(self.bn1(x), 0.2).mean((2, 3))


class Network(nn.Module):
    def __init__(self, kind):
        super().__init__()
        self.f = Trunk(kind)
        self.energy_output = nn.Linear(self.f.width, 1)  # never used either
        self.class_output = nn.Linear(self.f.width, CLASSES)

    def forward(self, x):
        features = self.f(x)
        return self.class_output(features), features


def random_network(kind):
    torch.manual_seed(1)
    net = Network(kind)
    with torch.no_grad():
        for name, value in net.named_parameters():
            if "bn" in name:
                value.copy_(torch.rand_like(value) + 0.5)
        net.class_output.weight.mul_(10)
        net.train()
        net(torch.rand(16, 3, 32, 32) * 2 - 1)  # moves running statistics
    return net.eval()


def score_with_autograd(net, x):
    x = x.clone().requires_grad_()
    logits, features = net(x)
    density = logits.logsumexp(1)
    (grad,) = torch.autograd.grad(density.sum(), x)
    return {
        "logits": logits.detach().numpy(),
        "log_px": density.detach().numpy(),
        "features": features.detach().numpy(),
        "approx_mass": -grad.flatten(1).norm(dim=1).numpy(),
    }


def difference(got, want):
    """Largest error as a share of the largest value."""
    return float(np.abs(got - want).max() / np.abs(want).max())


def check(condition, text):
    print(("ok    " if condition else "WRONG ") + text)
    check.wrong += not condition


check.wrong = 0


def same(a, b):
    return a.keys() == b.keys() and all(torch.equal(a[k].float(), b[k].float()) for k in a)


def verify(jem, kind, folder):
    def run(*args):
        subprocess.run([jem, *map(str, args)], check=True, stdout=subprocess.DEVNULL)

    net = random_network(kind)
    x = torch.rand(5, 3, 32, 32) * 2 - 1
    want = score_with_autograd(net, x)
    safetensors.torch.save_file({"x": x}, folder / "x.safetensors")
    state = {"model_state_dict": net.state_dict(), "replay_buffer": torch.rand(3, 3, 32, 32)}
    for form, zipped in (("zip", True), ("legacy", False)):
        source = folder / f"{kind}-{form}.pt"
        torch.save(state, source, _use_new_zipfile_serialization=zipped)
        norm = ["--norm", kind]
        back = folder / f"{kind}-{form}-back.pt"
        run("convert", "-q", *norm, source, back)
        loaded = torch.load(back)
        check(same(loaded["model_state_dict"], net.state_dict()), f"{kind} {form}: the state dict comes back")
        check(torch.equal(loaded["replay_buffer"], state["replay_buffer"]), f"{kind} {form}: the replay buffer comes back")
        Network(kind).load_state_dict(loaded["model_state_dict"], strict=True)
        run("convert", "-q", "--no-buffer", *norm, source, folder / "w.safetensors")
        Network(kind).load_state_dict(safetensors.torch.load_file(folder / "w.safetensors"), strict=True)
        run("score", "-q", *norm, "--model", source, "--input", folder / "x.safetensors", "--out", folder / "s.safetensors")
        got = safetensors.numpy.load_file(folder / "s.safetensors")
        for key in ("logits", "log_px", "approx_mass"):
            error = difference(got[key], want[key])
            check(error < 1e-5, f"{kind} {form}: jem score, {key}: relative error {error:.1e}")
    path = folder / f"{kind}.onnx"
    run("convert", "-q", *norm, source, path)
    model = onnx.load(path)
    onnx.checker.check_model(model, full_check=True)
    session = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])
    got = session.run(["logits", "log_density", "features"], {"image": ((x + 1) / 2).numpy()})
    for name, value, key in zip(("logits", "log_density", "features"), got, ("logits", "log_px", "features")):
        error = difference(value, want[key])
        check(value.shape == want[key].shape and error < 1e-5, f"{kind} onnx: {name}: relative error {error:.1e}")


def wrappings(net):
    """What people save, and what stands beside the weights."""
    state = net.state_dict()
    before = lambda prefix: {prefix + key: value for key, value in state.items()}
    optimizer = torch.optim.Adam(net.parameters())
    net(torch.rand(2, 3, 32, 32))[0].sum().backward()
    optimizer.step()
    state = {key: value.clone() for key, value in net.state_dict().items()}
    scheduler = torch.optim.lr_scheduler.MultiStepLR(optimizer, [3, 5])
    average = torch.optim.swa_utils.AveragedModel(net)
    average.update_parameters(net)
    around = nn.Module()
    around.model = net
    parts = {key.replace("f.", "f._orig_mod.", 1) if key.startswith("f.") else key: value for key, value in state.items()}
    flat = {key.removeprefix("f."): value for key, value in state.items()}
    beside = {
        "epoch": 3, "name": "x", "none": None, "list": [1, 2], "set": {1, 2}, "complex": 1j, "bytes": b"abc", "seed": 2**100,
        "size": torch.Size([1, 2]), "device": torch.device("cpu"), "dtype": torch.float32, "rng": torch.get_rng_state(),
        "mask": torch.tensor([True]), "float8": torch.rand(4).to(torch.float8_e4m3fn), "uint16": torch.zeros(3, dtype=torch.uint16),
        "sparse": torch.eye(3).to_sparse(), "meta": torch.empty(3, device="meta"), "temperature": torch.tensor(1.5),
    }
    return state, {
        "bare": state, "official": {"model_state_dict": state}, "module.": before("module."), "_orig_mod.": torch.compile(net).state_dict(),
        "_orig_mod.module.": before("_orig_mod.module."), "model.": before("model."), "compiled trunk": parts, "without f.": flat,
        "state_dict": {"state_dict": state, "optimizer": optimizer.state_dict(), "scheduler": scheduler.state_dict()},
        "net": {"net": state, "acc": 93.2, "epoch": 5}, "model": {"model": state, "args": {"lr": 0.1}},
        "model_ema": {"model": before("x."), "model_ema": average.state_dict()}, "average": average.state_dict(),
        "Lightning": {"epoch": 3, "state_dict": around.state_dict(), "optimizer_states": [optimizer.state_dict()], "hyper_parameters": {"lr": 1e-4}},
        "Parameter": {key: nn.Parameter(value) if value.is_floating_point() else value for key, value in state.items()},
        "float64": {key: value.double() for key, value in state.items()}, "channels_last": net.to(memory_format=torch.channels_last).state_dict(),
        "other things": {**state, **beside},
    }


def verify_wrappings(jem, folder):
    state, cases = wrappings(random_network("batch"))

    def comes_back(path, name):
        back = folder / "back.pt"
        done = subprocess.run([jem, "convert", "-q", path, back], capture_output=True, text=True)
        check(done.returncode == 0 and same(torch.load(back)["model_state_dict"], state), f"{name}: the same tensors {done.stderr.strip()[:200]}")

    for name, case in cases.items():
        for zipped in (True, False):
            for protocol in (2, 4, 5):
                torch.save(case, folder / "w.pt", _use_new_zipfile_serialization=zipped, pickle_protocol=protocol)
                comes_back(folder / "w.pt", f"{name}, {'zip' if zipped else 'legacy'}, protocol {protocol}")
    for name, case in (("float32", state), ("float64", cases["float64"]), ("_orig_mod.", cases["_orig_mod."])):
        safetensors.torch.save_file({key: value.contiguous() for key, value in case.items()}, folder / "w.safetensors")
        comes_back(folder / "w.safetensors", f"{name}, safetensors")
    halves, where = list(state), {}
    for i, keys in enumerate((halves[::2], halves[1::2])):
        file = f"w-{i + 1:05}-of-00002.safetensors"
        safetensors.torch.save_file({key: state[key] for key in keys}, folder / file)
        where.update(dict.fromkeys(keys, file))
    (folder / "w.safetensors.index.json").write_text(json.dumps({"metadata": {}, "weight_map": where}))
    comes_back(folder / "w.safetensors.index.json", "two shards")


def main():
    versions = {m.__name__: m.__version__ for m in (torch, onnx, onnxruntime, safetensors)}
    print(*(f"{name} {version}" for name, version in versions.items()))
    with tempfile.TemporaryDirectory() as folder:
        for kind in ("none", "batch", "instance", "layer"):
            verify(sys.argv[1], kind, Path(folder))
        verify_wrappings(sys.argv[1], Path(folder))
    sys.exit(check.wrong > 0)


if __name__ == "__main__":
    main()
