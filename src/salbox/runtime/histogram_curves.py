"""What makes a head's maps histogram-matched ones: a curve a head inside the ONNX file, over ranks of values.

KDSalBox (Kastrati, Bylinskii and Shechtman, appendix A) trains a second set of students on teachers' maps that were
matched to the histogram of a mean fixation map. Here the same student's map gets the values that such a teacher's map
has on average where the student's value has a certain rank. The curve was learned for certain weights and holds for no
others.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
import numpy.typing as npt

from ..errors import WeightsError
from ..formats.onnx_file import OnnxFile
from ..imaging.histograms import Histogram, match
from ..types import FloatMap
from .fingerprint import fingerprint_of

KEY = "salbox.histogram_curves"  # of the ONNX file's metadata
_FORMAT = 1
_MAX_POINTS = 4096


@dataclass(frozen=True)
class HistogramCurves:
    """The curves of a network's heads, as points.

    Attributes
    ----------
    weights : str
        The `weights_fingerprint` of the network that they were fitted to.
    quantiles : tuple of float
        Ascending to 1: the share of a map's values that are no larger.
    heads : mapping
        Head -> the value at each of the quantiles, never descending.
    """

    weights: str
    quantiles: tuple[float, ...]
    heads: Mapping[str, tuple[float, ...]]

    def __post_init__(self) -> None:
        if not (0 < len(self.quantiles) <= _MAX_POINTS and _ascends((0.0, *self.quantiles), 1.0)):
            raise ValueError("quantiles that do not ascend from 0 to 1")
        for values in self.heads.values():
            # Two different values at least, so that no map becomes a constant one.
            if len(values) != len(self.quantiles) or not _never_descends(values):
                raise ValueError("values that are no curve")

    def histogram(self, head: str) -> Histogram:
        """Return the distribution that a head's maps get."""
        return Histogram(np.array(self.heads[head]), np.diff(self.quantiles, prepend=0.0))

    def apply(self, head: str, saliency: npt.NDArray[Any]) -> FloatMap:
        """Return a head's map with the values that its curve gives to their ranks, (h, w) float32; see `match`."""
        return match(saliency, self.histogram(head))

    def to_text(self) -> str:
        """Return it as JSON."""
        heads = {head: list(values) for head, values in self.heads.items()}
        return json.dumps(
            {"format": _FORMAT, "weights": self.weights, "quantiles": list(self.quantiles), "heads": heads}
        )

    @classmethod
    def from_text(cls, text: str) -> HistogramCurves:
        """Return what `to_text` wrote.

        Raises
        ------
        ValueError
            If it is something else.
        """
        try:
            values = json.loads(text)
            if values["format"] != _FORMAT:
                raise ValueError("of another version of salbox")
            heads = {str(head): _numbers(curve) for head, curve in values["heads"].items()}
            return cls(str(values["weights"]), _numbers(values["quantiles"]), heads)
        except (KeyError, TypeError, AttributeError, OverflowError, RecursionError) as error:
            raise ValueError(f"damaged ({type(error).__name__})") from None


def curves_of(file: OnnxFile) -> HistogramCurves | None:
    """Return the curves inside a file; None if it has none, or they were fitted to other weights than it has.

    Raises
    ------
    WeightsError
        If they are damaged.
    """
    text = file.metadata.get(KEY)
    if text is None:
        return None
    try:
        curves = HistogramCurves.from_text(text)
    except ValueError as error:
        raise WeightsError(f"{file.path}: its histogram curves cannot be read: {error}") from None
    return curves if curves.weights == fingerprint_of(file) else None


def _numbers(values: Any) -> tuple[float, ...]:
    if not isinstance(values, list):
        raise TypeError
    return tuple(float(value) for value in values)


def _ascends(values: Sequence[float], end: float) -> bool:
    return all(one < other for one, other in pairwise(values)) and values[-1] == end


def _never_descends(values: Sequence[float]) -> bool:
    finite = bool(np.isfinite(values).all())
    return finite and all(one <= other for one, other in pairwise(values)) and values[0] < values[-1]
