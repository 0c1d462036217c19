"""Small pictures for the page: photos, ground truth, and maps that are kept for the next page."""

from __future__ import annotations

import base64
import io
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from PIL import Image

from ..datasets import Dataset
from ..errors import ImageError, SalboxError
from ..evaluation.running import results_folder
from ..evaluation.sources import RowSource
from ..evaluation.truth import Truths
from ..imaging.figures import color_table
from ..imaging.gray import read_gray
from ..imaging.plots import COLOR_MAP
from ..imaging.writing import atomic
from ..system.identity import code_identity
from ..system.progress import Progress
from ._keys import image_key, settings_key
from ._maps import THUMBNAIL, Mapped, make_maps, shrunk, thumbnail
from .content import Photo, Picture

_QUALITY = 76  # of JPEG: about 12 kB a photo, 4 kB a map

Gray = npt.NDArray[np.uint8]


def picture(pixels: npt.NDArray[np.uint8]) -> Picture:
    """Return a picture, (H, W) or (H, W, 3), ready for a page."""
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, format="JPEG", quality=_QUALITY, optimize=True)
    height, width = pixels.shape[:2]
    return Picture(f"data:image/jpeg;base64,{base64.b64encode(buffer.getvalue()).decode()}", width, height)


def colored(gray: Gray) -> Picture:
    """Return a map, (H, W), in colours."""
    return picture(color_table(COLOR_MAP)[gray])


def photo(dataset: Dataset, index: int, sigma: float | None) -> Photo:
    """Return an image and its ground truth: the mask where there is one, else the density.

    What cannot be read is left out of the page; the figures were made without it.
    """
    name, pixels, truth = dataset.items[index].name, None, None
    try:
        pixels = picture(shrunk(dataset.pixels(index)))
        known = Truths(dataset, sigma).of(index)
        if "mask" in known:
            truth = picture(thumbnail(np.asarray(known["mask"]), "probability"))
        elif "density" in known:
            truth = colored(thumbnail(known["density"], "probability"))
    except SalboxError:
        return Photo(name, pixels, None)
    return Photo(name, pixels, truth)


def map_pictures(
    dataset: Dataset,
    sources: Sequence[RowSource],
    wanted: Mapping[int, Iterable[int]],
    folder: Path,
    *,
    workers: int | None,
    progress: Progress,
) -> tuple[dict[tuple[int, int], Picture], list[str]]:
    """Return {(image's index, row's number): map}, and what failed.

    Maps are kept as grey pictures under `folder`; what is there is not made again.
    """
    kept = results_folder(folder, dataset) / "thumbnails"
    made_by = {"code": code_identity(__name__), "longest side": THUMBNAIL}
    names = [settings_key({"source": source.settings(), **made_by}) for source in sources]
    paths = {
        (index, number): kept / names[number] / f"{image_key(dataset, index)}.png"
        for index, numbers in wanted.items()
        for number in numbers
    }
    grays = {place: gray for place, path in paths.items() if (gray := _read(path)) is not None}
    missing: dict[int, set[int]] = {}
    for index, number in paths.keys() - grays.keys():
        missing.setdefault(index, set()).add(number)
    failures: list[str] = []
    mapped: Mapped
    for mapped in make_maps(dataset, sources, missing, thumbnail, workers=workers, progress=progress, title="pictures"):
        failures += mapped.failures
        for number, gray in mapped.maps.items():
            grays[mapped.index, number] = gray
            with atomic(paths[mapped.index, number]) as temporary:
                Image.fromarray(gray).save(temporary, format="PNG")
    return {place: colored(gray) for place, gray in grays.items()}, failures


def _read(path: Path) -> Any:
    """Return a grey picture that was kept, or None if there is none or it is broken."""
    try:
        return read_gray(path)
    except ImageError:
        return None
