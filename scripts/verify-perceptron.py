#!/usr/bin/env python3
"""Check a perceptron's files against NumPy and onnxruntime.

    python3 -m venv /tmp/venv && /tmp/venv/bin/pip install numpy onnxruntime
    make build && /tmp/venv/bin/python scripts/verify-perceptron.py bin/jem

For points and for pictures it writes random weights as safetensors, has jem score images with them and export them to ONNX, and
compares logits, log-density, features and the gradient's norm with float64.
"""

import json
import struct
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np
import onnxruntime

DEPTH, UNITS, CLASSES, IMAGES, SLOPE = 3, 20, 5, 7, 0.2


def save(path, tensors):
    head, data = {}, b""
    for name, t in tensors.items():
        raw = np.ascontiguousarray(t, "<f4").tobytes()
        head[name] = {"dtype": "F32", "shape": list(t.shape), "data_offsets": [len(data), len(data) + len(raw)]}
        data += raw
    text = json.dumps(head).encode()
    path.write_bytes(struct.pack("<Q", len(text)) + text + data)


def load(path):
    raw = path.read_bytes()
    start = 8 + struct.unpack("<Q", raw[:8])[0]
    head = json.loads(raw[8:start])
    places = {name: [start + o for o in t["data_offsets"]] for name, t in head.items() if name != "__metadata__"}
    return {name: np.frombuffer(raw[lo:hi], "<f4").reshape(head[name]["shape"]) for name, (lo, hi) in places.items()}


def network(rng, inputs):
    net = {}
    for i in range(DEPTH):
        net[f"f.hidden.{i}.weight"] = 1.5 * rng.normal(size=(UNITS, inputs)) / inputs**0.5
        net[f"f.hidden.{i}.bias"] = rng.normal(size=UNITS)
        inputs = UNITS
    net["class_output.weight"], net["class_output.bias"] = rng.normal(size=(CLASSES, UNITS)), rng.normal(size=CLASSES)
    return {name: t.astype("f4") for name, t in net.items()}


def definition(net, x):
    h, slopes = x.reshape(len(x), -1).astype("f8"), []
    for i in range(DEPTH):
        z = h @ net[f"f.hidden.{i}.weight"].T.astype("f8") + net[f"f.hidden.{i}.bias"]
        slopes.append(np.where(z > 0, 1, SLOPE))
        h = z * slopes[-1]
    logits = h @ net["class_output.weight"].T.astype("f8") + net["class_output.bias"]
    density = np.log(np.exp(logits).sum(1))
    g = np.exp(logits - density[:, None]) @ net["class_output.weight"].astype("f8")
    for i in reversed(range(DEPTH)):
        g = (g * slopes[i]) @ net[f"f.hidden.{i}.weight"].astype("f8")
    return {"logits": logits, "log_px": density, "features": h, "approx_mass": -np.linalg.norm(g, axis=1)}


def main():
    jem, rng, wrong = Path(sys.argv[1]).resolve(), np.random.default_rng(1), 0
    for channels, size in (2, 1), (1, 28), (3, 8):
        with tempfile.TemporaryDirectory() as folder:
            folder = Path(folder)
            net, x = network(rng, channels * size**2), rng.uniform(-1, 1, (IMAGES, channels, size, size)).astype("f4")
            save(folder / "w.safetensors", net)
            save(folder / "x.safetensors", {"x": x})
            run = lambda *args: subprocess.run([jem, *args], check=True, stdout=subprocess.DEVNULL, cwd=folder)
            run("convert", "-q", "w.safetensors", "w.onnx")
            run("score", "-q", "--model", "w.safetensors", "--input", "x.safetensors", "--out", "s.safetensors")
            session = onnxruntime.InferenceSession(folder / "w.onnx", providers=["CPUExecutionProvider"])
            exported = dict(zip(("logits", "log_px", "features"), session.run(["logits", "log_density", "features"], {"image": (x + 1) / 2})))
            want, scored = definition(net, x), load(folder / "s.safetensors")
            for who, got in ("onnx", exported), ("score", scored):
                for key in sorted(got.keys() & want.keys()):
                    error = float(np.abs(got[key] - want[key]).max() / np.abs(want[key]).max())
                    # 28² products of a layer, in float32: a few thousand roundings of 6e-8, of mixed signs
                    ok = got[key].shape == want[key].shape and error < 1e-5
                    wrong += not ok
                    print(("ok    " if ok else "WRONG ") + f"{channels}x{size}x{size} {who}: {key}: relative error {error:.1e}")
    sys.exit(wrong > 0)


if __name__ == "__main__":
    main()
