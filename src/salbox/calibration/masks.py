"""Several models fitted to masks of objects together: the probability that a pixel belongs to the object."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

from ..datasets import Dataset
from ..errors import UsageError
from ..evaluation import ModelSource
from ..evaluation.bootstrap import Difference, Estimate, difference, estimate, resampled
from ..metrics.objects import BETA_SQUARED
from ..models.blends import Blend, sigmoid
from ..system.progress import SILENT, Progress
from ..types import DoubleMap
from .blend import check_models, members_of
from .fitting import FOLDS, folds, minimized
from .forms import Steps, Vector, begin_of, bounds_of, curve_form, penalty_of, split, sum_of
from .held_out import draw, facts
from .observed import Maps, read_maps

MEASURES = ("log_loss", "mae", "f")
AFTER = "blend"
BIAS = -2.0  # that a fit begins with: an object on an eighth of the photo
BIASES = (-50.0, 50.0)


@dataclass(frozen=True)
class BlendedMasks:
    """A blend for masks, and figures of held-out photos at working size.

    Attributes
    ----------
    blend : Blend
        Fitted to all photos.
    figures : {row: {measure: (N,) float64}}
        Of each model by itself with its own curve, and of `blend`, a number a photo: "log_loss" in nats a pixel, "mae"
        (both the lower the better), "f", the F-measure (beta^2 = .3) of what is above one half.
    failures : tuple of str
        Photos without a map, a line each.
    """

    blend: Blend
    figures: Mapping[str, Mapping[str, npt.NDArray[np.float64]]]
    failures: tuple[str, ...] = ()

    @property
    def best(self) -> str:
        """The single model of the least log loss."""
        return min((r for r in self.figures if r != AFTER), key=lambda row: float(self.figures[row]["log_loss"].mean()))

    def estimate(self, row: str, measure: str) -> Estimate:
        """Return a row's mean with its bootstrap interval."""
        values = self.figures[row][measure]
        return estimate(float(values.mean()), resampled([values])[0])

    def gain(self, measure: str) -> Difference:
        """Return the blend's figure less that of the best single model, with the paired bootstrap's interval."""
        values = self.figures[AFTER][measure] - self.figures[self.best][measure]
        return difference(float(values.mean()), resampled([values])[0])


@dataclass(frozen=True, eq=False)
class _Masked:
    values: Maps
    mask: DoubleMap


def blend_masks(
    models: Sequence[ModelSource],
    dataset: Dataset,
    *,
    photos: int | None = None,
    parts: int = FOLDS,
    seed: int = 0,
    folder: Path | None = None,
    workers: int | None = 1,
    progress: Progress = SILENT,
) -> BlendedMasks:
    """Return a blend of models, fitted to masks by maximum likelihood, and figures of held-out photos.

    The logit of a pixel is a bias and a monotone curve of each model's map; pixels count as if each were drawn by
    itself, and each photo counts the same.

    Parameters
    ----------
    models : sequence of ModelSource
        Two or more; what predicts fixations may be among them.
    dataset : Dataset
        With masks.
    photos, parts, seed, folder, workers, progress
        As `salbox.calibration.blend` takes them.

    Raises
    ------
    UsageError
        If there are fewer than two models, one cannot be a member, or the data set has no masks or too few photos.
    """
    check_models(models)
    if "mask" not in dataset.gives:
        raise UsageError(f"{dataset.card.name}: neither fixations nor masks, which a blend is fitted to")
    chosen = draw(range(len(dataset)), photos, seed, f"{dataset.card.name}: {len(dataset)} photos")
    maps, failures = read_maps(dataset, models, chosen, workers, progress)
    seen = [_masked(dataset.mask(index), values) for index, values in maps.items()]
    held_out = folds(len(seen), parts, seed)
    forms = {source.name: curve_form(source.output, len(seen)) for source in models}
    figures: dict[str, dict[str, npt.NDArray[np.float64]]] = {}
    for names in (*([name] for name in forms), list(forms)):
        own = {name: forms[name] for name in names}
        table = np.empty((len(seen), len(MEASURES)))
        for part in progress.track(range(parts), parts, "folds"):
            numbers, bias = _fit([p for p, mine in zip(seen, held_out, strict=True) if mine != part], own)
            for k in np.flatnonzero(held_out == part):
                table[k] = measured(_probability(seen[k], own, numbers, bias), seen[k].mask)
        label = AFTER if len(names) > 1 else names[0]
        figures[label] = {measure: table[:, column] for column, measure in enumerate(MEASURES)}
    numbers, bias = _fit(seen, forms)
    means = {row: {measure: float(values.mean()) for measure, values in own.items()} for row, own in figures.items()}
    about = facts("+".join(forms), dataset, len(seen), parts, means)
    members = members_of(models, forms, numbers, folder)
    return BlendedMasks(Blend("object", members, bias=bias, about=about), figures, tuple(failures))


def _masked(mask: npt.NDArray[Any], values: Maps) -> _Masked:
    """Return a photo with its mask at working size: the share of the object in each pixel."""
    height, width = next(iter(values.values())).shape
    whole = mask.astype(np.float64) / (255 if mask.dtype == np.uint8 else 1)
    return _Masked(values, cv2.resize(whole, (width, height), interpolation=cv2.INTER_AREA))


def _fit(photos: Sequence[_Masked], forms: Mapping[str, Steps]) -> tuple[dict[str, Vector], float]:
    """Return the numbers of each model's curve, and the bias, that make masks most likely."""
    prepared = [{name: form.prepared(photo.values[name]) for name, form in forms.items()} for photo in photos]

    def loss(numbers: Vector) -> tuple[float, Vector]:
        own = split(numbers[:-1], forms)
        total, gradient = 0.0, np.zeros(len(numbers))
        for photo, maps in zip(photos, prepared, strict=True):
            logits = numbers[-1] + np.sum([form.value(maps[name], own[name]) for name, form in forms.items()], axis=0)
            total += float(np.mean(np.logaddexp(0, logits) - photo.mask * logits))
            adjoint = (sigmoid(logits) - photo.mask) / logits.size
            slopes = [form.gradient(maps[name], adjoint) for name, form in forms.items()]
            gradient += np.concatenate([*slopes, [adjoint.sum()]])
        total, gradient = total / len(photos), gradient / len(photos)
        cost, slope = penalty_of(own, forms)
        gradient[:-1] += slope
        return total + cost, gradient

    begin = np.concatenate([begin_of(forms), [BIAS]])
    numbers = minimized(loss, begin, [*bounds_of(forms), BIASES])
    return split(numbers[:-1], forms), float(numbers[-1])


def _probability(photo: _Masked, forms: Mapping[str, Steps], numbers: Mapping[str, Vector], bias: float) -> DoubleMap:
    return sigmoid(bias + sum_of(photo.values, numbers, forms))


def measured(probability: DoubleMap, mask: DoubleMap) -> tuple[float, float, float]:
    """Return the log loss in nats a pixel, the mean absolute error, and the F-measure of what is above one half."""
    shares = np.clip(probability, 1e-9, 1 - 1e-9)
    loss = -float(np.mean(mask * np.log(shares) + (1 - mask) * np.log1p(-shares)))
    found, there = probability > 0.5, mask > 0.5
    hits = np.count_nonzero(found & there)
    # With precision hits / found and recall hits / there.
    weighed = BETA_SQUARED * np.count_nonzero(there) + np.count_nonzero(found)
    f = float((1 + BETA_SQUARED) * hits / weighed) if hits else 0.0
    return loss, float(np.mean(np.abs(probability - mask))), f
