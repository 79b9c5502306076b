#!/usr/bin/env python3
"""Makes the pictures of docs/tutorial.md from the published Fashion-MNIST and MNIST files.

usage: tutorial-pictures.py FASHION-MNIST-FOLDER MNIST-FOLDER     (needs numpy and Pillow)

Writes into the working folder: pictures/{bag,boot,shirt} to train on, new/ of the same kinds,
others/{trouser,digit} that don't belong.
"""
import gzip
import os
import sys

import numpy as np
from PIL import Image


def idx(folder, name):
    """Reads an IDX file, packed or not."""
    for path, opener in ((os.path.join(folder, name), open), (os.path.join(folder, name + ".gz"), gzip.open)):
        if os.path.exists(path):
            with opener(path, "rb") as f:
                raw = f.read()
            shape = [int.from_bytes(raw[4 + 4 * i : 8 + 4 * i], "big") for i in range(raw[3])]
            return np.frombuffer(raw, np.uint8, offset=4 + 4 * raw[3]).reshape(shape)
    sys.exit(f"{folder}: has no {name}")


def save(images, folder, name):
    os.makedirs(folder, exist_ok=True)
    for i, pixels in enumerate(images):
        Image.fromarray(pixels).save(os.path.join(folder, name.format(i)))


if len(sys.argv) != 3:
    sys.exit(__doc__)
fashion, mnist = sys.argv[1:]
images, labels = idx(fashion, "train-images-idx3-ubyte"), idx(fashion, "train-labels-idx1-ubyte")
for kind, label in {"bag": 8, "boot": 9, "shirt": 0}.items():
    own = images[labels == label]
    save(own[:300], f"pictures/{kind}", "{:03}.png")
    save(own[300:350], "new", kind + "-{:02}.png")
save(images[labels == 1][:100], "others/trouser", "{:03}.png")
save(idx(mnist, "t10k-images-idx3-ubyte")[:100], "others/digit", "{:03}.png")
