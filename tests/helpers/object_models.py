"""A tiny object model in a file, and photos with masks for it."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import onnx_writer as ow
from PIL import Image


def object_network(path: Path, heads: tuple[str, ...] = ("red", "blue")) -> Path:
    """Write an exported network whose heads are object models: how red, and how blue, pixels are, 0 to 1."""
    noted = json.loads(ow.notes(heads=heads, output="probability")["salbox"])
    for head in noted["heads"]:
        head["card"] |= {"task": "object", "output": "probability"}
    path.write_bytes(ow.student(metadata={"salbox": json.dumps(noted)}))
    return path


def object_photos(root: Path, count: int = 3, size: tuple[int, int] = (48, 36)) -> Path:
    """Write a folder of photos, each of a red rectangle on black that grows, with its mask; return the folder."""
    width, height = size
    rng = np.random.default_rng(4)
    for kind in ("images", "masks"):
        (root / kind).mkdir(parents=True)
    for k in range(count):
        mask = np.zeros((height, width), bool)
        mask[8 : 20 + 4 * k, 10 : 24 + 6 * k] = True
        pixels = rng.integers(0, 60, (height, width, 3), np.uint8)
        pixels[mask, 0] = 180
        Image.fromarray(pixels).save(root / "images" / f"p{k}.png")
        Image.fromarray(mask.astype(np.uint8) * np.uint8(255)).save(root / "masks" / f"p{k}.png")
    return root
