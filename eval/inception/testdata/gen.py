#!/usr/bin/env python3
"""Write expect.safetensors: what pytorch-fid's and torch-fidelity's networks answer.

    python3 -m venv /tmp/venv && /tmp/venv/bin/pip install torch torchvision pytorch-fid torch-fidelity safetensors
    /tmp/venv/bin/python eval/inception/testdata/gen.py [--pth FILE]

The weights are not the published ones but a formula of each tensor's name, which the Go test
evaluates, too; so are the images. pytorch-fid gives the figures named pytorch (its resizing,
2x-1), torch-fidelity those named tensorflow (the published graph's resizing, (v-128)/128).
The weights are also saved, in the format of the published file (default: in /tmp).
"""

import argparse
from pathlib import Path

import numpy as np
import pytorch_fid.inception as fid
import torch
import torch_fidelity.feature_extractor_inceptionv3 as fidelity
from safetensors.numpy import save_file
from torch_fidelity.interpolate_compat_tensorflow import interpolate_bilinear_2d_like_tensorflow1x

MASK = (1 << 64) - 1


def uniform(name, count):
    """count numbers in [-1,1): splitmix64 of FNV-1a(name), top 24 bits."""
    h = 14695981039346656037
    for b in name.encode():
        h = (h ^ b) * 1099511628211 & MASK
    with np.errstate(over="ignore"):
        z = np.uint64(h) + np.arange(1, count + 1, dtype=np.uint64) * np.uint64(0x9E3779B97F4A7C15)
        z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
        z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
        z ^= z >> np.uint64(31)
    return (z >> np.uint64(40)).astype(np.float64) / (1 << 23) - 1


def formula(name, shape):
    u = uniform(name, int(np.prod(shape)))
    if name.endswith("conv.weight"):
        v = u * np.sqrt(6 / np.prod(shape[1:]))  # keeps the variance through ReLU
    elif name == "fc.weight":
        v = u * 0.05
    elif name.endswith("bn.weight"):
        v = 1 + 0.25 * u
    elif name.endswith("running_var"):
        v = 1 + 0.5 * u
    else:
        v = 0.25 * u
    return torch.from_numpy(v.astype(np.float32).reshape(shape))


def fill(net):
    state = net.state_dict()
    for name, t in state.items():
        state[name] = torch.tensor(0) if name.endswith("num_batches_tracked") else formula(name, tuple(t.shape))
    net.load_state_dict(state, strict=True)
    return state


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--pth")
    args = parser.parse_args()
    torch.set_grad_enabled(False)
    pixels = ((uniform("images", 3 * 3 * 32 * 32) + 1) * 128).astype(np.uint8).reshape(3, 3, 32, 32)

    net = blank().eval()
    state = fill(net)
    path = Path(args.pth or "/tmp/inception-formula.pth")
    torch.save(state, path, _use_new_zipfile_serialization=False)
    fid.fid_inception_v3 = lambda: net
    blocks = fid.InceptionV3([3], resize_input=True, normalize_input=True).eval()
    x = torch.from_numpy(pixels).float() / 255
    features = blocks(x)[0][:, :, 0, 0]
    logits = torch.nn.functional.linear(features, state["fc.weight"])

    other = fidelity.FeatureExtractorInceptionV3("inception-v3-compat", ["2048", "logits_unbiased"], feature_extractor_weights_path=str(path)).eval()
    tf_features, tf_logits = other(torch.from_numpy(pixels))
    tf_resized = interpolate_bilinear_2d_like_tensorflow1x(torch.from_numpy(pixels).float(), size=(299, 299), align_corners=False)
    pt_resized = torch.nn.functional.interpolate(x, size=(299, 299), mode="bilinear", align_corners=False)

    rows = [0, 1, 7, 150, 297, 298]
    out = {
        "pytorch.features": features, "pytorch.logits": logits, "pytorch.resized": 2 * pt_resized[1, 2, rows] - 1,
        "tensorflow.features": tf_features, "tensorflow.logits": tf_logits, "tensorflow.resized": (tf_resized[1, 2, rows] - 128) / 128,
    }
    for name, t in out.items():
        print(name, tuple(t.shape), float(t.abs().mean()), float(t.abs().max()))
    save_file({k: v.numpy().astype(np.float32).copy() for k, v in out.items()}, Path(__file__).parent / "expect.safetensors")


def blank():
    """The network that pytorch-fid loads its weights into."""
    taken = {}

    def stop(*args, **kwargs):
        raise StopIteration

    original = fid._inception_v3

    def keep(*args, **kwargs):
        taken["net"] = original(*args, **kwargs)
        return taken["net"]

    fid._inception_v3, fid.load_state_dict_from_url = keep, stop
    try:
        fid.fid_inception_v3()
    except StopIteration:
        pass
    return taken["net"]


if __name__ == "__main__":
    main()
