"""Lessons prepared: photos split, changed and flipped, teachers' maps computed, samples to train on."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, cast

import numpy as np
import numpy.typing as npt

from ..errors import SalboxError, UsageError
from ..evaluation.maps import listed
from ..inputs import ImageFile
from ..registry import card
from ..training.pictures import Sample
from .domains import DOMAINS, TRAINING_DOMAINS
from .fidelity import FloatMap, mean_map
from .maps_folder import TeacherMaps, ensure_matching
from .plan import Lesson, Plan
from .reference import is_classical
from .run_folder import RunFolder
from .splitting import PARTS, Part, Split, split, write_split
from .teacher import map_folder, teach_views
from .telling import Teller
from .views import Flip, FlipRule, View, flipped, measure_flip_cc, plain_view, plan_views

FLIP_PHOTOS = 3  # that a teacher's flips are measured on; they differ little


@dataclass(frozen=True)
class Prepared:
    """Everything there is to learn from.

    Attributes
    ----------
    split : Split
    views : mapping
        Part -> its pictures.
    maps : tuple of TeacherMaps
        One a lesson.
    good : tuple of sets
        The keys of the maps that can be used, one set a lesson.
    rules : tuple of FlipRule
        One a lesson.
    notes : tuple of str
        What a reader of the report should know.
    """

    plan: Plan
    split: Split
    views: Mapping[Part, list[View]]
    maps: tuple[TeacherMaps, ...]
    good: tuple[frozenset[str], ...]
    rules: tuple[FlipRule, ...]
    notes: tuple[str, ...]

    @property
    def test_part(self) -> Part:
        """The part that the student is measured on: the test part, if it has maps."""
        for part in reversed(PARTS):
            if any(view.key in good for good in self.good for view in self.views[part]):
                return part
        raise UsageError("no photo has a map to measure the student with")

    def samples(self, part: Part, targets: int) -> list[Sample]:
        """Return the pictures of a part to train or validate on; `targets` is how many maps a picture is learned from.

        A network that branches learns its feature maps from the last lessons, one that does not has a target a lesson.
        """
        count = len(self.plan.lessons)
        order = [*range(count), *([count - 1] * (targets - count))]
        live = self.plan.in_process and part == "training"
        samples = []
        for view in self.views[part]:
            maps = [_nothing if live else self._reader(i, view) for i in order]
            if any(read is not None for read in maps):
                flips = tuple("".join(self.rules[i].free) for i in order)
                samples.append(Sample(view.key, view.render, tuple(maps), flips))
        return samples

    def mean_maps(self) -> dict[str, FloatMap]:
        """Return the mean teacher map of the plain training photos, one a head: what a constant gets."""
        means = {}
        for lesson, maps, good in zip(self.plan.lessons, self.maps, self.good, strict=True):
            keys = [key for key in self.split.training if key in good] or sorted(good)
            means[lesson.head] = mean_map(maps.read(key) for key in keys)
        return means

    def _reader(self, lesson: int, view: View) -> Callable[[], npt.NDArray[np.float32]] | None:
        """Return what reads a lesson's map of a view, None if there is none; a map that may be flipped is."""
        maps, good = self.maps[lesson], self.good[lesson]
        if view.flip and view.flip in self.rules[lesson].free and view.photo_key in good:
            return lambda: flipped(maps.read(view.photo_key), view.flip)
        return (lambda: maps.read(view.key)) if view.key in good else None


def prepare_lessons(plan: Plan, folder: RunFolder, record: dict[str, Any], teller: Teller) -> Prepared:
    """Return everything to learn from; teachers' maps that are not there yet are computed.

    Raises
    ------
    UsageError
        If photos or maps are missing altogether.
    """
    parts = split(plan.photos, plan.chosen)
    for line in _split_lines(parts):
        teller.say(line)
    write_split(folder.split, parts.part_of())
    rules = _flip_rules(plan, parts, folder, record, teller)
    views = plan_parts(plan, parts, rules)
    maps, good, notes = [], [], []
    for lesson, rule in zip(plan.lessons, rules, strict=True):
        wanted = _wanted_views(plan, lesson, views, rule)
        found = _taught(lesson, wanted, folder, plan, teller)
        checked = found.check([view.key for view in wanted])
        ensure_matching(checked, found, [view.key for view in wanted])
        lines = [f"{lesson.head}: {line}" for line in checked.lines() if lesson.teacher is None or checked.broken]
        for line in lines:
            teller.say(line)
        notes += lines
        maps.append(found)
        good.append(frozenset(checked.good))
    return Prepared(plan, parts, views, tuple(maps), tuple(good), tuple(rules), tuple(notes))


