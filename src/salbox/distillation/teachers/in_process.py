"""Teachers that run beside their student: the map of a picture, and the features that hints come from.

Networks of any kind teach so: published ones with their authors' weights, those that salbox exported, run folders.
"""

from __future__ import annotations

import inspect
from typing import Any, cast

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from ...errors import UsageError
from ...models.model import HasNetwork, Model
from ...models.specs import split_loading
from ...networks.opening import network
from ...networks.trainable.base import TrainableNetwork
from ...training.online_teacher import FeatureModel, recorded_features
from ...types import Pixels
from .teacher import Teacher

Features = dict[str, Tensor]


def feature_model(teacher: Teacher, model: Model, *, hints: bool) -> FeatureModel:
    """Return what gives the map and the features of a picture, of a teacher whose model is loaded.

    Parameters
    ----------
    teacher : Teacher
    model : Model
        What `teacher.load` gave: its parameters count.
    hints : bool
        Whether features are asked for; where they take a pass of their own, they are left out otherwise.

    Raises
    ------
    UsageError
        If the model is no PyTorch network, or none that says what its features are.
    """
    function: Any = model.function
    if callable(getattr(function, "with_features", None)):
        return _Own(function, dict(model.parameters))
    if isinstance(function, HasNetwork) and inspect.ismethod(getattr(function.network, "features", None)):
        return _Recorded(model, function.network)
    return _Exported(model, _trained(teacher), hints=hints)


def _trained(teacher: Teacher) -> TrainableNetwork:
    """Return the network that an exported file came from, on the CPU, where its maps are made too."""
    _, loading = split_loading(teacher.arguments)
    found = network(teacher.model, **{key: loading[key] for key in ("weights", "sha256") if key in loading})
    if not isinstance(found, TrainableNetwork):
        raise UsageError(f"--in-process: '{teacher.model}' does not say what its features are")
    return found.requires_grad_(False)


class _Own:
    """A model whose function gives features itself."""

    def __init__(self, function: Any, parameters: dict[str, Any]) -> None:
        self._function, self._parameters = function, parameters

    def with_features(self, image: Pixels) -> tuple[npt.NDArray[Any], Features]:
        return cast("tuple[npt.NDArray[Any], Features]", self._function.with_features(image, **self._parameters))


class _Recorded:
    """A published network, whose features are seen as they pass on the way to its map."""

    def __init__(self, model: Model, network: Any) -> None:
        self._model, self._network = model, network

    def with_features(self, image: Pixels) -> tuple[npt.NDArray[Any], Features]:
        with torch.no_grad(), recorded_features(self._network) as seen:
            saliency = self._model(image)
        if not seen:
            raise UsageError(f"--in-process: the map of '{self._model.name}' is not read off its features")
        return saliency, {name: found.detach() for name, found in seen.items()}


class _Exported:
    """A network of a file that salbox wrote: its maps as anybody gets them, its features out of PyTorch."""

    def __init__(self, model: Model, network: TrainableNetwork, *, hints: bool) -> None:
        self._model, self._network, self._hints = model, network, hints

    def with_features(self, image: Pixels) -> tuple[npt.NDArray[Any], Features]:
        saliency = self._model(image)
        if not self._hints:
            return saliency, {}
        pixels = self._network.preprocessing.prepare(image).transpose(2, 0, 1)
        with torch.no_grad():
            images = torch.from_numpy(np.ascontiguousarray(pixels))[None].to(torch.float32)
            return saliency, self._network.features(images)
