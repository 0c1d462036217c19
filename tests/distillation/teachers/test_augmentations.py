"""Views: what is planned, what is rendered, and which flips are fair."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from skimage import data

import salbox
from salbox.distillation.domains import TRAINING_DOMAINS, apply
from salbox.distillation.teachers.augmentations import (
    FlipRule,
    View,
    changed_view,
    flipped,
    measure_flip_cc,
    plain_view,
    plan_views,
)
from salbox.distillation.teachers.teacher import Teacher
from salbox.errors import ImageError, UsageError
from salbox.imaging.inputs import ImageFile


@pytest.fixture
def photo(tmp_path) -> ImageFile:
    path = tmp_path / "cat.png"
    Image.fromarray(data.chelsea()).save(path)
    return ImageFile(path, Path("pets/cat"))


def files(count: int) -> list[ImageFile]:
    return [ImageFile(Path(f"{k}.jpg"), Path(str(k))) for k in range(count)]


def test_a_plain_view_is_the_photo(photo):
    view = plain_view(photo)
    assert (view.key, view.photo_key) == ("pets/cat", "pets/cat")
    np.testing.assert_array_equal(view.render(), data.chelsea())


def test_a_changed_view_is_the_photo_at_reference_size_in_its_domain(photo):
    view = changed_view(plain_view(photo), "noise", "", 5)
    assert view.key == "pets/cat@noise"
    picture = view.render()
    assert picture.shape == (426, 640, 3)  # of 300 x 451
    np.testing.assert_array_equal(picture, changed_view(plain_view(photo), "noise", "", 5).render())
    assert not np.array_equal(picture, changed_view(plain_view(photo), "noise", "", 6).render())
    assert view.seed > 0


def test_flips_of_a_view(photo):
    views = {flip: changed_view(plain_view(photo), None, flip, 0) for flip in ("h", "v", "hv")}
    assert [v.key for v in views.values()] == ["pets/cat@flip-h", "pets/cat@flip-v", "pets/cat@flip-hv"]
    cat = data.chelsea()
    np.testing.assert_array_equal(views["h"].render(), cat[:, ::-1])
    np.testing.assert_array_equal(views["v"].render(), cat[::-1])
    np.testing.assert_array_equal(views["hv"].render(), cat[::-1, ::-1])
    both = changed_view(plain_view(photo), "grey", "h", 0)
    assert (both.key, both.photo_key) == ("pets/cat@grey@flip-h", "pets/cat")
    np.testing.assert_array_equal(both.render()[:, ::-1], changed_view(plain_view(photo), "grey", "", 0).render())


def test_a_key_may_hold_the_sign_that_parts_it():
    view = changed_view(View(Path("icon@2x.png"), "icon@2x"), "grey", "", 0)
    assert view.photo_key == "icon@2x"


def test_a_broken_photo_says_so(tmp_path):
    (tmp_path / "a.jpg").write_bytes(b"no photo")
    with pytest.raises(ImageError, match="not an image"):
        View(tmp_path / "a.jpg", "a", "grey").render()


def test_half_of_the_photos_are_changed_each_into_one_domain():
    views = plan_views(files(2000), seed=1)
    plain = [v for v in views if v.domain is None]
    changed = [v for v in views if v.domain is not None]
    assert len(plain) == 2000
    assert len(changed) == pytest.approx(1000, abs=80)
    assert len({v.photo_key for v in changed}) == len(changed)
    counts = [sum(v.domain == d for v in changed) for d in TRAINING_DOMAINS]
    assert min(counts) > 0.5 * len(changed) / len(TRAINING_DOMAINS)
    assert len({v.seed for v in changed}) == len(changed)
    assert len({v.key for v in views}) == len(views)


def test_a_photo_may_stand_for_its_change_alone():
    views = plan_views(files(400), keep_plain=False, seed=1)
    assert len(views) == 400
    assert 100 < sum(v.domain is not None for v in views) < 300


def test_plans_do_not_depend_on_the_other_photos_and_do_on_the_seed():
    everything = plan_views(files(100), flips=("h",), seed=3)
    some = plan_views(files(100)[20:50], flips=("h",), seed=3)
    keys = {str(k) for k in range(20, 50)}
    assert some == [v for v in everything if v.photo_key in keys]
    assert plan_views(files(100), flips=("h",), seed=4) != everything


def test_shares_and_flips():
    assert all(v.domain is None for v in plan_views(files(20), share=0))
    assert sum(v.domain == "noise" for v in plan_views(files(20), share=1, domains=["noise"])) == 20
    assert plan_views(files(20), domains=[]) == [plain_view(f) for f in files(20)]
    flips = [v.flip for v in plan_views(files(200), share=0, flips=("h", "v")) if v.flip]
    assert len(flips) == 200
    assert 60 < flips.count("h") < 140


def test_plans_that_cannot_be():
    with pytest.raises(UsageError, match="did you mean 'noise'"):
        plan_views(files(2), domains=["noize"])
    with pytest.raises(UsageError, match="expected 0 to 1"):
        plan_views(files(2), share=1.5)
    twins = [ImageFile(Path("a.jpg"), Path("a")), ImageFile(Path("a@grey.jpg"), Path("a@grey"))]
    with pytest.raises(UsageError, match="share the name 'a@grey'"):
        plan_views(twins, domains=["grey"], share=1)


def test_flip_cc_of_models_that_are_known():
    images = [data.chelsea(), data.coffee()[:, :300]]

    def symmetric(image):
        return image.mean(axis=2)

    def leftward(image):
        return image.mean(axis=2) + np.linspace(300, 0, image.shape[1])

    assert measure_flip_cc(symmetric, images) == {"h": pytest.approx(1), "v": pytest.approx(1)}
    found = measure_flip_cc(leftward, images)
    assert found["v"] == pytest.approx(1)
    assert found["h"] < 0
    with pytest.raises(UsageError, match="none was given"):
        measure_flip_cc(symmetric, [])


def test_flip_cc_of_the_classical_models(shared):
    folder = shared / "data" / "OSIE" / "data" / "stimuli"
    images = [salbox.read_image(folder / name) for name in ("1001.jpg", "1300.jpg")]
    bms = measure_flip_cc(Teacher("bms").mapper(), images)
    assert min(bms.values()) >= 0.995
    assert FlipRule.of("bms", bms) == FlipRule(("h", "v"), ())
    imsig = measure_flip_cc(Teacher("imsig").mapper(), images)
    assert 0.9 < min(imsig.values()) < 0.995


def test_rules_of_flips():
    assert FlipRule.of("aim", {"h": 0.999, "v": 0.996}) == FlipRule(("h", "v"), ())
    assert FlipRule.of("imsig", {"h": 0.983, "v": 0.999}) == FlipRule(("v",), ("h",))
    # Networks that predict people are never shown a photo upside down.
    assert FlipRule.of("fastgaze", {"h": 0.96, "v": 0.999}) == FlipRule((), ("h",))


def test_flipping_a_map():
    ramp = np.arange(6).reshape(2, 3)
    np.testing.assert_array_equal(flipped(ramp, "hv"), [[5, 4, 3], [2, 1, 0]])
    np.testing.assert_array_equal(flipped(flipped(ramp, "h"), "h"), ramp)


def test_a_domain_is_drawn_from_the_seed_of_the_view(photo):
    view = View(photo.path, "pets/cat@gratings", "gratings", "", 9)
    np.testing.assert_array_equal(view.render(), apply("gratings", np.zeros((426, 640, 3), np.uint8), 9))
