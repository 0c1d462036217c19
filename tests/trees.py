"""Small datasets in their publishers' layout, with fixations at known places."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
from PIL import Image
from scipy.io import savemat

Looked = tuple[Sequence[float], Sequence[float]]


def photo(path: Path, width: int, height: int, seed: int = 0) -> Path:
    """Write a picture of blurred noise."""
    path.parent.mkdir(parents=True, exist_ok=True)
    coarse = np.random.default_rng(seed).integers(0, 256, (6, 8, 3), np.uint8)
    Image.fromarray(coarse).resize((width, height), Image.Resampling.BICUBIC).save(path)
    return path


def cell(elements: Sequence[object]) -> np.ndarray:
    """Return a cell array, (N, 1)."""
    array = np.empty((len(elements), 1), object)
    for k, element in enumerate(elements):
        array[k, 0] = element
    return array


def nus_tree(root: Path, entries: Mapping[str, Sequence[Looked]], size: tuple[int, int], absent: Sequence[str] = ()):
    """Write OSIE's and EyeCrowd's layout: stimuli and eye/fixations.mat, positions from 1; return the root.

    `entries` is {file name: observers' (x, y)}; those in `absent` get no stimulus.
    """
    for k, name in enumerate(entries):
        if name not in absent:
            photo(root / "data" / "stimuli" / name, *size, seed=k)
    structs = [
        {
            "img": name,
            "subjects": cell(
                [
                    {
                        "fix_x": np.array([x], float),
                        "fix_y": np.array([y], float),
                        "fix_duration": np.full((1, len(x)), 200, np.uint16),
                    }
                    for x, y in observers
                ]
            ),
        }
        for name, observers in entries.items()
    ]
    (root / "data" / "eye").mkdir(parents=True)
    savemat(root / "data" / "eye" / "fixations.mat", {"fixations": cell(structs)})
    return root


def random_osie(root: Path, images: int = 6, observers: int = 4, size: tuple[int, int] = (80, 60)) -> Path:
    """Write a tree like OSIE's whose images are all of the test split, fixations around a place of each image."""
    rng = np.random.default_rng(3)
    entries = {}
    for k in range(images):
        centre = rng.uniform((200, 150), (600, 450))
        looked = [centre + rng.normal(0, 60, (5, 2)) for _ in range(observers)]
        entries[f"{1003 + 10 * k}.jpg"] = [(xy[:, 0], xy[:, 1]) for xy in looked]
    return nus_tree(root, entries, size)


def mask_pair(images: Path, masks: Path, name: str, size: tuple[int, int] = (40, 30), *, mode: str = "L") -> None:
    """Write a photo with a bright square and the mask of that square."""
    width, height = size
    pixels = np.full((height, width, 3), 40, np.uint8)
    pixels[5:15, 10:25] = (220, 180, 30)
    mask = np.zeros((height, width), np.uint8)
    mask[5:15, 10:25] = 255
    images.mkdir(parents=True, exist_ok=True)
    masks.mkdir(parents=True, exist_ok=True)
    Image.fromarray(pixels).save(images / f"{name}.jpg", quality=95)
    Image.fromarray(mask).convert(mode).save(masks / f"{name}.png")
