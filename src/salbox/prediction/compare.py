"""Photos, models, one picture: what `salbox compare` does."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from ..datasets.points import read_points
from ..errors import UsageError
from ..imaging.figures import check_figure
from ..imaging.image import MAX_PIXELS, read_image
from ..imaging.notes import output_of, restored
from ..imaging.plots import AS_MAPS, Drawing, comparison
from ..imaging.postprocess import NOTHING, PostProcess
from ..imaging.scaling import visible
from ..models.loading import load_for
from ..types import FloatMap, Shape
from ..writing import read_notes
from .images import SMALLER_COPY, ImageMaps, Pipeline, memory_errors_named


def compare_models(
    images: str | Sequence[str],
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
    drawing: Drawing = AS_MAPS,
) -> None:
    """Write one picture of photos with the maps of several models, and what people did if it is known.

    Parameters
    ----------
    images : paths of photos, or one
    models : dict
        Name -> parameters.
    output : Path
        A .png, .pdf or .svg.
    fixations : Path, optional
        Of one photo, positions x, y in pixels: a .csv with two columns, or a .npy of shape (N, 2).
    ground_truth : Path, optional
        A picture of a map of one photo; brought to its size.
    differences : texts "a,b"
        For each a panel with the map of a minus that of b.
    drawing : Drawing, optional
        Overlays, contours, one scale, legends.

    Raises
    ------
    UsageError, ImageError
        If something cannot be read or does not fit.
    """
    sources = [images] if isinstance(images, str) else list(images)
    if len(sources) > 1 and (fixations is not None or ground_truth is not None):
        raise UsageError("fixations and a ground truth belong to one photo: give no others")
    check_figure(output)
    pairs = [_pair(text) for text in differences]
    points = None if fixations is None else read_points(fixations)
    pipelines = [
        Pipeline(load_for(name, parameters, postprocess), postprocess, size=size) for name, parameters in models.items()
    ]
    rows = []
    for source in sources:
        with memory_errors_named(source, SMALLER_COPY):
            pixels = read_image(source, max_pixels=max_pixels)
            panels: dict[str, Any] = {}
            if ground_truth is not None:
                panels["ground truth"] = _ground_truth(ground_truth, max_pixels, pixels.shape[:2])
            maps = ImageMaps([pixels], pipelines, [Path(source).name])
            panels |= {pipeline.model.name: maps.of(pipeline)[0] for pipeline in pipelines}
            rows.append((pixels, panels))
    comparison(
        rows,
        output,
        columns=columns,
        fixations=points,
        differences=pairs,
        names=[Path(source).name for source in sources] if len(sources) > 1 else (),
        drawing=drawing,
    )


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
