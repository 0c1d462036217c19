"""The two maps of the original RARE2012 that are published with their photos, as tests and benchmarks read them."""

from __future__ import annotations

from functools import cache
from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt
from oracle import demo_map, demo_photo

from salbox.imaging.image import read_image
from salbox.types import Pixels

# Of the map's colours in the authors' overlay, the rest being the photo in grey: what leaves the least over, see
# docs/results/rare2012.md.
SHARE = 0.6
JPEG_NOISE = 1.5  # pixels: the standard deviation of the Gaussian that the overlay is smoothed by before

LOW_PASSES = (0, 6, 12, 18, 24)  # standard deviations in pixels


def published(shared: Path) -> dict[str, tuple[Pixels, npt.NDArray[np.float32]]]:
    """Return photo and map of each: "demo", KDSalBox's, and "example", their authors' own."""
    return {"demo": (demo_photo(shared), demo_map(shared, "rare2012")), "example": _example(shared)}


def agreement(saliency: npt.NDArray[np.float32], name: str, found: npt.NDArray[np.float32]) -> float:
    """Return the Pearson correlation of a map with a published one.

    The example's map was smoothed for display, how much is not known: of several low-passes the best one counts.
    """
    return max(correlation(low_passed(saliency, sigma), found) for sigma in (LOW_PASSES if name == "example" else (0,)))


def correlation(a: npt.NDArray[np.float32], b: npt.NDArray[np.float32]) -> float:
    """Return the Pearson correlation of two maps."""
    return float(np.corrcoef(a.ravel(), b.ravel())[0, 1])


def low_passed(saliency: npt.NDArray[np.float32], sigma: float) -> npt.NDArray[np.float32]:
    """Return a map smoothed by a Gaussian of so many pixels."""
    return cv2.GaussianBlur(saliency, (0, 0), sigma) if sigma else saliency


def unmixed(overlay: Pixels, share: float = SHARE) -> tuple[npt.NDArray[np.float32], float]:
    """Return the map that lies over a grey photo in the colours of Matlab's jet, and what is left over.

    In the differences of the channels the grey photo is not there. A pixel gets the value whose two differences,
    green - red and blue - red, are the nearest to its own.

    Parameters
    ----------
    overlay : (H, W, 3) uint8
    share : float
        Of the colours in the mixture.

    Returns
    -------
    map : (H, W) float32
        In steps of 1/255.
    rest : float
        Root mean square of the distance of the differences from those of the nearest colour, in grey levels.
    """
    smooth = cv2.GaussianBlur(overlay.astype(np.float32), (0, 0), JPEG_NOISE)
    own = smooth[..., 1:] - smooth[..., :1]
    values = np.linspace(0, 1, 256, dtype=np.float32)
    red, green, blue = (np.clip(1.5 - np.abs(4 * values - peak), 0, 1) for peak in (3, 2, 1))
    colors = 255 * share * np.stack([green - red, blue - red], axis=-1)
    found, rest = np.empty(own.shape[:2], np.float32), 0.0
    for row, differences in zip(found, own, strict=True):
        distances = ((differences[:, None] - colors) ** 2).sum(axis=-1)
        row[:] = values[distances.argmin(axis=1)]
        rest += float(distances.min(axis=1).sum(dtype=np.float64))
    return found, (rest / found.size) ** 0.5


@cache
def _example(shared: Path) -> tuple[Pixels, npt.NDArray[np.float32]]:
    folder = shared / "oracle" / "rare2012-readme"
    return read_image(folder / "input.jpg"), unmixed(read_image(folder / "overlay.jpg"))[0]
