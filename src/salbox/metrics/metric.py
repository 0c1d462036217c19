"""What is known of a metric: which variant it is, what it accepts, what it needs, and how it averages."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, TypeAlias

import numpy as np
import numpy.typing as npt

from ..errors import UsageError
from ..types import Output
from ._checks import as_log_density

Curve = npt.NDArray[np.float64]
Result: TypeAlias = "float | Curve"

# What a metric compares a map with:
#   fixations   the image's own fixations (`Fixations`)
#   negatives   where people look on other images (`ShuffledNegatives.of`)
#   density     the fixations blurred, (H, W), sums to 1 (`fixation_density`)
#   baseline    natural log of the baseline's density, (H, W) (log of `center_bias`)
#   mask        which pixels belong to the object, (H, W), bool or grey uint8
#   teacher     the map to be imitated, any size; exp of it if it is a log density
Truth = Literal["fixations", "negatives", "density", "baseline", "mask", "teacher"]

ANY: tuple[Output, ...] = ("score", "log_density", "probability")


@dataclass(frozen=True)
class Metric:
    """One variant of a metric.

    Attributes
    ----------
    name, title : str
        What one types, and what a table's head says.
    formula, source : str
        The definition in one line (p: the map, q: the truth's density), and where it is from.
    direction : {"higher", "lower"}
        Which value is better.
    accepts : tuple of {"score", "log_density", "probability"}
        The kinds of `card.output` that it is defined for.
    reads : {"map", "density"}
        What it is computed on if the output is a `log_density`: the map itself or exp(map).
    needs : tuple of str
        What it compares with, in the order of the function's further arguments.
    function : callable
        Takes the map, (H, W), and what `needs` names. Returns a number, or 256 numbers, one a threshold.
    """

    name: str
    title: str
    formula: str
    source: str
    direction: Literal["higher", "lower"]
    accepts: tuple[Output, ...]
    reads: Literal["map", "density"]
    needs: tuple[Truth, ...]
    function: Callable[..., Result]

    def score(self, saliency: npt.NDArray[Any], output: Output, truth: Mapping[Truth, Any]) -> Result:
        """Return the metric of one image: a number, or a curve over 256 thresholds.

        Parameters
        ----------
        saliency : (H, W) array
            The model's map.
        output : {"score", "log_density", "probability"}
            What its numbers are: the model's `card.output`.
        truth : mapping
            What is known of the image; must hold what `needs` names.

        Raises
        ------
        UsageError
            If the metric is not defined for this output, something is missing, or the function refuses the values.

        Examples
        --------
        Of a log density, NSS is computed on exp of it:

        >>> import numpy as np
        >>> from salbox.datasets import Fixations
        >>> from salbox.metrics import get_metric
        >>> truth = {"fixations": Fixations(x=[1], y=[1])}
        >>> density = np.array([[1 / 10, 2 / 10], [3 / 10, 4 / 10]])
        >>> metric = get_metric("nss")
        >>> round(metric.score(np.log(density), "log_density", truth), 3)
        1.342
        >>> round(metric.score(density, "score", truth), 3)
        1.342
        """
        if output not in self.accepts:
            raise UsageError(f"metric '{self.name}' is not defined for a {output}{self._way_out(output)}")
        if missing := [name for name in self.needs if name not in truth]:
            raise UsageError(f"metric '{self.name}' needs {' and '.join(missing)}, which this dataset does not give")
        if output == "log_density" and self.reads == "density":
            saliency = np.exp(as_log_density(saliency))
        return self.function(saliency, *(truth[name] for name in self.needs))

    def aggregate(self, results: Sequence[Result]) -> float:
        """Return the metric of a dataset: the mean over its images, of curves the maximum of the mean curve.

        For one image's number, give its one result.

        Raises
        ------
        UsageError
            If there is no result.

        Examples
        --------
        Numbers are averaged; of curves the maximum is taken after the mean:

        >>> import numpy as np
        >>> from salbox.metrics import get_metric
        >>> get_metric("nss").aggregate([1.0, 2.0])
        1.5
        >>> get_metric("max_f").aggregate([np.array([0.0, 1.0]), np.array([0.5, 0.0])])
        0.5
        """
        if not len(results):
            raise UsageError(f"metric '{self.name}': no image to average over")
        return float(np.mean(np.asarray(results, np.float64), axis=0).max())

    def _way_out(self, output: Output) -> str:
        if self.accepts == ("log_density",):
            return "; turn the map into a density by a named rule, e.g. scale_output='log-density'"
        return f" but for {' and '.join(self.accepts)}" + ("; give exp of the map" if output == "log_density" else "")
