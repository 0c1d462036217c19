"""Which models differ: the correlation of every pair's maps."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from ..batch import default_workers
from ..datasets import Dataset
from ..errors import SalboxError, UsageError
from ..metrics import cc, to_common_size
from ..workers import in_workers
from .sources import MapSource, ModelSource
from .truth import Truths

Matrix = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Compared:
    """One image's matrix of correlations, None if a map could not be made, and why."""

    matrix: Matrix | None
    failures: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class _Pairs:
    dataset: Dataset
    sources: tuple[ModelSource | MapSource, ...]

    def begin(self) -> Callable[[int], Compared]:
        makers = [source.mapper() for source in self.sources]
        truths = Truths(self.dataset)

        def compare(index: int) -> Compared:
            truth = truths.of(index)
            maps = []
            for make, source in zip(makers, self.sources, strict=True):
                try:
                    saliency = make(truth)
                except SalboxError as error:
                    return Compared(None, [f"{self.dataset.items[index].name}, {source.name}: {error}"])
                is_logarithm = source.output == "log_density"
                maps.append(to_common_size(np.exp(saliency.astype(np.float64)) if is_logarithm else saliency))
            return Compared(np.array([[cc(a, b) for b in maps] for a in maps]))

        return compare


def agreement(
    dataset: Dataset,
    sources: Iterable[ModelSource | MapSource],
    *,
    workers: int | None = 1,
    watch: Callable[[Iterable[Compared], int], Iterable[Compared]] = lambda outcomes, total: outcomes,
) -> tuple[Matrix, int]:
    """Return the correlation of every pair of sources, mean over images, and the number of images.

    Correlations are those of fidelity (`salbox.metrics.fidelity_cc`): both maps at 320x240, by area; of a log density
    exp of it. An image of which a map is missing is left out.

    Parameters
    ----------
    dataset : Dataset
    sources : models or maps
    workers : int, optional
        Processes; None for as many as the cores allow.
    watch : callable, optional
        Passes the outcomes through as they come, for a progress bar.

    Returns
    -------
    (K, K) float64, int

    Raises
    ------
    UsageError
        If there are fewer than two sources, or no image has a map of each.
    """
    rows = tuple(sources)
    if len(rows) < 2:
        raise UsageError("agreement is between two models or more")
    indices = [i for i in range(len(dataset)) if all(source.covers(i) for source in rows)]
    if not indices:
        raise UsageError("agreement: no image has a map of every row")
    count = default_workers(len(indices)) if workers is None else min(workers, len(indices))
    outcomes = watch(in_workers(_Pairs(dataset, rows).begin, indices, count), len(indices))
    matrices = [outcome.matrix for outcome in outcomes if outcome.matrix is not None]
    if not matrices:
        raise UsageError("agreement: no image has a map of every row")
    return np.mean(matrices, axis=0), len(matrices)
