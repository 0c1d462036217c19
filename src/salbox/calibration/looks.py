"""What a fit sees of a photo beside a model's map: the features that its network reads it off."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from ..datasets import Dataset
from ..errors import ImageWarning, SalboxError
from ..evaluation.sources import ModelSource, device_of
from ..imaging.postprocess import NOTHING
from ..models.readouts import looks_of, reduced, shown_by
from ..prediction.images import Pipeline
from ..system.progress import SILENT, Progress
from ..system.workers import in_workers
from .observed import Maps, on_working_scale

SmallFeatures = npt.NDArray[np.float16]


def shown_of(source: ModelSource) -> str:
    """Return whose features a row's model shows, as `Readout.network` has it; empty if it shows none."""
    pipeline = _pipeline(source)
    is_plain = pipeline.postprocess == NOTHING and pipeline.size is None and pipeline.longest_side is None
    return shown_by(pipeline.model) if is_plain else ""


@dataclass(frozen=True)
class _Looking:
    """What a worker has to know to look at photos."""

    dataset: Dataset
    source: ModelSource

    def begin(self) -> Callable[[int], tuple[Maps, SmallFeatures] | str]:
        pipeline = _pipeline(self.source)
        looks = looks_of(pipeline.model)

        def look(index: int) -> tuple[Maps, SmallFeatures] | str:
            try:
                with warnings.catch_warnings():
                    warnings.simplefilter("ignore", ImageWarning)
                    found = looks(self.dataset.pixels(index))
            except SalboxError as error:
                return f"{self.dataset.items[index].name}: {error}"
            values = on_working_scale(found.log_density, "log_density")
            return {self.source.name: values}, reduced(found.features).astype(np.float16)

        return look


def read_looks(
    dataset: Dataset,
    source: ModelSource,
    indices: Sequence[int],
    workers: int | None = 1,
    progress: Progress = SILENT,
) -> tuple[dict[int, Maps], dict[int, SmallFeatures], list[str]]:
    """Return what `read_maps` does of one model that shows its features, and {index: those, (C, h, w)}, reduced."""
    maps: dict[int, Maps] = {}
    features: dict[int, SmallFeatures] = {}
    failures = []
    outcomes = in_workers(_Looking(dataset, source).begin, indices, workers, device=device_of([source]))
    for index, outcome in zip(indices, progress.track(outcomes, len(indices), "maps"), strict=True):
        if isinstance(outcome, str):
            failures.append(outcome)
        else:
            maps[index], features[index] = outcome
    return maps, features, failures


def _pipeline(source: ModelSource) -> Pipeline:
    (pipeline,) = source.mapper().pipelines  # type: ignore[attr-defined]
    assert isinstance(pipeline, Pipeline)  # noqa: S101  # one model, run on each photo
    return pipeline
