"""What metrics see of a batch: a network's maps, worked out by SciPy, with their truths; fixations as points."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
from scipy.special import expit, logsumexp

from salbox.datasets import Fixations, fixation_counts

Array = np.ndarray[Any, Any]


def output_maps(logits: Any, output: str) -> Array:
    """Return (N, K, h, w): scores, or log densities."""
    values = np.asarray(logits, dtype=np.float64)
    return values - logsumexp(values, axis=(2, 3), keepdims=True) if output == "log_density" else expit(values)


def pairs(maps: Any, truth: Any) -> Iterator[tuple[Array, Array]]:
    """Yield each map with its truth, both (h, w)."""
    yield from zip(np.concatenate(np.asarray(maps)), np.concatenate(np.asarray(truth)), strict=True)


def points(counts: Array) -> Fixations:
    """Return fixations of which each pixel of an (H, W) map of counts got so many."""
    rows, columns = np.nonzero(counts)
    times = counts[rows, columns].astype(int)
    found = Fixations(x=np.repeat(columns, times) + 0.5, y=np.repeat(rows, times) + 0.5)
    assert (fixation_counts(found, counts.shape) == counts).all()
    return found
