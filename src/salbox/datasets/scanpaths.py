"""Scanpaths in fixations: what one observer fixated, one place after the other."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from .fixations import Fixations


def scanpaths(fixations: Fixations) -> Iterator[Fixations]:
    """Yield an image's scanpaths: what comes one after the other, of one observer and in rising order.

    Nothing is yielded where the data does not tell the order.

    Examples
    --------
    >>> from salbox.datasets import Fixations
    >>> from salbox.datasets.scanpaths import scanpaths
    >>> looked = Fixations(x=[5, 9, 4], y=[1, 1, 1], subject=[0, 0, 1], order=[0, 1, 0])
    >>> [path.x.tolist() for path in scanpaths(looked)]
    [[5.0, 9.0], [4.0]]
    """
    if fixations.order is None or not len(fixations):
        return
    is_first = (np.diff(fixations.subject) != 0) | (np.diff(fixations.order) <= 0)
    for indices in np.split(np.arange(len(fixations)), np.flatnonzero(is_first) + 1):
        yield fixations[indices]
