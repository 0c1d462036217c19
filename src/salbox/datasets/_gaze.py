"""Fixations found in raw gaze, by a rule of salbox's own.

The rule is identification by dispersion (Salvucci and Goldberg, Identifying fixations and saccades in eye-tracking
protocols, ETRA 2000, I-DT) with limits of our own: a fixation is a stretch of samples, as long as can be, that lasts
at least `SHORTEST` and spreads over no more than `WIDEST` across, and no more down. It stands at the median of its
samples. A sample that is not finite, or negative as trackers write blinks, ends a stretch.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

SHORTEST = 100.0  # milliseconds
WIDEST = 1.0  # degrees of visual angle

Floats = npt.NDArray[np.float64]


def find_fixations(gaze: Floats, rate: float, pixels_per_degree: float) -> tuple[Floats, Floats]:
    """Return the fixations in a recording, in its order: positions (N, 2), as in the gaze, and milliseconds (N,).

    Parameters
    ----------
    gaze : (S, 2) float
        x and y of each sample in pixels.
    rate : float
        Samples a second.
    pixels_per_degree : float
    """
    needed = max(1, int(np.ceil(SHORTEST * rate / 1000)))
    widest = WIDEST * pixels_per_degree
    is_seen = np.isfinite(gaze[:, 0] + gaze[:, 1]) & (gaze[:, 0] >= 0) & (gaze[:, 1] >= 0)
    found: list[tuple[int, int]] = []
    start = 0
    while start + needed <= len(gaze):
        end = start + needed
        if not is_seen[start:end].all():
            start += int(np.flatnonzero(~is_seen[start:end])[-1]) + 1
            continue
        low, high = gaze[start:end].min(axis=0), gaze[start:end].max(axis=0)
        if ((high - low) > widest).any():
            start += 1
            continue
        while end < len(gaze) and is_seen[end]:
            low, high = np.minimum(low, gaze[end]), np.maximum(high, gaze[end])
            if ((high - low) > widest).any():
                break
            end += 1
        found.append((start, end))
        start = end
    places = np.array([np.median(gaze[a:b], axis=0) for a, b in found]).reshape(-1, 2)
    return places, np.array([(b - a) * 1000 / rate for a, b in found])
