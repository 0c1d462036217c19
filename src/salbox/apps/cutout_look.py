"""Further looks at the object alone, by networks that see a photo small."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from ..models.blends import sigmoid
from ..models.model import Model
from ..prediction.images import Pipeline
from ..runtime.network import ExportedNetwork
from ..types import FloatMap, Pixels
from .cutout_objects import THRESHOLD

# What is below was chosen on photos of DUTS-TR that `scfnet` did not learn from.
_SMALL = 256 * 256  # pixels that a network looks at; U2-Net-p, which looks at 320 x 320, does worse with further looks
# Of each look the margin around the object, of its sides, what share of the photo that may be (of one that fills more
# nothing new is seen), and whether it is mirrored. Looks at 320 x 320 or at tiles, and more of them, are no better.
_LOOKS = ((0.1, 0.9, False), (0.3, 1.0, True))
_LEAST = 32  # pixels of a side: in what is smaller there is nothing more to see
_SUREST = 1e-4  # of a probability, so that one look may still change what the other says


def looks_again(model: Model) -> bool:
    """Return whether a model's network sees so few pixels that further looks help."""
    if not isinstance(model.network, ExportedNetwork):
        return False
    size = model.network.metadata.preprocessing
    return size.rule in ("area", "fixed") and size.height * size.width <= _SMALL


def closer_looks(pixels: Pixels, probability: FloatMap, pipeline: Pipeline) -> FloatMap:
    """Return a probability with what the network sees of the object alone: (h, w) float32.

    Around the object it is the mean of all looks so far, of their logits; elsewhere it stays.

    Parameters
    ----------
    pixels : (h, w, 3) uint8
    probability : (h, w) float32
        Of the photo as a whole.
    pipeline : Pipeline
    """
    found, before = probability, 1
    for margin, most, is_mirrored in _LOOKS:
        place = _around(found, margin, most)
        if place is None:
            continue
        step = -1 if is_mirrored else 1
        seen = pipeline(np.ascontiguousarray(pixels[place][:, ::step]))[:, ::step]
        if found is probability:
            found = probability.copy()
        found[place] = sigmoid((before * _logit(found[place]) + _logit(seen)) / (before + 1))
        before += 1
    return found


def _around(probability: FloatMap, margin: float, most: float) -> tuple[slice, slice] | None:
    """Return the rows and columns of what is more likely the object's than not; None if a look at it is no use."""
    mask = probability > THRESHOLD
    if not mask.any():
        return None
    rows, columns = (np.asarray(mask.any(axis)) for axis in (1, 0))
    place = _extent(rows, margin), _extent(columns, margin)
    height, width = (part.stop - part.start for part in place)
    return place if height * width <= most * mask.size and min(height, width) >= _LEAST else None


def _extent(is_object: npt.NDArray[np.bool_], margin: float) -> slice:
    """Return from where to where along a side there is an object, and its margin."""
    where = np.flatnonzero(is_object)
    first, last = int(where[0]), int(where[-1]) + 1
    beyond = round(margin * (last - first))
    return slice(max(0, first - beyond), min(len(is_object), last + beyond))


def _logit(probability: FloatMap) -> FloatMap:
    clipped = np.clip(probability, _SUREST, 1 - _SUREST)
    return np.asarray(np.log(clipped / (1 - clipped)), np.float32)
