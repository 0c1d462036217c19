"""Maps for many images: what `salbox predict` does."""

from __future__ import annotations

import contextlib
import os
import warnings
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from ..errors import ImageWarning, SalboxError, UsageError
from ..imaging.image import MAX_PIXELS, read_image
from ..imaging.inputs import ImageFile
from ..imaging.overlays import overlay
from ..imaging.partial_files import clear
from ..imaging.postprocess import NOTHING, PostProcess
from ..imaging.writing import WHITE, suffix, write_map, write_picture
from ..models.cards import to_json
from ..models.foreign_yaml import card_file
from ..models.loading import load_for, model_code
from ..models.model import Model
from ..models.weights import file_hash
from ..paths import user_path
from ..system.contents import content_digest
from ..system.source import UnknownSource
from ..system.workers import check_workers, in_workers
from ..types import Output, Pixels, SaliencyMap
from .differences import made_otherwise
from .images import SMALLER_COPY, ImageMaps, Pipeline, device_of, folder_name, map_notes, memory_errors_named

_PROBE = np.zeros((1, 1, 3), np.uint8)


@dataclass(frozen=True)
class Outcome:
    """What happened to one image: files written, files that were there already, what failed and what to know.

    `otherwise` holds maps that were there and left, but made otherwise than asked for now, each with the difference.
    """

    source: Path
    written: list[Path] = field(default_factory=list)
    skipped: list[Path] = field(default_factory=list)
    failures: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    otherwise: dict[Path, str] = field(default_factory=dict)

    def to_dict(self) -> dict[str, Any]:
        """Return the outcome as plain texts, ready for JSON."""
        return {
            "source": str(self.source),
            "written": [str(path) for path in self.written],
            "skipped": [str(path) for path in self.skipped],
            "failures": self.failures,
            "notes": self.notes,
            "otherwise": {str(path): difference for path, difference in self.otherwise.items()},
        }


