"""Evaluate models and maps: on people's fixations, on object masks, or against a teacher."""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, TypeVar

import numpy as np

from ..datasets import Dataset, open_dataset
from ..datasets.outside import outside_note
from ..errors import SalboxError, UsageError
from ..metrics import METRICS, Metric, Truth, get_metric
from ..paths import user_path
from ..system.progress import SILENT, Progress
from ..version import __version__
from .ceiling import HumanCeiling
from .code import code_fingerprint
from .remarks import facts_of, notes_of, unkept
from .result import Evaluation, table_of
from .rows import AnySource, check_names, rows_of
from .running import Plan, results_folder, run
from .sources import CenterBias, MapSource, RowSource, Source
from .store import Store, default_folder

DEFAULTS: dict[str, tuple[str, ...]] = {
    "fixations": ("nss", "auc_judd", "auc", "sauc", "cc", "sim", "kl_mit"),
    "density": ("cc", "sim", "kl_mit"),
    "mask": (
        "mae", "max_f", "mean_f", "adaptive_f", "weighted_f", "max_e", "mean_e", "adaptive_e", "s_measure"
    ),
    "teacher": ("fidelity_cc", "fidelity_kl", "fidelity_sim", "fidelity_ssim", "fidelity_rmse", "fidelity_nss"),
}  # fmt: skip

_Kind = TypeVar("_Kind", bound=Source)


def evaluate(
    dataset: str | Dataset,
    sources: AnySource | Iterable[AnySource],
    metrics: Sequence[str] | None = None,
    *,
    split: str | None = None,
    sigma: float | None = None,
    teacher: RowSource | None = None,
    folder: str | os.PathLike[str] | None = None,
    workers: int | None = 1,
    progress: Progress = SILENT,
) -> Evaluation:
    """Return the metrics of models or maps over a dataset.

    Results are kept image by image under `folder`; what is there is not computed again. Those of a function are not
    kept if it lies in no module, or its file changed after the program began: nobody knows what they belong to.

    Parameters
    ----------
    dataset : "NAME:PATH", or Dataset
    sources : models, or sources
        The rows. Models as `salbox.predict` takes them: names, paths, what `salbox.load` returned, functions of an
        image. Sources: `salbox.evaluation.ModelSource`, `MapSource`, `CenterBias` and others.
    metrics : names, optional
        By default those usual for what the dataset gives.
    split : str, optional
        Of a dataset given by name.
    sigma : float, optional
        Of the Gaussian that makes fixations a density, in pixels of the images at hand; by default the dataset's own.
    teacher : source, optional
        Rows are compared with its maps instead of with the dataset's truth.
    folder : path, optional
        Where results are kept; by default in salbox's cache.
    workers : int, optional
        Processes; None for as many as the cores allow. A script that asks for several needs the usual
        `if __name__ == "__main__":`.
    progress : Progress, optional
        Takes how far it is, and what failed.

    Raises
    ------
    UsageError
        For a metric that does not fit the dataset or the models, or if no image could be scored.
    MissingExtraError
        If a metric needs a package that is not installed.

    Examples
    --------
    >>> import tempfile
    >>> from pathlib import Path
    >>> import numpy as np, salbox, skimage.data
    >>> from PIL import Image
    >>> folder = Path(tempfile.mkdtemp())
    >>> for part in ("images", "fixations"):
    ...     (folder / part).mkdir()
    >>> Image.fromarray(skimage.data.chelsea()[::2, ::2]).save(folder / "images/cat.png")  # (150, 226, 3)
    >>> np.save(folder / "fixations/cat.npy", [[113, 75], [110, 78]])  # x, y: the middle
    >>> results = folder / "results"  # by default in salbox's cache
    >>> table = salbox.evaluate(f"folder:{folder}", ["imsig", "gaussian"], ["nss", "auc"], folder=results)
    >>> table.to_pandas()[["model", "metric"]].values.tolist()
    [['imsig', 'nss'], ['imsig', 'auc'], ['gaussian', 'nss'], ['gaussian', 'auc']]
    >>> table.estimate("gaussian", "auc").value > table.estimate("imsig", "auc").value
    True

    A function is measured as a model is:

    >>> def contrast(image):
    ...     return abs(image.mean(axis=2) - image.mean())
    >>> table = salbox.evaluate(f"folder:{folder}", [contrast, salbox.load("gaussian", sigma=0.2)], ["nss"])
    >>> list(table.rows), table.notes
    (['contrast', 'gaussian'], ('contrast: figures are not kept (there is no name to load it by)',))

    A published one:

    >>> table = salbox.evaluate("osie:~/data/OSIE", ["gbvs", "bms"], ["nss"])  # doctest: +SKIP
    """
    data = open_dataset(dataset, split) if isinstance(dataset, str) else dataset
    rows = tuple(rows_of(sources))
    if not rows:
        raise UsageError("nothing to evaluate: name models (-m) or a folder of maps (--maps)")
    check_names(rows)
    chosen = _choose(metrics, data, rows, teacher)
    unreadable: list[str] = []
    if any(need in ("fixations", "negatives", "baseline") for m in chosen for need in m.needs) or (
        any("density" in m.needs for m in chosen) and "fixations" in data.gives
    ):
        kept, unreadable, outside = _with_fixations(data)
        if outside:
            data = data.subset(range(len(data)), outside)
        if len(kept) < len(data):
            data = data.subset(kept, _left_out(len(data) - len(kept) - len(unreadable), len(unreadable)))
            rows = tuple(_of_subset(source, kept) for source in rows)
            teacher = None if teacher is None else _of_subset(teacher, kept)
    if sigma is not None and not (np.isfinite(sigma) and sigma > 0):
        raise UsageError(f"sigma {sigma}: expected a positive number of pixels")
    wanted = [[m.name for m in chosen if source.output in m.accepts] for source in rows]
    plan = Plan(data, rows, sigma, teacher)
    measured_on = data.fingerprint()
    kept_in = default_folder() if folder is None else user_path(folder)
    stores = [_store(source, data, measured_on, sigma, teacher, kept_in) for source in rows]
    failures = unreadable + run(plan, wanted, stores, workers, progress)
    return _collect(data, rows, chosen, wanted, stores, failures, sigma, teacher)


