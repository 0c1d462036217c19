"""From a dataset and models to a page: figures from the evaluation, then agreement, then pictures."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

from ..datasets import Dataset
from ..errors import UsageError
from ..evaluation import CenterBias, HumanCeiling, MixtureCeiling, evaluate
from ..evaluation.sources import RowSource, Source
from ..evaluation.store import default_folder
from ..imaging.writing import atomic
from ..system.progress import SILENT, Progress
from ._agreement import Correlations, keeping_maps
from ._curves import curves_of, with_curves, without_curves
from ._environment import environment
from ._examples import Examples, counts
from .content import Agreement, Report
from .page import page

SUFFIXES = (".html", ".htm")
EXAMPLES = 3


def write_report(path: Path, dataset: Dataset, sources: Sequence[RowSource], **options: Any) -> Report:
    """Write an evaluation as one HTML page, under a temporary name first, and return what it shows.

    Parameters
    ----------
    path : Path
        Ends in .html or .htm.
    dataset : Dataset
    sources : models or maps
    options
        Those of `gather`.

    Raises
    ------
    UsageError
        For another suffix, a place that cannot be written to, or as `gather`.

    Examples
    --------
    >>> from salbox.datasets import open_dataset
    >>> from salbox.evaluation import ModelSource
    >>> data = open_dataset("osie:~/data/OSIE")  # doctest: +SKIP
    >>> write_report(Path("osie.html"), data, [ModelSource("bms"), ModelSource("gbvs")])  # doctest: +SKIP
    """
    check_page(path)
    report = gather(dataset, sources, **options)
    content = page(report)
    with atomic(path) as temporary:
        temporary.write_text(content, encoding="utf-8")
    return report


def check_page(path: Path) -> None:
    """Raise UsageError unless a page can be written there."""
    if path.suffix.lower() not in SUFFIXES:
        raise UsageError(f"{path}: a page is written as {' or '.join(SUFFIXES)}")
    if path.is_dir():
        raise UsageError(f"{path}: is a folder; name the page to write")
    # Better said now than after an hour of computing.
    above = next(folder for folder in path.absolute().parents if folder.exists())
    if not above.is_dir() or not os.access(above, os.W_OK):
        raise UsageError(f"{path}: cannot be written, {above} is no folder that can be written to")


def gather(
    dataset: Dataset,
    sources: Sequence[RowSource],
    *,
    metrics: Sequence[str] | None = None,
    sigma: float | None = None,
    baseline: bool = False,
    ceiling: bool = False,
    mixture_ceiling: bool = False,
    agree: bool = True,
    examples: int = EXAMPLES,
    title: str | None = None,
    command: str = "",
    folder: Path | None = None,
    workers: int | None = 1,
    progress: Progress = SILENT,
) -> Report:
    """Return everything that a page shows.

    Figures, correlations and small maps are kept under `folder`; what is there is not computed again.

    Parameters
    ----------
    dataset : Dataset
    sources : models or maps
    metrics, sigma, folder, workers
        As in `salbox.evaluation.evaluate`.
    baseline, ceiling, mixture_ceiling : bool
        Whether there are rows of the centre bias and of other people, by the plain density and by the better one.
    agree : bool
        Whether every pair of models is compared.
    examples : int
        How many best and worst images of each model are shown, and how many of all models side by side.
    title : str, optional
    command : str
        What repeats it.
    progress : Progress, optional
        Takes how far it is, and what failed.

    Raises
    ------
    UsageError
        As `salbox.evaluation.evaluate`.
    """
    kept_in = folder or default_folder()
    correlations = Correlations(dataset, sources, kept_in) if agree and len(sources) > 1 else None
    rows: list[Source] = [keeping_maps(s) for s in sources] if correlations else list(sources)
    rows += [CenterBias()] * baseline + [HumanCeiling()] * ceiling + [MixtureCeiling()] * mixture_ceiling

    scoring = progress if correlations is None else _Collecting(progress, correlations)
    names = with_curves(dataset, metrics)
    evaluation = evaluate(dataset, rows, names, sigma=sigma, folder=kept_in, workers=workers, progress=scoring)
    curves, evaluation = curves_of(evaluation), without_curves(evaluation)
    failures: list[str] = []
    found: Agreement | None = None
    if correlations is not None:
        found, failures = correlations.complete(evaluation.images, workers, progress)
    chosen = Examples(dataset, evaluation, sources, examples)
    failures = [*failures, *chosen.make(sigma, kept_in, workers, progress)]
    return Report(
        title=title or f"Saliency models on {dataset.card.title}",
        card=dataset.card,
        evaluation=evaluation,
        counts=counts(dataset, evaluation),
        models=chosen.parts(),
        side_by_side=chosen.side_by_side(),
        agreement=found,
        curves=curves,
        environment=environment(),
        command=command,
        failures=tuple(failures),
    )


class _Collecting(Progress):
    """Passes progress on, and takes what correlations need out of the outcomes on their way."""

    def __init__(self, progress: Progress, correlations: Correlations) -> None:
        self._progress, self._correlations = progress, correlations

    def say(self, text: str) -> None:
        self._progress.say(text)

    def update(self, title: str, done: int, total: int | None) -> None:
        self._progress.update(title, done, total)

    def track(self, items: Iterable[Any], total: int, title: str) -> Iterator[Any]:
        return self._progress.track(self._correlations.collect(items), total, title)
