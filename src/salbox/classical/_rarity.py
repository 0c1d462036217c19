"""Rarity of values and the fusion of rarity maps: the two operations that RARE2012 is made of."""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np

from ..types import FloatMap

NOISE = 1e-5  # maps of a smaller range, in units of the image's 0..1, differ by rounding only


def rarity(values: FloatMap, levels: int, bins: int) -> FloatMap:
    """Return how rare each value of a map is, at several scales together: (h, w) float32 in 0..1, 0 if all are equal.

    On each level of a Gaussian pyramid a value's self-information is -log p, where p is the share of the level's
    pixels in the same bin of its histogram. The levels are enlarged and summed; the sum is stretched to 0..1.

    Parameters
    ----------
    values : (h, w) float32
    levels : int
        Levels of the pyramid, the map itself included.
    bins : int
        Bins of the histograms.
    """
    if np.ptp(values) <= NOISE:
        return np.zeros_like(values)
    information = np.zeros_like(values)
    level = stretch(values)
    for index in range(levels):
        if index:
            level = cv2.pyrDown(level)
        information += _enlarge(self_information(level, bins), values.shape)
    return stretch(information)


def self_information(values: FloatMap, bins: int) -> FloatMap:
    """Return -log p of each value, in nats: (h, w) float32; p is the share of the pixels in the value's bin.

    Bins are equally wide, from the lowest to the highest value.
    """
    bin_of = np.minimum((stretch(values) * bins).astype(np.intp), bins - 1)  # the highest value is in the last bin
    counts = np.bincount(bin_of.reshape(-1), minlength=bins)
    information = np.log(values.size) - np.log(np.maximum(counts, 1))
    return information.astype(np.float32)[bin_of]


def fuse(maps: Sequence[FloatMap], threshold: float) -> FloatMap:
    """Return the sum of maps weighted by their efficiency and its rank: (h, w) float32.

    A map's efficiency is (max - mean)^2: it is high where little stands out of much. Of N maps the most efficient one
    weighs its efficiency, the next (N - 1) / N of its own, and so on; maps below `threshold` times the best efficiency
    weigh nothing.
    """
    efficiencies = np.array([(float(m.max()) - float(m.mean(dtype=np.float64))) ** 2 for m in maps])
    weights = np.empty(len(maps))
    weights[np.argsort(efficiencies, kind="stable")] = np.arange(1, len(maps) + 1) / len(maps)
    weights *= np.where(efficiencies < threshold * efficiencies.max(), 0, efficiencies)
    fused = np.zeros_like(maps[0])
    for weight, each in zip(weights, maps, strict=True):
        if weight:
            fused += np.float32(weight) * each
    return fused


def stretch(values: FloatMap) -> FloatMap:
    """Return values scaled to 0..1; all 0 if they are equal."""
    low, high = values.min(), values.max()
    return (values - low) / (high - low) if high > low else np.zeros_like(values)


def box_mean(values: FloatMap, side: int) -> FloatMap:
    """Return the mean over squares, zero outside the map; an even side n reaches n/2 - 1 pixels back and n/2 ahead."""
    if side == 1:
        return values
    anchor = ((side - 1) // 2,) * 2
    return cv2.boxFilter(values, -1, (side, side), anchor=anchor, borderType=cv2.BORDER_CONSTANT)


def _enlarge(values: FloatMap, shape: tuple[int, ...]) -> FloatMap:
    if values.shape == shape:
        return values
    return cv2.resize(values, (shape[1], shape[0]), interpolation=cv2.INTER_LINEAR)
