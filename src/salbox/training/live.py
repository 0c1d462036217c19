"""Teachers that run beside their student: their map of the very picture the student sees, and their features."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Protocol, cast

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor
from torch.nn import functional

from ..cards import Output
from ..errors import UsageError, nearest
from ..image import Pixels
from ..losses import FeatureHint
from ..networks.student import StudentNetwork
from ..scaling import min_max
from .recipe import Hint

FloatMap = npt.NDArray[np.float32]


class Watched(Protocol):
    """A network that gives its features with its map; see `salbox.networks.fastgaze.open_fastgaze`."""

    def with_features(self, image: Pixels) -> tuple[npt.NDArray[Any], dict[str, Tensor]]:
        """Return the map, (H, W), and the features, each (1, channels, h, w), of one image."""
        ...


@dataclass(frozen=True)
class Told:
    """What a teacher says of a batch: maps (N, h, w) in 0..1, and the feature of the hint, or None without one."""

    maps: Tensor
    feature: Tensor | None


class LiveTeacher:
    """A teacher in the process.

    Parameters
    ----------
    teacher : Watched
    head : int
        The head that it teaches.
    output : {"score", "log_density", "probability"}
        What its map is; of a log density exp is taken, as of stored maps.
    hint : Hint
    student : StudentNetwork
        Its features' channels decide the hint's regressor.
    size : (int, int)
        Of a picture to try both on.

    Raises
    ------
    UsageError
        If it gives no features, or the hint names one that does not exist (the nearest is proposed).
    """

    def __init__(
        self, teacher: Any, head: int, output: Output, hint: Hint, student: StudentNetwork, size: tuple[int, int]
    ) -> None:
        if not callable(getattr(teacher, "with_features", None)):
            raise UsageError("an in-process teacher is a PyTorch network of salbox, such as fastgaze")
        self.head = head
        self._teacher = cast(Watched, teacher)
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
            theirs = self._teacher.with_features(probe)[1]
            self._student_feature = _pick(hint.student, own, "student")
            self._teacher_feature = _pick(hint.teacher, theirs, "teacher")
            channels = own[self._student_feature].shape[1], theirs[self._teacher_feature].shape[1]
            self.hint = FeatureHint(*channels).to(device)

    def watch_features(self, network: StudentNetwork, images: Tensor) -> tuple[Tensor, dict[str, Tensor]]:
        """Return the student's logits and its features, the features {} without a hint."""
        if self.hint is None:
            return network(images), {}
        return _both(network, images)

    def look(self, images: Tensor, size: Sequence[int]) -> Told:
        """Return what the teacher says of a batch of pictures, (N, 3, H, W) uint8, the maps at a size."""
        maps, features = [], []
        for image in images.permute(0, 2, 3, 1).cpu().numpy():
            saliency, found = self._teacher.with_features(np.ascontiguousarray(image))
            values = np.exp(saliency.astype(np.float64)) if self._output == "log_density" else saliency
            maps.append(torch.from_numpy(min_max(values)))
            if self.hint is not None:
                features.append(found[self._teacher_feature])
        stacked = functional.adaptive_avg_pool2d(torch.stack(maps)[:, None], tuple(size))[:, 0]
        return Told(stacked.to(images.device), torch.cat(features).to(images.device) if features else None)

    def hint_loss(self, features: dict[str, Tensor], told: Told) -> Tensor:
        """Return the weighted loss of the hint, 0 without one."""
        if self.hint is None or told.feature is None:
            return told.maps.new_zeros(())
        loss: Tensor = self.hint(features[self._student_feature].float(), told.feature.float())
        return self._weight * loss


def _pick(name: str | None, features: dict[str, Tensor], whose: str) -> str:
    if name is None:
        return list(features)[-1]
    if name not in features:
        raise UsageError(f"hint: the {whose} has no feature '{name}'{nearest(name, features)} ({', '.join(features)})")
    return name


def _both(network: StudentNetwork, images: Tensor) -> tuple[Tensor, dict[str, Tensor]]:
    """Return logits and features of one pass: `forward` of a student is its `features` and its heads."""
    features: Callable[[Tensor], dict[str, Tensor]] = network.features
    seen: dict[str, Tensor] = {}

    def recording(pictures: Tensor) -> dict[str, Tensor]:
        found = features(pictures)
        seen.update(found)
        return found

    network.features = recording  # type: ignore[method-assign, assignment]
    try:
        logits: Tensor = network(images)
    finally:
        del network.features
    return logits, seen or features(images)
