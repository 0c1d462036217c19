"""What a teacher makes of photos and views, kept on disk: `salbox teach`.

A map is stored as a 16-bit PNG whose longest side is 320, min-max scaled, in `MAPS/<model>/<key>.png`, with its own
range noted inside; one of probabilities as it is, in 8 bits, with how sure the teacher is, of all of which there is a
table. `teacher.json` beside them says what made them. Each file gets its name when it is whole, so that a run that is
killed loses the maps it was computing and nothing else. It notes what its photo's file held: of a photo that changed
the map is made again.
"""

from __future__ import annotations

import hashlib
import json
import time
import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from importlib.metadata import version
from pathlib import Path
from typing import Any, cast

import numpy as np

from ...errors import ImageError, ImageWarning, SalboxError, UsageError
from ...evaluation.code import changed, weights_hashes
from ...imaging.inputs import ImageFile
from ...imaging.postprocess import NOTHING, PostProcess
from ...imaging.scaling import REFERENCE_SIZE, density
from ...imaging.writing import atomic, write_map
from ...models.calibrated import worn_card
from ...models.loading import card, load_for, own_code
from ...models.model import Model
from ...models.specs import split_loading
from ...prediction.batch import Outcome
from ...prediction.images import FEWER_WORKERS, Pipeline, folder_name, map_notes, memory_errors_named
from ...system.contents import content_digest
from ...system.workers import check_workers, in_workers
from ...types import FloatMap, Output, Pixels
from ...version import __version__
from ..domains import VERSION as DOMAINS_VERSION
from ._png import checked_notes
from .augmentations import View, plain_view
from .confidence import Confidence, confidence, write_table
from .maps_folder import (
    PHOTO_NOTE,
    RECORD,
    SCALE,
    TEACHER_NOTE,
    UNSCALED,
    Checked,
    TeacherMaps,
    ensure_matching,
    read_record,
)
from .reference import MAP_SIDE, at_map_size, is_classical

__all__ = ["Checked", "Teacher", "TeacherMaps", "ensure_matching", "read_record", "teach", "teach_views"]

_FORMAT = 1  # of teacher.json
_RECORD_EVERY = 30.0  # seconds between two writings of teacher.json
_PROBE = np.zeros((1, 1, 3), np.uint8)
_LIBRARIES = ("numpy", "scipy", "opencv-python-headless")

Range = tuple[float, float]


@dataclass(frozen=True)
class _Made:
    """What is known of a map: its picture's key, its own range, and of probabilities how sure the teacher is."""

    key: str
    range: Range
    confidence: Confidence | None = None


@dataclass(frozen=True)
class Teacher:
    """A model that teaches, and how its maps are made.

    Classical algorithms see the photo at reference size (longest side 640), networks see it as it is. Of a model
    whose output is a log density exp is taken. Then comes `preprocess`, at the size of what the model saw, then the
    size of storage.

    Attributes
    ----------
    model : str
        What `salbox.load` takes.
    arguments : mapping
        Keywords of `salbox.load`: parameters, and weights, sha256 and device.
    preprocess : PostProcess
        What is done to each map before it is stored; a model's own smoothing is switched off where this replaces it.
    """

    model: str
    arguments: Mapping[str, Any] = field(default_factory=dict)
    preprocess: PostProcess = NOTHING

    @property
    def output(self) -> Output:
        """What the numbers of its maps are: a "probability" is stored as it is, anything else min-max scaled."""
        return self.preprocess.output_of(_without_log(worn_card(card(self.model), self.arguments).output))

    def load(self) -> Model:
        """Return the model, ready to be called."""
        return load_for(self.model, self.arguments, self.preprocess)

    def mapper(self) -> Callable[..., FloatMap]:
        """Return what makes the map of an image, as it is stored but not yet min-max scaled; the model is loaded.

        It takes an image, (H, W, 3) uint8, and as `name` the photo's file name for matching to a folder; it returns
        (h, w) float32 whose longest side is 320.
        """
        # What is done to a map comes after exp.
        pipeline = Pipeline(self.load(), longest_side=REFERENCE_SIZE if is_classical(self.model) else None)

        def mapped(image: Pixels, *, name: str | None = None) -> FloatMap:
            saliency = density(pipeline(image), pipeline.output).astype(np.float32)
            saliency = self.preprocess(saliency, name=name, output=_without_log(pipeline.output))
            return at_map_size(saliency, image.shape[:2])

        return mapped

    def identity(self, model: Model) -> dict[str, Any]:
        """Return all that the maps depend on beside the photos, ready for JSON."""
        _, loading = split_loading(self.arguments)
        identity = {
            "model": model.name,
            "parameters": model.card.parameters_to_json(model.parameters),
            "weights_sha256": weights_hashes(self.model, loading),
            "image_size": f"longest side {REFERENCE_SIZE}" if is_classical(self.model) else "as given",
            "output": "exp of the log density" if model.card.output == "log_density" else model.card.output,
            "preprocess": changed(self.preprocess),
            "map_size": f"longest side {MAP_SIDE}",
            **({"code": code} if (code := own_code(self.model, or_token=True)) else {}),
            **({SCALE: UNSCALED} if self.output == "probability" else {}),
        }
        return dict(json.loads(json.dumps(identity, default=str)))


