#!/usr/bin/env python3
"""Write pillow.json: what Pillow's operations, of which AutoAugment is made, do to an image.

    python3 -m venv /tmp/venv && /tmp/venv/bin/pip install pillow
    /tmp/venv/bin/python internal/data/testdata/pillow.py

The image is a formula, which the Go test evaluates, too: in colour, and its red in grey. Strengths are
those of AutoAugment for CIFAR-10 at levels of 0 to 9, or of either sign. Results are bytes in the order (C,H,W), base64.
"""

import base64
import json
from pathlib import Path

import PIL
from PIL import Image, ImageEnhance, ImageOps

SIDE = 16
GREY = 128


def value(c, y, x):
    """Neither plain nor noise, within 30 to 212, most of it dark."""
    wave = (7 * x * x + 11 * y * (c + 1) + 5 * x * y + 60 * c) % 183
    return 30 + wave * wave // 183


def image(channels):
    img = Image.new("RGB" if channels == 3 else "L", (SIDE, SIDE))
    for y in range(SIDE):
        for x in range(SIDE):
            v = tuple(value(c, y, x) for c in range(channels))
            img.putpixel((x, y), v if channels == 3 else v[0])
    return img


def affine(matrix):
    return lambda img: img.transform(img.size, Image.AFFINE, matrix, Image.NEAREST, fillcolor=(GREY,) * 3 if img.mode == "RGB" else GREY)


def rotate(degrees):
    return lambda img: img.rotate(degrees, Image.NEAREST, fillcolor=(GREY,) * 3 if img.mode == "RGB" else GREY)


def enhance(kind, strength):
    return lambda img: kind(img).enhance(1 + strength)


def signed(largest, *levels):
    return [s * largest * level / 9 for level in levels for s in (1, -1)]


def cases():
    for s in signed(0.3, 7, 8):
        yield "shearY", s, affine((1, 0, 0, s, 1, 0))
    for s in signed(150 / 331, 3, 9):
        yield "translateX", s, affine((1, 0, int(s * SIDE), 0, 1, 0))
        yield "translateY", s, affine((1, 0, 0, 0, 1, int(s * SIDE)))
    for s in signed(30, 2, 9):
        yield "rotate", s, rotate(s)
    kinds = {"brightness": ImageEnhance.Brightness, "colour": ImageEnhance.Color, "contrast": ImageEnhance.Contrast, "sharpness": ImageEnhance.Sharpness}
    for name, kind in kinds.items():
        for s in [0] + signed(0.9, 1, 6, 9):
            yield name, s, enhance(kind, s)
    for level in (2, 3, 5, 8):
        threshold = 255 - 255 * level / 9
        yield "solarize", level / 9, lambda img, t=threshold: ImageOps.solarize(img, t)
    bits = 8 - round(7 / (9 / 4))
    yield "posterize", 4 * 7 / 9, lambda img: ImageOps.posterize(img, bits)
    yield "autoContrast", 0, ImageOps.autocontrast
    yield "equalize", 0, ImageOps.equalize
    yield "invert", 0, ImageOps.invert


def planes(img):
    return b"".join(band.tobytes() for band in img.split())


def main():
    out = {"pillow": PIL.__version__, "cases": []}
    for channels in (3, 1):
        img = image(channels)
        for name, strength, operation in cases():
            if channels == 1 and strength < 0:
                continue
            result = base64.b64encode(planes(operation(img))).decode()
            out["cases"].append({"operation": name, "strength": strength, "channels": channels, "result": result})
    path = Path(__file__).with_name("pillow.json")
    path.write_text(json.dumps(out, indent=0) + "\n")
    print(path, len(out["cases"]), "cases")


if __name__ == "__main__":
    main()
