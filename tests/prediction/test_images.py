"""The road from image to map: networks run once, sizes, memory, names of folders, on every way that leads over it."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from recording import count_passes
from skimage import data

import salbox
from salbox.errors import SalboxError
from salbox.imaging.inputs import find_images
from salbox.imaging.postprocess import PostProcess
from salbox.imaging.scaling import at_size
from salbox.imaging.video_writing import VideoWriter
from salbox.prediction.batch import BatchPlan, run_batch
from salbox.prediction.compare import compare_models
from salbox.prediction.images import ImageMaps, Pipeline, device_of, folder_name, memory_errors_named
from salbox.prediction.videos import ClipPlan, run_clip

CAT = np.ascontiguousarray(data.chelsea()[::2, ::2])
HEADS = ("aim.student", "gbvs.student")
ENSEMBLE = "ensemble:aim.student+gbvs.student"


@pytest.fixture
def passes(monkeypatch):
    return count_passes(monkeypatch)


@pytest.fixture
def photos(tmp_path) -> Path:
    (tmp_path / "photos").mkdir()
    for k in range(2):
        Image.fromarray(np.roll(CAT, 20 * k, axis=1)).save(tmp_path / "photos" / f"{k}.png")
    return tmp_path / "photos"


@pytest.fixture
def clip(tmp_path) -> Path:
    with VideoWriter(tmp_path / "clip.avi", 10) as writer:
        for k in range(3):
            writer.write(np.ascontiguousarray(np.roll(CAT, 9 * k, axis=1)[:60, :80]))
    return tmp_path / "clip.avi"


def loaded(*names: str, **options) -> dict[str, Pipeline]:
    return {name: Pipeline(salbox.load(name), **options) for name in names}


# --- A network runs once


def test_python_runs_a_network_once_for_a_batch(passes):
    maps = salbox.predict([CAT, CAT[:, ::-1]], models=[*HEADS, "bms", ENSEMBLE])
    assert passes == [(2, ("aim", "gbvs"))]
    for name in HEADS:
        np.testing.assert_array_equal(maps[0][name], salbox.load(name)(CAT))


@pytest.mark.parametrize("size", [None, 64])
@pytest.mark.parametrize("names", [HEADS, (ENSEMBLE, "gbvs.student"), (ENSEMBLE,)])
def test_a_batch_runs_it_once_an_image(photos, tmp_path, passes, size, names):
    plan = BatchPlan({name: {} for name in names}, tmp_path / "out", "npy", size=size, overlay=0.5)
    images = find_images([str(photos)])
    first, *_ = run_batch(images, plan, workers=1)
    runs = [number for number, heads in passes if set(heads) == {"aim", "gbvs"}]
    assert len(first.written) == 2 * len(names)
    assert len(runs) == len(images)
    pixels = salbox.read_image(images[1].path)
    for pipeline in plan.pipelines():
        written = np.load(tmp_path / "out" / folder_name(pipeline.model.name) / "1.npy")
        np.testing.assert_array_equal(written, pipeline.model.at_size(pixels, size))


@pytest.mark.parametrize("size", [None, 64])
def test_a_comparison_runs_it_once(photos, tmp_path, passes, size):
    compare_models(str(photos / "0.png"), {name: {} for name in HEADS}, tmp_path / "grid.png", size=size)
    assert passes == [(1, ("aim", "gbvs"))]


@pytest.mark.parametrize("names", [HEADS, (ENSEMBLE, *HEADS)])
def test_a_video_runs_it_once_a_frame(clip, tmp_path, passes, names):
    plan = BatchPlan({name: {} for name in names}, tmp_path / "out", "npy", overlay=0.5)
    assert not run_clip(clip, plan, ClipPlan(smooth_seconds=0.5)).failures
    assert passes == [(1, ("aim", "gbvs"))] * 3
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == sorted(map(folder_name, names))


def test_only_heads_that_are_asked_for_are_made(passes):
    pipelines = loaded("aim.student", "bms.student")
    maps = ImageMaps([CAT], [pipelines["bms.student"]])
    maps.of(pipelines["bms.student"])
    maps.of(pipelines["bms.student"])
    maps.of(pipelines["aim.student"])  # not announced: a pass of its own
    assert passes == [(1, ("bms",)), (1, ("aim", "bms"))]


def test_other_sizes_are_other_passes(passes):
    heads = [Pipeline(salbox.load(name), size=size) for name, size in zip(HEADS, (None, 64), strict=True)]
    maps = ImageMaps([CAT], heads)
    found = [maps.of(pipeline)[0] for pipeline in heads]
    assert passes == [(1, ("aim",)), (1, ("gbvs",))]
    for pipeline, saliency in zip(heads, found, strict=True):
        np.testing.assert_array_equal(saliency, pipeline(CAT))


# --- Sizes


@pytest.mark.parametrize("name", ["aim.student", "bms", "gaze", "ensemble:bms.student+gaussian"])
def test_a_smaller_copy_comes_back_and_a_longest_side_stays(name):
    model = salbox.load(name)
    for size in (50, 4000):
        np.testing.assert_array_equal(Pipeline(model, size=size)(CAT), model.at_size(CAT, size))
    for side in (50, 300):
        saliency = Pipeline(model, longest_side=side)(CAT)
        assert max(saliency.shape) == side
        np.testing.assert_array_equal(saliency, model(at_size(CAT, side)))


def test_post_processing_gets_what_the_numbers_are():
    process = PostProcess(do_smoothing="proportional", scale_output="log-density")
    pipeline = Pipeline(salbox.load("gaze"), process, size=50)
    assert pipeline.output == "log_density"
    expected = process(salbox.load("gaze").at_size(CAT, 50), output="log_density")
    np.testing.assert_array_equal(pipeline(CAT), expected)


# --- Memory


@pytest.fixture
def no_memory(monkeypatch):
    def refuse(*_):
        raise MemoryError

    monkeypatch.setattr("salbox.prediction.images.ImageMaps.of", refuse)


def test_an_image_that_takes_too_much_memory_is_named(photos, clip, tmp_path, no_memory):
    plan = BatchPlan({"gaussian": {}}, tmp_path / "out", "npy")
    message = "not enough memory (--size N computes on a smaller copy)"
    first, second = run_batch(find_images([str(photos)]), plan, workers=1)
    assert first.failures == [f"{photos / '0.png'}: {message}"]
    assert second.failures == [f"{photos / '1.png'}: {message}"]
    assert run_clip(clip, plan, ClipPlan()).failures == [f"{clip}: {message}"]
    with pytest.raises(SalboxError) as raised:
        compare_models(str(photos / "0.png"), {"gaussian": {}}, tmp_path / "grid.png")
    assert str(raised.value) == f"{photos / '0.png'}: {message}"


def test_other_errors_stay_what_they_are():
    with pytest.raises(ZeroDivisionError), memory_errors_named("a.png", "help"):
        1 / 0  # noqa: B018


# --- Names and devices


@pytest.mark.parametrize(
    ("model", "folder"),
    [("gbvs.student", "gbvs.student"), ("ensemble:0.7*bms+0.3*aim", "ensemble-0.7xbms+0.3xaim")],
)
def test_folders(model, folder):
    assert folder_name(model) == folder


def test_the_first_device_that_is_not_the_processor():
    assert device_of([{}, {"device": None}, {"device": "cpu"}]) is None
    assert device_of([{"device": "cpu"}, {"device": "cuda:1"}, {"device": "cuda"}]) == "cuda:1"


@pytest.mark.parametrize("models", [["imsig", "ensemble:imsig+gaussian"], ["ensemble:imsig+gaussian", "imsig"]])
def test_a_model_runs_once_by_itself_and_in_an_ensemble(models, monkeypatch):
    from salbox.classical import imsig as module

    runs = []
    run = module.imsig
    monkeypatch.setattr(
        module, "imsig", lambda image, **parameters: runs.append(image.shape) or run(image, **parameters)
    )
    image = np.random.default_rng(0).integers(0, 256, (40, 60, 3), np.uint8)
    maps = salbox.predict(image, models)
    assert len(runs) == 1
    monkeypatch.undo()
    for name in models:
        np.testing.assert_array_equal(maps[name], salbox.load(name)(image))
    maps = salbox.predict(image, [salbox.load("imsig", map_width=32), "ensemble:imsig+gaussian"])
    np.testing.assert_array_equal(maps["imsig"], salbox.load("imsig", map_width=32)(image))
