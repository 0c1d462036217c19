"""What a fit sees of a photo beside a model's map: the features that its network reads it off."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from ..datasets import Dataset
from ..evaluation.sources import ModelSource
from ..imaging.postprocess import NOTHING
from ..models.readouts import looks_of, reduced, shown_by
from ..system.progress import SILENT, Progress
from ..types import Pixels
from .observed import Maps, on_working_scale, pipeline_of, read_each, read_photo

SmallFeatures = npt.NDArray[np.float16]


def shown_of(source: ModelSource) -> str:
    """Return whose features a row's model shows, as `Readout.network` has it; empty if it shows none."""
    pipeline = pipeline_of(source)
    is_plain = pipeline.postprocess == NOTHING and pipeline.size is None and pipeline.longest_side is None
    return shown_by(pipeline.model) if is_plain else ""


@dataclass(frozen=True)
class _Looking:
    """What a worker has to know to look at photos."""

    dataset: Dataset
    source: ModelSource

    def begin(self) -> Callable[[int], tuple[Maps, SmallFeatures] | str]:
        looks = looks_of(pipeline_of(self.source).model)

        def look(pixels: Pixels) -> tuple[Maps, SmallFeatures]:
            found = looks(pixels)
            values = on_working_scale(found.log_density, "log_density")
            return {self.source.name: values}, reduced(found.features).astype(np.float16)

        return lambda index: read_photo(self.dataset, index, look)


def read_looks(
    dataset: Dataset,
    source: ModelSource,
    indices: Sequence[int],
    workers: int | None = 1,
    progress: Progress = SILENT,
) -> tuple[dict[int, Maps], dict[int, SmallFeatures], list[str]]:
    """Return what `read_maps` does of one model that shows its features, and {index: those, (C, h, w)}, reduced."""
    found, failures = read_each(_Looking(dataset, source).begin, [source], indices, workers, progress)
    maps = {index: own for index, (own, _) in found.items()}
    return maps, {index: features for index, (_, features) in found.items()}, failures
