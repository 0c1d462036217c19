"""Agreement, collected while models are evaluated, so that no map is made twice, and kept for the next page."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from ..datasets import Dataset
from ..evaluation import MapSource, ModelSource
from ..evaluation.running import Scored, results_folder
from ..evaluation.sources import MapScorer, Results, RowSource, Scorer, score_map
from ..evaluation.store import Store
from ..evaluation.truth import ImageTruth
from ..metrics import Metric, cc
from ..system.identity import code_identity
from ..system.progress import Progress
from ._keys import image_key, settings_key
from ._maps import Mapped, common_size, make_maps
from .content import Agreement

_SMALL = "small map of "  # marks what is passed along with an image's figures; the image's name follows


@dataclass(frozen=True)
class _KeptModel(ModelSource):
    def scorer(self) -> Scorer:
        """Return what scores one image and gives its map along."""
        return _KeepingScorer(self.mapper(), self.output)


@dataclass(frozen=True)
class _KeptMaps(MapSource):
    def scorer(self) -> Scorer:
        """Return what scores one image and gives its map along."""
        return _KeepingScorer(self.mapper(), self.output)


def keeping_maps(source: RowSource) -> RowSource:
    """Return the same row, which gives small maps along with its figures; `Correlations.collect` takes them out."""
    given = {f.name: getattr(source, f.name) for f in fields(source)}
    return _KeptMaps(**given) if isinstance(source, MapSource) else _KeptModel(**given)


@dataclass(frozen=True)
class _KeepingScorer(MapScorer):
    def __call__(self, truth: ImageTruth, metrics: Sequence[Metric]) -> Results:
        """Return the metrics of an image's map, and the map at a small size."""
        saliency = self.mapper(truth)
        results = score_map(saliency, self.output, truth, metrics)
        name = truth.truths.dataset.items[truth.index].name
        return {**results, _SMALL + name: common_size(saliency, self.output)}


class Correlations:
    """The correlation of every pair of rows' maps, image by image, kept on disk.

    Parameters
    ----------
    dataset : Dataset
    sources : models or maps
    folder : Path
        Where results are kept.
    """

    def __init__(self, dataset: Dataset, sources: Sequence[RowSource], folder: Path) -> None:
        self._dataset, self._sources = dataset, tuple(sources)
        self._digests = [settings_key(source.settings()) for source in sources]
        self._keys = {item.name: image_key(dataset, index) for index, item in enumerate(dataset.items)}
        settings = {"measured_by": code_identity(__name__), "compared": "correlation at 320x240"}
        self._store = Store(results_folder(folder, dataset), "agreement", settings)

    def collect(self, outcomes: Iterable[Scored]) -> Iterator[Scored]:
        """Pass outcomes of an evaluation through, without the small maps, which are compared."""
        for scored in outcomes:
            small: dict[str, dict[int, npt.NDArray[Any]]] = {}
            for number, results in scored.results.items():
                for key in [key for key in results if key.startswith(_SMALL)]:
                    small.setdefault(key.removeprefix(_SMALL), {})[number] = np.asarray(results.pop(key))
            for image, maps in small.items():
                self._add(image, maps)
            yield scored

    def complete(
        self, images: Sequence[str], workers: int | None, progress: Progress
    ) -> tuple[Agreement | None, list[str]]:
        """Return the mean over images, what is missing of it computed, and what failed.

        None if no image has all maps.
        """
        place = {item.name: index for index, item in enumerate(self._dataset.items)}
        wanted = {place[image]: self._missing(image) for image in images}
        failures: list[str] = []
        mapped: Mapped
        for mapped in make_maps(
            self._dataset, self._sources, wanted, common_size, workers=workers, progress=progress, title="agreement"
        ):
            self._add(self._dataset.items[mapped.index].name, mapped.maps)
            failures += mapped.failures
        known = [image for image in images if not self._missing(image)]
        if not known:
            return None, failures
        number = len(self._sources)
        total = np.zeros((number, number))
        for image in known:
            values = self._store.results[self._keys[image]]
            total += [[float(values[self._key(a, b)]) for b in range(number)] for a in range(number)]
        return Agreement(tuple(s.name for s in self._sources), total / len(known), len(known)), failures

    def _key(self, a: int, b: int) -> str:
        return "-".join(sorted((self._digests[a], self._digests[b])))

    def _missing(self, image: str) -> set[int]:
        """Return the rows that a pair not yet known of an image is of."""
        there = self._store.results.get(self._keys[image], {})
        rows = range(len(self._sources))
        return {row for a in rows for b in rows if self._key(a, b) not in there for row in (a, b)}

    def _add(self, image: str, maps: Mapping[int, npt.NDArray[Any]]) -> None:
        there = self._store.results.get(self._keys[image], {})
        found = {
            key: cc(first, second)
            for a, first in maps.items()
            for b, second in maps.items()
            if a <= b and (key := self._key(a, b)) not in there
        }
        if found:
            self._store.add(self._keys[image], found)
