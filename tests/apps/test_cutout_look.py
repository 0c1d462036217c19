"""The second look at an object alone."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

import salbox
from salbox.apps.cutout_look import closer_look, looks_twice
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
    found = closer_look(PHOTO, probability, pipeline)  # type: ignore[arg-type]
    margin = round(0.1 * 50)
    place = np.s_[20 - margin : 70 + margin, 50 - 10 : 150 + 10]
    (crop,) = seen
    np.testing.assert_array_equal(crop, PHOTO[place])
    # Half of the logit of .9 is log(9) / 2 = log(3), that of 3 to 1; of .2 it is that of 1 to 2.
    np.testing.assert_allclose(found[20:70, 50:150], 3 / 4, atol=1e-6)
    np.testing.assert_allclose(found[place][:margin], 1 / 3, atol=1e-6)
    outside = np.ones(found.shape, bool)
    outside[place] = False
    assert (found[outside] == probability[outside]).all()
    assert probability.max() == np.float32(0.9)  # what is given stays


@pytest.mark.parametrize(
    "probability", [first(inside=0.4), first(np.s_[:, 10:]), first(np.s_[20:40, 50:60])], ids=["none", "large", "tiny"]
)
def test_where_a_look_is_no_use_none_is_taken(probability: np.ndarray) -> None:
    def never(_: np.ndarray) -> np.ndarray:
        raise AssertionError

    assert closer_look(PHOTO, probability, never) is probability  # type: ignore[arg-type]


def test_what_the_first_look_is_sure_of_can_still_be_changed() -> None:
    found = closer_look(PHOTO, first(inside=1.0), lambda pixels: np.zeros(pixels.shape[:2], np.float32))  # type: ignore[arg-type, return-value]
    np.testing.assert_allclose(found[20:70, 50:150], 0.5, atol=1e-3)


def test_small_networks_look_twice_at_photos_and_once_at_frames(monkeypatch: pytest.MonkeyPatch) -> None:
    model = salbox.load("scfnet")
    assert looks_twice(model)
    looks: list[tuple[int, ...]] = []
    pipeline = Pipeline(model)
    call = Pipeline.__call__

    def counted(self: Pipeline, image: np.ndarray, name: str | None = None) -> np.ndarray:
        looks.append(image.shape)
        return call(self, image, name) * 0 + first()[: image.shape[0], : image.shape[1]]

    monkeypatch.setattr(Pipeline, "__call__", counted)
    for is_frame in (False, True):
        photo = Photo(np.dstack([PHOTO, np.full(PHOTO.shape[:2], 255, np.uint8)]))
        cut_out(photo, pipeline, CutoutOptions(refine="none", mask_only=True), is_frame=is_frame)
    assert looks == [(100, 200, 3), (60, 120, 3), (100, 200, 3)]


def test_other_models_look_once(monkeypatch: pytest.MonkeyPatch) -> None:
    assert not looks_twice(SimpleNamespace(network=None))  # type: ignore[arg-type]
    model = salbox.load("scfnet")
    monkeypatch.setattr("salbox.apps.cutout_look._SMALL", 256 * 256 - 1)  # as for a network that sees more
    assert not looks_twice(model)
