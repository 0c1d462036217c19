"""Maps for many images: what `salbox predict` does."""

from __future__ import annotations

import contextlib
import json
import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from ..errors import ImageWarning, SalboxError
from ..imaging.image import MAX_PIXELS, read_image
from ..imaging.inputs import ImageFile
from ..imaging.plots import overlay, visible
from ..imaging.postprocess import NOTHING, PostProcess
from ..imaging.writing import read_notes, suffix, write_map, write_picture
from ..models.foreign_yaml import card_file
from ..models.loading import load_for, own_code
from ..models.model import Model
from ..models.weights import file_hash
from ..system.source import UnknownSource
from ..system.workers import check_workers, in_workers
from ..types import Pixels, SaliencyMap
from .images import SMALLER_COPY, ImageMaps, Pipeline, device_of, folder_name, map_notes, memory_errors_named

_NOTED = ("model", "weights_sha256", "card_sha256", "code", "size", "precision")
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
    overwrite : bool
        Make again what is there. Else it is left; an outcome says so of a map whose file says that it was made
        otherwise.
    precision, channels_last : str and bool
        How PyTorch networks run; see `Model.run_as`.
    """

    models: Mapping[str, Mapping[str, Any]]
    folder: Path
    file_format: str = "png"
    postprocess: PostProcess = NOTHING
    size: int | None = None
    overlay: float | None = None
    contours: tuple[float, ...] = ()
    overwrite: bool = False
    max_pixels: int = MAX_PIXELS
    precision: str = "float32"
    channels_last: bool = False

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
        return self.folder / folder_name(model) / f"{image.output}{suffix(self.file_format)}"

    def overlay_target(self, model: str, image: ImageFile) -> Path:
        """Return where the overlay of an image goes."""
        return self.folder / folder_name(model) / f"{image.output}.overlay.png"

    def notes(self, model: Model) -> dict[str, Any]:
        """Return what a map's file says of how it was made."""
        parameters = model.card.parameters_to_json(model.parameters)
        notes = map_notes(model.name, parameters=parameters)
        if model.weights is not None:
            notes["weights_sha256"] = file_hash(model.weights)
            if (beside := card_file(model.weights)) is not None:
                notes["card_sha256"] = file_hash(beside)
        with contextlib.suppress(UnknownSource):
            if model.loaded_as is not None and (code := own_code(model.loaded_as.name)):
                notes["code"] = code
        if self.postprocess != NOTHING:
            notes["postprocess"] = {
                k: str(v) if isinstance(v, Path) else v for k, v in asdict(self.postprocess).items()
            }
        if self.size is not None:
            notes["size"] = self.size
        if self.precision != "float32":
            notes["precision"] = self.precision
        return notes


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
    suffix(plan.file_format)
    check_workers(workers)
    for model in plan.load():
        if not model.own:  # somebody's own may need more than a pixel to look at
            model(_PROBE)  # what is wrong with a model's parameters or files is said once, not for every image
    return in_workers(plan.begin, images, workers, device=device_of(plan.models.values()))


def process_image(image: ImageFile, pipelines: Sequence[Pipeline], plan: BatchPlan) -> Outcome:
    """Return what was written for one image."""
    outcome = Outcome(image.path)
    try:
        with memory_errors_named(image.path, SMALLER_COPY):
            _write_maps(image, pipelines, plan, outcome)
    except SalboxError as error:
        outcome.failures.append(str(error))
    return outcome


def _write_maps(image: ImageFile, pipelines: Sequence[Pipeline], plan: BatchPlan, outcome: Outcome) -> None:
    wanted = [(each, targets) for each in pipelines if (targets := _missing(image, each.model, plan, outcome))]
    if not wanted:
        return
    with warnings.catch_warnings(record=True) as raised:
        warnings.simplefilter("always", ImageWarning)
        pixels = read_image(image.path, max_pixels=plan.max_pixels)
    outcome.notes.extend(str(warning.message) for warning in raised)
    maps = ImageMaps([pixels], [pipeline for pipeline, _ in wanted], [image.path.name])
    for pipeline, targets in wanted:
        (saliency,) = maps.of(pipeline)
        _write(image, pixels, saliency, targets, plan, pipeline)
        outcome.written.extend(targets)


def _missing(image: ImageFile, model: Model, plan: BatchPlan, outcome: Outcome) -> list[Path]:
    """Return the outputs of a model that are to be made; those that are there already go to the outcome.

    None are made beside a map that was made otherwise: an overlay of another map than the one that it lies beside.
    """
    targets = [plan.target(model.name, image)]
    if plan.overlay is not None:
        targets.append(plan.overlay_target(model.name, image))
    there = [] if plan.overwrite else [target for target in targets if target.exists()]
    if targets[0] in there and (difference := _difference(targets[0], plan.notes(model))):
        outcome.otherwise[targets[0]] = difference
        return []
    outcome.skipped.extend(there)
    return [target for target in targets if target not in there]


def _difference(path: Path, wanted: Mapping[str, Any]) -> str:
    """Return the first thing in which a map on disk was made otherwise, in words; "" if in none that its file tells."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            noted = read_notes(path)
        there, now = _settings(noted), _settings(json.loads(json.dumps(wanted)))
    except Exception:  # a file of another's: Pillow's format plugins raise nearly anything on what they do not know
        return ""
    differing = (key for key in now if key in there and there[key] != now[key])
    return next((f"{key[1]}: {there[key]!r} there, {now[key]!r} now" for key in differing), "")


def _settings(notes: Mapping[str, Any]) -> dict[tuple[str, str], Any]:
    """Return what a map's notes say of how it was made; what differs from the defaults only is noted."""
    groups: dict[str, Mapping[str, Any]] = {
        "parameters": notes["parameters"],
        "": {"size": None, "precision": "float32", **{k: notes[k] for k in _NOTED if k in notes}},
        "postprocess": {**asdict(NOTHING), **notes.get("postprocess", {})},
    }
    return {(group, key): value for group, values in groups.items() for key, value in values.items()}


def _write(
    image: ImageFile, pixels: Pixels, saliency: SaliencyMap, targets: list[Path], plan: BatchPlan, pipeline: Pipeline
) -> None:
    for target in targets:
        if plan.overlay is not None and target == plan.overlay_target(pipeline.model.name, image):
            linear = visible(saliency, pipeline.output)
            write_picture(target, overlay(pixels, linear, alpha=plan.overlay, contours=plan.contours))
        else:
            write_map(target, saliency, plan.file_format, plan.notes(pipeline.model))
