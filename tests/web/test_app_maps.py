"""Maps for pages: the same as everywhere, each computed once, and files in the picture's own size."""

from __future__ import annotations

import io
import zipfile

import numpy as np
import pytest
from image_bytes import image_bytes
from PIL import Image

import salbox
from salbox.imaging.postprocess import PostProcess
from salbox.models import loading
from salbox.web.app import maps, settings
from salbox.web.app.uploads import read_upload, sample

NAMES = ["gaze", "gbvs.student", "imsig"]


@pytest.fixture
def picture():
    return sample("chelsea")


def test_maps_are_those_of_predict_post_processed_or_not(picture):
    cache = maps.MapCache()
    found = cache.of(picture, NAMES)
    expected = salbox.predict(picture.pixels, NAMES)
    for name in NAMES:
        assert np.array_equal(found[name], expected[name])
    process = PostProcess(scale_output="min-max", center_prior="proportional_mult")
    processed = cache.of(picture, ["imsig"], process)["imsig"]
    assert np.array_equal(processed, salbox.predict(picture.pixels, "imsig", postprocess=process)["imsig"])


def test_a_map_is_computed_once(picture, monkeypatch):
    cache = maps.MapCache()
    first = cache.of(picture, ["imsig"])["imsig"]
    monkeypatch.setattr(maps, "predict", lambda *_: pytest.fail("was computed again"))
    assert np.array_equal(
        cache.of(picture, ["imsig"], PostProcess(scale_output="min-max"))["imsig"].argmax(), first.argmax()
    )


def test_a_models_own_smoothing_is_switched_off_where_another_replaces_it(picture):
    process = PostProcess(do_smoothing="custom", smooth_std=2.0, smooth_size=7)
    small = read_upload("small.png", image_bytes(picture.pixels[::4, ::4]))
    found = maps.MapCache().of(small, ["aim"], process)["aim"]
    assert np.array_equal(found, salbox.predict(small.pixels, "aim", postprocess=process)["aim"])


def test_memory_is_bounded_and_what_was_not_asked_for_longest_goes(picture):
    size = picture.pixels[..., 0].size * 4
    cache = maps.MapCache(most=2 * size)
    for name in ("imsig", "gaussian", "gbvs.student"):
        cache.of(picture, [name])
    assert cache.size == 2 * size
    assert [key[1] for key in cache._kept] == ["gaussian", "gbvs.student"]


def test_models_are_loaded_once_for_all_visitors(monkeypatch):
    first = maps.shared_model("gbvs.student")
    monkeypatch.setattr(loading, "load", lambda *_, **__: pytest.fail("was loaded again"))
    assert maps.shared_model("gbvs.student") is first


def test_the_quickest_come_first():
    assert maps.in_turns(["unisal.people", "gbvs.student", "gaze", "sun"]) == [
        ["gaze"],
        ["gbvs.student"],
        ["unisal.people"],
        ["sun"],
    ]
    assert maps.in_turns(["sun"]) == [["sun"]]


def test_a_file_holds_the_map_in_the_pictures_own_size(picture):
    large = np.repeat(np.repeat(picture.pixels, 3, axis=0), 3, axis=1)
    upload = read_upload("large.png", image_bytes(large))
    assert upload.pixels.shape[0] < upload.shape[0]
    found = np.load(io.BytesIO(maps.map_file(upload, "imsig", "npy")))
    assert np.array_equal(found, salbox.predict(large, "imsig")["imsig"])


def test_all_maps_go_into_one_archive(picture):
    other = sample("coffee")
    process = PostProcess()
    with zipfile.ZipFile(io.BytesIO(maps.maps_zip([picture, other], ["imsig", "gaussian"], "png", process))) as archive:
        assert archive.namelist() == [
            "imsig/01-chelsea.png",
            "gaussian/01-chelsea.png",
            "imsig/02-coffee.png",
            "gaussian/02-coffee.png",
        ]
        levels = np.asarray(Image.open(archive.open("imsig/02-coffee.png")))
    assert levels.shape == other.shape
    assert (levels.min(), levels.max()) == (0, 255)


def test_models_of_ones_own_come_first(monkeypatch):
    monkeypatch.setattr(settings, "_settings", settings.Settings(models=("bms", "gaze")))
    assert maps.offered()[:3] == ("bms", "gaze", "aim.student")
    assert len(set(maps.all_ready())) == len(maps.all_ready())


@pytest.mark.parametrize(("seconds", "words"), [(0.2, "under a second"), (3.4, "about 3 s"), (100, "about 2 min")])
def test_times_in_words(seconds, words):
    assert maps.time_in_words(seconds) == words


def test_what_is_kept_is_let_go_with_the_visitor(picture):
    pytest.importorskip("streamlit")
    from salbox.web.app.inputs import Visit

    visit = Visit()
    visit.maps.of(picture, ["gaussian"])
    visit.pictures["pictures"] = [picture]
    visit.end()
    assert visit.maps.size == 0
    assert not visit.pictures
