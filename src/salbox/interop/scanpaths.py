"""Scanpath models across: both libraries ask for the log density of the next fixation, given those so far."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from ..errors import UsageError
from ..imaging.image import read_image
from ..models.loading import load
from ..models.model import Model
from ..models.scanpath_model import DensityScanpathModel, ScanpathModel
from ..models.scanpaths import DEFAULT, Saccades
from ..types import DoubleMap, Pixels
from ._library import pysaliency


class PysaliencyScanpathModel(pysaliency.ScanpathModel):
    """A salbox scanpath model as pysaliency's `ScanpathModel`; see `pysaliency_scanpath_model`."""

    def __init__(self, model: ScanpathModel) -> None:
        self.salbox_model = model

    def conditional_log_density(
        self,
        stimulus: Any,
        x_hist: npt.ArrayLike,
        y_hist: npt.ArrayLike,
        t_hist: npt.ArrayLike,
        attributes: Any = None,
        out: Any = None,
    ) -> DoubleMap:
        """Return the log density of the next fixation, (H, W); times and attributes are not looked at."""
        pixels = read_image(np.asarray(getattr(stimulus, "stimulus_data", stimulus)))
        found = np.asarray(self.salbox_model.conditional_log_density(pixels, x_hist, y_hist), np.float64)
        if out is None:
            return found
        out[:] = found
        return np.asarray(out)


class FromPysaliency:
    """A pysaliency `ScanpathModel` where salbox takes a scanpath model; see `scanpath_model_from_pysaliency`."""

    def __init__(self, model: Any, name: str) -> None:
        self.pysaliency_model, self._name = model, name

    @property
    def name(self) -> str:
        """What it is called."""
        return self._name

    def conditional_log_density(self, image: Pixels, x_hist: npt.ArrayLike, y_hist: npt.ArrayLike) -> DoubleMap:
        """Return the log density of the next fixation, (H, W); times are the fixations' places in the scanpath."""
        x, y = np.asarray(x_hist, np.float64), np.asarray(y_hist, np.float64)
        times = np.arange(len(x), dtype=np.float64)
        stimulus = pysaliency.datasets.as_stimulus(image)
        return np.asarray(self.pysaliency_model.conditional_log_density(stimulus, x, y, times), np.float64)


def pysaliency_scanpath_model(
    model: str | Model | ScanpathModel, saccades: str | Saccades = DEFAULT, **loading: Any
) -> PysaliencyScanpathModel:
    """Return a salbox model as pysaliency's `ScanpathModel`.

    Parameters
    ----------
    model : name, Model or scanpath model
        A model that gives a density becomes a scanpath model by saccades.
    saccades : name or Saccades
        See `salbox.models.scanpath_model.DensityScanpathModel`.
    **loading
        Keywords of `salbox.load` for a model given by its name.

    Raises
    ------
    UsageError
        If the model gives no density, or keywords are given for one that is loaded.
    """
    if loading and not isinstance(model, str):
        raise UsageError(f"model '{model.name}' is loaded; leave out {', '.join(loading)}")
    loaded = load(model, **loading) if isinstance(model, str) else model
    if isinstance(loaded, Model):
        return PysaliencyScanpathModel(DensityScanpathModel(loaded, saccades))
    return PysaliencyScanpathModel(loaded)


def scanpath_model_from_pysaliency(model: Any, name: str) -> FromPysaliency:
    """Return a pysaliency `ScanpathModel` as a salbox one, for `salbox.evaluation.next_fixation`.

    Raises
    ------
    UsageError
        If it is another kind of model.
    """
    if not isinstance(model, pysaliency.ScanpathModel):
        raise UsageError(f"'{name}' is a {type(model).__name__}: expected pysaliency's ScanpathModel")
    return FromPysaliency(model, name)
