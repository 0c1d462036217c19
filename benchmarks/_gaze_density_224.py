"""`gaze` and others on photos of a third source, whose people, laboratory and task are unknown.

The set gives blurred densities at 112x112, so CC, SIM and KL are all there is. A constant does as well there as a
network does that is blurred otherwise than these people's densities were: so each model's blur and the weight of a
centre prior are fitted on the photos of even numbers, and all figures are on odd ones.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt
from _tables import SHARED
from scipy.ndimage import gaussian_filter

import salbox
from salbox.datasets.dataset import read_gray
from salbox.evaluation.bootstrap import difference, estimate, resampled
from salbox.metrics import cc, kl_mit, sim
from salbox.models.model import Model
from salbox.runtime.gaze import log_center

Map = npt.NDArray[Any]

FOLDER = SHARED / "data" / "fixation-density-224"
# One photo under several numbers: the first stands for all.
AGAIN = {"1158", "2245", "2840", "2858", "2179"}
FIT, MEASURED = 200, 400  # photos of even and of odd numbers, evenly spread
BLURS = (0.0, 1.5, 3.0, 4.5, 6.0, 8.0)  # pixels of 112
CENTERS = (0.0, 0.15, 0.3, 0.5, 0.75, 1.0, 1.4)
SHARPNESS = (0.5, 0.75, 1.0, 1.3)
METRICS = {"cc": cc, "sim": sim, "kl": kl_mit}
SIDE = 112


def density_224(names: Sequence[str]) -> dict[str, Any]:
    """Return the figures of models: row -> metric -> value and interval; and `gaze` less the ensemble."""
    numbers = sorted(path.stem for path in (FOLDER / "images").glob("*.jpg") if path.stem not in AGAIN)
    even = _spread([n for n in numbers if int(n) % 2 == 0], FIT)
    odd = _spread([n for n in numbers if int(n) % 2 == 1], MEASURED)
    truth = {number: _truth(number) for number in [*even, *odd]}
    mean = np.mean([truth[number] for number in even], axis=0)
    values = {"constant": _measured([mean] * len(odd), [truth[n] for n in odd])}
    fitted = {}
    for name in names:
        row = "ensemble" if name.startswith("ensemble:") else name
        model = salbox.load(name)
        maps = {number: _scored(model, number) for number in [*even, *odd]}
        fitted[row] = _fit([maps[n] for n in even], [truth[n] for n in even])
        values[row] = _measured([_density(maps[n], *fitted[row]) for n in odd], [truth[n] for n in odd])
        print(f"fixation-density-224: {row} {np.mean(values[row]['cc']):.3f}", flush=True)
    return _figures(values, len(odd)) | {"fitted": fitted}


def _scored(model: Model, number: str) -> Map:
    """Return a log density as it is, any other map z-scored, at the size of the set's densities."""
    values = model(FOLDER / "images" / f"{number}.jpg").astype(np.float64)
    if model.card.output != "log_density":
        values = (values - values.mean()) / max(float(values.std()), 1e-6)
    return cv2.resize(values, (SIDE, SIDE), interpolation=cv2.INTER_AREA)


def _figures(values: dict[str, dict[str, Map]], photos: int) -> dict[str, Any]:
    keys = [(row, metric) for row in values for metric in METRICS]
    drawn = dict(zip(keys, resampled([values[row][metric] for row, metric in keys]), strict=True))
    found: dict[str, Any] = {"photos": photos, "rows": {}, "against": {}}
    for row, metric in keys:
        own = estimate(float(values[row][metric].mean()), drawn[row, metric])
        found["rows"].setdefault(row, {})[metric] = [own.value, own.low, own.high]
    for metric in METRICS:
        gap = float(values["gaze"][metric].mean() - values["ensemble"][metric].mean())
        own = difference(gap, drawn["gaze", metric] - drawn["ensemble", metric])
        found["against"][metric] = [own.value, own.low, own.high]
    return found


def _fit(maps: list[Map], truth: list[Map]) -> tuple[float, float, float]:
    """Return blur, weight of the centre prior and sharpness of the highest mean CC."""
    tried = {}
    for blur in BLURS:
        blurred = [gaussian_filter(m, blur) if blur else m for m in maps]
        for center in CENTERS:
            for sharpness in SHARPNESS:
                made = [_exp(m, center, sharpness) for m in blurred]
                tried[blur, center, sharpness] = np.mean([cc(m, t) for m, t in zip(made, truth, strict=True)])
    return max(tried, key=lambda key: tried[key])


def _density(values: Map, blur: float, center: float, sharpness: float) -> Map:
    return _exp(gaussian_filter(values, blur) if blur else values, center, sharpness)


def _exp(values: Map, center: float, sharpness: float) -> Map:
    """Return the density of a log density or of a z-scored map with a centre prior."""
    total = sharpness * values + center * log_center(*values.shape)
    density = np.exp(total - total.max())
    return np.asarray(density / density.sum())


def _measured(maps: list[Map], truth: list[Map]) -> dict[str, Map]:
    return {
        name: np.array([metric(m, t) for m, t in zip(maps, truth, strict=True)]) for name, metric in METRICS.items()
    }


def _truth(number: str) -> Map:
    values = read_gray(FOLDER / "maps" / f"{number}.png").astype(np.float64)
    return np.asarray(values / values.sum())


def _spread(numbers: list[str], count: int) -> list[str]:
    """Return so many of the numbers, evenly spread."""
    return [numbers[i] for i in np.linspace(0, len(numbers) - 1, min(count, len(numbers))).astype(int)]