@dataclass(frozen=True)
class BatchPlan:
    """Everything a batch needs to know beside the images.

    Attributes
    ----------
    models : dict
        Name -> keywords of `salbox.load`: parameters, weights, device.
    folder : Path
        Outputs go to `folder/<model>/<relative path>.<format>`, overlays beside them as `.overlay.png`.
    postprocess : PostProcess
    size : int, optional
        Compute on a copy of this longest side, and bring the map back to the image's size.
    overlay : float, optional
        The opacity of a heat map over the photo, written beside each map.
    contours : tuple of float
        Lines in the overlay around the regions that hold these shares of the map's mass.
    legend : bool
        A strip below the overlay that says what its colours and lines mean.
    overwrite : bool
        Make again what is there. Else it is left; an outcome says so of a map whose file says that it was made
        otherwise.
    precision, channels_last : str and bool
        How PyTorch networks run; see `Model.run_as`.
    file : Path, optional
        Where the only map goes, its overlay beside it, instead of below the folder.
    """

    models: Mapping[str, Mapping[str, Any]]
    folder: Path
    file_format: str = "png"
    postprocess: PostProcess = NOTHING
    size: int | None = None
    overlay: float | None = None
    contours: tuple[float, ...] = ()
    legend: bool = False
    overwrite: bool = False
    max_pixels: int = MAX_PIXELS
    precision: str = "float32"
    channels_last: bool = False
    file: Path | None = None

    def load(self) -> list[Model]:
        """Return the models, their own smoothing switched off where the post-processing replaces it."""
        models = [load_for(name, arguments, self.postprocess) for name, arguments in self.models.items()]
        return [model.run_as(precision=self.precision, channels_last=self.channels_last) for model in models]

    def pipelines(self) -> list[Pipeline]:
        """Return what makes maps of images, the models loaded."""
        return [Pipeline(model, self.postprocess, size=self.size) for model in self.load()]

    def begin(self) -> Callable[[ImageFile], Outcome]:
        """Return what processes one image, the models loaded once."""
        pipelines = self.pipelines()
        return lambda image: process_image(image, pipelines, self)

    def target(self, model: str, image: ImageFile) -> Path:
        """Return where the map of an image goes."""
        if self.file is not None:
            return self.file
        return self.folder / folder_name(model) / f"{image.output}{suffix(self.file_format)}"

    def overlay_target(self, model: str, image: ImageFile) -> Path:
        """Return where the overlay of an image goes."""
        if self.file is not None:
            return self.file.with_name(f"{self.file.stem}.overlay.png")
        return self.folder / folder_name(model) / f"{image.output}.overlay.png"

    def expected(self, model: str, image: ImageFile, notes: Mapping[str, Any]) -> dict[Path, Mapping[str, Any]]:
        """Return the outputs of an image, its map first, each with what its file says of how it was made."""
        expected: dict[Path, Mapping[str, Any]] = {
            self.target(model, image): {**notes, "white": WHITE.get(self.file_format)}
        }
        if self.overlay is not None:
            expected[self.overlay_target(model, image)] = {**notes, "overlay": self.drawn_as}
        return expected

    @property
    def keeps_log(self) -> bool:
        """Whether a picture of a log density shows its numbers, which were asked for; else the density."""
        return self.postprocess.scale_output == "log-density"

    def notes(self, model: Model, source: Path | None = None, *, digest: str = "") -> dict[str, Any]:
        """Return what a map's file says of how it was made; `source` is the image or video that it is of.

        Of an image that is no file `digest` is that of its bytes.
        """
        parameters = model.card.parameters_to_json(model.parameters)
        notes = map_notes(model.name, parameters=parameters)
        if digest := digest or (content_digest(source) if source is not None else ""):
            notes["source_digest"] = digest
        if model.weights is not None:
            notes["weights_sha256"] = file_hash(model.weights)
            if (beside := card_file(model.weights)) is not None:
                notes["card_sha256"] = file_hash(beside)
        with contextlib.suppress(UnknownSource):
            if model.made_of:
                notes["code"] = model_code(model.made_of)
        if self.postprocess != NOTHING:
            notes["postprocess"] = {k: to_json(v) for k, v in asdict(self.postprocess).items()}
            reference = self.postprocess.histogram_matching_reference
            if isinstance(reference, (str, os.PathLike)) and (digest := content_digest(user_path(reference))):
                notes["reference_digest"] = digest
        if self.size is not None:
            notes["size"] = self.size
        if self.precision != "float32":
            notes["precision"] = self.precision
        return notes

    def write(self, target: Path, saliency: SaliencyMap, output: Output, notes: Mapping[str, Any]) -> None:
        """Write a map with what `notes` gives; a log density as a picture of the density unless it was asked for."""
        write_map(target, saliency, self.file_format, notes, output=output, keep_log=self.keeps_log)

    def write_overlay(
        self, target: Path, pixels: Pixels, saliency: SaliencyMap, output: Output, notes: Mapping[str, Any]
    ) -> None:
        """Write the overlay of a map, (H, W), over its photo, (H, W, 3) uint8, with what `notes` gives."""
        drawn = self.draw(pixels, saliency, output)
        lowest, highest = float(saliency.min()), float(saliency.max())
        write_picture(target, drawn, {**notes, "overlay": self.drawn_as, "minimum": lowest, "maximum": highest})

    def draw(self, pixels: Pixels, saliency: SaliencyMap, output: Output) -> Pixels:
        """Return a photo, (H, W, 3) uint8, under its map, (H, W); with a legend that is a strip higher."""
        alpha = self.overlay or 0
        return overlay(pixels, saliency, alpha=alpha, contours=self.contours, output=output, legend=self.legend)

    @property
    def drawn_as(self) -> dict[str, Any]:
        """What an overlay's file says of how it was drawn."""
        drawn = {"alpha": self.overlay, "contours": list(self.contours)}
        return {**drawn, "legend": True} if self.legend else drawn


def run_batch(images: Sequence[ImageFile], plan: BatchPlan, workers: int | None = None) -> Iterator[Outcome]:
    """Yield one outcome an image, in order; a broken image costs a line, not the run.

    Files are written under a temporary name and renamed, so that an interrupt leaves none half-written and two runs
    on one folder do not harm each other. Each of several workers uses its share of the cores.

    Raises
    ------
    UsageError
        Before the first image, for an unknown model, parameter or format.
    SalboxError
        If a worker process dies.
    """
    check_workers(workers)
    ready(plan, images)
    return in_workers(plan.begin, images, workers, device=device_of(plan.models.values()))