def _choose(
    metrics: Sequence[str] | None, data: Dataset, rows: Sequence[Source], teacher: Source | None
) -> tuple[Metric, ...]:
    """Return the metrics of the table, each of which the dataset has the truth for and some row the output."""
    given: set[Truth] = {"teacher"} if teacher is not None else set(data.gives)
    if "fixations" in given:
        given |= {"negatives", "baseline"}
    if any(isinstance(source, (CenterBias, HumanCeiling)) for source in rows) and "fixations" not in given:
        raise UsageError(f"{data.card.name}: the centre bias and the human ceiling need a dataset with fixations")
    possible = [m for m in METRICS.values() if given.issuperset(m.needs)]
    if not possible:
        raise UsageError(f"{data.card.name}: the dataset holds no ground truth; name a teacher (--teacher)")
    if metrics is None:
        chosen = [get_metric(name) for name in (DEFAULTS["teacher"] if teacher is not None else usual_metrics(data))]
    elif "all" in metrics:
        every = [m for m in possible if any(source.output in m.accepts for source in rows)]
        chosen = list(dict.fromkeys([*every, *(get_metric(name) for name in metrics if name != "all")]))
    else:
        chosen = [get_metric(name) for name in dict.fromkeys(metrics)]
    for metric in chosen:
        if not given.issuperset(metric.needs):
            raise UsageError(
                f"metric '{metric.name}' needs {' and '.join(metric.needs)}, which {data.card.name} does not give "
                f"here; possible are {', '.join(m.name for m in possible)}"
            )
        if not any(source.output in metric.accepts for source in rows):
            metric.score(np.zeros((1, 1)), rows[0].output, {})  # says what is not defined, and the way out
        if "mask" in metric.needs:
            metric.score(np.eye(8), "probability", {"mask": np.eye(8, dtype=bool)})  # whether its package is there
    return tuple(chosen)


def usual_metrics(data: Dataset) -> tuple[str, ...]:
    """Return the names of the metrics usual for what a dataset gives; none if it gives nothing."""
    kind = next((k for k in ("fixations", "density", "mask") if k in data.gives), None)
    return () if kind is None else DEFAULTS[kind]


def _with_fixations(data: Dataset) -> tuple[list[int], list[str], str]:
    """Return which images have fixations, lines for those that could not be read, and a note of fixations outside."""
    kept, unreadable = [], []
    for index, item in enumerate(data.items):
        try:
            if len(data.fixations(index)):
                kept.append(index)
        except SalboxError as error:
            unreadable.append(f"{item.name}: {error}")
    outside = outside_note(data)
    if not kept:
        raise UsageError(unreadable[0] if unreadable else f"{data.card.name}:{data.path}: no image has fixations")
    return kept, unreadable, outside


def _left_out(empty: int, unreadable: int) -> str:
    note = [f"{empty} images without fixations left out"] if empty else []
    note += [f"{unreadable} images could not be read"] if unreadable else []
    return "; ".join(note)


def _of_subset(source: _Kind, kept: Sequence[int]) -> _Kind:
    """Return a row for some of the images: of maps on disk those of these images."""
    return replace(source, folder=source.folder.of_subset(kept)) if isinstance(source, MapSource) else source


def _store(
    source: Source, data: Dataset, measured_on: str, sigma: float | None, teacher: Source | None, folder: Path
) -> Store:
    settings: dict[str, Any] = {
        "salbox": __version__,
        "measured_by": code_fingerprint(None, data.card.name),
        "source": source.settings(),
        "dataset": data.card.name,
        "path": str(data.path.resolve()),
        "split": data.split,
        "images": measured_on,
        "sigma": sigma if sigma is not None else data.card.sigma,
        "teacher": None if teacher is None else teacher.settings(),
    }
    is_kept = not unkept(source) and not unkept(teacher)
    return Store(results_folder(folder, data) if is_kept else None, source.name, settings)


def _collect(
    data: Dataset,
    rows: Sequence[Source],
    chosen: tuple[Metric, ...],
    wanted: Sequence[Sequence[str]],
    stores: Sequence[Store],
    failures: Sequence[str],
    sigma: float | None,
    teacher: Source | None,
) -> Evaluation:
    names = [item.name for item in data.items]
    images = [
        name
        for name in names
        if all(set(wanted[k]) <= stores[k].results.get(name, {}).keys() for k in range(len(rows)))
    ]
    if not images:
        reason = failures[0] if failures else "no row has figures of the same images"
        raise UsageError(f"no image could be scored ({reason})")
    return Evaluation(
        dataset=f"{data.card.name}:{data.path}",
        split=data.split,
        metrics=chosen,
        images=tuple(images),
        rows={
            source.name: table_of([stores[k].results[name] for name in images], wanted[k])
            for k, source in enumerate(rows)
        },
        facts=dict(facts_of(data, rows, chosen, sigma, teacher, stores)),
        notes=tuple(notes_of(data, images, rows, chosen, stores, teacher)),
        failures=tuple(failures),
    )
