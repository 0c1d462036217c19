"""What the two published maps of RARE2012 tell by themselves: their raster, their borders, the example's mixture."""

from __future__ import annotations

import sys

import numpy as np
import numpy.typing as npt
from _tables import ROOT, markdown_table

from salbox.classical.rare2012 import _enlarge
from salbox.types import FloatMap, Pixels

sys.path.insert(0, str(ROOT / "tests" / "helpers"))
from published_rare2012 import SHARE, correlation, unmixed


def to_raster(published: FloatMap, n: int) -> npt.NDArray[np.float64]:
    """Return the mean of the published map over each of n x n blocks, the inverse of enlarging: (n, n) float64."""
    block = _enlarge(np.arange(n * n, dtype=np.float32).reshape(n, n), published.shape).astype(int).ravel()
    sums = np.bincount(block, weights=published.ravel(), minlength=n * n)
    return (sums / np.bincount(block, minlength=n * n)).reshape(n, n)


def raster_table(published: FloatMap) -> str:
    """Return the table of what blocks of several sizes leave unexplained."""
    sizes = (160, 180, 190, 198, 199, 200, 201, 202, 210, 220, 240)
    left = []
    for n in sizes:
        blocks = _enlarge(to_raster(published, n).astype(np.float32), published.shape)
        left.append(float((published - blocks).std()))
    return markdown_table(["n", *map(str, sizes)], [["left over", *(f"{value:.2f}" for value in left)]])


def border_table(published: FloatMap) -> str:
    """Return the table of the steps by which the published map brightens from each border inwards."""
    raster = to_raster(published, 200)
    sides = {"top": raster, "left": raster.T, "bottom": raster[::-1], "right": raster.T[::-1]}
    rows = []
    for side, lines in sides.items():
        steps = np.diff(lines.mean(axis=1)[:8])
        rows.append([side, *(f"{step / steps[0]:.2f}" for step in steps)])
    return markdown_table(["border", *(f"step {i}" for i in range(1, 8))], rows)


def share_table(overlay: Pixels) -> str:
    """Return the table of what shares of the colours in the overlay leave over."""
    shares = (0.5, 0.55, 0.58, 0.6, 0.62, 0.65, 0.7)
    at_best, rows = unmixed(overlay)[0], [["left over"], [f"CC with the map at {SHARE:g}"]]
    for share in shares:
        found, rest = unmixed(overlay, share)
        rows[0].append(f"{rest:.1f}")
        rows[1].append(f"{correlation(found, at_best):.4f}")
    return markdown_table(["share", *map(str, shares)], rows)
