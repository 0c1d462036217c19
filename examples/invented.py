"""Small data for the notebooks beside this file, made of photos that scikit-image ships: nobody looked at them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import skimage.data
from PIL import Image, ImageDraw

import salbox

PHOTOS = ("astronaut", "chelsea", "coffee", "rocket")
COLORS = {"red": (220, 30, 30), "green": (30, 170, 60), "blue": (40, 60, 220)}
SHAPES = ("ellipse", "rectangle")


def write_study(folder: str, pictures: int = 24, people: int = 5, looks: int = 8, seed: int = 0) -> None:
    """Write `folder`/images and `folder`/fixations: parts of the photos, and where invented people looked.

    Their fixations are drawn from the density of `unisal.people`, pulled towards the top: as if these people sat
    otherwise than those that salbox learned from.
    """
    rng = np.random.default_rng(seed)
    model = salbox.load("unisal.people")
    images, fixations = _folders(folder, "images", "fixations")
    for number in range(pictures):
        kind = PHOTOS[number % len(PHOTOS)]
        photo = getattr(skimage.data, kind)()
        height, width = (int(side * rng.uniform(0.6, 0.8)) for side in photo.shape[:2])
        top, left = (rng.integers(0, whole - part) for whole, part in zip(photo.shape, (height, width)))
        part = Image.fromarray(photo[top : top + height, left : left + width]).resize((256, 192))
        part.save(images / f"{kind}-{number:02}.png")
        log_density = model.log_density(np.asarray(part)) - 2.5 * np.linspace(0, 1, 192)[:, None]
        density = np.exp(log_density, dtype=np.float64).ravel()
        chosen = rng.choice(density.size, people * looks, p=density / density.sum())
        rows = [f"{c % 256},{c // 256},{who % people}" for who, c in enumerate(chosen)]
        (fixations / f"{kind}-{number:02}.csv").write_text("\n".join(["x,y,subject", *rows]) + "\n")


def write_shapes(folder: str, pictures: int = 40, seed: int = 0) -> None:
    """Write `folder`/images and `folder`/masks/NAME: pictures of three coloured shapes, and which pixels are what."""
    rng = np.random.default_rng(seed)
    kinds = [f"{color} {shape}" for color in COLORS for shape in SHAPES]
    (images,) = _folders(folder, "images")
    for number in range(pictures):
        noise = rng.integers(100, 140, (144, 192, 3), dtype=np.uint8)
        image = Image.fromarray(noise)
        for cell, kind in zip(rng.permutation(6)[:3], rng.permutation(kinds)[:3]):
            x, y, radius = 32 + 64 * (cell % 3), 36 + 72 * (cell // 3), rng.integers(14, 26)
            color, shape = kind.split()
            mask = Image.new("L", image.size)
            getattr(ImageDraw.Draw(mask), shape)((x - radius, y - radius, x + radius, y + radius), fill=255)
            image.paste(COLORS[color], mask=mask)
            (masks,) = _folders(folder, f"masks/{kind}")
            mask.save(masks / f"{number:02}.png")
        image.save(images / f"{number:02}.png")


def _folders(folder: str, *parts: str) -> list[Path]:
    """Return folders within a folder, made where they are missing."""
    found = [Path(folder) / part for part in parts]
    for each in found:
        each.mkdir(parents=True, exist_ok=True)
    return found
