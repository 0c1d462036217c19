"""Salient-object metrics, computed by PySODMetrics; named as in the lightweight-network papers (SCFNet, ECCV 2022).

The map is min-max scaled (what PySODMetrics and the toolboxes before it do); a uint8 map is handed over as it is, so
that figures of saved 8-bit maps come out to the digit. Of a curve over 256 thresholds the papers report the maximum
of the mean over images, not the mean of each image's maximum: `Metric.aggregate` does.
"""

from __future__ import annotations

import importlib
from types import ModuleType
from typing import Any

import numpy as np
import numpy.typing as npt

from ..errors import MissingExtraError
from ..types import Output
from ._checks import as_map, check_same_shape, is_constant
from .density import unit_range
from .masks import GRAY_THRESHOLD, as_mask
from .metric import Curve, Metric

BETA_SQUARED = 0.3  # of the F-measure: Achanta et al. 2009
ALPHA = 0.5  # of the S-measure: object-aware and region-aware half each, Fan et al. 2017


def mae(saliency: npt.ArrayLike, mask: npt.ArrayLike) -> float:
    """Return the mean absolute difference of the scaled map and the mask (M): in 0..1, 0 is best.

    Parameters
    ----------
    saliency : (H, W) array
        uint8 or float; float is min-max scaled (a constant map clipped to 0..1 instead).
    mask : (H, W) array
        See `salbox.metrics.as_mask`.

    Raises
    ------
    UsageError
        If the shapes differ or a value is not finite. So do the other functions of this module.
    MissingExtraError
        If PySODMetrics is not installed. So do the other functions of this module.

    Examples
    --------
    One of four pixels is off by a half:

    >>> import numpy as np
    >>> from salbox.metrics import mae
    >>> mask = np.array([[True, False], [False, False]])
    >>> mae([[1.0, 0.5], [0.0, 0.0]], mask)
    0.125
    """
    return float(_step(_library().MAE(), saliency, mask).get_results()["mae"])


def f_curve(saliency: npt.ArrayLike, mask: npt.ArrayLike) -> Curve:
    """Return F with beta^2 .3 at the thresholds 255 .. 0 of the 8-bit map: (256,). Parameters as `mae`.

    Examples
    --------
    Two pixels are predicted, one of them belongs to the object: P = 1/2, R = 1, F = 1.3 P R / (.3 P + R). At the last
    threshold, 0, every pixel is predicted.

    >>> import numpy as np
    >>> from salbox.metrics import f_curve
    >>> curve = f_curve([[1.0, 1.0], [0.0, 0.0]], np.array([[True, False], [False, False]]))
    >>> curve.shape, round(float(curve[0]), 3), round(float(curve[-1]), 3)
    ((256,), 0.565, 0.302)
    """
    return np.asarray(_f(saliency, mask, dynamic=True))


def precision_curve(saliency: npt.ArrayLike, mask: npt.ArrayLike) -> Curve:
    """Return the object's share of what is predicted at the thresholds 255 .. 0 of the 8-bit map: (256,).

    It is 0 where nothing is predicted. Parameters as `mae`.

    Examples
    --------
    Two pixels are predicted, one of them belongs to the object; at the last threshold, 0, all four are:

    >>> import numpy as np
    >>> from salbox.metrics import precision_curve
    >>> curve = precision_curve([[1.0, 1.0], [0.0, 0.0]], np.array([[True, False], [False, False]]))
    >>> curve[[0, -1]].tolist()
    [0.5, 0.25]
    """
    return np.asarray(_handled(saliency, mask, _library().PrecisionHandler))


def recall_curve(saliency: npt.ArrayLike, mask: npt.ArrayLike) -> Curve:
    """Return the predicted share of the object at the thresholds 255 .. 0 of the 8-bit map: (256,).

    It is 0 where there is no object. Parameters as `mae`.

    Examples
    --------
    The object's one pixel is .6, which 8 bits hold as 153:

    >>> import numpy as np
    >>> from salbox.metrics import recall_curve
    >>> curve = recall_curve([[0.6, 1.0], [0.0, 0.0]], np.array([[True, False], [False, False]]))
    >>> curve[[255 - 154, 255 - 153]].tolist()
    [0.0, 1.0]
    """
    return np.asarray(_handled(saliency, mask, _library().RecallHandler))


