"""Several maps of one image against what is known of it: figures without a dataset."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from ..datasets import Fixations, fixation_density
from ..errors import UsageError
from ..imaging.scaling import min_max
from ..metrics import Truth, get_metric
from ..metrics.fidelity import NSS_THRESHOLD
from ..types import Output, SaliencyMap, Shape

if TYPE_CHECKING:
    import pandas as pd

MEASURED = ("nss", "cc", "sim", "kl_mit", "auc")
COMPARED = ("fidelity_cc", "fidelity_kl", "fidelity_sim", "fidelity_ssim", "fidelity_rmse")

SIGMA_SHARE = 0.035  # of the longer side: about one degree of visual angle in MIT1003's set-up, 35 of 1024 pixels


def score_maps(
    maps: Mapping[str, SaliencyMap],
    outputs: Mapping[str, Output],
    truth: Mapping[Truth, Any],
    metrics: Sequence[str] = MEASURED,
) -> pd.DataFrame:
    """Return a table with a row for each map and a column for each metric, the best by the first metric on top.

    Parameters
    ----------
    maps : {name: (H, W) map}
    outputs : {name: "score", "log_density" or "probability"}
    truth : mapping
        What is known of the image: `truth_of_fixations`, `truth_of_map`, or {"teacher": map}.
    metrics : names

    Raises
    ------
    UsageError
        If a metric does not exist or is not defined for a map, or the sizes differ.

    Examples
    --------
    >>> import numpy as np
    >>> from salbox.datasets import Fixations
    >>> from salbox.evaluation.one_image import score_maps, truth_of_fixations
    >>> maps = {"left": np.array([[2.0, 1.0]]), "right": np.array([[1.0, 2.0]])}
    >>> truth = truth_of_fixations(Fixations(x=[1], y=[0]), (1, 2))
    >>> score_maps(maps, {"left": "score", "right": "score"}, truth, ["nss"])["nss"].to_dict()
    {'right': 1.0, 'left': -1.0}
    """
    import pandas as pd

    chosen = [get_metric(name) for name in metrics]
    rows = {
        name: [m.aggregate([m.score(saliency, outputs[name], truth)]) for m in chosen]
        for name, saliency in maps.items()
    }
    table = pd.DataFrame.from_dict(rows, orient="index", columns=[m.name for m in chosen])
    if not chosen:
        return table
    return table.sort_values(chosen[0].name, ascending=chosen[0].direction == "lower", kind="stable")


def truth_of_fixations(fixations: Fixations, shape: Shape, sigma: float | None = None) -> dict[Truth, Any]:
    """Return what metrics need of fixations: those inside the image, and their density, (H, W) float64.

    Parameters
    ----------
    fixations : Fixations
    shape : (H, W)
    sigma : float, optional
        Of the density, in pixels; by default `SIGMA_SHARE` of the longer side.

    Raises
    ------
    UsageError
        If none lies inside.
    """
    inside = fixations.inside(shape)
    if not len(inside):
        raise UsageError(f"none of {len(fixations)} fixations lies on the image of {shape[1]}x{shape[0]}")
    return {"fixations": inside, "density": fixation_density(inside, shape, sigma or SIGMA_SHARE * max(shape))}


def truth_of_map(truth: npt.NDArray[Any]) -> dict[Truth, Any]:
    """Return what metrics need of a ground-truth map, (H, W): the map as a density, and its brightest pixels.

    Those above half of its range stand for fixations, as in KDSalBox; NSS and AUC are of these.

    Raises
    ------
    UsageError
        If the map is the same everywhere.
    """
    scaled = min_max(truth)
    if not scaled.any():
        raise UsageError("the ground-truth map is the same everywhere")
    rows, columns = np.nonzero(scaled > NSS_THRESHOLD)
    return {"fixations": Fixations(x=columns, y=rows), "density": truth.astype(np.float64)}
