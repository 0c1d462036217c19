"""The picture of `gaze` for the docs: photos that ship with scikit-image, with fixations drawn from its density."""

from __future__ import annotations

import io
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt
import skimage.data
from PIL import Image

import salbox
from salbox.imaging.image import read_image
from salbox.imaging.overlays import overlay
from salbox.imaging.writing import atomic
from salbox.types import Pixels

SAMPLES = (
    "astronaut", "coffee", "chelsea", "rocket", "camera", "text", "page", "clock", "hubble_deep_field", "colorwheel"
)  # fmt: skip
DRAWN = 60  # fixations a picture
QUALITY = 88
COLUMNS, CELL = 5, (260, 200)  # (width, height) in pixels

Points = npt.NDArray[np.float64]


def draw_samples(path: Path) -> None:
    """Draw ten photos of scikit-image's with fixations drawn from the density, and the density below each."""
    gaze = salbox.load("gaze")
    cells = []
    for name in SAMPLES:
        photo = read_image(getattr(skimage.data, name)())
        cells.append((photo, gaze.log_density(photo), gaze.sample(photo, DRAWN, seed=0).astype(float)))
    _draw(cells, path)


def _draw(cells: Sequence[tuple[Pixels, npt.NDArray[np.float32], Points]], path: Path) -> None:
    from matplotlib.figure import Figure

    rows = -(-len(cells) // COLUMNS) * 2
    figure = Figure(figsize=(COLUMNS * CELL[0] / 100, rows * CELL[1] / 100), dpi=100)
    axes = figure.subplots(rows, COLUMNS, squeeze=False)
    for at in axes.flat:
        at.axis("off")
    for number, (photo, density, points) in enumerate(cells):
        row, column = divmod(number, COLUMNS)
        above, below = axes[2 * row, column], axes[2 * row + 1, column]
        above.imshow(photo)
        above.scatter(points[:, 0], points[:, 1], s=7, c="#ffe100", edgecolors="black", linewidths=0.4)
        below.imshow(overlay(photo, np.exp(density)))
        for at in (above, below):
            at.set_xlim(0, photo.shape[1])
            at.set_ylim(photo.shape[0], 0)
    figure.subplots_adjust(0.005, 0.005, 0.995, 0.995, 0.02, 0.02)
    buffer = io.BytesIO()
    figure.savefig(buffer)
    path.parent.mkdir(parents=True, exist_ok=True)
    with Image.open(buffer) as picture, atomic(path) as temporary:
        picture.convert("RGB").save(temporary, "JPEG", quality=QUALITY, optimize=True)