def teach(
    model: str,
    photos: Sequence[ImageFile],
    folder: Path,
    *,
    arguments: Mapping[str, Any] | None = None,
    preprocess: PostProcess = NOTHING,
    workers: int | None = None,
    overwrite: bool = False,
) -> Iterator[Outcome]:
    """Yield one outcome a photo while a teacher's maps of photos are written; maps that are there are not made again.

    Parameters
    ----------
    model : str
        What `salbox.load` takes.
    photos : sequence of ImageFile
        As `salbox.imaging.inputs.find_images` gives them.
    folder : Path
        The maps go to `folder/<model>/<relative path>.png`; read them with `TeacherMaps(folder)`.
    arguments : mapping, optional
        Keywords of `salbox.load`: parameters, and weights, sha256 and device.
    preprocess : PostProcess
        What is done to each map before it is stored.
    workers : int, optional
        Processes; by default one a core, and one where a network computes on another device than the CPU.
    overwrite : bool
        Make all maps again, also those of another teacher.

    Raises
    ------
    UsageError
        Before the first photo: for an unknown model or parameter, or a folder with other maps.
    SalboxError
        If a worker process dies.
    """
    views = [plain_view(photo) for photo in photos]
    teacher = Teacher(model, dict(arguments or {}), preprocess)
    return teach_views(teacher, views, folder, workers=workers, overwrite=overwrite)


def teach_views(
    teacher: Teacher, views: Sequence[View], folder: Path, *, workers: int | None = None, overwrite: bool = False
) -> Iterator[Outcome]:
    """Yield one outcome a view while a teacher's maps of views are written; see `teach`.

    A view is rendered where its map is computed, and not stored. What is there comes first.
    """
    check_workers(workers)
    model = teacher.load()
    if not model.own:  # somebody's own may need more than a pixel to look at
        model(_PROBE)  # what is wrong with parameters or weights is said once, not for every photo
    store = _Store(folder / folder_name(model.name), teacher, teacher.identity(model))
    del model  # not held beside those of the workers
    store.begin(overwrite=overwrite)
    missing = [view for view in views if overwrite or not store.has(view)]
    return _run(store, views, missing, workers)


def map_folder(folder: Path, model: str) -> Path:
    """Return where the maps of a model are that were written to `folder`; the name is the one on its card."""
    return folder / folder_name(model)


def _run(store: _Store, views: Sequence[View], missing: Sequence[View], workers: int | None) -> Iterator[Outcome]:
    device = store.teacher.arguments.get("device")
    try:
        wanted = {view.key for view in missing}
        for view in views:
            if view.key not in wanted:
                yield Outcome(view.photo, skipped=[store.target(view)])
        for outcome, made in in_workers(store.work, missing, workers, device=device) if missing else ():
            store.note(made)
            yield outcome
    finally:
        store.write()


