"""Histogram matching of saliency maps: give a map the distribution of values of another."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from importlib import resources
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from ..errors import UsageError
from .image import SUFFIXES, read_image
from .scaling import min_max

LEVELS = 256
_GRAY_WEIGHTS = np.array([0.299, 0.587, 0.114])  # ITU-R BT.601, as Pillow's and OpenCV's grey


@dataclass(frozen=True)
class Histogram:
    """A distribution of values: `values` ascending, `counts` how often each occurs (any positive scale)."""

    values: npt.NDArray[np.float64]
    counts: npt.NDArray[np.float64]

    @classmethod
    def of(cls, array: npt.NDArray[Any]) -> Histogram:
        """Return the exact distribution of an array's values."""
        values, counts = np.unique(array, return_counts=True)
        return cls(values.astype(np.float64), counts.astype(np.float64))

    @classmethod
    def of_gray_levels(cls, counts: npt.NDArray[Any]) -> Histogram:
        """Return the distribution of 256 grey levels, scaled to 0..1, from how often each occurs."""
        (occurring,) = np.nonzero(counts)  # a level that never occurs must not be interpolated to
        return cls(occurring / (LEVELS - 1), np.asarray(counts, np.float64)[occurring])

    @property
    def quantiles(self) -> npt.NDArray[np.float64]:
        """The share of values up to and including each."""
        return np.cumsum(self.counts) / self.counts.sum()


def match(saliency: npt.NDArray[Any], reference: Histogram) -> npt.NDArray[np.float32]:
    """Return a map whose values are distributed as the reference's, their order kept: (H, W) float32.

    Each value goes to the reference's value at the same quantile, linearly interpolated (Gonzalez and Woods, Digital
    Image Processing, section 3.3). A constant map has no order to keep and comes back as it is.
    """
    own = Histogram.of(saliency)
    if own.values.size < 2:
        return saliency.astype(np.float32)
    matched = np.interp(own.quantiles, reference.quantiles, reference.values)
    return matched[np.searchsorted(own.values, saliency)].astype(np.float32)


def equalize(saliency: npt.NDArray[Any]) -> npt.NDArray[np.float32]:
    """Return a map whose values are spread evenly over 0..1, their order kept: (H, W) float32.

    The smallest value goes to 0 and the largest to 1. A constant map comes back as it is.
    """
    own = Histogram.of(saliency)
    if own.values.size < 2:
        return saliency.astype(np.float32)
    quantiles = own.quantiles
    even = (quantiles - quantiles[0]) / (1 - quantiles[0])
    return even[np.searchsorted(own.values, saliency)].astype(np.float32)


@lru_cache(maxsize=1)
def mean_fixation_histogram() -> Histogram:
    """Return the grey levels of a mean fixation map, scaled to 0..1: what KDSalBox matches to by default.

    The counts are figures of the picture that KDSalBox (Kastrati, Bylinskii and Shechtman) publishes.
    """
    text = resources.files("salbox").joinpath("data/mean_fixation_histogram.csv").read_text(encoding="utf-8")
    table = np.loadtxt(text.splitlines(), delimiter=",", skiprows=1)
    return Histogram.of_gray_levels(table[:, 1])


@lru_cache(maxsize=64)
def picture_histogram(path: Path) -> Histogram:
    """Return the grey levels of a picture, scaled to 0..1; of a folder, the mean histogram of its pictures.

    Raises
    ------
    UsageError
        If a folder holds no picture.
    ImageError
        If the picture cannot be read.
    """
    if not path.is_dir():
        return Histogram.of_gray_levels(_gray_counts(path))
    pictures = sorted(p for p in path.iterdir() if p.suffix.lower() in SUFFIXES and not p.name.startswith("."))
    if not pictures:
        raise UsageError(f"{path}: no pictures to take a mean histogram of")
    shares = [counts / counts.sum() for counts in map(_gray_counts, pictures)]
    return Histogram.of_gray_levels(np.mean(shares, axis=0))


def map_histogram(reference: npt.NDArray[Any]) -> Histogram:
    """Return the distribution of a map's values, min-max scaled to 0..1."""
    return Histogram.of(min_max(np.asarray(reference)))


def _gray_counts(path: Path) -> npt.NDArray[np.intp]:
    gray = np.rint(read_image(path) @ _GRAY_WEIGHTS).astype(np.intp)
    return np.bincount(gray.ravel(), minlength=LEVELS)
