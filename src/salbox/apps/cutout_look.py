"""A second look at the object alone, by networks that see a photo small."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from ..models.blends import sigmoid
from ..models.model import Model
from ..prediction.images import Pipeline
from ..runtime.network import ExportedNetwork
from ..types import FloatMap, Pixels
from .cutout_objects import THRESHOLD

# What is below was chosen on 150 photos of DUTS-TR that `scfnet` did not learn from; it holds on ECSSD and DUTS-TE.
_SMALL = 256 * 256  # pixels that a network looks at; U2-Net-p, which looks at 320 x 320, does worse with a second look
_MARGIN = 0.1  # around the object, of its sides
_MOST = 0.8  # of the photo: an object that fills more is seen no larger by itself
_LEAST = 32  # pixels of a side: in what is smaller there is nothing more to see
_SUREST = 1e-4  # of a probability, so that one look may still change what the other says


def looks_twice(model: Model) -> bool:
    """Return whether a model's network sees so few pixels that a second look helps."""
    if not isinstance(model.network, ExportedNetwork):
        return False
    size = model.network.metadata.preprocessing
    return size.rule in ("area", "fixed") and size.height * size.width <= _SMALL


def closer_look(pixels: Pixels, probability: FloatMap, pipeline: Pipeline) -> FloatMap:
    """Return a probability with what the network sees of the object alone: (h, w) float32.

    Within the object's bounding box it is the mean of both looks, of their logits; elsewhere it stays.

    Parameters
    ----------
    pixels : (h, w, 3) uint8
    probability : (h, w) float32
        Of the photo as a whole.
    pipeline : Pipeline
    """
    place = _around(probability)
    if place is None:
        return probability
    closer = pipeline(np.ascontiguousarray(pixels[place]))
    found = probability.copy()
    found[place] = sigmoid((_logit(probability[place]) + _logit(closer)) / 2)
    return found


def _around(probability: FloatMap) -> tuple[slice, slice] | None:
    """Return the rows and columns of what is more likely the object's than not; None if a look at it is no use."""
    mask = probability > THRESHOLD
    if not mask.any():
        return None
    rows, columns = (np.asarray(mask.any(axis)) for axis in (1, 0))
    place = _extent(rows), _extent(columns)
    height, width = (part.stop - part.start for part in place)
    return place if height * width < _MOST * mask.size and min(height, width) >= _LEAST else None


def _extent(is_object: npt.NDArray[np.bool_]) -> slice:
    """Return from where to where along a side there is an object, and its margin."""
    where = np.flatnonzero(is_object)
    first, last = int(where[0]), int(where[-1]) + 1
    margin = round(_MARGIN * (last - first))
    return slice(max(0, first - margin), min(len(is_object), last + margin))


def _logit(probability: FloatMap) -> FloatMap:
    clipped = np.clip(probability, _SUREST, 1 - _SUREST)
    return np.asarray(np.log(clipped / (1 - clipped)), np.float32)
