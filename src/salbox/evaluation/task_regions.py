"""Which model finds what matters for a task: maps against regions that somebody marked on a few images.

The question and its figures are KDSalBox's 'task evaluation'. There is one threshold a model for all images: the one
whose F1, the mean over images, is best; a map is put into 0..1 first, as a picture shows it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from ..datasets import Fixations
from ..errors import UsageError
from ..imaging.scaling import density, for_picture
from ..metrics import as_mask, nss, sauc
from ..metrics.binary import THRESHOLD
from ..types import DoubleMap, Output, SaliencyMap

if TYPE_CHECKING:
    import pandas as pd

LEVELS = np.linspace(0, 1, 256, dtype=np.float32)[:-1]  # thresholds tried: every grey level of 8 bits but white

Mask = npt.NDArray[Any]


@dataclass(frozen=True)
class TaskFigures:
    """How well one model finds the regions; means over images.

    Attributes
    ----------
    model : str
    f1, precision, recall, accuracy : float
        Of the pixels above `threshold`.
    threshold : float
        In 0..1, of the map scaled as a picture shows it.
    f1_at_half : float
        F1 at a threshold of .5, which KDSalBox takes for every model.
    auc : float
        How often a pixel of the regions has a higher value than one outside them, ties half.
    nss : float
        The mean of the z-scored map within the regions.
    images : int
        How many images that is of.
    """

    model: str
    f1: float
    precision: float
    recall: float
    accuracy: float
    threshold: float
    f1_at_half: float
    auc: float
    nss: float
    images: int


def rank_for_task(
    maps: Mapping[str, Sequence[SaliencyMap]], outputs: Mapping[str, Output], masks: Sequence[Mask]
) -> list[TaskFigures]:
    """Return the figures of each model, the best F1 first.

    Parameters
    ----------
    maps : {model: maps}
        One map, (H, W), for each mask.
    outputs : {model: "score", "log_density" or "probability"}
        What their numbers are.
    masks : sequence of (H, W) arrays
        The regions of each image; see `salbox.metrics.as_mask`.

    Raises
    ------
    UsageError
        If there is no image, a mask is empty or covers all of its image, or a map has another shape than its mask.

    Examples
    --------
    One of two models is bright where it matters:

    >>> import numpy as np
    >>> from salbox.evaluation.task_regions import rank_for_task
    >>> region = np.zeros((4, 4), bool)
    >>> region[:2] = True
    >>> maps = {"wrong": [1 - region.astype(np.float32)], "right": [region.astype(np.float32)]}
    >>> ranked = rank_for_task(maps, {"wrong": "score", "right": "score"}, [region])
    >>> [(one.model, one.f1, one.auc) for one in ranked]
    [('right', 1.0, 1.0), ('wrong', 0.0, 0.0)]
    """
    regions = [_region(mask, number) for number, mask in enumerate(masks, 1)]
    if not regions:
        raise UsageError("no image with a region: mark what matters on at least one")
    found = [_figures(model, of_model, outputs[model], regions) for model, of_model in maps.items()]
    return sorted(found, key=lambda one: (-one.f1, -one.auc))


def to_pandas(ranked: Sequence[TaskFigures]) -> pd.DataFrame:
    """Return the figures as a table, a line for each model, in the order given."""
    import pandas as pd

    return pd.DataFrame([asdict(one) for one in ranked])


def _region(mask: Mask, number: int) -> npt.NDArray[np.bool_]:
    region = as_mask(mask)
    if not region.any():
        raise UsageError(f"image {number}: its region is empty")
    if region.all():
        raise UsageError(f"image {number}: its region covers all of it, so that there is nothing to tell it from")
    return region


def _figures(
    model: str, maps: Sequence[SaliencyMap], output: Output, regions: Sequence[npt.NDArray[np.bool_]]
) -> TaskFigures:
    if len(maps) != len(regions):
        raise UsageError(f"model '{model}': {len(maps)} maps of {len(regions)} images")
    for saliency, region in zip(maps, regions, strict=True):
        if saliency.shape != region.shape:
            raise UsageError(f"model '{model}': a map of shape {saliency.shape}, but a region of {region.shape}")
    curves = [_curves(for_picture(saliency, output), region) for saliency, region in zip(maps, regions, strict=True)]
    precision, recall, f1, accuracy = np.mean(curves, axis=0)
    best = int(f1.argmax())
    half = int(np.searchsorted(LEVELS, THRESHOLD))
    at_pixels = [_inside_and_outside(region) for region in regions]
    compared = [(density(saliency, output), *pixels) for saliency, pixels in zip(maps, at_pixels, strict=True)]
    return TaskFigures(
        model=model,
        f1=float(f1[best]),
        precision=float(precision[best]),
        recall=float(recall[best]),
        accuracy=float(accuracy[best]),
        threshold=float(LEVELS[best]),
        f1_at_half=float(f1[half]),
        auc=float(np.mean([sauc(values, inside, outside) for values, inside, outside in compared])),
        nss=float(np.mean([nss(values, inside) for values, inside, _ in compared])),
        images=len(regions),
    )


def _curves(values: SaliencyMap, region: npt.NDArray[np.bool_]) -> DoubleMap:
    """Return precision, recall, F1 and accuracy at each of `LEVELS`: (4, 255). A pixel above a level is predicted."""
    above = np.digitize(values, LEVELS, right=True)  # how many levels each pixel is above
    inside = np.bincount(above[region], minlength=len(LEVELS) + 1)
    everywhere = np.bincount(above.ravel(), minlength=len(LEVELS) + 1)
    hits, predicted = (counts[::-1].cumsum()[::-1][1:].astype(np.float64) for counts in (inside, everywhere))
    annotated, pixels = float(region.sum()), float(region.size)
    agreed = hits + (pixels - predicted - annotated + hits)
    precision = np.divide(hits, predicted, out=np.zeros_like(hits), where=predicted > 0)
    return np.stack([precision, hits / annotated, 2 * hits / (predicted + annotated), agreed / pixels])


def _inside_and_outside(region: npt.NDArray[np.bool_]) -> tuple[Fixations, Fixations]:
    """Return the pixels within a region and those outside it."""
    inside, outside = (np.nonzero(where) for where in (region, ~region))
    return Fixations(x=inside[1], y=inside[0]), Fixations(x=outside[1], y=outside[0])
