"""Precision, recall, F1 and accuracy of a thresholded map against a binary annotation: KDSalBox's task evaluation."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from ..errors import UsageError
from ..types import Output
from ._checks import as_map, check_same_shape
from .masks import as_mask
from .metric import Metric

THRESHOLD = 0.5  # KDSalBox binarises map and annotation at .5


class Confusion(NamedTuple):
    """Counts of pixels: predicted and annotated, predicted only, annotated only, neither.

    Examples
    --------
    >>> from salbox.metrics import Confusion
    >>> Confusion(true_positives=1, false_positives=1, false_negatives=0, true_negatives=2).true_negatives
    2
    """

    true_positives: int
    false_positives: int
    false_negatives: int
    true_negatives: int


def confusion(saliency: npt.ArrayLike, mask: npt.ArrayLike, threshold: float = THRESHOLD) -> Confusion:
    """Return the counts of pixels for the map's values above the threshold.

    Parameters
    ----------
    saliency : (H, W) array
        In 0..1; scale a map of another range first, by a rule that one names.
    mask : (H, W) array
        The annotation; see `salbox.metrics.as_mask`.
    threshold : float

    Raises
    ------
    UsageError
        If the shapes differ, a value is not finite, or the map leaves 0..1.

    Examples
    --------
    >>> import numpy as np
    >>> from salbox.metrics import confusion
    >>> annotation = np.array([[True, False], [False, False]])
    >>> confusion([[0.9, 0.8], [0.2, 0.1]], annotation)
    Confusion(true_positives=1, false_positives=1, false_negatives=0, true_negatives=2)
    >>> confusion([[0.9, 0.8], [0.2, 0.1]], annotation, threshold=0.85)
    Confusion(true_positives=1, false_positives=0, false_negatives=0, true_negatives=3)
    """
    values, annotated = as_map(saliency), as_mask(mask)
    check_same_shape(values, annotated, "mask")
    if values.min() < 0 or values.max() > 1:
        raise UsageError(
            f"saliency map in {values.min():.4g}..{values.max():.4g}: a threshold of {threshold:g} is meant for 0..1; "
            "scale it first, e.g. scale_output='min-max'"
        )
    predicted = values > threshold
    both = int(np.count_nonzero(predicted & annotated))
    only_predicted = int(np.count_nonzero(predicted)) - both
    only_annotated = int(np.count_nonzero(annotated)) - both
    return Confusion(both, only_predicted, only_annotated, values.size - both - only_predicted - only_annotated)


def precision(saliency: npt.ArrayLike, mask: npt.ArrayLike, threshold: float = THRESHOLD) -> float:
    """Return the annotated share of what is predicted; 0 if nothing is. Parameters and errors as `confusion`.

    Examples
    --------
    Two pixels are predicted, one of them is annotated:

    >>> import numpy as np
    >>> from salbox.metrics import precision
    >>> annotation = np.array([[True, False], [False, False]])
    >>> precision([[0.9, 0.8], [0.2, 0.1]], annotation)
    0.5
    """
    c = confusion(saliency, mask, threshold)
    return _share(c.true_positives, c.true_positives + c.false_positives)


def recall(saliency: npt.ArrayLike, mask: npt.ArrayLike, threshold: float = THRESHOLD) -> float:
    """Return the predicted share of what is annotated; 0 if nothing is. Parameters and errors as `confusion`.

    Examples
    --------
    The only annotated pixel is predicted:

    >>> import numpy as np
    >>> from salbox.metrics import recall
    >>> annotation = np.array([[True, False], [False, False]])
    >>> recall([[0.9, 0.8], [0.2, 0.1]], annotation)
    1.0
    """
    c = confusion(saliency, mask, threshold)
    return _share(c.true_positives, c.true_positives + c.false_negatives)


def f1(saliency: npt.ArrayLike, mask: npt.ArrayLike, threshold: float = THRESHOLD) -> float:
    """Return the harmonic mean of precision and recall; 0 if both maps are empty. As `confusion` otherwise.

    Examples
    --------
    Precision 1/2 and recall 1 have the harmonic mean 2/3:

    >>> import numpy as np
    >>> from salbox.metrics import f1
    >>> annotation = np.array([[True, False], [False, False]])
    >>> round(f1([[0.9, 0.8], [0.2, 0.1]], annotation), 3)
    0.667
    """
    c = confusion(saliency, mask, threshold)
    return _share(2 * c.true_positives, 2 * c.true_positives + c.false_positives + c.false_negatives)


def accuracy(saliency: npt.ArrayLike, mask: npt.ArrayLike, threshold: float = THRESHOLD) -> float:
    """Return the share of pixels on which map and annotation agree. Parameters and errors as `confusion`.

    Examples
    --------
    Map and annotation disagree on one of four pixels:

    >>> import numpy as np
    >>> from salbox.metrics import accuracy
    >>> annotation = np.array([[True, False], [False, False]])
    >>> accuracy([[0.9, 0.8], [0.2, 0.1]], annotation)
    0.75
    """
    c = confusion(saliency, mask, threshold)
    return _share(c.true_positives + c.true_negatives, sum(c))


def _share(part: int, whole: int) -> float:
    return part / whole if whole else 0.0


_ACCEPTS: tuple[Output, ...] = ("score", "probability")
_RULE = f"a pixel of p > {THRESHOLD}, p in 0..1, is predicted"

METRICS = (
    Metric(
        name="precision",
        title="Precision",
        formula=f"TP / (TP + FP); {_RULE}",
        source="KDSalBox's task evaluation",
        direction="higher",
        accepts=_ACCEPTS,
        reads="map",
        needs=("mask",),
        function=precision,
    ),
    Metric(
        name="recall",
        title="Recall",
        formula=f"TP / (TP + FN); {_RULE}",
        source="KDSalBox's task evaluation",
        direction="higher",
        accepts=_ACCEPTS,
        reads="map",
        needs=("mask",),
        function=recall,
    ),
    Metric(
        name="f1",
        title="F1",
        formula=f"2 TP / (2 TP + FP + FN); {_RULE}",
        source="KDSalBox's task evaluation",
        direction="higher",
        accepts=_ACCEPTS,
        reads="map",
        needs=("mask",),
        function=f1,
    ),
    Metric(
        name="accuracy",
        title="Accuracy",
        formula=f"(TP + TN) / all; {_RULE}",
        source="KDSalBox's task evaluation",
        direction="higher",
        accepts=_ACCEPTS,
        reads="map",
        needs=("mask",),
        function=accuracy,
    ),
)
