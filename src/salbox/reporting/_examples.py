"""Which images and pictures go onto the page, and what is counted."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from ..datasets import Dataset
from ..errors import SalboxError
from ..evaluation import Evaluation, MapSource
from ..evaluation.sources import RowSource
from ..system.progress import Progress
from ._choosing import contested, extremes, image_values, ranking_metric, shared_metric
from ._thumbnails import map_pictures, photo
from .content import Example, ModelPart, Photo, Picture, SideBySide, ranked


class Examples:
    """The images that a page has pictures of: chosen at once, their pictures made by `make`.

    Parameters
    ----------
    dataset : Dataset
    evaluation : Evaluation
    sources : models or maps
        Rows of the evaluation.
    number : int
        Of best and of worst images a row, and of images on which all are compared.
    """

    def __init__(self, dataset: Dataset, evaluation: Evaluation, sources: Sequence[RowSource], number: int) -> None:
        self._dataset, self._evaluation, self._sources = dataset, evaluation, tuple(sources)
        place = {item.name: index for index, item in enumerate(dataset.items)}
        self._indices = [place[name] for name in evaluation.images]
        rows = [source.name for source in sources]
        self._metrics = [ranking_metric(evaluation, row) for row in rows]
        self._values = [image_values(evaluation, row, m) for row, m in zip(rows, self._metrics, strict=True)]
        self._extremes = [extremes(v, m, number) for v, m in zip(self._values, self._metrics, strict=True)]
        self._shared = shared_metric(evaluation, rows) if len(rows) > 1 else None
        self._contested = [] if self._shared is None else contested(evaluation, rows, self._shared, number)
        self._maps: dict[tuple[int, int], Picture] = {}
        self._photos: dict[int, Photo] = {}

    def make(self, sigma: float | None, folder: Path, workers: int | None, progress: Progress) -> list[str]:
        """Make the pictures and return what failed; parameters as in `gather`."""
        everyone = range(len(self._sources))
        wanted: dict[int, set[int]] = {self._indices[k]: set(everyone) for k in self._contested}
        for number, (best, worst) in enumerate(self._extremes):
            for k in (*best, *worst):
                wanted.setdefault(self._indices[k], set()).add(number)
        self._maps, failures = map_pictures(
            self._dataset, self._sources, wanted, folder, workers=workers, progress=progress
        )
        self._photos = {index: photo(self._dataset, index, sigma) for index in wanted}
        return failures

    def parts(self) -> tuple[ModelPart, ...]:
        """Return what is said and shown of each row, the best first."""
        order = ranked(self._evaluation)
        numbers = sorted(range(len(self._sources)), key=lambda number: order.index(self._sources[number].name))
        return tuple(self._part(number) for number in numbers)

    def side_by_side(self) -> tuple[SideBySide, ...]:
        """Return the images that the rows differ most on."""
        if self._shared is None:
            return ()
        values = [image_values(self._evaluation, source.name, self._shared) for source in self._sources]
        return tuple(
            SideBySide(
                self._photos[self._indices[k]],
                self._shared,
                {
                    source.name: self._example(number, k, float(values[number][k]))
                    for number, source in enumerate(self._sources)
                },
            )
            for k in self._contested
        )

    def _part(self, number: int) -> ModelPart:
        source, values = self._sources[number], self._values[number]
        how = self._evaluation.facts.get(source.name, "")
        if isinstance(source, MapSource):
            # As it was given: a page that is passed on need not tell where somebody keeps things.
            how = how.replace(str(source.folder.path.resolve()), str(source.folder.path))
        best, worst = (
            tuple(self._example(number, k, float(values[k])) for k in chosen) for chosen in self._extremes[number]
        )
        model_card = None if isinstance(source, MapSource) else source.card
        return ModelPart(source.name, model_card, how, self._metrics[number], best, worst)

    def _example(self, number: int, k: int, value: float) -> Example:
        index = self._indices[k]
        return Example(self._photos[index], self._maps.get((index, number)), value)


def counts(dataset: Dataset, evaluation: Evaluation) -> dict[str, str]:
    """Return what there is, in words: images, their sizes, fixations and observers of those that were measured."""
    place = {item.name: index for index, item in enumerate(dataset.items)}
    chosen = [place[name] for name in evaluation.images]
    found = {"images": f"{len(chosen):,}"}
    sizes = {dataset.shape(index)[::-1] for index in chosen}
    low, high = min(sizes, key=np.prod), max(sizes, key=np.prod)
    found["image sizes"] = f"{low[0]}x{low[1]}" + (f" to {high[0]}x{high[1]}" if len(sizes) > 1 else "") + " pixels"
    if "fixations" in dataset.gives:
        try:
            fixations = [dataset.fixations(index) for index in chosen]
        except SalboxError:
            return found  # metrics against the publisher's densities never read them
        found["fixations"] = f"{sum(map(len, fixations)):,}"
        observers = {len(f.subjects) for f in fixations}
        if max(observers) > 1:
            found["observers an image"] = _range(min(observers), max(observers))
    return found


def _range(low: int, high: int) -> str:
    return str(low) if low == high else f"{low} to {high}"
