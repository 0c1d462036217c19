"""Scanpaths drawn from a model for files, what `salbox scanpath` does."""

from __future__ import annotations

import csv
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from ..errors import SalboxError
from ..imaging.image import MAX_PIXELS, read_image
from ..imaging.inputs import ImageFile
from ..imaging.scanpaths import draw_scanpaths
from ..imaging.writing import atomic, write_picture
from ..models.loading import load
from ..models.scanpath_model import DensityScanpathModel
from ..models.scanpaths import DEFAULT
from ..prediction.images import device_of
from ..system.workers import in_workers
from ._files import noted

HEADER = ("scanpath", "fixation", "x", "y")


@dataclass(frozen=True)
class ScanpathOutcome:
    """What came of one image: its scanpaths, (paths, fixations, 2), files written, what failed or is to be known."""

    source: Path
    paths: npt.NDArray[np.int64] = field(default_factory=lambda: np.zeros((0, 0, 2), np.int64))
    written: list[Path] = field(default_factory=list)
    failures: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    def to_dict(self) -> dict[str, Any]:
        """Return it as plain numbers and texts, ready for JSON."""
        return {
            "source": str(self.source),
            "scanpaths": self.paths.tolist(),
            "written": [str(path) for path in self.written],
            "notes": self.notes,
            "failures": self.failures,
        }

    def rows(self) -> list[list[int]]:
        """Return a row a fixation, as `HEADER` says; scanpaths and fixations are counted from 1."""
        return [[p, n, int(x), int(y)] for p, path in enumerate(self.paths, 1) for n, (x, y) in enumerate(path, 1)]


@dataclass(frozen=True)
class ScanpathPlan:
    """Everything that scanpaths need beside the files.

    Attributes
    ----------
    model : str
        Gives a density.
    arguments : mapping
        Keywords of `salbox.load`.
    fixations, paths : int
        Of a scanpath, and how many of an image.
    seed : int
        The same number draws the same scanpaths.
    saccades : str
        See `DensityScanpathModel`.
    folder : Path, optional
        Pictures go to `folder/<relative path>.scanpath.png`, tables beside them as `.csv`.
    max_pixels : int
    """

    model: str = "gaze"
    arguments: Mapping[str, Any] = field(default_factory=dict)
    fixations: int = 8
    paths: int = 1
    seed: int = 0
    saccades: str = DEFAULT
    folder: Path | None = None
    max_pixels: int = MAX_PIXELS

    def load(self) -> DensityScanpathModel:
        """Return the model; raise a UsageError if it gives no density."""
        return DensityScanpathModel(load(self.model, **self.arguments), self.saccades)

    def begin(self) -> Callable[[ImageFile], ScanpathOutcome]:
        """Return what draws the scanpaths of one image, the model loaded once."""
        model = self.load()

        def drawn(image: ImageFile) -> ScanpathOutcome:
            try:
                with noted(image.path) as notes:
                    outcome = self._drawn(image, model)
                outcome.notes.extend(notes)
            except SalboxError as error:
                outcome = ScanpathOutcome(image.path, failures=[str(error)])
            return outcome

        return drawn

    def _drawn(self, image: ImageFile, model: DensityScanpathModel) -> ScanpathOutcome:
        pixels = read_image(image.path, max_pixels=self.max_pixels)
        outcome = ScanpathOutcome(image.path, model.sample(pixels, self.fixations, self.paths, self.seed))
        if self.folder is not None:
            picture = self.folder / f"{image.output}.scanpath.png"
            write_picture(picture, draw_scanpaths(pixels, list(outcome.paths)))
            table = picture.with_suffix(".csv")
            with atomic(table) as temporary, temporary.open("w", newline="", encoding="utf-8") as file:
                csv.writer(file, lineterminator="\n").writerows([HEADER, *outcome.rows()])
            outcome.written.extend([picture, table])
        return outcome


def run_scanpaths(
    images: Sequence[ImageFile], plan: ScanpathPlan, workers: int | None = None
) -> Iterator[ScanpathOutcome]:
    """Yield the scanpaths of each image, in order; a broken image costs a line, not the run."""
    return in_workers(plan.begin, images, workers, device=device_of([plan.arguments]))
