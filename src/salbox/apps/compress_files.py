"""Compressed copies of files, what `salbox compress` does."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ..errors import SalboxError, UsageError
from ..imaging.image import MAX_PIXELS
from ..imaging.inputs import ImageFile
from ..imaging.partial_files import clear
from ..imaging.writing import atomic
from ..models.loading import load
from ..prediction.images import device_of
from ..system.workers import in_workers
from ._coders import FileFormat
from ._files import noted, refuse_shared_outputs
from .compression import MIN_QUALITY, SUFFIXES, check_options, compress, parse_bytes


@dataclass(frozen=True)
class CompressOutcome:
    """What came of one image: where its copy is, how large both are, and what failed or is to be known."""

    source: Path
    written: Path | None = None
    skipped: Path | None = None
    source_bytes: int = 0
    figures: Mapping[str, Any] = field(default_factory=dict)
    failures: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    def to_dict(self) -> dict[str, Any]:
        """Return it as plain numbers and texts, ready for JSON."""
        return {
            "source": str(self.source),
            "source_bytes": self.source_bytes,
            "written": None if self.written is None else str(self.written),
            "skipped": None if self.skipped is None else str(self.skipped),
            **self.figures,
            "notes": self.notes,
            "failures": self.failures,
        }


@dataclass(frozen=True)
class CompressPlan:
    """Everything that compressed copies need beside the files.

    Attributes
    ----------
    folder : Path
        Copies go to `folder/<relative path>.<suffix>`.
    target_size : int or str, optional
    quality : int, optional
        One of the two; see `compress`.
    file_format : {"jpeg", "webp", "avif"}, optional
    min_quality : int
    model : str
    arguments : mapping
        Keywords of `salbox.load`.
    overwrite : bool
        Make again what is there.
    max_pixels : int
    """

    folder: Path
    target_size: int | str | None = None
    quality: int | None = None
    file_format: FileFormat | None = None
    min_quality: int = MIN_QUALITY
    model: str = "gaze"
    arguments: Mapping[str, Any] = field(default_factory=dict)
    overwrite: bool = False
    max_pixels: int = MAX_PIXELS

    def __post_init__(self) -> None:
        limit = None if self.target_size is None else parse_bytes(self.target_size)
        check_options(limit, self.quality, self.file_format, self.min_quality)

    def begin(self) -> Callable[[ImageFile], CompressOutcome]:
        """Return what compresses one image, the model loaded once."""
        model = load(self.model, **self.arguments)

        def compressed(image: ImageFile) -> CompressOutcome:
            if (there := self.existing(image)) is not None:
                return CompressOutcome(image.path, skipped=there)
            try:
                with noted(image.path) as notes:
                    found = compress(
                        image.path,
                        target_size=self.target_size,
                        quality=self.quality,
                        file_format=self.file_format,
                        min_quality=self.min_quality,
                        model=model,
                        max_pixels=self.max_pixels,
                    )
                path = self.target(image, found.file_format)
                size = image.path.stat().st_size
                if path.exists() and path.samefile(image.path):
                    raise UsageError(f"{image.path}: its copy would take its place; choose another folder")
                with atomic(path) as temporary:
                    temporary.write_bytes(found.data)
                return CompressOutcome(image.path, path, None, size, found.to_dict(), notes=notes)
            except SalboxError as error:
                return CompressOutcome(image.path, failures=[str(error)])

        return compressed

    def target(self, image: ImageFile, file_format: FileFormat) -> Path:
        """Return where a copy goes."""
        return self.folder / f"{image.output}{SUFFIXES[file_format]}"

    def existing(self, image: ImageFile) -> Path | None:
        """Return the copy that an earlier run made; None if there is none, or all are made again."""
        if self.overwrite:
            return None
        clear(self.folder)
        formats = SUFFIXES if self.file_format is None else (self.file_format,)
        candidates = [self.target(image, each) for each in formats]
        return next((path for path in candidates if path.is_file() and not path.samefile(image.path)), None)


def run_compressions(
    images: Sequence[ImageFile], plan: CompressPlan, workers: int | None = None
) -> Iterator[CompressOutcome]:
    """Yield what came of each image, in order; a broken one costs a line, not the run."""
    refuse_shared_outputs(images)
    return in_workers(plan.begin, images, workers, device=device_of([plan.arguments]))
