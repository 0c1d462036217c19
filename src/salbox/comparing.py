"""One photo, several models, one picture: what `salbox compare` does."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from .datasets.points import read_points
from .errors import UsageError
from .image import MAX_PIXELS, read_image
from .plots import comparison, visible
from .postprocess import NOTHING, PostProcess
from .registry import load_for


def compare_models(
    image: str,
    models: Mapping[str, Mapping[str, Any]],
    output: Path,
    *,
    postprocess: PostProcess = NOTHING,
    size: int | None = None,
    max_pixels: int = MAX_PIXELS,
    fixations: Path | None = None,
    ground_truth: Path | None = None,
    differences: Sequence[str] = (),
    columns: int | None = None,
) -> None:
    """Write one picture of a photo with the maps of several models, and what people did if it is known.

    Parameters
    ----------
    image : path of the photo
    models : dict
        Name -> parameters.
    output : Path
        A .png, .pdf or .svg.
    fixations : Path, optional
        Positions x, y in pixels: a .csv with two columns, or a .npy of shape (N, 2).
    ground_truth : Path, optional
        A picture of a map; brought to the photo's size.
    differences : texts "a,b"
        For each a panel with the map of a minus that of b.

    Raises
    ------
    UsageError, ImageError
        If something cannot be read or does not fit.
    """
    pairs = [_pair(text) for text in differences]
    loaded = [load_for(name, parameters, postprocess) for name, parameters in models.items()]
    pixels = read_image(image, max_pixels=max_pixels)
    points = None if fixations is None else read_points(fixations)
    maps: dict[str, Any] = {}
    if ground_truth is not None:
        truth = read_image(ground_truth, max_pixels=max_pixels)[:, :, 0].astype(np.float32)
        maps["ground truth"] = cv2.resize(truth, pixels.shape[1::-1], interpolation=cv2.INTER_LINEAR)
    for model in loaded:
        saliency = model.at_size(pixels, size)
        saliency = postprocess(saliency, name=Path(image).name, output=model.card.output)
        maps[model.name] = visible(saliency, postprocess.output_of(model.card.output))
    comparison([(pixels, maps)], output, columns=columns, fixations=points, differences=pairs)


def _pair(text: str) -> tuple[str, str]:
    parts = [part.strip() for part in text.split(",")]
    if len(parts) != 2:
        raise UsageError(f"difference '{text}': expected two models, A,B")
    return parts[0], parts[1]