def mean_f(saliency: npt.ArrayLike, mask: npt.ArrayLike) -> float:
    """Return the mean of `f_curve` over the thresholds. Parameters as `mae`.

    Examples
    --------
    F is .565 at 255 thresholds and .302 at the last, where every pixel is predicted:

    >>> import numpy as np
    >>> from salbox.metrics import mean_f
    >>> round(mean_f([[1.0, 1.0], [0.0, 0.0]], np.array([[True, False], [False, False]])), 3)
    0.564
    """
    return float(f_curve(saliency, mask).mean())


def adaptive_f(saliency: npt.ArrayLike, mask: npt.ArrayLike) -> float:
    """Return F with beta^2 .3 at twice the map's mean, at most 1. Parameters as `mae`.

    Examples
    --------
    Twice the mean is 3/4, so one pixel is predicted, the object's; of an even half every pixel is, and precision 1/2:

    >>> import numpy as np
    >>> from salbox.metrics import adaptive_f
    >>> mask = np.array([[True, False], [False, False]])
    >>> adaptive_f([[1.0, 0.5], [0.0, 0.0]], mask), round(adaptive_f([[1.0, 1.0], [0.0, 0.0]], mask), 3)
    (1.0, 0.565)
    """
    return float(_f(saliency, mask, dynamic=False))


def weighted_f(saliency: npt.ArrayLike, mask: npt.ArrayLike) -> float:
    """Return the weighted F-measure, beta 1 (Margolin et al., CVPR 2014). Parameters as `mae`.

    Examples
    --------
    The object's own pixels get 1; a false alarm costs more the farther it is from the object:

    >>> import numpy as np
    >>> from salbox.metrics import weighted_f
    >>> mask = np.zeros((15, 15), bool)
    >>> mask[6:9, 6:9] = True
    >>> near, far = mask.astype(float), mask.astype(float)
    >>> near[7, 9] = far[7, 14] = 1
    >>> round(weighted_f(mask.astype(float), mask), 3), weighted_f(near, mask) > weighted_f(far, mask)
    (1.0, True)
    """
    return float(_step(_library().WeightedFmeasure(), saliency, mask).get_results()["wfm"])


def e_curve(saliency: npt.ArrayLike, mask: npt.ArrayLike) -> Curve:
    """Return the E-measure (Fan et al., IJCAI 2018) at the thresholds 255 .. 0 of the 8-bit map: (256,).

    Examples
    --------
    Two halves of the picture that cross agree on half of the pixels. At the last threshold, 0, every pixel is
    predicted.

    >>> import numpy as np
    >>> from salbox.metrics import e_curve
    >>> left, top = np.zeros((100, 100)), np.zeros((100, 100))
    >>> left[:, :50] = top[:50] = 1
    >>> curve = e_curve(top, left)
    >>> curve.shape, round(float(curve[0]), 3), round(float(curve[-1]), 3)
    ((256,), 0.5, 0.25)
    """
    return np.asarray(_step(_library().Emeasure(), saliency, mask).get_results()["em"]["curve"])


def mean_e(saliency: npt.ArrayLike, mask: npt.ArrayLike) -> float:
    """Return the mean of `e_curve` over the thresholds. Parameters as `mae`.

    Examples
    --------
    E is 1/2 at 255 thresholds and 1/4 at the last, where every pixel is predicted:

    >>> import numpy as np
    >>> from salbox.metrics import mean_e
    >>> left, top = np.zeros((100, 100)), np.zeros((100, 100))
    >>> left[:, :50] = top[:50] = 1
    >>> round(mean_e(top, left), 3)
    0.499
    """
    return float(e_curve(saliency, mask).mean())


def adaptive_e(saliency: npt.ArrayLike, mask: npt.ArrayLike) -> float:
    """Return the E-measure at twice the map's mean, at most 1. Parameters as `mae`.

    Examples
    --------
    Two halves of the picture that cross agree on half of the pixels:

    >>> import numpy as np
    >>> from salbox.metrics import adaptive_e
    >>> left, top = np.zeros((100, 100)), np.zeros((100, 100))
    >>> left[:, :50] = top[:50] = 1
    >>> round(adaptive_e(top, left), 3), round(adaptive_e(left, left), 3)
    (0.5, 1.0)
    """
    return float(_step(_library().Emeasure(), saliency, mask).get_results()["em"]["adp"])


