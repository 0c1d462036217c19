"""A model fitted to a laboratory, or to one's own people: a profile."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from ..datasets import Dataset
from ..errors import UsageError
from ..evaluation import Evaluation, ModelSource
from ..evaluation.bootstrap import Difference, Estimate
from ..evaluation.sources import Source
from ..imaging.postprocess import PostProcess
from ..models.profiles import Profile, Tail
from ..models.readouts import MAX_CHANNELS
from ..system.progress import SILENT, Progress
from .centers import Shape
from .fitting import FOLDS, folds
from .forms import form_of
from .held_out import HeldOut, choose, facts, figures_of, gap_closed, held_out_row, score_held_out
from .looks import SmallFeatures, read_looks, shown_of
from .observed import degrees_of_lab, observe, parameters_of, read_maps
from .profile_fits import profile_of
from .readouts import Looked, held_out_readouts

AFTER = "with the profile"


@dataclass(frozen=True)
class Adapted:
    """A profile, and what profiles fitted in the same way are worth on photos that they did not see.

    Attributes
    ----------
    profile : Profile
        Fitted to all photos; of a log density one that changes nothing, where fits to most photos predicted the others
        no better than the model as it is (`is_unchanged`).
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

    @property
    def is_unchanged(self) -> bool:
        """Whether the profile leaves the model as it is."""
        return self.profile.reads == "log_density" and not self.profile.readout and self.profile.tail.changes_nothing

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
    readout: bool = True,
    degrees: float | None = None,
    sigma: float | None = None,
    parts: int = FOLDS,
    seed: int = 0,
    workers: int | None = 1,
    progress: Progress = SILENT,
) -> Adapted:
    """Return a profile for a model, fitted to people by maximum likelihood, and figures of held-out photos.

    Each photo counts the same. Of a log density a temperature is fitted, of a score or a probability a monotone curve;
    beside it the blur and the weight of the centre bias, whose shape is that of the fixations. Of a network that shows
    its features (`gaze`, `gaze.large`) these are weighed anew as well, as far as held-out photos bear it out.

    Parameters
    ----------
    model : ModelSource
        Its name, parameters and weights; what predicts fixations.
    dataset : Dataset
        With fixations; at least 10 photos, better 20 or more.
    photos : int, optional
        So many, drawn by the seed; by default all.
    center : {"gaussian", "grid"}
        The shape of the centre bias; where features are weighed, it is a smooth one of its own.
    readout : bool
        Whether features are weighed where the model shows them.
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
    network = shown_of(model) if readout else ""
    features: dict[int, SmallFeatures] = {}
    if network:
        maps, features, failures = read_looks(dataset, model, chosen, workers, progress)
        if any(len(found) > MAX_CHANNELS for found in features.values()):
            network = ""  # more than a profile may hold
    else:
        maps, failures = read_maps(dataset, [model], chosen, workers, progress)
    seen = observe(dataset, maps)
    held_out = folds(len(seen), parts, seed)
    degrees = degrees_of_lab([dataset]) if degrees is None else degrees
    if network:
        looked = Looked(seen, [features[photo.index] for photo in seen], network, center, degrees)
        profile, after, choice = _with_readout(looked, held_out, progress)
    else:
        profile, choice = profile_of(seen, model.output, center, degrees), {}
        forms = {model.name: form_of(model.output, len(seen))}
        after = held_out_row(AFTER, seen, forms, held_out, center, degrees, progress)
    # A score has no likelihood: it is made a density by the rule that scales it to 0..1.
    plain = (
        model if model.output == "log_density" else replace(model, postprocess=PostProcess(scale_output="log-density"))
    )
    rows: list[Source] = [plain, after]
    indices = [photo.index for photo in seen]
    table = score_held_out(dataset, indices, rows, sigma=sigma, workers=workers, progress=progress)
    figures = figures_of(table, model.name, AFTER)
    gain = table.difference(AFTER, "ig", model.name)
    if model.output == "log_density" and gain is not None and gain.value <= 0:
        profile, choice = Profile(model.output, Tail(degrees=degrees)), {}
        figures |= {"lost": figures["after"], "after": figures["before"]}  # of a profile that changes nothing
    about = facts(model.name, dataset, len(seen), parts, figures)
    about |= {"parameters": parameters_of(model), **choice}
    return Adapted(replace(profile, about=about), table, model.name, AFTER, tuple(failures))


def _with_readout(
    looked: Looked, held_out: npt.NDArray[np.intp], progress: Progress
) -> tuple[Profile, HeldOut, Mapping[str, Any]]:
    """Return the profile of photos with features, the row of held-out densities, and what was chosen, for a file."""
    likelihood = looked.likelihood()
    profile, strength = looked.profile(likelihood, range(len(looked.photos)))
    after = held_out_readouts(AFTER, looked, likelihood, held_out, progress)
    return profile, after, {} if profile.readout is None else {"penalty": strength}
