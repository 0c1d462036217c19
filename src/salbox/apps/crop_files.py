"""Crops of files: windows of images found and written, what `salbox crop` does."""

from __future__ import annotations

import io
import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from PIL import Image

from ..errors import SalboxError, UsageError
from ..imaging.image import MAX_PIXELS
from ..imaging.inputs import ImageFile
from ..imaging.opening import opened
from ..imaging.writing import JPEG_QUALITY, PNG_COMPRESSION, atomic
from ..models.loading import load
from ..prediction.images import device_of, memory_errors_named
from ..prediction.stdin import streamed, write_output
from ..system.workers import in_workers
from ..types import Shape
from ._file_notes import fitting_jpeg, png_options, written_notes
from ._files import MORE_MEMORY, noted, refuse_shared_outputs
from .attention import attend
from .crops import Crop, CropOptions, best_crop
from .sizes import Size

# What a crop is written as -> its suffix; of other kinds PNG.
KINDS = {"JPEG": ".jpg", "PNG": ".png", "WEBP": ".webp", "TIFF": ".tif"}
_OPTIONS: dict[str, dict[str, Any]] = {
    "JPEG": {"quality": JPEG_QUALITY, "optimize": True},
    "PNG": {"compress_level": PNG_COMPRESSION},
    "WEBP": {"quality": JPEG_QUALITY},
    "TIFF": {"compression": "tiff_deflate"},
}


@dataclass(frozen=True)
class CropOutcome:
    """What came of one image or video: its crops, which were written, which keep too little, and what failed."""

    source: Path
    shape: tuple[int, int] | None = None
    crops: list[dict[str, Any]] = field(default_factory=list)
    written: list[Path] = field(default_factory=list)
    too_little: list[str] = field(default_factory=list)
    failures: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    def to_dict(self, model: str) -> dict[str, Any]:
        """Return it as plain numbers and texts, ready for JSON."""
        size = {} if self.shape is None else {"width": self.shape[1], "height": self.shape[0]}
        found: dict[str, Any] = {"source": str(self.source), "model": model, **size, "crops": self.crops}
        return {**found, "notes": self.notes, "failures": self.failures}


@dataclass(frozen=True)
class CropPlan:
    """Everything that crops of files need beside the files.

    Attributes
    ----------
    model : str
    arguments : mapping
        Keywords of `salbox.load`.
    sizes : sequence of Size
    options : CropOptions
    folder : Path, optional
        Crops go to `folder/<relative path>.<size>.<suffix>`; without one they are only found.
    min_kept : float
        A crop that keeps less is not written.
    max_pixels : int
    """

    model: str
    sizes: Sequence[Size]
    arguments: Mapping[str, Any] = field(default_factory=dict)
    options: CropOptions = field(default_factory=CropOptions)
    folder: Path | None = None
    min_kept: float = 0.0
    max_pixels: int = MAX_PIXELS

    def __post_init__(self) -> None:
        if not 0 <= self.min_kept <= 1:
            raise UsageError(f"min-kept {self.min_kept:g}: expected a share of attention, 0 to 1")
        if len({size.slug for size in self.sizes}) < len(self.sizes):
            raise UsageError(
                f"sizes {', '.join(size.text for size in self.sizes)}: two of them have one name; run them apart"
            )

    def begin(self) -> Callable[[ImageFile], CropOutcome]:
        """Return what crops one image, the model loaded once."""
        model = load(self.model, **self.arguments)

        def cropped(image: ImageFile) -> CropOutcome:
            outcome = CropOutcome(image.path)
            try:
                with noted(image.path) as notes:
                    attention = attend(image.path, model, max_pixels=self.max_pixels)
                    crops = [best_crop(attention, size, self.options) for size in self.sizes]
                outcome = CropOutcome(image.path, attention.shape, notes=notes)
                self.record(image, crops, outcome)
            except SalboxError as error:
                outcome.failures.append(str(error))
            return outcome

        return cropped

    def record(self, image: ImageFile, crops: Sequence[Crop], outcome: CropOutcome) -> None:
        """Write the crops of an image that keep enough, if there is a folder, and add all to the outcome."""
        good = [each for each in crops if each.kept >= self.min_kept]
        with memory_errors_named(image.path, MORE_MEMORY):
            paths = dict(self._write(image, good, outcome)) if self.folder is not None and good else {}
        for each in crops:
            written = paths.get(each.size.text)
            place = {} if self.folder is None else {"written": None if written is None else str(written)}
            outcome.crops.append({**each.to_dict(), **place})
            if each.kept < self.min_kept:
                outcome.too_little.append(f"{image.path} at {each.size.text} keeps {each.kept:.2f}")
        outcome.written.extend(paths.values())

    def target(self, image: ImageFile, size: Size, suffix: str) -> Path:
        """Return where a crop goes."""
        if self.folder is None:
            raise AssertionError("no folder to write to")
        return self.folder / f"{image.output}.{size.slug}{suffix}"

    def _write(self, image: ImageFile, crops: Sequence[Crop], outcome: CropOutcome) -> Iterator[tuple[str, Path]]:
        """Write crops of an image; yield each one's size and where it went."""
        with opened(image.path, max_pixels=self.max_pixels) as picture, warnings.catch_warnings():
            warnings.simplefilter("ignore")
            kind = {"MPO": "JPEG"}.get(picture.kind, picture.kind)
            kind = kind if kind in KINDS else "PNG"
            pixels = picture.decoded()
            # Behind it: the orientation, which is taken out of the notes, has been followed by now.
            notes = written_notes(picture.image)
            if profile := picture.image.info.get("icc_profile"):
                notes["icc_profile"] = profile
        for each in crops:
            path = self.target(image, each.size, KINDS[kind])
            content = encoded(cut_out(pixels, each), kind, notes)
            with atomic(path) as temporary:
                temporary.write_bytes(content)
            height, width = each.size.pixels or (0, 0)
            if (scale := max(height / each.box.height, width / each.box.width)) > 1:
                outcome.notes.append(f"{path}: enlarged {scale:.2f} times, from {each.box.width}x{each.box.height}")
            yield each.size.text, path


