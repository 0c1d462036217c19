"""What a student learns from: the pictures of each part with the maps of each head's target, ready to be drawn."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache

import numpy as np

from ..errors import UsageError
from ..system.progress import Progress
from ..training.cache import Pictures, Sample, prepare
from ..training.run_folder import RunFolder
from ..training.splitting import PARTS, Part, Split
from ..types import DoubleMap, FloatMap
from .initial_network import InitialNetwork
from .plan import Plan
from .teacher_maps import TargetMaps, flip_rules, make_target_maps, plan_part_views
from .teachers.augmentations import View


@dataclass(frozen=True)
class TrainingData:
    """Everything there is to learn from.

    Attributes
    ----------
    split : Split
    views : mapping
        Part -> its pictures.
    targets : tuple of TargetMaps
        One a target of the plan, in its order.
    online : bool
        Whether the teacher maps the training pictures beside the student: none of those maps is stored.
    notes : tuple of str
        What a reader of the report should know.
    """

    split: Split
    views: Mapping[Part, Sequence[View]]
    targets: tuple[TargetMaps, ...]
    online: bool = False
    notes: tuple[str, ...] = ()

    @property
    def test_part(self) -> Part:
        """The part that the student is measured on: the test part, if it has maps."""
        for part in reversed(PARTS):
            if any(view.key in target.good for target in self.targets for view in self.views[part]):
                return part
        raise UsageError("no photo has a map to measure the student with")

    def samples(self, part: Part, map_targets: Sequence[int]) -> list[Sample]:
        """Return the pictures of a part to train or validate on.

        Parameters
        ----------
        part : {"training", "validation", "test"}
        map_targets : sequence of int
            The place of the target of each map that a picture gets.
        """
        targets = [self.targets[place] for place in map_targets]
        flips = tuple("".join(target.rule.free) for target in targets)
        online = self.online and part == "training"
        samples = []
        for view in self.views[part]:
            maps = tuple(_placeholder if online else target.reader(view) for target in targets)
            if any(read is not None for read in maps):
                samples.append(Sample(view.key, view.render, maps, flips))
        return samples

    def mean_maps(self) -> dict[str, DoubleMap]:
        """Return the mean teacher map of the plain training photos, one a head: what a constant gets."""
        return {target.target.head: target.mean(self.split.training) for target in self.targets}


def prepare_training_data(plan: Plan, parts: Split, folder: RunFolder, progress: Progress) -> TrainingData:
    """Return everything to learn from; teachers' maps that are not there yet are computed.

    Raises
    ------
    UsageError
        If photos or maps are missing altogether.
    """
    rules = flip_rules(plan, parts, folder, progress)
    views = plan_part_views(plan, parts, rules)
    targets, notes = [], []
    for target, rule in zip(plan.targets, rules, strict=True):
        maps, lines = make_target_maps(plan, target, rule, views, folder, progress)
        targets.append(maps)
        notes += lines
    return TrainingData(parts, views, tuple(targets), plan.in_process, tuple(notes))


def prepare_pictures(
    data: TrainingData, initial: InitialNetwork, folder: RunFolder, progress: Progress
) -> tuple[Pictures, Pictures]:
    """Return the pictures to train and to validate on, ready at working size.

    Raises
    ------
    UsageError
        If no picture is left to train on.
    """
    training = _prepare_part("training", data.samples("training", initial.map_targets), initial, folder, progress)
    samples = data.samples("validation", initial.map_targets)
    if not samples:
        progress.say("note: no photo to validate on: the training photos choose the checkpoint")
        return training, training
    return training, _prepare_part("validation", samples, initial, folder, progress)


def _prepare_part(
    part: Part, samples: Sequence[Sample], initial: InitialNetwork, folder: RunFolder, progress: Progress
) -> Pictures:
    network = initial.network
    pictures = prepare(
        samples,
        folder.work / part,
        resize=network.preprocessing.prepare,
        map_size=cache(network.map_size),
        heads=len(initial.map_targets),
        identity=repr((network.preprocessing, network.name, network.settings, folder.contents)),
        progress=progress,
        title=f"{part} pictures",
    )
    for failure in pictures.failures[:3]:
        progress.say(f"failed: {failure}")
    if len(pictures.failures) > 3:
        progress.say(f"failed: {len(pictures.failures) - 3} more")
    return pictures


def _placeholder() -> FloatMap:
    """Return a map that stands where a teacher in the process makes its own."""
    return np.zeros((1, 1), np.float32)
