"""Shares of regions for files: what `salbox regions` computes, compares and gives as JSON or rows."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from ..errors import SalboxError, UsageError
from ..imaging.figures import save_figure
from ..imaging.image import MAX_PIXELS
from ..imaging.inputs import ImageFile
from ..imaging.reduced import read_reduced
from ..models.loading import load
from ..models.model import Model
from ..prediction.images import device_of
from ..system.workers import in_workers
from ..types import Pixels
from ._files import noted
from .attention import LOOKED_AT, seen_by
from .region_files import RegionSet
from .region_picture import draw
from .region_shares import SCHEMA, RegionReport, region_report

HEADER = ("region", "share", "rank", "area", "times even", "peak", "first look")
AGAINST = ("before", "change")


@dataclass(frozen=True)
class RegionOutcome:
    """What came of one image: what its regions get, in it and in the one before, and what failed."""

    source: Path
    report: RegionReport | None = None
    before: RegionReport | None = None
    below: list[str] = field(default_factory=list)
    written: list[Path] = field(default_factory=list)
    failures: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    def to_dict(self) -> dict[str, Any]:
        """Return it as plain numbers and texts, ready for JSON."""
        if self.report is None:
            return {"source": str(self.source), "failures": self.failures}
        found = {"source": str(self.source), **self.report.to_dict()}
        if self.before is not None:
            rows = zip(self.report.regions, self.before.regions, strict=True)
            changes = {now.name: round(now.share - then.share, 6) for now, then in rows}
            found |= {"before": self.before.to_dict(), "changes": changes}
        return {**found, "below": self.below, "notes": self.notes}

    def rows(self) -> list[list[str]]:
        """Return the cells of a table, a row a region; see `HEADER` and `AGAINST`."""
        if self.report is None:
            return []
        cells = []
        for number, region in enumerate(self.report.regions):
            row = [region.name, f"{region.share:.3f}", str(region.rank), f"{region.area:.3f}"]
            row += [f"{region.density:.2f}", f"{region.peak:.2f}", str(region.first_look)]
            if self.before is not None:
                then = self.before.regions[number].share
                row += [f"{then:.3f}", f"{region.share - then:+.3f}"]
            cells.append(row)
        return cells


@dataclass(frozen=True)
class RegionPlan:
    """Everything that shares of regions need beside the images.

    Attributes
    ----------
    model : str
    given : RegionSet
    arguments : mapping
        Keywords of `salbox.load`.
    against : Path, optional
        An image to compare with, whose sides stand for those of the first, should they differ.
    least : mapping
        Region -> the share that it has to get.
    folder : Path, optional
        Annotated pictures go to `folder/<relative path>.regions.png`.
    max_pixels : int
    """

    model: str
    given: RegionSet
    arguments: Mapping[str, Any] = field(default_factory=dict)
    against: Path | None = None
    least: Mapping[str, float] = field(default_factory=dict)
    folder: Path | None = None
    max_pixels: int = MAX_PIXELS

    def begin(self) -> Callable[[ImageFile], RegionOutcome]:
        """Return what measures the regions of one image, the model loaded once."""
        model = load(self.model, **self.arguments)

        def measured(image: ImageFile) -> RegionOutcome:
            try:
                with noted(image.path) as notes:
                    outcome = self._measured(image, model)
                outcome.notes.extend(notes)
            except SalboxError as error:
                outcome = RegionOutcome(image.path, failures=[str(error)])
            return outcome

        return measured

    def _measured(self, image: ImageFile, model: Model) -> RegionOutcome:
        pixels, report = self._report(image.path, model)
        before: tuple[Pixels, RegionReport] | None = None
        if self.against is not None:
            before = self._report(self.against, model, like=report)
        outcome = RegionOutcome(image.path, report, None if before is None else before[1])
        for name, least in self.least.items():
            if report[name].share < least:
                outcome.below.append(f"{image.path}: '{name}' gets {report[name].share:.3f}, less than {least:g}")
        if self.folder is not None:
            panels = [(str(image.path.name), pixels, report)]
            if before is not None and self.against is not None:
                panels.insert(0, (str(self.against.name), *before))
            path = self.folder / f"{image.output}.regions.png"
            save_figure(draw(panels), path)
            outcome.written.append(path)
        return outcome

    def _report(self, path: Path, model: Model, like: RegionReport | None = None) -> tuple[Pixels, RegionReport]:
        """Return the copy of an image that was looked at, and what its regions get."""
        pixels, shape = read_reduced(path, LOOKED_AT, max_pixels=self.max_pixels)
        attention = seen_by(model, pixels, shape)
        if like is None:
            return pixels, region_report(attention, self.given.of(path))
        # Laid over the first image's sides: its regions are where they were, whatever this one's size.
        areas = {region.name: area for region, area in zip(like.regions, like.areas, strict=True)}
        return pixels, region_report(replace(attention, shape=like.attention.shape), areas)


def run_regions(images: Sequence[ImageFile], plan: RegionPlan, workers: int | None = None) -> Iterator[RegionOutcome]:
    """Yield what the regions of each image get, in order; a broken image costs a line, not the run.

    Raises
    ------
    UsageError
        If several images are to be compared with one.
    """
    if plan.against is not None and len(images) != 1:
        raise UsageError(f"--against compares one image with another: {len(images)} were given")
    return in_workers(plan.begin, images, workers, device=device_of([plan.arguments]))


def to_json(outcomes: Sequence[RegionOutcome]) -> dict[str, Any]:
    """Return what regions.schema.json describes."""
    images = [outcome.to_dict() for outcome in outcomes if outcome.report is not None]
    failed = [outcome.to_dict() for outcome in outcomes if outcome.report is None]
    return {"schema": SCHEMA, "images": images, "failed": failed}