def run_crops(images: Sequence[ImageFile], plan: CropPlan, workers: int | None = None) -> Iterator[CropOutcome]:
    """Yield what came of each image, in order; a broken one costs a line, not the run."""
    if plan.folder is not None:
        refuse_shared_outputs(images)
    return in_workers(plan.begin, images, workers, device=device_of([plan.arguments]))


def crop_stream(inputs: Sequence[str], plan: CropPlan, *, to_output: bool) -> CropOutcome:
    """Return what came of one image from a file or standard input ("-"), its crops written where the plan says.

    With `to_output` the crop goes to standard output.

    Raises
    ------
    UsageError
        If there is more than one image; with `to_output` if there is more than one size, or no standard output.
    ImageError
        If the image cannot be cropped.
    """
    if to_output and len(plan.sizes) != 1:
        raise UsageError("standard output holds one crop: give one size")
    with streamed(inputs, to_output=to_output) as one:
        here = replace(plan, folder=one.folder / "crops") if to_output else plan
        outcome = here.begin()(one.image)
        one.raise_first(outcome.failures)
        if to_output:
            write_output(outcome.written)
    too_little, notes = ([one.named(text) for text in texts] for texts in (outcome.too_little, outcome.notes))
    return replace(outcome, source=one.source, too_little=too_little, notes=notes)


def cut_out(image: Image.Image, crop: Crop) -> Image.Image:
    """Return the window of a picture, in its own mode; of a size in pixels brought to it."""
    box = crop.box
    window = image.crop((box.x, box.y, box.right, box.bottom))
    if crop.size.pixels is None or crop.size.pixels == (box.height, box.width):
        return window
    if window.mode in ("P", "PA", "1"):  # numbers of colours have no mean
        window = window.convert("L" if window.mode == "1" else "RGBA" if window.has_transparency_data else "RGB")
    return brought_to(window, crop.size.pixels)


def brought_to(window: Image.Image, shape: Shape) -> Image.Image:
    """Return a window of a photo or a frame at a size, (H, W), in pixels."""
    return window.resize(shape[::-1], Image.Resampling.LANCZOS)


def encoded(image: Image.Image, kind: str, notes: Mapping[str, Any]) -> bytes:
    """Return a picture as a file of one of `KINDS`, with those of its notes that the kind has."""
    if kind == "WEBP" and image.mode not in ("RGB", "RGBA"):
        image = image.convert("RGBA" if image.has_transparency_data else "RGB")
    if kind == "PNG" and image.mode not in ("1", "L", "LA", "P", "RGB", "RGBA", "I;16", "I"):
        image = image.convert("RGB")
        notes = {name: value for name, value in notes.items() if name != "icc_profile"}
    fitting = {"PNG": png_options, "JPEG": fitting_jpeg}.get(kind, dict)
    buffer = io.BytesIO()
    image.save(buffer, kind, **_OPTIONS[kind], **fitting(notes))
    return buffer.getvalue()
