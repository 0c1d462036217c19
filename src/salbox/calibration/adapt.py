"""A model fitted to a laboratory, or to one's own people: a profile of a dozen numbers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from ..datasets import Dataset
from ..errors import UsageError
from ..evaluation import Evaluation, ModelSource
from ..evaluation.bootstrap import Difference, Estimate
from ..evaluation.sources import Source
from ..imaging.postprocess import PostProcess
from ..models.profiles import Profile
from ..system.progress import SILENT, Progress
from ..types import Output
from .centers import Shape
from .fitting import FOLDS, folds, maximum_likelihood
from .forms import Line, form_of
from .held_out import choose, facts, figures_of, gap_closed, held_out_row, score_held_out
from .observed import Observed, degrees_of_lab, observe, parameters_of, read_maps

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
    forms = {model.name: form_of(model.output, len(seen))}
    after = held_out_row(AFTER, seen, forms, held_out, center, degrees, progress)
    # A score has no likelihood: it is made a density by the rule that scales it to 0..1.
    plain = (
        model if model.output == "log_density" else replace(model, postprocess=PostProcess(scale_output="log-density"))
    )
    rows: list[Source] = [plain, after]
    indices = [photo.index for photo in seen]
    table = score_held_out(dataset, indices, rows, sigma=sigma, workers=workers, progress=progress)
    about = facts(model.name, dataset, len(seen), parts, figures_of(table, model.name, AFTER))
    about["parameters"] = parameters_of(model)
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
