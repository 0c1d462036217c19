"""Cutouts of files: what `salbox cutout` does with images."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from ..errors import ImageWarning, SalboxError, UsageError
from ..imaging.inputs import ImageFile
from ..models.model import Model
from ..prediction.batch import BatchPlan, Outcome, still_missing
from ..prediction.images import Pipeline, device_of, memory_errors_named
from ..prediction.stdin import streamed, write_output
from ..system.contents import content_digest
from ..system.workers import check_workers, in_workers
from .cutout_background import Background, parse_background
from .cutout_photo import read_photo
from .cutout_writing import SUFFIXES, check_format, write_cutout
from .cutouts import CutoutOptions, cut_out, object_model
from .matting import chosen_refinement

_WAY_OUT = "a smaller copy of the photo needs less"
_PROBE = np.zeros((1, 1, 3), np.uint8)


@dataclass(frozen=True)
class CutoutPlan:
    """Everything that a batch of cutouts needs to know beside the images.

    Attributes
    ----------
    batch : BatchPlan
        Its one model and how that is loaded, the folder, whether to make again what is there. Outputs go to
        `folder/<relative path>.<format>`.
    options : CutoutOptions
    file_format : {"png", "webp", "jpg"}
    file : Path, optional
        Where the cutout of the only image goes instead.
    """

    batch: BatchPlan
    options: CutoutOptions = field(default_factory=CutoutOptions)
    file_format: str = "png"
    file: Path | None = None

    def __post_init__(self) -> None:
        check_format(self.file_format, is_opaque=self.options.is_opaque)
        if len(self.batch.models) != 1:
            raise UsageError(f"{', '.join(self.batch.models)}: a cutout is made by one model")

    @cached_property
    def background(self) -> Background | None:
        """What cutouts are laid on."""
        if self.options.background is None:
            return None
        return parse_background(self.options.background, max_pixels=self.batch.max_pixels)

    def load(self) -> Model:
        """Return the model."""
        (model,) = self.batch.load()
        return object_model(model)

    def begin(self) -> Callable[[ImageFile], Outcome]:
        """Return what cuts out one image, the model loaded once."""
        pipeline = Pipeline(self.load())
        return lambda image: process(image, pipeline, self)

    def target(self, image: ImageFile) -> Path:
        """Return where the cutout of an image goes."""
        return self.file or self.batch.folder / f"{image.output}{SUFFIXES[self.file_format]}"

    def notes(self, model: Model, source: Path) -> dict[str, Any]:
        """Return what a cutout's file says of how it was made."""
        settings = asdict(self.options) | {"refine": chosen_refinement(self.options.refine)}
        if self.background is not None and self.background.path is not None:
            settings["background"] = content_digest(self.background.path)
        return self.batch.notes(model, source) | {"settings": settings}


def run_cutouts(images: Sequence[ImageFile], plan: CutoutPlan, workers: int | None = None) -> Iterator[Outcome]:
    """Yield one outcome an image, in order; a broken image costs a line, not the run.

    Raises
    ------
    UsageError
        Before the first image: for an unknown model, or one that is none of objects, a background that is none, two
        images that would be given one output, or one that would be given its own photo's.
    """
    check_workers(workers)
    ready(plan)
    refuse_shared_targets(images, plan)
    return in_workers(plan.begin, images, workers, device=device_of(plan.batch.models.values()))


def ready(plan: CutoutPlan) -> None:
    """Raise a SalboxError if a plan cannot be carried out whatever the photo is: said once, not for every image."""
    _ = plan.background
    model = plan.load()
    if not model.own:
        model(_PROBE)


def refuse_shared_targets(images: Sequence[ImageFile], plan: CutoutPlan) -> None:
    """Raise a UsageError if two images would be given one output, or one would take its photo's place."""
    taken: dict[Path, Path] = {}
    for image in images:
        target = plan.target(image)
        other = taken.setdefault(target, image.path)
        if other != image.path:
            raise UsageError(f"{other} and {image.path} would both be written as '{target.name}'; run them apart")
        try:
            is_itself = target.samefile(image.path)
        except OSError:  # not there yet
            continue
        if is_itself:
            raise UsageError(f"{image.path}: the cutout would take the photo's place; choose another folder")


def process(image: ImageFile, pipeline: Pipeline, plan: CutoutPlan) -> Outcome:
    """Return what was written for one image."""
    outcome = Outcome(image.path)
    try:
        with memory_errors_named(image.path, _WAY_OUT):
            _write(image, pipeline, plan, outcome)
    except UsageError as error:  # about what was asked for of this photo, or where it goes
        said = str(error)
        outcome.failures.append(said if said.startswith(str(plan.target(image))) else f"{image.path}: {said}")
    except SalboxError as error:
        outcome.failures.append(str(error))
    return outcome


def _write(image: ImageFile, pipeline: Pipeline, plan: CutoutPlan, outcome: Outcome) -> None:
    notes = plan.notes(pipeline.model, image.path)
    missing = still_missing({plan.target(image): notes}, outcome, overwrite=plan.batch.overwrite)
    if not missing and content_digest(image.path):
        return
    with warnings.catch_warnings(record=True) as raised:
        warnings.simplefilter("always", ImageWarning)
        photo = read_photo(image.path, max_pixels=plan.batch.max_pixels)
        if missing:
            pixels = cut_out(photo, pipeline, plan.options, plan.background)
    for said in dict.fromkeys(str(warning.message) for warning in raised):
        outcome.notes.append(said if said.startswith(str(image.path)) else f"{image.path}: {said}")
    for target in missing:
        write_cutout(target, pixels, plan.file_format, notes, photo.beside)
        outcome.written.append(target)


def cutout_stream(inputs: Sequence[str], plan: CutoutPlan, *, to_output: bool) -> Outcome:
    """Return what came of one image from a file or standard input ("-"), written where the plan says.

    With `to_output` it goes to standard output.

    Raises
    ------
    UsageError
        If there is more than one image, or no standard output.
    ImageError
        If the image cannot be cut out.
    """
    with streamed(inputs, to_output=to_output) as one:
        if to_output:
            plan = replace(plan, file=one.folder / f"out{SUFFIXES[plan.file_format]}")
        outcome = process(one.image, Pipeline(plan.load()), plan)
        one.raise_first(outcome.failures)
        if to_output:
            write_output(outcome.written)
    return outcome
