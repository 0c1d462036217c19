"""The pictures of each part, and the teachers' maps of them: computed, or found in a folder."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import cast

from ..errors import UsageError, name_some
from ..imaging.inputs import ImageFile
from ..models.loading import card
from ..system.progress import Progress
from ..training.run_folder import RunFolder
from ..training.splitting import PARTS, Part, Split, first_pixels, photo_key
from ..types import DoubleMap, Flip, FloatMap
from .domains import DOMAINS
from .fidelity.measure import mean_map
from .plan import HeadTarget, Plan
from .teachers.augmentations import FlipRule, View, flipped, flips_of, measure_flip_cc, plain_view, plan_views
from .teachers.confidence import confidence
from .teachers.maps_folder import TeacherMaps, ensure_matching
from .teachers.teacher import Teacher, map_folder, teach_views

FLIP_PHOTOS = 3  # that a teacher's flips are measured on; they differ little

Views = Mapping[Part, Sequence[View]]


@dataclass(frozen=True)
class TargetMaps:
    """The maps of what one head learns from.

    Attributes
    ----------
    target : HeadTarget
    maps : TeacherMaps
    good : set of keys
        Of the maps that can be used.
    rule : FlipRule
        How they may be flipped.
    """

    target: HeadTarget
    maps: TeacherMaps
    good: frozenset[str]
    rule: FlipRule

    def reader(self, view: View) -> Callable[[], FloatMap] | None:
        """Return what reads the map of a view, None if there is none; a map that may be flipped is."""
        if view.flip and view.flip in self.rule.free and view.photo_key in self.good:
            return lambda: flipped(self.maps.read(view.photo_key), view.flip)
        return (lambda: self.maps.read(view.key)) if view.key in self.good else None

    def mean(self, photos: Iterable[ImageFile]) -> DoubleMap:
        """Return the mean map of some photos as they are, of all pictures where none of these has a map."""
        keys = [photo_key(photo) for photo in photos if photo_key(photo) in self.good] or sorted(self.good)
        return mean_map(self.maps.read(key) for key in keys)


def plan_part_views(plan: Plan, parts: Split, rules: Sequence[FlipRule]) -> dict[Part, list[View]]:
    """Return the pictures of each part.

    The test part has each photo as it is and changed into one of all domains, whatever is trained on: a student's
    user wants to know how it does there.

    Raises
    ------
    UsageError
        If there is none to train on.
    """
    if not parts.training:
        raise UsageError("no photo in the training part")
    if all(target.teacher is None for target in plan.targets):
        return {part: [plain_view(photo) for photo in parts.photos(part)] for part in PARTS}
    flips = sorted({flip for rule in rules for flip in rule.own})
    share, seed = plan.domains, plan.seed
    return {
        "training": plan_views(parts.training, share=share, keep_plain=plan.keep_plain, flips=flips, seed=seed),
        "validation": plan_views(parts.validation, share=share, seed=seed),
        "test": plan_views(parts.test, domains=tuple(DOMAINS), share=1.0, seed=seed),
    }


def flip_rules(plan: Plan, parts: Split, folder: RunFolder, progress: Progress) -> list[FlipRule]:
    """Return how the maps of each target may be flipped; what is measured is noted in the run."""
    known = folder.flip_cc
    rules = []
    for target in plan.targets:
        if not plan.recipe.flips:
            rules.append(FlipRule((), ()))
        elif target.teacher is None:
            rules.append(FlipRule(cast("tuple[Flip, ...]", target.flips), ()))
        elif plan.in_process:
            rules.append(FlipRule(("h",), ()))
        else:
            if target.head not in known:
                photos = first_pixels(parts.training, FLIP_PHOTOS)
                found = measure_flip_cc(target.teacher.mapper(), photos, flips_of(target.teacher.model))
                progress.say(f"{target.head}: flip CC {', '.join(f'{flip} {cc:.3f}' for flip, cc in found.items())}")
                known[target.head] = found
                folder.note(flip_cc=known)
            rules.append(FlipRule.of(target.teacher.model, known[target.head]))
    return rules


def make_target_maps(
    plan: Plan, target: HeadTarget, rule: FlipRule, views: Views, folder: RunFolder, progress: Progress
) -> tuple[TargetMaps, list[str]]:
    """Return the maps of a target, and what a reader of the report should know of them.

    Of a model those that are not there yet are computed.

    Raises
    ------
    UsageError
        If no picture has a map.
    """
    wanted = _wanted_views(plan, target, rule, views)
    if target.teacher is None:
        maps = target.open_maps()
    else:
        maps = _compute_maps(target.head, target.teacher, wanted, folder, plan.workers, progress)
    keys = [view.key for view in wanted]
    checked = maps.check(keys, {view.key: view.photo for view in wanted})
    ensure_matching(checked, maps, keys)
    # What a model failed at was said when it did.
    lines = checked.lines() if target.teacher is None or checked.broken else []
    good = frozenset(checked.good)
    if plan.min_confidence is not None:
        learned = {view.key for part in ("training", "validation") for view in views[part]} & good
        unsure = _unsure(maps, learned, plan.min_confidence)
        lines.append(
            f"{len(unsure)} of {len(learned)} pictures left out of training and validation, the teacher's confidence "
            f"in them below {plan.min_confidence:g}{f': {name_some(unsure)}' if unsure else ''}"
        )
        good -= {*unsure}
        if not good & learned:
            raise UsageError(f"{target.head}: of no picture is the teacher as sure as --min-confidence asks")
    notes = [f"{target.head}: {line}" for line in lines]
    for note in notes:
        progress.say(note)
    return TargetMaps(target, maps, good, rule), notes


def _unsure(maps: TeacherMaps, keys: Iterable[str], least: float) -> list[str]:
    """Return the pictures of whose map the teacher is less sure, sorted."""
    return [key for key in sorted(keys) if confidence(maps.read(key)).value < least]


def _wanted_views(plan: Plan, target: HeadTarget, rule: FlipRule, views: Views) -> list[View]:
    """Return the views that a target has maps of, or is to have."""
    every = [view for part in PARTS for view in views[part] if not (plan.in_process and part == "training")]
    if target.teacher is None:
        return [view for view in every if view.domain is None and not view.flip]
    # Other targets' flips: some teachers must not be given such a picture, others' maps are flipped with it.
    allowed = {"", *rule.own}
    left_out = set()
    if target.photos is not None:
        chosen_by = [*views["training"], *views["validation"]]
        left_out = {view.key for view in chosen_by if view.photo_key not in target.photos}
    return [view for view in every if view.flip in allowed and view.key not in left_out]


def _compute_maps(
    head: str, teacher: Teacher, views: Sequence[View], folder: RunFolder, workers: int | None, progress: Progress
) -> TeacherMaps:
    failures = []
    outcomes = teach_views(teacher, views, folder.maps, workers=workers)
    for outcome in progress.track(outcomes, len(views), f"maps of {head}"):
        failures += outcome.failures
    if failures:
        progress.say(f"{head}: {len(failures)} without a map, left out: {'; '.join(failures[:3])}")
    return TeacherMaps(map_folder(folder.maps, card(teacher.model).name))
