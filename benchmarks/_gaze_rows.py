"""Maps of `gaze` and of all it is compared with, on disk, as rows of an evaluation."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt
from _distilling import RUNS
from _gaze_ensemble import Calibrated, Center
from gaze_data import MAPS, TEACHERS, ensemble
from ship_gaze import looking as at_own_size

from salbox.datasets import Dataset
from salbox.distillation.teachers.maps_folder import TeacherMaps
from salbox.distillation.teachers.teacher import map_folder
from salbox.evaluation import Evaluation, HumanCeiling, MapSource, evaluate
from salbox.evaluation.maps import map_folders
from salbox.evaluation.sources import Source
from salbox.imaging.image import read_image
from salbox.imaging.writing import atomic
from salbox.networks.trainable.base import TrainableNetwork
from salbox.types import Pixels

KEPT = RUNS / "gaze" / "measured"
METRICS = ("nss", "auc_judd", "cc", "ll")
SIGMA = {"OSIE": 27.0, "EyeCrowd": None}  # pixels, of the density that CC compares with; None: the data set's own

GAZE, CALIBRATED, RAW = "gaze", "ensemble, calibrated", "ensemble"
CENTER, CEILING = "centre bias", "human ceiling"

Map = npt.NDArray[Any]
Mapper = Callable[[Path, str], Map]  # a photo's file and key -> its map


def rows_of(network: Callable[[Pixels], Map], calibrated: Calibrated, center: Center) -> dict[str, tuple[str, Mapper]]:
    """Return name -> what a row's maps are, "log_density" or "score", and what makes them."""
    priors: dict[tuple[int, int], Map] = {}

    def prior(shape: tuple[int, int]) -> Map:
        if shape not in priors:
            priors[shape] = center.log_density(shape)
        return priors[shape]

    def of_teacher(name: str) -> Mapper:
        maps = TeacherMaps(map_folder(MAPS, name))
        return lambda path, key: maps.read(key)

    def of_ensemble(path: Path, key: str) -> Map:
        z = ensemble(key)
        return calibrated.log_density(z, prior(z.shape))

    return {
        GAZE: ("log_density", lambda path, key: at_map_size(network(read_image(path)))),
        CALIBRATED: ("log_density", of_ensemble),
        RAW: ("score", lambda path, key: ensemble(key)),
        **{name: ("score", of_teacher(name)) for name in TEACHERS},
        CENTER: ("log_density", lambda path, key: prior(ensemble(key).shape)),
    }


def fingerprint(network: TrainableNetwork) -> str:
    """Return what tells a network's weights from others'."""
    found = hashlib.sha256()
    for name, tensor in sorted(network.state_dict().items()):
        found.update(name.encode() + tensor.detach().cpu().contiguous().numpy().tobytes())
    return found.hexdigest()[:8]


def scored(
    label: str, name: str, data: Dataset, rows: Mapping[str, tuple[str, Mapper]], *, ceiling: bool = False
) -> Evaluation:
    """Return the metrics of rows on a data set; maps and figures are kept under `label`, which names the network."""
    sources: list[Source] = []
    for row, (output, mapper) in rows.items():
        folder = KEPT / label / row
        for item in data.items:
            file = folder / f"{item.name}.npy"
            if not file.is_file():
                values = np.asarray(mapper(item.image, f"{name}/{item.image.stem}"), np.float32)
                with atomic(file, keep_suffix=True) as temporary:
                    np.save(temporary, values)
        (found,) = map_folders(folder, data)
        sources.append(MapSource(found, output))  # type: ignore[arg-type]  # one of the two
    if ceiling:
        sources.append(HumanCeiling())
    return evaluate(data, sources, METRICS, sigma=SIGMA[name], folder=KEPT / label / "figures")


def looking(network: TrainableNetwork) -> Callable[[Pixels], Map]:
    """Return what gives a trained network's log density of an image, its longest side 320."""
    coarsely = at_own_size(network.eval())

    def look(image: Pixels) -> Map:
        coarse = coarsely(image)
        height, width = image.shape[:2]
        scale = 320 / max(height, width)
        size = (max(1, round(width * scale)), max(1, round(height * scale)))
        return normalized(cv2.resize(coarse, size, interpolation=cv2.INTER_LINEAR))

    return look


def at_map_size(density: Map) -> Map:
    """Return a log density whose longest side is 320 at most."""
    height, width = density.shape
    scale = 320 / max(height, width)
    if scale >= 1:
        return density
    size = (max(1, round(width * scale)), max(1, round(height * scale)))
    return normalized(np.log(np.maximum(cv2.resize(np.exp(density), size, interpolation=cv2.INTER_AREA), 1e-30)))


def normalized(values: Map) -> Map:
    """Return values as a log density: exp sums to 1."""
    largest = values.max()
    return np.asarray(values - largest - np.log(np.exp((values - largest).astype(np.float64)).sum()), np.float32)
