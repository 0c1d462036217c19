"""How long a model will take on an image, told before it starts."""

from __future__ import annotations

from collections.abc import Callable
from time import perf_counter

import numpy as np

from ..imaging.scaling import at_size
from ..types import Pixels

PROBES = (64, 160)  # longest sides in pixels of the copies on which a model is timed


def expected_seconds(
    model: Callable[[Pixels], object], image: Pixels, clock: Callable[[], float] = perf_counter
) -> float:
    """Return about how many seconds a model takes on an image: a fixed part and one that grows with the pixels.

    It is timed on two small copies, the smaller one once before, so that what is loaded at first is not counted.

    Parameters
    ----------
    model : callable
        Takes an image, (H, W, 3) uint8.
    image : (H, W, 3) uint8
    clock : callable, optional
        Returns seconds.
    """
    copies = [at_size(image, side) for side in PROBES]
    model(copies[0])
    times = []
    for copy in copies:
        begin = clock()
        model(copy)
        times.append(clock() - begin)
    pixels = [float(np.prod(copy.shape[:2])) for copy in copies]
    growth = max(0.0, (times[1] - times[0]) / (pixels[1] - pixels[0])) if pixels[1] > pixels[0] else 0.0
    return times[1] + growth * max(0.0, float(np.prod(image.shape[:2])) - pixels[1])
