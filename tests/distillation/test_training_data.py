"""What each head learns from a picture: the teacher's own map of it, or a flipped one where that is as good."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("torch")

from salbox.distillation.plan import HeadTarget
from salbox.distillation.teacher_maps import TargetMaps
from salbox.distillation.teachers.augmentations import FlipRule, View
from salbox.distillation.teachers.maps_folder import TeacherMaps
from salbox.distillation.training_data import TrainingData
from salbox.errors import UsageError
from salbox.imaging.inputs import ImageFile
from salbox.training.splitting import Split

MAP = np.random.default_rng(0).random((6, 8), np.float32)
OWN = np.random.default_rng(1).random((6, 8), np.float32)


@pytest.fixture
def data(tmp_path):
    """Two targets: one whose maps may be flipped with the photo, and one that has a map of the flipped photo."""
    stored = {"free": {"a": MAP}, "own": {"a": MAP, "a@flip-v": OWN}}
    rules = {"free": FlipRule(("h", "v"), ()), "own": FlipRule(("h",), ("v",))}
    targets = []
    for name, maps in stored.items():
        (tmp_path / name).mkdir()
        for key, values in maps.items():
            np.save(tmp_path / name / f"{key}.npy", values)
        target = HeadTarget(name, maps=tmp_path / name)
        targets.append(TargetMaps(target, TeacherMaps(tmp_path / name), frozenset(maps), rules[name]))
    photo = Path("a.jpg")
    views = [View(photo, "a"), View(photo, "a@flip-v", flip="v"), View(photo, "a@grey", domain="grey")]
    parts = Split((ImageFile(photo, Path("a")),), (), ())
    return TrainingData(parts, {"training": views, "validation": [], "test": []}, tuple(targets))


def unit(values):
    return (values - values.min()) / np.ptp(values)


def test_a_flipped_photo_is_learned_from_with_a_flipped_map_or_its_own(data):
    samples = {sample.key: sample for sample in data.samples("training", (0, 1))}
    assert samples.keys() == {"a", "a@flip-v"}  # of the changed photo nobody has a map
    for key, expected in (("a", (MAP, MAP)), ("a@flip-v", (MAP[::-1], OWN))):
        for read, values in zip(samples[key].maps, expected, strict=True):
            np.testing.assert_allclose(read(), unit(values), atol=1e-6)


def test_without_the_plain_map_there_is_none_to_flip(data):
    first, second = data.targets
    bare = replace(data, targets=(replace(first, good=frozenset()), second))
    samples = {sample.key: sample for sample in bare.samples("training", (0, 1))}
    assert [read is None for read in samples["a@flip-v"].maps] == [True, False]


def test_a_side_output_learns_from_the_target_that_it_is_given(data):
    (both,) = (sample for sample in data.samples("training", (0, 1, 1)) if sample.key == "a@flip-v")
    first, second, third = (read() for read in both.maps)
    np.testing.assert_array_equal(second, third)
    assert not np.array_equal(first, second)
    assert both.flips == ("hv", "h", "h")


def test_maps_that_a_teacher_makes_beside_the_student_are_not_read(data):
    online = replace(data, online=True)
    samples = online.samples("training", (0, 1))
    assert len(samples) == 3  # the changed photo too, of which no map is stored
    assert {read().shape for sample in samples for read in sample.maps} == {(1, 1)}


def test_a_constant_is_the_mean_of_the_training_photos_or_else_of_all(data):
    means = data.mean_maps()
    np.testing.assert_allclose(means["free"], means["own"])  # the flipped photo's map is not among them
    elsewhere = replace(data, split=Split((), (), ()))
    assert not np.allclose(elsewhere.mean_maps()["own"], means["own"])
    np.testing.assert_allclose(elsewhere.mean_maps()["free"], means["free"])


def test_the_part_that_is_measured_is_the_last_that_has_maps(data):
    assert data.test_part == "training"
    measured = replace(data, views={**data.views, "validation": data.views["training"][:1]})
    assert measured.test_part == "validation"
    with pytest.raises(UsageError, match="no photo has a map"):
        replace(data, views={"training": [], "validation": [], "test": []}).test_part  # noqa: B018
