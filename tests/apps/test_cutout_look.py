"""Further looks at an object alone."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

import salbox
from salbox.apps.cutout_look import closer_looks, looks_again
from salbox.apps.cutout_photo import Photo
from salbox.apps.cutouts import CutoutOptions, cut_out
from salbox.prediction.images import Pipeline

PHOTO = np.random.default_rng(0).integers(0, 256, (100, 200, 3), np.uint8)


def first(place: Any = np.s_[20:70, 50:150], inside: float = 0.9) -> np.ndarray:
    probability = np.full(PHOTO.shape[:2], 0.2, np.float32)
    probability[place] = inside
    return probability


def test_the_box_alone_is_looked_at_and_the_mean_of_the_logits_taken() -> None:
    seen: list[np.ndarray] = []

    def pipeline(pixels: np.ndarray) -> np.ndarray:
        seen.append(pixels)
        return np.full(pixels.shape[:2], 0.5, np.float32)

    probability = first()
    found = closer_looks(PHOTO, probability, pipeline)  # type: ignore[arg-type]
    near, far = np.s_[15:75, 40:160], np.s_[5:85, 20:180]  # .1 and .3 of 50 and 100 beside the object
    crop, mirrored = seen
    np.testing.assert_array_equal(crop, PHOTO[near])
    np.testing.assert_array_equal(mirrored, PHOTO[far][:, ::-1])
    # A third of the logit of .9 is log(9) / 3, that of 9^(1/3) to 1; of .2 it is that of 1 to 4^(1/3).
    np.testing.assert_allclose(found[20:70, 50:150], 9 ** (1 / 3) / (1 + 9 ** (1 / 3)), atol=1e-6)
    np.testing.assert_allclose(found[near][:5], 1 / (1 + 4 ** (1 / 3)), atol=1e-6)
    outside = np.ones(found.shape, bool)
    outside[far] = False
    assert (found[outside] == probability[outside]).all()
    assert probability.max() == np.float32(0.9)  # what is given stays


def test_what_is_seen_in_a_mirror_is_turned_back() -> None:
    def left(pixels: np.ndarray) -> np.ndarray:
        return np.where(np.arange(pixels.shape[1]) < pixels.shape[1] // 2, 0.6, 0.4)[None].repeat(len(pixels), 0)

    # Both looks have the same middle: what one says of the left the other says of the right.
    found = closer_looks(PHOTO, first(), left)  # type: ignore[arg-type]
    np.testing.assert_allclose(found[20:70, 50:150], found[20:70, 50:150][:, ::-1], atol=1e-5)


def test_where_one_look_finds_nothing_the_next_is_not_taken() -> None:
    looks: list[int] = []

    def nothing(pixels: np.ndarray) -> np.ndarray:
        looks.append(1)
        return np.full(pixels.shape[:2], 0.01, np.float32)

    assert closer_looks(PHOTO, first(inside=0.6), nothing).max() < 0.5  # type: ignore[arg-type]
    assert len(looks) == 1


@pytest.mark.parametrize("probability", [first(inside=0.4), first(np.s_[20:40, 50:60])], ids=["none", "tiny"])
def test_where_a_look_is_no_use_none_is_taken(probability: np.ndarray) -> None:
    def never(_: np.ndarray) -> np.ndarray:
        raise AssertionError

    assert closer_looks(PHOTO, probability, never) is probability  # type: ignore[arg-type]


def test_what_fills_the_photo_is_looked_at_in_a_mirror_alone() -> None:
    seen: list[np.ndarray] = []

    def same(pixels: np.ndarray) -> np.ndarray:
        seen.append(pixels)
        return np.full(pixels.shape[:2], 0.5, np.float32)

    closer_looks(PHOTO, first(np.s_[:, 10:]), same)  # type: ignore[arg-type]
    (mirrored,) = seen
    np.testing.assert_array_equal(mirrored, PHOTO[:, ::-1])


def test_what_the_first_look_is_sure_of_can_still_be_changed() -> None:
    found = closer_looks(PHOTO, first(inside=1.0), lambda pixels: np.zeros(pixels.shape[:2], np.float32))  # type: ignore[arg-type]
    np.testing.assert_allclose(found[20:70, 50:150], 0.5, atol=1e-3)  # and then there is nothing to look at


def test_small_networks_look_again_at_photos_and_once_at_frames(monkeypatch: pytest.MonkeyPatch) -> None:
    model = salbox.load("scfnet")
    assert looks_again(model)
    looks: list[tuple[int, ...]] = []
    pipeline = Pipeline(model)
    call = Pipeline.__call__

    def counted(self: Pipeline, image: np.ndarray, name: str | None = None) -> np.ndarray:
        looks.append(image.shape)
        places: dict[tuple[int, ...], Any] = {
            (100, 200): np.s_[:],
            (60, 120): np.s_[15:75, 40:160],
            (80, 160): np.s_[5:85, 20:180],
        }
        return call(self, image, name) * 0 + first()[places[image.shape[:2]]]

    monkeypatch.setattr(Pipeline, "__call__", counted)
    for is_frame in (False, True):
        photo = Photo(np.dstack([PHOTO, np.full(PHOTO.shape[:2], 255, np.uint8)]))
        cut_out(photo, pipeline, CutoutOptions(refine="none", mask_only=True), is_frame=is_frame)
    assert looks == [(100, 200, 3), (60, 120, 3), (80, 160, 3), (100, 200, 3)]


def test_other_models_look_once(monkeypatch: pytest.MonkeyPatch) -> None:
    assert not looks_again(SimpleNamespace(network=None))  # type: ignore[arg-type]
    model = salbox.load("scfnet")
    monkeypatch.setattr("salbox.apps.cutout_look._SMALL", 256 * 256 - 1)  # as for a network that sees more
    assert not looks_again(model)
