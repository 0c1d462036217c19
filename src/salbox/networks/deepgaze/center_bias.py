"""The centre bias that DeepGaze models need: where people look whatever the image, as a log density."""

from __future__ import annotations

import os
from functools import lru_cache
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

from ...errors import UsageError
from ...formats.npy import read_npy
from ...imaging.scaling import normalized_log
from ...paths import user_path
from ...types import FloatMap

Source = str | os.PathLike[str] | npt.NDArray[Any] | None

OSIE = Path(__file__).resolve().parents[2] / "data" / "osie_center_bias.npy"
MAX_BYTES = 64 * 2**20  # of a file; the authors' of 1024 by 1024 has 8 MiB


def center_bias(source: Source, height: int, width: int) -> FloatMap:
    """Return a centre bias at an image's size: (H, W) float32, natural log of a density, exp sums to 1.

    Parameters
    ----------
    source : "osie", "uniform", path or array
        "osie" is where the 15 people of OSIE looked at its 560 training images, computed by salbox
        (`scripts/learn_center_bias.py`), brought to the size bilinearly. "uniform" favours no place. A path of an
        .npy, or an array, holds a log density, (h, w), of any size; it is brought to the size by nearest neighbours,
        as DeepGaze's authors do with theirs (`centerbias_mit1003.npy`).
    height, width : int

    Raises
    ------
    UsageError
        If there is no such file, or it holds something else than finite numbers, (h, w).
    """
    if isinstance(source, np.ndarray):
        template = nearest(_checked(source, "the array"), height, width)
    elif source is None:
        raise UsageError("center_bias: none given; choose osie, uniform or an .npy")
    elif source == "uniform":
        template = np.zeros((height, width), np.float32)
    elif source == "osie":
        template = cv2.resize(_read(OSIE), (width, height), interpolation=cv2.INTER_LINEAR)
    else:
        template = nearest(_read(user_path(source)), height, width)
    return normalized_log(template)


def nearest(template: npt.NDArray[Any], height: int, width: int) -> npt.NDArray[Any]:
    """Return a map at another size, corners on corners, by nearest neighbours (SciPy's `zoom` of order 0)."""
    rows, columns = (
        np.floor(np.linspace(0, old - 1, new) + 0.5).astype(np.intp)
        for old, new in zip(template.shape, (height, width), strict=True)
    )
    return template[rows][:, columns]


def _read(path: Path) -> npt.NDArray[Any]:
    try:
        state = path.stat()
    except OSError as error:
        raise UsageError(f"center_bias '{path}': {error.strerror}; give an .npy, osie or uniform") from None
    return _loaded(path, state.st_size, state.st_mtime_ns)


@lru_cache(maxsize=4)
def _loaded(path: Path, size: int, changed: int) -> npt.NDArray[Any]:
    try:
        loaded = read_npy(path, most=MAX_BYTES)
    except UsageError as error:
        raise UsageError(f"center_bias {error}") from None
    return _checked(loaded, f"'{path}'")


def _checked(values: npt.NDArray[Any], where: str) -> npt.NDArray[Any]:
    if values.ndim != 2 or not values.size or values.dtype.kind != "f":
        raise UsageError(f"center_bias {where}: {values.dtype} of shape {values.shape}, expected a log density (h, w)")
    if not np.isfinite(values).all():
        raise UsageError(f"center_bias {where}: holds values that are not finite numbers")
    return values.astype(np.float64)
