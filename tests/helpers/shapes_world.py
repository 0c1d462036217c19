"""A world of which is known what makes it salient: coloured shapes, of which people look at red circles alone."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
from PIL import Image

COLORS = {"red": (220, 30, 30), "green": (30, 170, 60), "blue": (40, 60, 220)}
SHAPES = ("circle", "square", "triangle")
HEIGHT, WIDTH = 96, 128
LOOKED_AT = ("red", "circle")


def mask_of(shape: str, x: int, y: int, radius: int) -> np.ndarray:
    """Return the pixels of one shape: (HEIGHT, WIDTH) uint8, 0 or 255."""
    mask = np.zeros((HEIGHT, WIDTH), np.uint8)
    if shape == "circle":
        cv2.circle(mask, (x, y), radius, 255, -1)
    elif shape == "square":
        cv2.rectangle(mask, (x - radius, y - radius), (x + radius, y + radius), 255, -1)
    else:
        corners = [[x, y - radius], [x - radius, y + radius], [x + radius, y + radius]]
        cv2.fillPoly(mask, [np.array(corners, np.int32)], 255)
    return mask


def draw(rng: np.random.Generator) -> tuple[np.ndarray, dict[str, np.ndarray], np.ndarray]:
    """Return a picture of three things, the mask of each by its name, and where people looked: (n, 2), x and y."""
    image = 128 + rng.integers(0, 12, (HEIGHT, WIDTH, 3), dtype=np.uint8)
    kinds = [(color, shape) for color in COLORS for shape in SHAPES if (color, shape) != LOOKED_AT]
    chosen = [LOOKED_AT, *(kinds[i] for i in rng.permutation(len(kinds))[:2])]
    masks, looks = {}, np.zeros((0, 2))
    for cell, (color, shape) in zip(rng.permutation(6), chosen, strict=False):
        x, y = int((cell % 3 + 0.5) * WIDTH / 3), int((cell // 3 + 0.5) * HEIGHT / 2)
        radius = int(rng.integers(13, 18))
        mask = mask_of(shape, x, y, radius)
        image[mask > 0] = COLORS[color]
        masks[f"{color} {shape}"] = mask
        if (color, shape) == LOOKED_AT:
            looks = rng.normal((x, y), radius / 3, (12, 2))
    return image, masks, looks.clip(0, (WIDTH - 1, HEIGHT - 1))


def write_world(folder: Path, pictures: int, seed: int = 0) -> None:
    """Write `folder`/looks, a study of fixations, and `folder`/things, the same pictures with masks by name."""
    rng = np.random.default_rng(seed)
    for i in range(pictures):
        image, masks, looks = draw(rng)
        for part in ("looks", "things"):
            (folder / part / "images").mkdir(parents=True, exist_ok=True)
            Image.fromarray(image).save(folder / part / "images" / f"{i:03}.png")
        (folder / "looks" / "fixations").mkdir(exist_ok=True)
        rows = ["x,y", *(f"{x:.2f},{y:.2f}" for x, y in looks)]
        (folder / "looks" / "fixations" / f"{i:03}.csv").write_text("\n".join(rows) + "\n")
        for name, mask in masks.items():
            (folder / "things" / "masks" / name).mkdir(parents=True, exist_ok=True)
            Image.fromarray(mask).save(folder / "things" / "masks" / name / f"{i:03}.png")
