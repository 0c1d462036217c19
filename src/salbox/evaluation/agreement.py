"""Which models differ: the correlation of every pair's maps."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from ..datasets import Dataset
from ..errors import UsageError
from ..imaging.scaling import density
from ..metrics import cc, to_common_size
from ..system.progress import SILENT, Progress
from ..system.workers import in_workers
from .running import SourceRunner
from .sources import Mapper, RowSource, device_of
from .truth import ImageTruth, Truths

Matrix = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Compared:
    """One image's matrix of correlations, None if a map could not be made, and why."""

    matrix: Matrix | None
    failures: list[str] = field(default_factory=list)


@dataclass(frozen=True, eq=False)
class PairwiseCC:
    """The correlation of every pair of rows' maps.

    Attributes
    ----------
    rows : tuple of str
        The names of the K models or folders of maps.
    images : tuple of str
        The names of the N images that have a map of each.
    matrices : (N, K, K) float64
        Of each image.
    failures : tuple of str
        Why images are missing, a line each.
    """

    rows: tuple[str, ...]
    images: tuple[str, ...]
    matrices: Matrix
    failures: tuple[str, ...] = ()

    @property
    def mean(self) -> Matrix:
        """The mean over images, (K, K) float64."""
        mean: Matrix = np.mean(self.matrices, axis=0)
        return mean


@dataclass(frozen=True)
class _Pairs:
    dataset: Dataset
    sources: tuple[RowSource, ...]

    def begin(self) -> Callable[[int], Compared]:
        runner = SourceRunner(Truths(self.dataset), self.sources, lambda source: source.mapper())
        numbers = range(len(self.sources))
        for number in numbers:
            runner.loaded(number)  # without one of the models nothing can be compared

        def small(number: int, mapper: Mapper, truth: ImageTruth) -> Matrix:
            return to_common_size(density(mapper(truth), self.sources[number].output))

        def compare(index: int) -> Compared:
            maps, failures = runner.run(index, numbers, small)
            if failures:
                return Compared(None, failures[:1])
            return Compared(np.array([[cc(a, b) for b in maps.values()] for a in maps.values()]))

        return compare


def agreement(
    dataset: Dataset,
    sources: Iterable[RowSource],
    *,
    workers: int | None = 1,
    progress: Progress = SILENT,
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
    progress : Progress, optional
        Takes how far it is, and what failed.

    Returns
    -------
    (K, K) float64, int

    Raises
    ------
    UsageError
        If there are fewer than two sources, or no image has a map of each.

    Examples
    --------
    >>> import tempfile
    >>> from pathlib import Path
    >>> import numpy as np, skimage.data
    >>> from PIL import Image
    >>> from salbox.datasets import open_dataset
    >>> from salbox.evaluation import ModelSource, agreement
    >>> folder = Path(tempfile.mkdtemp())
    >>> for part in ("images", "fixations"):
    ...     (folder / part).mkdir()
    >>> Image.fromarray(skimage.data.chelsea()[::2, ::2]).save(folder / "images/cat.png")  # (150, 226, 3)
    >>> np.save(folder / "fixations/cat.npy", [[113, 75], [110, 78]])  # x, y: the middle
    >>> models = [ModelSource(name) for name in ("imsig", "gaussian")]
    >>> correlations, images = agreement(open_dataset(f"folder:{folder}"), models)
    >>> correlations.shape, images, bool(correlations[0, 1] < correlations[0, 0] == 1)
    ((2, 2), 1, True)
    """
    found = pairwise_cc(dataset, sources, workers=workers, progress=progress)
    return found.mean, len(found.images)


def pairwise_cc(
    dataset: Dataset,
    sources: Iterable[RowSource],
    *,
    workers: int | None = 1,
    progress: Progress = SILENT,
) -> PairwiseCC:
    """Return the correlation of every pair of sources on each image, and what failed; see `agreement`.

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
    outcomes = in_workers(_Pairs(dataset, rows).begin, indices, workers, device=device_of(rows))
    matrices: dict[str, Matrix] = {}
    failures: list[str] = []
    for index, outcome in zip(indices, progress.track(outcomes, len(indices), "images"), strict=True):
        failures += outcome.failures
        if outcome.matrix is not None:
            matrices[dataset.items[index].name] = outcome.matrix
    if not matrices:
        raise UsageError("agreement: no image has a map of every row")
    names = tuple(source.name for source in rows)
    return PairwiseCC(names, tuple(matrices), np.array([*matrices.values()]), tuple(failures))