def s_measure(saliency: npt.ArrayLike, mask: npt.ArrayLike) -> float:
    """Return the structure measure, alpha .5 (Fan et al., ICCV 2017). Parameters as `mae`.

    Examples
    --------
    The object itself gets 1, its opposite 0:

    >>> import numpy as np
    >>> from salbox.metrics import s_measure
    >>> mask = np.zeros((15, 15), bool)
    >>> mask[6:9, 6:9] = True
    >>> round(s_measure(mask.astype(float), mask), 3), round(s_measure(1.0 - mask, mask), 3)
    (1.0, 0.0)
    """
    return float(_step(_library().Smeasure(alpha=ALPHA), saliency, mask).get_results()["sm"])


def _library() -> ModuleType:
    try:
        return importlib.import_module("py_sod_metrics")
    except ImportError:
        raise MissingExtraError("a salient-object metric", "eval") from None


def settings() -> str:
    """Return in a line how maps are compared with masks: everything that a figure depends on beside the two."""
    from importlib.metadata import version

    return (
        "each map at its mask's own size, min-max scaled (an 8-bit one from its 256 values), a pixel of the mask above "
        f"{GRAY_THRESHOLD} of 255 the object; curves over the thresholds 255 .. 0 of the map in 8 bits; F with beta^2 "
        f"{BETA_SQUARED:g}, S with alpha {ALPHA:g}; PySODMetrics {version('pysodmetrics')}"
    )


def _f(saliency: npt.ArrayLike, mask: npt.ArrayLike, *, dynamic: bool) -> Any:
    return _handled(saliency, mask, _library().FmeasureHandler, dynamic=dynamic, beta=BETA_SQUARED)


def _handled(saliency: npt.ArrayLike, mask: npt.ArrayLike, kind: Any, *, dynamic: bool = True, **options: Any) -> Any:
    """Return what one of PySODMetrics' handlers makes of the pixels above thresholds, or above the adaptive one."""
    handler = kind(with_dynamic=dynamic, with_adaptive=not dynamic, **options)
    result = _step(_library().FmeasureV2({"it": handler}), saliency, mask).get_results()["it"]
    return result["dynamic" if dynamic else "adaptive"]


def _step(evaluator: Any, saliency: npt.ArrayLike, mask: npt.ArrayLike) -> Any:
    """Return the evaluator after it has seen this one image."""
    values, foreground = np.asarray(saliency), as_mask(mask)
    scores = as_map(values)
    check_same_shape(scores, foreground, "mask")
    if values.dtype == np.uint8:
        evaluator.step(values, foreground.astype(np.uint8) * np.uint8(255), normalize=True)
    else:
        scaled = np.clip(scores.astype(np.float64), 0, 1) if is_constant(scores) else unit_range(scores)
        evaluator.step(scaled, foreground, normalize=False)
    return evaluator


_ACCEPTS: tuple[Output, ...] = ("probability", "score")


def _metric(name: str, title: str, formula: str, source: str, function: Any, direction: Any = "higher") -> Metric:
    rule = f"{formula}; p min-max scaled"
    return Metric(name, title, rule, f"{source}; PySODMetrics", direction, _ACCEPTS, "map", ("mask",), function)


_F = "F = (1 + b) PR / (b P + R), b = .3"

METRICS = (
    _metric("mae", "M", "mean |p - mask|", "Perazzi et al. 2012", mae, "lower"),
    _metric("max_f", "max F_β", f"{_F}; maximum over 256 thresholds of the mean over images", "Achanta 2009", f_curve),
    _metric("mean_f", "mean F_β", f"{_F}; mean over 256 thresholds", "Achanta et al. 2009", mean_f),
    _metric("adaptive_f", "adaptive F_β", f"{_F}; threshold min(2 mean p, 1)", "Achanta et al. 2009", adaptive_f),
    _metric("weighted_f", "weighted F_β", "F of errors weighted by place, beta 1", "Margolin et al. 2014", weighted_f),
    _metric("max_e", "max E_m", "enhanced alignment; maximum of the mean over images", "Fan et al. 2018", e_curve),
    _metric("mean_e", "mean E_m", "enhanced alignment; mean over 256 thresholds", "Fan et al. 2018", mean_e),
    _metric("adaptive_e", "adaptive E_m", "enhanced alignment at min(2 mean p, 1)", "Fan et al. 2018", adaptive_e),
    _metric("s_measure", "S_m", "half object-aware, half region-aware similarity", "Fan et al. 2017", s_measure),
)

# What a plot of precision over recall is drawn from. They are no columns of a table: recall at its best is always 1.
CURVES = (
    _metric("precision_curve", "P", "P at 256 thresholds", "Achanta et al. 2009", precision_curve),
    _metric("recall_curve", "R", "R at 256 thresholds", "Achanta et al. 2009", recall_curve),
)
