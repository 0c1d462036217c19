"""One photo, several models, one picture: what `salbox compare` does."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from ..datasets.points import read_points
from ..errors import UsageError
from ..imaging.image import MAX_PIXELS, read_image
from ..imaging.notes import output_of, restored
from ..imaging.plots import comparison
from ..imaging.postprocess import NOTHING, PostProcess
from ..imaging.scaling import visible
from ..models.loading import load_for
from ..types import FloatMap, Shape
from ..writing import read_notes
from .images import SMALLER_COPY, ImageMaps, Pipeline, memory_errors_named


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
    pipelines = [
        Pipeline(load_for(name, parameters, postprocess), postprocess, size=size) for name, parameters in models.items()
    ]
    with memory_errors_named(image, SMALLER_COPY):
        pixels = read_image(image, max_pixels=max_pixels)
        points = None if fixations is None else read_points(fixations)
        panels: dict[str, Any] = {}
        if ground_truth is not None:
            panels["ground truth"] = _ground_truth(ground_truth, max_pixels, pixels.shape[:2])
        maps = ImageMaps([pixels], pipelines, [Path(image).name])
        for pipeline in pipelines:
            (saliency,) = maps.of(pipeline)
            panels[pipeline.model.name] = visible(saliency, pipeline.output)
    comparison([(pixels, panels)], output, columns=columns, fixations=points, differences=pairs)


def _ground_truth(path: Path, max_pixels: int, shape: Shape) -> FloatMap:
    """Return the picture of a map at a size, (H, W) float32; of a log density that salbox wrote the density."""
    levels, notes = read_image(path, max_pixels=max_pixels)[:, :, 0], read_notes(path)
    truth = visible(restored(levels, notes), output_of(notes) or "score").astype(np.float32)
    return cv2.resize(truth, shape[::-1], interpolation=cv2.INTER_LINEAR)


def _pair(text: str) -> tuple[str, str]:
    parts = [part.strip() for part in text.split(",")]
    if len(parts) != 2:
        raise UsageError(f"difference '{text}': expected two models, A,B")
    return parts[0], parts[1]
