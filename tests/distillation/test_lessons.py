"""What each head learns from a picture: the teacher's own map of it, or a flipped one where that is as good."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

pytest.importorskip("torch")

from salbox.distillation.lessons import Prepared
from salbox.distillation.maps_folder import TeacherMaps
from salbox.distillation.views import FlipRule, View

MAP = np.random.default_rng(0).random((6, 8), np.float32)
OWN = np.random.default_rng(1).random((6, 8), np.float32)


@pytest.fixture
def prepared(tmp_path):
    """Two lessons: one whose maps may be flipped with the photo, and one that has a map of the flipped photo."""
    for name, maps in (("free", {"a": MAP}), ("own", {"a": MAP, "a@flip-v": OWN})):
        (tmp_path / name).mkdir()
        for key, values in maps.items():
            np.save(tmp_path / name / f"{key}.npy", values)
    photo = Path("a.jpg")
    views = [View(photo, "a"), View(photo, "a@flip-v", flip="v"), View(photo, "a@grey", domain="grey")]
    return Prepared(
        plan=SimpleNamespace(lessons=("free", "own"), in_process=False),
        split=None,
        views={"training": views},
        maps=(TeacherMaps(tmp_path / "free"), TeacherMaps(tmp_path / "own")),
        good=(frozenset({"a"}), frozenset({"a", "a@flip-v"})),
        rules=(FlipRule(("h", "v"), ()), FlipRule(("h",), ("v",))),
        notes=(),
    )


def unit(values):
    return (values - values.min()) / np.ptp(values)


def test_a_flipped_photo_is_learned_from_with_a_flipped_map_or_its_own(prepared):
    samples = {sample.key: sample for sample in prepared.samples("training", 2)}
    assert samples.keys() == {"a", "a@flip-v"}  # of the changed photo nobody has a map
    for key, expected in (("a", (MAP, MAP)), ("a@flip-v", (MAP[::-1], OWN))):
        for read, values in zip(samples[key].maps, expected, strict=True):
            np.testing.assert_allclose(read(), unit(values), atol=1e-6)


def test_without_the_plain_map_there_is_none_to_flip(prepared):
    bare = Prepared(**{**vars(prepared), "good": (frozenset(), prepared.good[1])})
    samples = {sample.key: sample for sample in bare.samples("training", 2)}
    assert [read is None for read in samples["a@flip-v"].maps] == [True, False]
