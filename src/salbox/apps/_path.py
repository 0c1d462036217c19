"""The way of a window through a video: where it keeps most, without haste, each shot for itself."""

from __future__ import annotations

import cv2
import numpy as np
import numpy.typing as npt
from scipy.ndimage import gaussian_filter1d

from ..types import DoubleMap, Pixels

HASTE = 1.0  # what a way of the whole side in a second costs, against a second of all attention
SMOOTH = 0.4  # seconds, standard deviation of what is smoothed in time
_SMALL = 32  # pixels a side, at which frames are compared
CUT = 32.0  # grey levels of mean difference: more is another shot
_CUT_TIMES = 4.0  # and so many times as much as usual in this video

Floats = npt.NDArray[np.float64]


def small(frame: Pixels) -> Floats:
    """Return a frame as it is compared with its neighbours: (32, 32) grey levels."""
    gray = cv2.cvtColor(frame, cv2.COLOR_RGB2GRAY)
    found: Floats = cv2.resize(gray, (_SMALL, _SMALL), interpolation=cv2.INTER_AREA).astype(np.float64)
    return found


def shots(change: Floats) -> npt.NDArray[np.int64]:
    """Return the number of the shot of each frame, (N,), from how much each differs from the one before, (N,)."""
    usual = float(np.median(change[1:])) if len(change) > 1 else 0.0
    is_cut = change > max(CUT, _CUT_TIMES * usual)
    is_cut[:1] = False
    return np.cumsum(is_cut)


def best_way(scores: DoubleMap, places: Floats, times: Floats) -> npt.NDArray[np.intp]:
    """Return which place to take at each time of one shot, (T,): the way that keeps most, haste counted against it.

    It minimises the sum of -score dt + `HASTE` (step)^2 / dt over all ways, by dynamic programming (Viterbi).

    Parameters
    ----------
    scores : (T, P)
        What a window at each place keeps at each time.
    places : (P,)
        As shares of the side along which the window moves.
    times : (T,)
        Seconds, rising.
    """
    steps = np.maximum(np.diff(times), 1e-3)
    weights = np.append(steps, steps[-1:] if len(steps) else 1.0)
    squares = HASTE * (places[:, None] - places) ** 2  # [to, from]
    cost, back = -scores[0] * weights[0], np.zeros(scores.shape, np.intp)
    for t, dt in enumerate(steps, start=1):
        ways = squares / dt + cost
        back[t] = ways.argmin(axis=1)
        cost = ways[np.arange(len(places)), back[t]] - scores[t] * weights[t]
    way = np.empty(len(scores), np.intp)
    way[-1] = int(cost.argmin())
    for t in range(len(scores) - 1, 0, -1):
        way[t - 1] = back[t, way[t]]
    return way


def smoothed(known: Floats, at: Floats, times: Floats, rate: float) -> Floats:
    """Return where the window is at the times of all frames of a shot, (N,), given it at some, smoothed in time."""
    found: Floats = gaussian_filter1d(np.interp(times, at, known), SMOOTH * rate, mode="nearest")
    return found