def ready(plan: BatchPlan, images: Iterable[ImageFile] = ()) -> list[Model]:
    """Return the models, loaded and tried: what is wrong with a plan is said once, not for every image.

    Raises
    ------
    UsageError
        For an unknown model, parameter or format, or where two models or images would be given one output.
    """
    suffix(plan.file_format)
    models = plan.load()
    _refuse_shared_targets(images, models, plan)
    for model in models:
        if not model.own:  # somebody's own may need more than a pixel to look at
            model(_PROBE)
    return models


def process_image(image: ImageFile, pipelines: Sequence[Pipeline], plan: BatchPlan) -> Outcome:
    """Return what was written for one image."""
    outcome = Outcome(image.path)
    try:
        with memory_errors_named(image.path, SMALLER_COPY):
            _write_maps(image, pipelines, plan, outcome)
    except SalboxError as error:
        outcome.failures.append(str(error))
    return outcome


def _refuse_shared_targets(images: Iterable[ImageFile], models: Iterable[Model], plan: BatchPlan) -> None:
    """Raise a UsageError if two models or two images would be given one output."""
    folders: dict[str, str] = {}
    for model in models:
        folder = folder_name(model.name)
        if folder in folders:
            raise UsageError(f"maps of '{folders[folder]}' and '{model.name}' would go to one folder; run them apart")
        folders[folder] = model.name
    taken: dict[Path, Path] = {}
    for image in images:
        targets = [plan.target("", image), *([] if plan.overlay is None else [plan.overlay_target("", image)])]
        for target in targets:
            other_image = taken.setdefault(target, image.path)
            if other_image != image.path:
                raise UsageError(
                    f"{other_image} and {image.path} would both be given a file called '{target.name}'; run them apart"
                )


def _write_maps(image: ImageFile, pipelines: Sequence[Pipeline], plan: BatchPlan, outcome: Outcome) -> None:
    notes = {pipeline: plan.notes(pipeline.model, image.path) for pipeline in pipelines}
    wanted = []
    for pipeline in pipelines:
        expected = plan.expected(pipeline.model.name, image, notes[pipeline])
        if targets := still_missing(expected, outcome, overwrite=plan.overwrite):
            wanted.append((pipeline, targets))
    if not wanted and content_digest(image.path):
        return
    with warnings.catch_warnings(record=True) as raised:
        warnings.simplefilter("always", ImageWarning)
        pixels = read_image(image.path, max_pixels=plan.max_pixels)
    outcome.notes.extend(str(warning.message) for warning in raised)
    maps = ImageMaps([pixels], [pipeline for pipeline, _ in wanted], [image.path.name])
    for pipeline, targets in wanted:
        (saliency,) = maps.of(pipeline)
        for target in targets:
            try:
                if target == plan.target(pipeline.model.name, image):
                    plan.write(target, saliency, pipeline.output, notes[pipeline])
                else:
                    plan.write_overlay(target, pixels, saliency, pipeline.output, notes[pipeline])
                outcome.written.append(target)
            except SalboxError as error:  # a name that is too long with one suffix is not with another
                outcome.failures.append(str(error))


def still_missing(expected: Mapping[Path, Mapping[str, Any]], outcome: Outcome, *, overwrite: bool) -> list[Path]:
    """Return the outputs that are to be made; those that are there already go to the outcome.

    None are made beside a map that was made otherwise: an overlay of another map than the one that it lies beside.

    Parameters
    ----------
    expected : {path: mapping}
        What the files say that are made now; the map's first.
    outcome : Outcome
    overwrite : bool
        Make again what is there.
    """
    missing = []
    for place, (path, wanted) in enumerate(expected.items()):
        clear(path.parent)
        if overwrite or not _is_there(path):
            missing.append(path)
        elif difference := made_otherwise(path, wanted):
            outcome.otherwise[path] = difference
            if place == 0:
                return []
        else:
            outcome.skipped.append(path)
    return missing


def _is_there(path: Path) -> bool:
    try:
        return path.is_file()
    except OSError:  # no name that a file can have; writing says why
        return False
