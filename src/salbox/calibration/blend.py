"""Several models fitted to people together: a blend, one file."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from ..datasets import Dataset
from ..errors import UsageError
from ..evaluation import Evaluation, ModelSource
from ..evaluation.bootstrap import Difference
from ..models.blends import Blend, Member, ensure_member
from ..models.curves import Curve
from ..system.progress import SILENT, Progress
from .centers import Shape
from .fitting import FOLDS, folds, maximum_likelihood
from .forms import Steps, Vector, curve_form
from .held_out import choose, facts, figures_of, held_out_row, score_held_out
from .observed import degrees_of_lab, observe, parameters_of, read_maps

AFTER = "blend"


@dataclass(frozen=True)
class Blended:
    """A blend, and what blends and single models fitted in the same way are worth on photos that they did not see.

    Attributes
    ----------
    blend : Blend
        Fitted to all photos.
    table : Evaluation
        A row for each model by itself with its own curve, blur and centre, `after`, the centre bias and, where
        observers are told apart, the human ceiling.
    members : tuple of str
        The rows of single models.
    after : str
    failures : tuple of str
        Photos without a map, a line each.
    """

    blend: Blend
    table: Evaluation
    members: tuple[str, ...]
    after: str
    failures: tuple[str, ...] = ()

    @property
    def best(self) -> str:
        """The single model that predicts held-out photos best, by information gain."""
        return max(self.members, key=lambda name: float(np.mean(self.table.rows[name]["ig"])))

    def gain(self, metric: str) -> Difference | None:
        """Return how much better the blend is than the best single model, with the paired bootstrap's interval."""
        return self.table.difference(self.after, metric, self.best)


def blend(
    models: Sequence[ModelSource],
    dataset: Dataset,
    *,
    photos: int | None = None,
    center: Shape = "gaussian",
    degrees: float | None = None,
    sigma: float | None = None,
    parts: int = FOLDS,
    seed: int = 0,
    folder: Path | None = None,
    workers: int | None = 1,
    progress: Progress = SILENT,
) -> Blended:
    """Return a blend of models, fitted to people by maximum likelihood, and figures of held-out photos.

    Parameters
    ----------
    models : sequence of ModelSource
        Two or more that predict fixations or objects: what their maps say of fixations is fitted.
    dataset : Dataset
        With fixations.
    photos, center, degrees, sigma, parts, seed, workers, progress
        As `adapt` takes them.
    folder : Path, optional
        Where the blend's file will be: members that are files are named relative to it.

    Raises
    ------
    UsageError
        If there are fewer than two models, one cannot be a member, or as `adapt`.
    """
    check_models(models)
    chosen = choose(dataset, photos, seed)
    maps, failures = read_maps(dataset, models, chosen, workers, progress)
    seen = observe(dataset, maps)
    held_out = folds(len(seen), parts, seed)
    degrees = degrees_of_lab([dataset]) if degrees is None else degrees
    forms = {source.name: curve_form(source.output, len(seen)) for source in models}
    fit = maximum_likelihood(seen, forms, center, degrees)
    rows = []
    for names in (*([source.name] for source in models), list(forms)):
        label = AFTER if len(names) > 1 else names[0]
        own = {name: forms[name] for name in names}
        rows.append(held_out_row(label, seen, own, held_out, center, degrees, progress))
    indices = [photo.index for photo in seen]
    table = score_held_out(dataset, indices, rows, sigma=sigma, workers=workers, progress=progress)
    members = members_of(models, forms, fit.numbers, folder)
    found = Blended(Blend("fixation", members, fit.tail), table, tuple(forms), AFTER, tuple(failures))
    about = facts("+".join(forms), dataset, len(seen), parts, figures_of(table, found.best, AFTER))
    about["held_out"]["best"] = found.best
    return replace(found, blend=replace(found.blend, about=about))


def check_models(models: Sequence[ModelSource]) -> None:
    """Raise a UsageError if models cannot be blended: too few, two of one name, or one that a file cannot hold."""
    if len(models) < 2 or len({source.name for source in models}) < len(models):
        raise UsageError("a blend is of two or more different models (-m a,b)")
    for source in models:
        ensure_member(source.name)
        asked = [name for name in ("profile", "weights") if name in source.parameters]
        if asked:
            raise UsageError(
                f"'{source.name}': a blend keeps no {asked[0]}; weights are given when it is used, or lie in "
                "SALBOX_WEIGHTS"
            )


def normalized(curve: Curve) -> tuple[float, Curve]:
    """Return how much a curve rises, and the same curve from 0 to 1; one that is flat weighs nothing."""
    rise = curve.y[-1] - curve.y[0]
    heights = tuple((y - curve.y[0]) / rise for y in curve.y) if rise > 0 else tuple(0.0 for _ in curve.y)
    return rise, Curve(curve.x, heights)


def members_of(
    models: Sequence[ModelSource], forms: Mapping[str, Steps], numbers: Mapping[str, Vector], folder: Path | None
) -> tuple[Member, ...]:
    """Return the members as the blend's file names them, each with the curve that was fitted."""
    found = []
    for source in models:
        weight, curve = normalized(forms[source.name].curve_of(numbers[source.name]))
        name = _as_in_file(source.name, folder)
        found.append(Member(name, source.output, weight, curve, parameters_of(source)))
    return tuple(found)


def _as_in_file(name: str, folder: Path | None) -> str:
    """Return a member's name, a path relative to the blend's folder."""
    path, mark, head = name.partition("#")
    if not Path(path).expanduser().exists() or (os.sep not in path and not path.endswith(".onnx")):
        return name
    whole = Path(path).expanduser().absolute()
    relative = os.path.relpath(whole, (folder or Path()).absolute())
    relative = relative if os.sep in relative or relative.endswith(".onnx") else f".{os.sep}{relative}"
    return f"{relative}{mark}{head}"