def plan_parts(plan: Plan, parts: Split, rules: Sequence[FlipRule]) -> dict[Part, list[View]]:
    """Return the pictures of each part.

    The test part has each photo as it is and changed into one of all domains, whatever is trained on: a student's
    user wants to know how it does there.
    """
    by_key = {photo.output.as_posix(): photo for photo in plan.photos}
    photos = {part: [by_key[key] for key in getattr(parts, part)] for part in PARTS}
    if not photos["training"]:
        raise UsageError("no photo in the training part")
    if all(lesson.teacher is None for lesson in plan.lessons):
        return {part: [plain_view(photo) for photo in photos[part]] for part in PARTS}
    flips = sorted({flip for rule in rules for flip in rule.own})
    return {
        "training": plan_views(
            photos["training"],
            domains=TRAINING_DOMAINS,
            share=plan.domains,
            keep_plain=plan.keep_plain,
            flips=flips,
            seed=plan.seed,
        ),
        "validation": plan_views(photos["validation"], domains=TRAINING_DOMAINS, share=plan.domains, seed=plan.seed),
        "test": plan_views(photos["test"], domains=tuple(DOMAINS), share=1.0, seed=plan.seed),
    }


def calibration_photos(plan: Plan, number: int = 64) -> list[ImageFile]:
    """Return training photos that the statistics of batch norms are taken from."""
    chosen = set(split(plan.photos, plan.chosen).training)
    return [photo for photo in plan.photos if photo.output.as_posix() in chosen][:number]


def _flip_rules(plan: Plan, parts: Split, folder: RunFolder, record: dict[str, Any], teller: Teller) -> list[FlipRule]:
    """Return how each lesson's pictures may be flipped; what is measured is noted in the run."""
    by_key = {photo.output.as_posix(): photo for photo in plan.photos}
    known: dict[str, dict[Flip, float]] = dict(record.get("flip_cc", {}))
    rules = []
    for lesson in plan.lessons:
        if not plan.recipe.flips:
            rules.append(FlipRule((), ()))
        elif lesson.teacher is None:
            rules.append(FlipRule(cast("tuple[Flip, ...]", lesson.flips), ()))
        elif plan.in_process:
            rules.append(FlipRule(("h",), ()))
        else:
            if lesson.head not in known:
                directions: tuple[Flip, ...] = ("h", "v") if is_classical(lesson.teacher.model) else ("h",)
                photos = [by_key[key] for key in parts.training]
                known[lesson.head] = _measured_flips(lesson, photos, directions, teller)
                record.update(folder.note(record, flip_cc=known))
            rules.append(FlipRule.of(lesson.teacher.model, known[lesson.head]))
    return rules


def _measured_flips(
    lesson: Lesson, photos: Sequence[ImageFile], directions: tuple[Flip, ...], teller: Teller
) -> dict[Flip, float]:
    assert lesson.teacher is not None  # noqa: S101  # asked of models only
    images = []
    for photo in photos:
        try:
            images.append(plain_view(photo).render())
        except SalboxError:  # said later, for all photos together
            continue
        if len(images) == FLIP_PHOTOS:
            break
    found = measure_flip_cc(lesson.teacher.mapper(), images, directions)
    teller.say(f"{lesson.head}: flip CC {', '.join(f'{flip} {value:.3f}' for flip, value in found.items())}")
    return found


def _wanted_views(plan: Plan, lesson: Lesson, views: Mapping[Part, list[View]], rule: FlipRule) -> list[View]:
    """Return the views that a lesson has maps of, or is to make."""
    parts = [part for part in PARTS if not (plan.in_process and part == "training")]
    every = [view for part in parts for view in views[part]]
    if lesson.teacher is None:
        return [view for view in every if view.domain is None and not view.flip]
    # Other teachers' flips: some must not be shown such a picture, others' maps are flipped with it; see `Prepared`.
    allowed = {"", *rule.own}
    left_out = set()
    if lesson.photos is not None:
        chosen_by = [*views["training"], *views["validation"]]
        left_out = {view.key for view in chosen_by if view.photo_key not in lesson.photos}
    return [view for view in every if view.flip in allowed and view.key not in left_out]


def _taught(lesson: Lesson, views: Sequence[View], folder: RunFolder, plan: Plan, teller: Teller) -> TeacherMaps:
    if lesson.teacher is None:
        return TeacherMaps(cast("Any", lesson.maps))
    failures = []
    outcomes = teach_views(lesson.teacher, views, folder.maps, workers=plan.workers)
    for outcome in teller.track(outcomes, len(views), f"maps of {lesson.head}"):
        failures += outcome.failures
    if failures:
        teller.say(f"{lesson.head}: {len(failures)} without a map, left out: {'; '.join(failures[:3])}")
    return TeacherMaps(map_folder(folder.maps, card(lesson.teacher.model).name))


def _split_lines(parts: Split) -> list[str]:
    lines = [", ".join(f"{len(getattr(parts, part))} {part}" for part in PARTS) + " photos"]
    if parts.left_out:
        lines.append(
            f"{len(parts.left_out)} photos that the split does not name are left out: {listed(parts.left_out)}"
        )
    if parts.unknown:
        lines.append(f"{len(parts.unknown)} names of the split have no photo: {listed(parts.unknown)}")
    return lines


def _nothing() -> npt.NDArray[np.float32]:
    """Return a map that stands where a teacher in the process tells its own."""
    return np.zeros((1, 1), np.float32)
