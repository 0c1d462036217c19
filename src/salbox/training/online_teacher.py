"""Teachers that run beside their student: their map of the very picture the student sees, and their features."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Protocol, cast

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor
from torch.nn import functional

from ..errors import UsageError, nearest
from ..imaging.scaling import min_max
from ..losses import FeatureHint
from ..networks.trainable.base import Outputs, TrainableNetwork
from ..types import Output, Pixels
from .recipe_parts import Hint


class FeatureModel(Protocol):
    """A network that gives its features with its map; see `salbox.networks.fastgaze.predictor`."""

    def with_features(self, image: Pixels) -> tuple[npt.NDArray[Any], dict[str, Tensor]]:
        """Return the map, (H, W), and the features, each (1, channels, h, w), of one image."""
        ...


@dataclass(frozen=True)
class TeacherOutput:
    """What a teacher makes of a batch: maps (N, h, w) in 0..1, and the feature of the hint, or None without one."""

    maps: Tensor
    feature: Tensor | None


class OnlineTeacher:
    """A teacher in the process; every output of its student learns from it.

    Parameters
    ----------
    model : FeatureModel
    output : {"score", "log_density", "probability"}
        What its map is; as of stored maps exp is taken of a log density, and a probability is not scaled.
    hint : Hint
    student : TrainableNetwork
        Its features' channels decide the hint's regressor.
    size : (int, int)
        Of a picture to try both on.

    Raises
    ------
    UsageError
        If it gives no features, or the hint names one that does not exist (the nearest is proposed).
    """

    def __init__(
        self, model: Any, output: Output, hint: Hint, student: TrainableNetwork, size: tuple[int, int]
    ) -> None:
        if not callable(getattr(model, "with_features", None)):
            raise UsageError("an in-process teacher is a PyTorch network of salbox, such as fastgaze")
        self._model = cast(FeatureModel, model)
        self._output = output
        self._weight = hint.weight
        self.hint: FeatureHint | None = None
        if hint.weight > 0:
            probe = np.zeros((*size, 3), np.uint8)
            device = next(student.parameters()).device
            training = student.training
            with torch.no_grad():
                own = student.eval().features(torch.zeros(1, 3, *size, device=device))
            student.train(training)
            theirs = self._model.with_features(probe)[1]
            self._student_feature = _pick(hint.student, own, "student")
            self._teacher_feature = _pick(hint.teacher, theirs, "teacher")
            channels = own[self._student_feature].shape[1], theirs[self._teacher_feature].shape[1]
            self.hint = FeatureHint(*channels).to(device)

    def student_outputs(self, network: TrainableNetwork, images: Tensor) -> tuple[Outputs, dict[str, Tensor]]:
        """Return the student's outputs and its features, the features {} without a hint."""
        if self.hint is None:
            return network.outputs(images), {}
        return _outputs_with_features(network, images)

    def __call__(self, images: Tensor, size: Sequence[int]) -> TeacherOutput:
        """Return what the teacher makes of a batch of pictures, (N, 3, H, W) uint8, the maps at a size."""
        maps, features = [], []
        for image in images.permute(0, 2, 3, 1).cpu().numpy():
            saliency, found = self._model.with_features(np.ascontiguousarray(image))
            values = np.exp(saliency.astype(np.float64)) if self._output == "log_density" else saliency
            maps.append(torch.from_numpy(values if self._output == "probability" else min_max(values)))
            if self.hint is not None:
                features.append(found[self._teacher_feature])
        stacked = functional.adaptive_avg_pool2d(torch.stack(maps)[:, None], tuple(size))[:, 0]
        return TeacherOutput(stacked.to(images.device), torch.cat(features).to(images.device) if features else None)

    def hint_loss(self, features: dict[str, Tensor], teacher: TeacherOutput) -> Tensor:
        """Return the weighted loss of the hint, 0 without one."""
        if self.hint is None or teacher.feature is None:
            return teacher.maps.new_zeros(())
        loss: Tensor = self.hint(features[self._student_feature].float(), teacher.feature.float())
        return self._weight * loss


def _pick(name: str | None, features: dict[str, Tensor], whose: str) -> str:
    if name is None:
        return list(features)[-1]
    if name not in features:
        raise UsageError(f"hint: the {whose} has no feature '{name}'{nearest(name, features)} ({', '.join(features)})")
    return name


def _outputs_with_features(network: TrainableNetwork, images: Tensor) -> tuple[Outputs, dict[str, Tensor]]:
    """Return outputs and features of one pass: a student's outputs are its heads on what its `features` returns."""
    with recorded_features(network) as recorded:
        outputs = network.outputs(images)
    return outputs, recorded or network.features(images)


@contextmanager
def recorded_features(network: Any) -> Iterator[dict[str, Tensor]]:
    """Yield what a network's `features` returns while it runs within; {} as long as it is not called."""
    features: Callable[..., dict[str, Tensor]] = network.features
    recorded: dict[str, Tensor] = {}

    def recording(*inputs: Any, **options: Any) -> dict[str, Tensor]:
        found = features(*inputs, **options)
        recorded.update(found)
        return found

    network.features = recording
    try:
        yield recorded
    finally:
        del network.features
