"""Models across: a salbox model in pysaliency's evaluations, a pysaliency model where salbox takes a model."""

from __future__ import annotations

from functools import partial
from typing import Any

import numpy as np
import numpy.typing as npt

from ..errors import UsageError
from ..imaging.image import read_image
from ..imaging.postprocess import NOTHING, PostProcess
from ..models.cards import License, ModelCard
from ..models.loading import load_for
from ..models.model import Model
from ..prediction.images import Pipeline
from ..types import DoubleMap, Output, Pixels
from ._library import pysaliency


class _Mapped:
    """A salbox model with its post-processing; what both of pysaliency's kinds of model have in common."""

    salbox_model: Model
    postprocess: PostProcess

    def _map(self, stimulus: npt.NDArray[Any]) -> DoubleMap:
        # In double precision: pysaliency sums maps in the precision that they come in.
        return Pipeline(self.salbox_model, self.postprocess)(read_image(stimulus)).astype(np.float64)


class ScoreModel(_Mapped, pysaliency.SaliencyMapModel):
    """A salbox model as pysaliency's `SaliencyMapModel`; see `pysaliency_model`."""

    def __init__(self, model: Model, postprocess: PostProcess = NOTHING, **caching: Any) -> None:
        super().__init__(**caching)
        self.salbox_model, self.postprocess = model, postprocess

    def _saliency_map(self, stimulus: npt.NDArray[Any]) -> DoubleMap:
        return self._map(stimulus)


class DensityModel(_Mapped, pysaliency.Model):
    """A salbox model whose output is a log density as pysaliency's `Model`; see `pysaliency_model`."""

    def __init__(self, model: Model, postprocess: PostProcess = NOTHING, **caching: Any) -> None:
        super().__init__(**caching)
        self.salbox_model, self.postprocess = model, postprocess

    def _log_density(self, stimulus: npt.NDArray[Any]) -> DoubleMap:
        return self._map(stimulus)


def pysaliency_model(
    model: str | Model,
    *,
    postprocess: PostProcess = NOTHING,
    caching: bool = True,
    cache_location: str | None = None,
    memory_cache_size: int | None = None,
    **loading: Any,
) -> ScoreModel | DensityModel:
    """Return a salbox model as a pysaliency one: a `Model` if its output is a log density, else a `SaliencyMapModel`.

    Parameters
    ----------
    model : name or Model
        What `salbox.load` takes or returns.
    postprocess : PostProcess
        What is done to each map. With `scale_output="log-density"` every model becomes a `Model`.
    caching, cache_location, memory_cache_size
        pysaliency's own: whether maps are kept, in which folder, and at most how many in memory (by default all).
    **loading
        Keywords of `salbox.load` for a model given by its name: parameters, weights, sha256, device.

    Raises
    ------
    UsageError
        For an unknown model or parameter, or keywords for a model that is loaded already.

    Examples
    --------
    >>> import skimage.data
    >>> from salbox.interop import pysaliency_model
    >>> model = pysaliency_model("gaussian", sigma=0.25)
    >>> model.saliency_map(skimage.data.chelsea()).shape
    (300, 451)
    >>> model.AUC(stimuli, fixations)  # doctest: +SKIP
    """
    if isinstance(model, str):
        loaded = load_for(model, loading, postprocess)
    elif loading:
        raise UsageError(f"model '{model.name}' is loaded; leave out {', '.join(loading)}")
    else:
        loaded = model
    is_density = postprocess.output_of(loaded.card.output) == "log_density"
    kind = DensityModel if is_density else ScoreModel
    return kind(
        loaded, postprocess, caching=caching, cache_location=cache_location, memory_cache_size=memory_cache_size
    )


def model_from_pysaliency(model: Any, name: str) -> Model:
    """Return a pysaliency `SaliencyMapModel` or `Model` as a salbox model: called with an image it gives the map.

    For figures over a dataset give `salbox.evaluate` a `PysaliencySource`.

    Parameters
    ----------
    model : pysaliency.SaliencyMapModel or pysaliency.Model
        One that computes maps. One that looks them up finds only images whose pixels it knows.
    name : str
        What it is called.

    Raises
    ------
    UsageError
        If it is another kind of model.

    Examples
    --------
    >>> import numpy as np, pysaliency
    >>> from salbox.interop import model_from_pysaliency
    >>> class Brightness(pysaliency.SaliencyMapModel):
    ...     def _saliency_map(self, stimulus):
    ...         return stimulus.mean(axis=2)
    >>> model = model_from_pysaliency(Brightness(), "brightness")
    >>> model(np.full((4, 6, 3), 80, np.uint8)).tolist()[0]
    [80.0, 80.0, 80.0, 80.0, 80.0, 80.0]
    """
    card = ModelCard(
        name=name,
        title=name,
        task="fixation",
        output=output_of(model, name),
        summary="A model of pysaliency.",
        paper=None,
        origin=f"pysaliency's {type(model).__name__}",
        license=License(code="see its own", weights="see its own", training_data="see its own"),
        size="see its own",
        agreement="itself: it is run by pysaliency",
        limits=(),
    )
    return Model(card, partial(map_of, model, name), {})


def output_of(model: Any, name: str) -> Output:
    """Return what a pysaliency model's numbers are: "log_density" of a `Model`, "score" of a `SaliencyMapModel`.

    Raises
    ------
    UsageError
        If it is neither, such as a scanpath model, whose maps depend on what was looked at before.
    """
    if isinstance(model, pysaliency.Model):
        return "log_density"
    if isinstance(model, pysaliency.SaliencyMapModel):
        return "score"
    raise UsageError(f"'{name}' is a {type(model).__name__}: expected pysaliency's SaliencyMapModel or Model")


def map_of(model: Any, name: str, image: Pixels | Any) -> DoubleMap:
    """Return a pysaliency model's map of an image or `Stimulus`: (H, W) float64.

    Raises
    ------
    UsageError
        If the model refuses the image, or gives something else than a finite map of the image's size.
    """
    try:
        values = model.log_density(image) if isinstance(model, pysaliency.Model) else model.saliency_map(image)
    except (ValueError, IndexError, KeyError) as error:  # how models that look maps up say that they know none
        reason = " ".join(str(error).split())
        raise UsageError(
            f"'{name}' has no map of this image ({type(error).__name__}: {reason}); a model that looks maps up "
            "needs its own stimuli"
        ) from None
    saliency = np.asarray(values, np.float64)
    if saliency.shape != tuple(image.shape[:2]):
        raise UsageError(f"'{name}' gives a map of shape {saliency.shape} for an image of {tuple(image.shape[:2])}")
    if not np.isfinite(saliency).all():
        raise UsageError(f"'{name}' gives values that are not finite numbers")
    return saliency
