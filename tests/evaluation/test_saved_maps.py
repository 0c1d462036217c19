"""Maps that `salbox predict` wrote, scored as what they are: the model's own figures, as far as a format's bits go."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from trees import photo, random_osie

import salbox
from salbox.datasets import open_dataset
from salbox.distillation.teachers.maps_folder import TeacherMaps
from salbox.evaluation import MapSource, ModelSource, evaluate, map_folders
from salbox.evaluation.rows import model_rows
from salbox.imaging.image import read_image
from salbox.imaging.inputs import find_images, find_images_and_videos
from salbox.imaging.overlays import OPACITY
from salbox.imaging.postprocess import NOTHING, PostProcess
from salbox.imaging.scaling import min_max
from salbox.imaging.writing import FORMATS, suffix, write_map
from salbox.models.loading import card
from salbox.models.registry import REGISTERED
from salbox.prediction.batch import BatchPlan, run_batch

# What 8 bits, and what JPEG does to them, take from a figure at most; 16 bits take less than the last digit of a table.
EXACT = {"nss": 1e-6, "cc": 1e-6, "sim": 1e-6, "kl_mit": 1e-5, "auc": 1e-6, "ll": 1e-5, "ig": 1e-5}
SIXTEEN = {"nss": 5e-4, "cc": 5e-4, "sim": 5e-4, "kl_mit": 0.01, "auc": 5e-4, "ll": 1e-3, "ig": 1e-3}
EIGHT = {"nss": 0.01, "cc": 0.002, "sim": 0.002, "kl_mit": 0.05, "auc": 0.02, "ll": 0.05, "ig": 0.05}
JPEG = {**EIGHT, "nss": 0.02}
TOLERANCES = {"png": EIGHT, "png16": SIXTEEN, "jpg": JPEG, "npy": EXACT, "tiff": EXACT, "mat": EXACT}
ANY = ["nss", "auc", "cc", "sim", "kl_mit"]


def sigmoid(image: np.ndarray) -> np.ndarray:
    """A model whose output is a probability, from .18 to .73."""
    return (1 / (1 + np.exp(1.5 - image[:, :, 1] / 102.0))).astype(np.float32)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    salbox.register("sigmoid", sigmoid, card={"task": "fixation", "output": "probability"})
    yield random_osie(tmp_path_factory.mktemp("saved") / "OSIE", images=3)
    del REGISTERED["sigmoid"]


@pytest.fixture(scope="module")
def osie(folder):
    return open_dataset(f"osie:{folder}", "test")


def save(model: str, osie_folder: Path, out: Path, file_format: str, **options) -> Path:
    plan = BatchPlan({model: {}}, out, file_format, **options)
    images = find_images([str(osie_folder / "data" / "stimuli")])
    assert not [failure for outcome in run_batch(images, plan, workers=1) for failure in outcome.failures]
    return out


def figures(data, source, metrics, folder) -> dict[str, float]:
    table = evaluate(data, [source], metrics, folder=folder)
    return {name: table.estimate(source.name, name).value for name in metrics}


def scored_maps(path: Path, data) -> MapSource:
    (source,) = model_rows([], [path], None, data, {}, NOTHING)
    return source


@pytest.mark.parametrize("file_format", FORMATS)
@pytest.mark.parametrize("model", ["gaze", "imsig", "gaussian", "sigmoid"])
def test_every_format_gives_the_models_own_figures(model, file_format, folder, osie, tmp_path):
    source = scored_maps(save(model, folder, tmp_path / "maps", file_format), osie)
    assert source.output == card(model).output
    metrics = [*ANY, "ll", "ig"] if model == "gaze" else ANY
    own = figures(osie, ModelSource(model), metrics, tmp_path / "results")
    found = figures(osie, source, metrics, tmp_path / "results")
    off = {name: abs(found[name] - own[name]) for name in metrics}
    assert all(off[name] <= TOLERANCES[file_format][name] for name in metrics), off


@pytest.mark.parametrize("file_format", ["png", "png16", "npy"])
def test_a_log_density_that_was_asked_for_comes_back_as_one(file_format, folder, osie, tmp_path):
    process = PostProcess(scale_output="log-density")
    source = scored_maps(save("imsig", folder, tmp_path / "maps", file_format, postprocess=process), osie)
    assert source.output == "log_density"
    own = figures(osie, ModelSource("imsig", postprocess=process), ["nss", "ll"], tmp_path / "results")
    found = figures(osie, source, ["nss", "ll"], tmp_path / "results")
    assert found["ll"] == pytest.approx(own["ll"], abs=0.1)
    assert found["nss"] == pytest.approx(own["nss"], abs=0.1)


def test_without_notes_a_picture_of_a_density_scores_as_the_density(folder, osie, tmp_path):
    """As frames of a video do, or what another program wrote again."""
    save("gaze", folder, tmp_path / "maps", "png")
    for path in (tmp_path / "maps").rglob("*.png"):
        Image.fromarray(np.asarray(Image.open(path))).save(path)
    source = scored_maps(tmp_path / "maps", osie)
    assert source.output == "score"
    own = figures(osie, ModelSource("gaze"), ["nss", "cc"], tmp_path / "results")
    found = figures(osie, source, ["nss", "cc"], tmp_path / "results")
    assert found["nss"] == pytest.approx(own["nss"], abs=EIGHT["nss"])
    assert found["cc"] == pytest.approx(own["cc"], abs=EIGHT["cc"])


def test_maps_of_others_are_what_they_are_said_to_be(osie, tmp_path):
    # Negative as log densities are, and none: exp of them sums to 2.
    values = np.log(2 * np.random.default_rng(0).dirichlet(np.ones(4800)).reshape(60, 80)).astype(np.float32)
    for item in osie.items:
        np.save(tmp_path / f"{item.name}.npy", values)
    (maps,) = map_folders(tmp_path, osie)
    assert (MapSource(maps).output, MapSource(maps, "log_density").output) == ("score", "log_density")
    np.testing.assert_array_equal(maps.read(0, "score"), values)
    np.testing.assert_array_equal(maps.read(0, "log_density"), values)


def test_a_log_density_that_is_said_to_be_a_score_is_scored_as_its_density(osie, tmp_path):
    values = np.log(np.random.default_rng(0).dirichlet(np.ones(4800)).reshape(60, 80)).astype(np.float32)
    for item in osie.items:
        write_map(tmp_path / f"{item.name}.npy", values, "npy", {})
    (maps,) = map_folders(tmp_path, osie)
    assert (MapSource(maps).output, MapSource(maps, "score").output) == ("log_density", "score")
    np.testing.assert_allclose(maps.read(0, "score"), np.exp(values.astype(float)))


def test_maps_of_two_kinds_in_one_folder_are_refused_and_a_broken_one_is_not_a_kind(osie, tmp_path):
    first, second, third = (item.name for item in osie.items)
    uniform = np.full((60, 80), -np.log(4800), np.float32)
    write_map(tmp_path / f"{first}.png", uniform, "png", {})
    (tmp_path / f"{second}.png").write_bytes(b"\x89PNG\r\n\x1a\n broken")
    (tmp_path / f"{third}.mat").write_bytes(b"broken")
    assert scored_maps(tmp_path, osie).output == "log_density"
    (tmp_path / f"{third}.mat").unlink()
    np.save(tmp_path / f"{third}.npy", uniform / 2)
    with pytest.raises(salbox.UsageError, match="maps of several kinds"):
        _ = scored_maps(tmp_path, osie).output
    (kept,) = model_rows([], [tmp_path], "log_density", osie, {}, NOTHING)
    assert kept.output == "log_density"


def test_eight_bits_of_a_density_are_told(folder, osie, tmp_path):
    for file_format, told in (("png", True), ("png16", False)):
        source = scored_maps(save("gaze", folder, tmp_path / file_format, file_format), osie)
        table = evaluate(osie, [source], ["nss"], folder=tmp_path / "results")
        assert any("8 bits" in note for note in table.notes) == told


def test_a_map_of_a_photo_that_is_called_as_an_overlay_is_found(tmp_path):
    for name in ("a", "a.overlay"):
        photo(tmp_path / "data" / "images" / f"{name}.png", 40, 30)
        (tmp_path / "data" / "fixations").mkdir(exist_ok=True)
        np.save(tmp_path / "data" / "fixations" / f"{name}.npy", [[20, 10]])
    images, _ = find_images_and_videos([str(tmp_path / "data" / "images")])
    list(run_batch(images, BatchPlan({"imsig": {}}, tmp_path / "maps", overlay=0.5)))
    data = open_dataset(f"folder:{tmp_path / 'data'}")
    (maps,) = map_folders(tmp_path / "maps", data)
    names = {data.items[index].name: path.name for index, path in maps.files.items()}
    assert names == {"a": "a.png.png", "a.overlay": "a.overlay.png"}
    assert maps.maps_without == ()


@pytest.mark.parametrize("file_format", ["png", "npy", "mat"])
def test_a_teacher_of_saved_log_densities_is_the_density(file_format, folder, tmp_path):
    maps = save("gaze", folder, tmp_path / "maps", file_format) / "gaze"
    source = next(iter(sorted((folder / "data" / "stimuli").iterdir())))
    expected = min_max(np.exp(salbox.load("gaze")(source).astype(float)))
    assert np.abs(TeacherMaps(maps).read(source.stem) - expected).max() < (0.004 if file_format == "png" else 1e-5)
    assert suffix(file_format) in {path.suffix for path in maps.iterdir()}


def test_a_picture_of_gaze_has_one_look(folder, tmp_path, capsys):
    """PNG, JPEG, the overlay, a plot and a log density out of Python show the same."""
    source = next(iter(sorted((folder / "data" / "stimuli").iterdir())))
    pixels, saliency = read_image(source), salbox.load("gaze")(source)
    shown = min_max(np.exp(saliency.astype(float)))
    only = tmp_path / "only"
    only.mkdir()
    shutil.copy(source, only)
    list(run_batch(find_images([str(only)]), BatchPlan({"gaze": {}}, tmp_path / "png", overlay=OPACITY)))
    list(run_batch(find_images([str(only)]), BatchPlan({"gaze": {}}, tmp_path / "jpg", "jpg")))
    assert np.abs(np.asarray(Image.open(tmp_path / "png" / "gaze" / f"{source.stem}.png")) / 255 - shown).max() < 0.003
    assert np.abs(np.asarray(Image.open(tmp_path / "jpg" / "gaze" / f"{source.stem}.jpg")) / 255 - shown).max() < 0.05
    drawn = read_image(tmp_path / "png" / "gaze" / f"{source.stem}.overlay.png")
    np.testing.assert_array_equal(drawn, salbox.overlay(pixels, saliency))
    # But for the kinks of what enlarged a log density, which a picture of one is drawn without.
    assert np.abs(drawn.astype(float) - salbox.overlay(pixels, shown)).mean() < 0.5
    panels = salbox.comparison([(pixels, {"map": saliency, "gone": shown})], differences=[("map", "gone")]).axes
    of_log, of_density, difference = (axes.images[0].get_array() for axes in panels[1:])
    assert np.abs(of_log - of_density).mean() < 0.005
    np.testing.assert_allclose(difference, of_log - of_density, atol=1e-6)


def test_log_densities_that_a_user_saved_are_known_by_their_numbers(folder, osie, tmp_path):
    made = save("gaze", folder, tmp_path / "maps", "npy")
    (tmp_path / "bare").mkdir()
    for path in made.rglob("*.npy"):
        np.save(tmp_path / "bare" / path.name, np.load(path))
    source = scored_maps(tmp_path / "bare", osie)
    assert source.output == "log_density"
    own = figures(osie, ModelSource("gaze"), ["nss"], tmp_path / "results")
    table = evaluate(osie, [source], ["nss"], folder=tmp_path / "results")
    assert table.estimate("bare", "nss").value == pytest.approx(own["nss"], abs=1e-6)
    assert any("taken for log densities" in note for note in table.notes)
