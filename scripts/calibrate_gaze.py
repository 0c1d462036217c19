"""How sure a density may be, and how much of the centre it lacks: fitted to people's fixations."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt
import torch
from scipy.optimize import minimize

from salbox.datasets import Dataset
from salbox.imaging.image import read_image
from salbox.networks.trainable.base import TrainableNetwork
from salbox.runtime.gaze import log_center

GRID = 80  # longest side of what is fitted
Array = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Fit:
    """What a log density is divided by, and the weight of the centre prior that is then added."""

    temperature: float = 1.0
    center: float = 0.0


def fitted(network: TrainableNetwork, sets: Sequence[Dataset]) -> Fit:
    """Return what gives people's fixations on some data sets' photos the highest likelihood, each photo the same."""
    photos = [terms(network, data, index) for data in sets for index in range(len(data.items))]

    def loss(numbers: Array) -> float:
        total = 0.0
        for log, counts, center in photos:
            values = log / np.exp(numbers[0]) + numbers[1] * center
            total += np.log(np.exp(values - values.max()).sum()) + values.max() - float((values * counts).sum())
        return total / len(photos)

    found = minimize(loss, np.zeros(2), method="Nelder-Mead", options={"xatol": 1e-3, "fatol": 1e-5})
    return Fit(float(np.exp(found.x[0])), float(found.x[1]))


def terms(network: TrainableNetwork, data: Dataset, index: int) -> tuple[Array, Array, Array]:
    """Return the log density of a photo, the shares of its fixations in each place, and the centre prior."""
    image = read_image(data.items[index].image)
    pixels = torch.from_numpy(network.preprocessing.prepare(image).astype(np.float32)).permute(2, 0, 1)[None]
    with torch.inference_mode():
        log = network.maps(pixels)[0, 0].double().numpy()
    scale = GRID / max(log.shape)
    size = (max(1, round(log.shape[1] * scale)), max(1, round(log.shape[0] * scale)))
    small = np.log(np.maximum(cv2.resize(np.exp(log), size, interpolation=cv2.INTER_AREA), 1e-12))
    (height, width), fixations = data.shape(index), data.fixations(index)
    rows = np.clip(fixations.y / height * size[1], 0, size[1] - 1).astype(int)
    columns = np.clip(fixations.x / width * size[0], 0, size[0] - 1).astype(int)
    counts = np.zeros((size[1], size[0]))
    np.add.at(counts, (rows, columns), 1 / max(1, len(rows)))
    return small, counts, log_center(size[1], size[0]).astype(np.float64)
