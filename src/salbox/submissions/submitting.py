"""Maps of all images of a benchmark into the file that it takes."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from ..datasets import Dataset
from ..errors import SalboxError, UsageError
from ..evaluation.sources import Mapper, ModelSource, device_of
from ..evaluation.truth import Truths
from ..prediction.images import FEWER_WORKERS, memory_errors_named
from ..system.contents import DIGEST_BYTES, content_digests
from ..system.progress import SILENT, Progress
from ..system.workers import check_workers, in_workers
from ..types import Output
from ._part import Submission
from .benchmarks import get_benchmark, key_of
from .checking import Checked, check_submission, stored_key
from .hdf5 import Hdf5Submission
from .salicon import SaliconSubmission


class MapProvider(Protocol):
    """What makes maps: `ModelSource`, `MapSource` and `PysaliencySource` are some."""

    @property
    def name(self) -> str:
        """What it is called."""
        ...

    @property
    def output(self) -> Output:
        """What the numbers of its maps are."""
        ...

    def settings(self) -> dict[str, Any]:
        """Return everything that its maps depend on, ready for JSON."""
        ...

    def mapper(self) -> Mapper:
        """Return what makes the map of an image."""
        ...


@dataclass(frozen=True)
class Computed:
    """One image's map, or why there is none."""

    index: int
    saliency: npt.NDArray[Any] | None
    failures: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class _Work:
    images: Dataset
    source: MapProvider

    def begin(self) -> Callable[[int], Computed]:
        mapper, truths = self.source.mapper(), Truths(self.images)

        def compute(index: int) -> Computed:
            path = self.images.items[index].image
            try:
                with memory_errors_named(path, FEWER_WORKERS):
                    saliency, shape = mapper(truths.of(index)), self.images.shape(index)
                    if saliency.shape != shape:
                        size = f"{saliency.shape[1]}x{saliency.shape[0]}"
                        raise UsageError(f"a map of {size} for an image of {shape[1]}x{shape[0]}")
                    if not np.isfinite(saliency).all():
                        raise UsageError("the map holds values that are not finite numbers")
            except SalboxError as error:
                where = "" if str(path) in str(error) else f"{path}: "
                return Computed(index, None, [f"{where}{error}"])
            return Computed(index, saliency)

        return compute


def submit(
    benchmark: str,
    images: Dataset,
    source: MapProvider,
    output: Path,
    *,
    overwrite: bool = False,
    workers: int | None = 1,
    progress: Progress = SILENT,
) -> Checked:
    """Write a benchmark's file, read it back, and return what is in it.

    The file gets its name when all maps are in it; until then it is `FILE.part`, and a second run of the same source
    goes on with it. Of an image that changed meanwhile the map is made again.

    Parameters
    ----------
    benchmark : str
        One of `BENCHMARKS`.
    images : Dataset
        From `benchmark_images`.
    source : ModelSource, MapSource or PysaliencySource
        What makes the maps. A log density stays one in an HDF5 file; SALICON's pictures are of the density.
    output : Path
    overwrite : bool
        Whether a file that is there is replaced.
    workers : int, optional
        Processes; None for as many as the cores allow.
    progress : Progress, optional
        Takes how far it is, and what failed.

    Raises
    ------
    UsageError
        If the file is there already or cannot be written, or an image has no map.
    MissingExtraError
        If a needed package is not installed.

    Examples
    --------
    >>> from salbox.evaluation import ModelSource
    >>> from salbox.submissions import benchmark_images, submit
    >>> images = benchmark_images("mit300", Path("BenchmarkIMAGES"))  # doctest: +SKIP
    >>> submit("mit300", images, ModelSource("gbvs"), Path("gbvs.h5")).maps  # doctest: +SKIP
    300
    """
    layout = get_benchmark(benchmark).layout
    _check_target(output, overwrite, workers)
    _check_sizes(benchmark, images)
    kind = SaliconSubmission if layout == "json" else Hdf5Submission
    keys = [stored_key(layout, key_of(item)) for item in images.items]
    with kind(output, {"benchmark": benchmark, **source.settings()}, _contents(images, keys)) as file:
        _fill(file, images, source, keys, workers, progress)
    return check_submission(benchmark, output, images)


def export_hdf5(
    images: Dataset,
    source: MapProvider,
    output: Path,
    *,
    overwrite: bool = False,
    workers: int | None = 1,
    progress: Progress = SILENT,
) -> None:
    """Write the maps of any dataset's images to an HDF5 file, as pysaliency's `export_model_to_hdf5` calls them.

    A map is called by its image's path without the folders that all images have in common. Parameters and Raises as
    `submit`.

    Examples
    --------
    >>> from salbox.datasets import open_dataset
    >>> export_hdf5(open_dataset("osie:OSIE"), ModelSource("gbvs"), Path("gbvs.h5"))  # doctest: +SKIP
    """
    _check_target(output, overwrite, workers)
    keys = unique_paths([item.image for item in images.items])
    with Hdf5Submission(output, {"dataset": images.card.name, **source.settings()}, _contents(images, keys)) as file:
        _fill(file, images, source, keys, workers, progress)


def _contents(images: Dataset, keys: Sequence[str]) -> dict[str, str]:
    """Return key -> what its map is made of: the image's name and a digest of its file."""
    digests = content_digests([item.image for item in images.items])
    return {
        key: hashlib.blake2b(repr((item.name, digest)).encode(), digest_size=DIGEST_BYTES).hexdigest()
        for key, item, digest in zip(keys, images.items, digests, strict=True)
    }


def unique_paths(files: Sequence[Path]) -> list[str]:
    """Return paths without the folders that all have in common."""
    common = os.path.commonpath([str(path.absolute().parent) for path in files]) if files else ""
    return [path.absolute().relative_to(common).as_posix() for path in files]


def _fill(
    file: Submission,
    images: Dataset,
    source: MapProvider,
    keys: Sequence[str],
    workers: int | None,
    progress: Progress,
) -> None:
    """Add the maps that are not there, and give the file its name; raise UsageError if an image has none."""
    missing = [index for index, key in enumerate(keys) if key not in file.there]
    failures: list[str] = []
    device = device_of([source]) if isinstance(source, ModelSource) else None
    outcomes = in_workers(_Work(images, source).begin, missing, workers, device=device) if missing else iter(())
    for computed in progress.track(outcomes, len(missing), "images"):
        failures += computed.failures
        if computed.saliency is not None:
            file.add(keys[computed.index], computed.saliency, source.output)
    if failures:
        raise UsageError(
            f"{file.path}: not written, {len(failures)} of {len(keys)} images have no map ({failures[0]}); "
            "the others are kept, a second run goes on"
        )
    file.finish()


def _check_target(output: Path, overwrite: bool, workers: int | None) -> None:
    if output.exists() and not overwrite:
        raise UsageError(f"{output}: is there already; --overwrite replaces it")
    check_workers(workers)


def _check_sizes(benchmark: str, images: Dataset) -> None:
    """Raise UsageError if an image is of another size than the benchmark's; said before hours of computing."""
    expected = get_benchmark(benchmark).shape
    if expected is None:
        return
    for index, item in enumerate(images.items):
        if (shape := images.shape(index)) != expected:
            raise UsageError(
                f"{item.image}: {shape[1]}x{shape[0]} pixels, but the images of {benchmark} have "
                f"{expected[1]}x{expected[0]}"
            )
