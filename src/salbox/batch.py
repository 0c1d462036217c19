"""Maps for many images: what `salbox predict` does."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from .errors import SalboxError
from .image import MAX_PIXELS, read_image
from .inputs import ImageFile
from .model import Model
from .registry import load
from .version import __version__
from .writing import suffix, write_map


@dataclass(frozen=True)
class Outcome:
    """What happened to one image: files written, files that were there already, and what failed, a line each."""

    source: Path
    written: list[Path] = field(default_factory=list)
    skipped: list[Path] = field(default_factory=list)
    failures: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class BatchPlan:
    """Everything a batch needs to know beside the images.

    Attributes
    ----------
    models : dict
        Name -> parameters.
    folder : Path
        Outputs go to `folder/<model>/<relative path>.<format>`.
    """

    models: Mapping[str, Mapping[str, Any]]
    folder: Path
    file_format: str = "png"
    overwrite: bool = False
    max_pixels: int = MAX_PIXELS

    def target(self, model: str, image: ImageFile) -> Path:
        """Return where the map of an image goes."""
        return self.folder / model / f"{image.output}{suffix(self.file_format)}"


def run_batch(images: Sequence[ImageFile], plan: BatchPlan) -> Iterator[Outcome]:
    """Yield one outcome an image, in order; a broken image costs a line, not the run.

    Raises
    ------
    UsageError
        Before the first image, for an unknown model, parameter or format.
    """
    suffix(plan.file_format)
    models = [load(name, **parameters) for name, parameters in plan.models.items()]
    return (_process(image, models, plan) for image in images)


def _process(image: ImageFile, models: Iterable[Model], plan: BatchPlan) -> Outcome:
    outcome = Outcome(image.path)
    wanted: list[tuple[Model, Path]] = []
    for model in models:
        target = plan.target(model.name, image)
        if target.exists() and not plan.overwrite:
            outcome.skipped.append(target)
        else:
            wanted.append((model, target))
    try:
        pixels = read_image(image.path, max_pixels=plan.max_pixels) if wanted else None
        for model, target in wanted:
            saliency = model(pixels)  # type: ignore[arg-type]
            notes = {"salbox": __version__, "model": model.name, "parameters": dict(model.parameters)}
            write_map(target, saliency, plan.file_format, notes)
            outcome.written.append(target)
    except SalboxError as error:
        outcome.failures.append(str(error))
    except MemoryError:
        outcome.failures.append(f"{image.path}: not enough memory")
    return outcome
