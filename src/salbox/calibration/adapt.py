"""A model fitted to a laboratory, or to one's own people: a profile of a dozen numbers."""

from __future__ import annotations

import datetime
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from ..datasets import Dataset
from ..errors import UsageError
from ..evaluation import Evaluation, ModelSource
from ..evaluation.bootstrap import Difference, Estimate
from ..evaluation.sources import Source
from ..imaging.postprocess import PostProcess
from ..models.profiles import Profile, Tail
from ..system.progress import SILENT, Progress
from ..types import DoubleMap, Output
from ..version import __version__
from .centers import Shape
from .fitting import FOLDS, Fit, cross_validate, folds, maximum_likelihood
from .forms import Line, form_of
from .held_out import CEILING, CENTER, METRICS, HeldOut, choose, gap_closed, score_held_out
from .observed import Observed, degrees_of_lab, observe, read_maps

AFTER = "with the profile"


@dataclass(frozen=True)
class Adapted:
    """A profile, and what profiles fitted in the same way are worth on photos that they did not see.

    Attributes
    ----------
    profile : Profile
        Fitted to all photos.
    table : Evaluation
        Rows `before`, `after`, the centre bias and, where observers are told apart, the human ceiling.
    before, after : str
    failures : tuple of str
        Photos without a map, a line each.
    """

    profile: Profile
    table: Evaluation
    before: str
    after: str
    failures: tuple[str, ...] = ()

    def gain(self, metric: str) -> Difference | None:
        """Return how much a metric rose on held-out photos, with the paired bootstrap's interval."""
        return self.table.difference(self.after, metric, self.before)

    def gap_closed(self, metric: str = "ig") -> Estimate | None:
        """Return which share of the gap between the model and the human ceiling closed; None without a ceiling."""
        return gap_closed(self.table, self.before, self.after, metric)


def adapt(
    model: ModelSource,
    dataset: Dataset,
    *,
    photos: int | None = None,
    center: Shape = "gaussian",
    degrees: float | None = None,
    sigma: float | None = None,
    parts: int = FOLDS,
    seed: int = 0,
    workers: int | None = 1,
    progress: Progress = SILENT,
) -> Adapted:
    """Return a profile for a model, fitted to people by maximum likelihood, and figures of held-out photos.

    Each photo counts the same. Of a log density a temperature is fitted, of a score or a probability a monotone curve;
    beside it the blur and the weight of the centre bias, whose shape is that of the fixations.

    Parameters
    ----------
    model : ModelSource
        Its name, parameters and weights; what predicts fixations.
    dataset : Dataset
        With fixations; at least 10 photos, better 20 or more.
    photos : int, optional
        So many, drawn by the seed; by default all.
    center : {"gaussian", "grid"}
        The shape of the centre bias.
    degrees : float, optional
        Degrees of visual angle that a photo's longest side spanned; by default what the data set's card says.
    sigma : float, optional
        Of the densities that CC compares with, in pixels; by default the data set's own.
    parts : int
        Folds.
    seed : int
        Which photos, and which fold each is of.
    workers : int, optional
        Processes.
    progress : Progress

    Raises
    ------
    UsageError
        If the model predicts objects, the data set has no fixations, or there are too few photos.
    """
    if model.card.task != "fixation":
        raise UsageError(f"model '{model.name}' predicts objects: what is fitted to people predicts fixations")
    chosen = choose(dataset, photos, seed)
    maps, failures = read_maps(dataset, [model], chosen, workers, progress)
    seen = observe(dataset, maps)
    held_out = folds(len(seen), parts, seed)
    degrees = degrees_of_lab([dataset]) if degrees is None else degrees
    profile = profile_of(seen, model.output, center, degrees)
    fits = cross_validate(seen, {model.name: form_of(model.output, len(seen))}, held_out, center, degrees, progress)
    made = {k: _made(photo, fit, model) for k, (photo, fit) in enumerate(zip(seen, fits, strict=True))}
    # A score has no likelihood: it is made a density by the rule that scales it to 0..1.
    plain = (
        model if model.output == "log_density" else replace(model, postprocess=PostProcess(scale_output="log-density"))
    )
    rows: list[Source] = [plain, HeldOut(AFTER, made)]
    indices = [photo.index for photo in seen]
    table = score_held_out(dataset, indices, rows, sigma=sigma, workers=workers, progress=progress)
    about = facts(model.name, [dataset], len(seen), parts, table, model.name, AFTER)
    about["parameters"] = _plain(model.card.parameters_to_json(model.parameters))
    return Adapted(replace(profile, about=about), table, model.name, AFTER, tuple(failures))


def profile_of(
    photos: Sequence[Observed],
    output: Output,
    center: Shape = "gaussian",
    degrees: float | None = None,
    weights: Sequence[float] | None = None,
) -> Profile:
    """Return the profile that makes photos' fixations most likely; see `maximum_likelihood`.

    Parameters
    ----------
    photos : sequence of Observed
        Of one model.
    output : {"score", "log_density", "probability"}
        What the numbers of its maps are.
    center : {"gaussian", "grid"}
    degrees : float, optional
    weights : sequence of float, optional
    """
    (name,) = photos[0].values
    form = form_of(output, len(photos))
    fit = maximum_likelihood(photos, {name: form}, center, degrees, weights)
    numbers = fit.numbers[name]
    temperature = 1 / float(numbers[0]) if isinstance(form, Line) else 1.0
    return Profile(output, replace(fit.tail, temperature=temperature), form.curve_of(numbers))


def facts(
    model: str, datasets: Sequence[Dataset], photos: int, parts: int, table: Evaluation, before: str, after: str
) -> dict[str, Any]:
    """Return what a file tells about a fit, ready for JSON."""
    figures = {
        label: {metric: round(found.value, 4) for metric in METRICS if (found := table.estimate(row, metric))}
        for label, row in (("before", before), ("after", after), (CENTER, CENTER), (CEILING, CEILING))
        if row in table.rows
    }
    return {
        "model": model,
        "fitted_on": "; ".join(f"{data.card.title}, split {data.split}" for data in datasets),
        "photos": photos,
        "held_out": {"folds": parts, "figures": figures},
        "salbox": __version__,
        "date": datetime.datetime.now(datetime.UTC).date().isoformat(),
    }


def _made(photo: Observed, fit: Fit, model: ModelSource) -> tuple[DoubleMap, Tail]:
    form = form_of(model.output, 1)
    values = photo.values[model.name]
    priorities = form.value(form.prepared(values), fit.numbers[model.name])
    return priorities, fit.tail


def _plain(values: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value if isinstance(value, (str, int, float, bool)) else str(value) for name, value in values.items()}