class _Store:
    """A folder of maps and the record beside them."""

    def __init__(self, folder: Path, teacher: Teacher, identity: Mapping[str, Any]) -> None:
        self.folder = folder
        self.teacher = teacher
        self.identity = identity
        text = json.dumps(identity, sort_keys=True)
        self.fingerprint = hashlib.sha256(text.encode()).hexdigest()[:16]
        self._unscaled = identity.get(SCALE) == UNSCALED
        self._confidences: dict[str, Confidence] = {}
        self._maps = 0
        self._range: Range | None = None
        self._versions: list[dict[str, str]] = []
        self._written = 0.0

    def begin(self, *, overwrite: bool) -> None:
        """Write the record of the teacher before its first map; refuse a folder that holds another's maps."""
        record = None if overwrite else read_record(self.folder)
        if record is not None and record["fingerprint"] != self.fingerprint:
            raise UsageError(
                f"{self.folder}: holds maps made otherwise ({_difference(record['teacher'], self.identity)}); "
                "choose another folder, or make them again with --overwrite"
            )
        self._versions = [] if record is None else list(record.get("versions", []))
        if _versions() not in self._versions:
            self._versions.append(_versions())
        self.write()

    def target(self, view: View) -> Path:
        return self.folder / f"{view.key}.png"

    def has(self, view: View) -> bool:
        """Return whether the map of a view is there, whole, this teacher's, and of the photo as it is; count it if so.

        Raises
        ------
        UsageError
            If something else is there that salbox did not write.
        """
        path = self.target(view)
        if not path.exists():
            return False
        try:
            notes = checked_notes(path)
        except ImageError:  # half a file from elsewhere: maps get their names when they are whole
            return False
        if TEACHER_NOTE not in notes:
            raise UsageError(f"{path}: is there and no teacher's map; choose another folder, or --overwrite")
        made_by = (notes[TEACHER_NOTE], notes.get("view"), notes.get(PHOTO_NOTE))
        if made_by != (self.fingerprint, _view_notes(view), content_digest(view.photo)):
            return False
        values = notes.get("minimum"), notes.get("maximum")
        if not all(isinstance(value, (int, float)) for value in values):
            return False
        self.note(_Made(view.key, cast(Range, values), _noted_confidence(notes)))
        return True

    def note(self, made: _Made | None) -> None:
        """Count a map with its range; the record follows every half minute."""
        if made is None:
            return
        self._maps += 1
        low, high = self._range or made.range
        self._range = (min(low, made.range[0]), max(high, made.range[1]))
        if made.confidence is not None:
            self._confidences[made.key] = made.confidence
        if time.monotonic() - self._written > _RECORD_EVERY:
            self.write()

    def write(self) -> None:
        record = {
            "format": _FORMAT,
            "teacher": self.identity,
            "fingerprint": self.fingerprint,
            "maps": self._maps,
            "raw_range": self._range,  # over all maps; each map's own is noted in its file
            "versions": self._versions,
        }
        with atomic(self.folder / RECORD) as temporary:
            temporary.write_text(json.dumps(record, indent=1) + "\n", encoding="utf-8")
        if self._unscaled:
            write_table(self.folder, self._confidences)
        self._written = time.monotonic()

    def work(self) -> Callable[[View], tuple[Outcome, _Made | None]]:
        """Return what writes the map of a view, the model loaded once."""
        mapper = self.teacher.mapper()
        return lambda view: self._write_map(view, mapper)

    def _write_map(self, view: View, mapper: Callable[..., FloatMap]) -> tuple[Outcome, _Made | None]:
        outcome, sure = Outcome(view.photo), None
        try:
            with memory_errors_named(view.photo, FEWER_WORKERS):
                # Before it is read: of a photo that is changed meanwhile the map is made again.
                content = content_digest(view.photo)
                with warnings.catch_warnings(record=True) as raised:
                    warnings.simplefilter("always", ImageWarning)
                    image = view.render()
                outcome.notes.extend(str(warning.message) for warning in raised)
                saliency = mapper(image, name=view.photo.name)
                made_by = {TEACHER_NOTE: self.fingerprint, "view": _view_notes(view), PHOTO_NOTE: content}
                notes = map_notes(self.identity["model"], **made_by)
                if self._unscaled:
                    # Of what is stored, so that whoever reads the map finds the same.
                    sure = confidence(np.rint(np.clip(saliency, 0, 1) * 255) / 255)
                    notes |= {"confidence": sure.value, "object_share": sure.object_share}
                    write_map(self.target(view), saliency, "png", notes, bounds=(0.0, 1.0), output="probability")
                else:
                    write_map(self.target(view), saliency, "png16", notes)
        except SalboxError as error:
            outcome.failures.append(str(error))
            return outcome, None
        outcome.written.append(self.target(view))
        return outcome, _Made(view.key, (float(saliency.min()), float(saliency.max())), sure)


def _without_log(output: Output) -> Output:
    """Return what a map's numbers are once exp is taken of a log density."""
    return "score" if output == "log_density" else output


def _noted_confidence(notes: Mapping[str, Any]) -> Confidence | None:
    """Return how sure the teacher is of a map that is there, as its file says; None if it does not."""
    values = notes.get("confidence"), notes.get("object_share")
    return Confidence(*cast(Range, values)) if all(isinstance(value, (int, float)) for value in values) else None


def _view_notes(view: View) -> dict[str, Any] | None:
    """Return what makes a view another one than its photo as it is; None if nothing does."""
    notes: dict[str, Any] = {}
    if view.domain is not None:
        notes |= {"domain": view.domain, "seed": view.seed, "domains_version": DOMAINS_VERSION}
    if view.flip:
        notes["flip"] = view.flip
    return notes or None


def _versions() -> dict[str, str]:
    return {"salbox": __version__, **{name: version(name) for name in _LIBRARIES}}


def _difference(there: Mapping[str, Any], wanted: Mapping[str, Any]) -> str:
    """Return the first thing in which two teachers differ, in words."""
    for key in wanted:
        if there.get(key) != wanted[key]:
            return f"{key.replace('_', ' ')} {there.get(key)!r} there, {wanted[key]!r} now"
    return "noted by another version"
