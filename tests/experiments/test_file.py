"""The file of an experiment: what may stand in it, and what paths mean."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image

pytest.importorskip("torch")
pytest.importorskip("pydantic")

from salbox import PostProcess
from salbox.errors import UsageError
from salbox.experiments.plan import read_experiment
from salbox.training.recipe import read_recipe


@pytest.fixture
def folder(tmp_path):
    for part in ("photos", "others"):
        (tmp_path / part).mkdir()
        Image.fromarray(np.zeros((8, 8, 3), np.uint8)).save(tmp_path / part / "a.png")
    return tmp_path


def write(folder, text):
    path = folder / "study.yaml"
    path.write_text(text, encoding="utf-8")
    return path


SHORT = "models: aim, gbvs\nimages: photos\n"


def test_what_is_left_out(folder):
    experiment = read_experiment(write(folder, SHORT))
    assert experiment.name == "study"
    assert experiment.folder == folder / "study"
    assert [(model.name, model.model, model.maps) for model in experiment.models] == [
        ("aim", "aim", None),
        ("gbvs", "gbvs", None),
    ]
    assert experiment.recipe == read_recipe("box")
    assert experiment.pre == experiment.post == PostProcess()
    assert experiment.test is experiment.run is None


def test_all_keys_with_paths_relative_to_the_file(folder, monkeypatch):
    monkeypatch.chdir("/")
    (folder / "mine.yaml").write_text("student: kdsalbox\nepochs: 7\n")
    text = """
name: all of it
models: [one, two]
images: photos
maps: made/{model}/maps
pre: {histogram_matching: biased, histogram_matching_reference: others, threshold: 90%}
post: {scale_output: min-max, scale_max: 255}
recipe: mine.yaml
init: mine.yaml
test: {images: others, maps: "~/elsewhere/{model}"}
run: others
"""
    experiment = read_experiment(write(folder, text), folder / "out", workers=2)
    assert experiment.folder == folder / "out"
    assert [model.maps for model in experiment.models] == [folder / "made" / name / "maps" for name in ("one", "two")]
    assert experiment.models[1].test_maps.parts[-2:] == ("elsewhere", "two")
    assert experiment.models[1].test_maps.is_absolute()
    assert experiment.pre == PostProcess(
        histogram_matching="biased", histogram_matching_reference=str(folder / "others"), threshold="p90"
    )
    assert experiment.post == PostProcess(scale_output="min-max", scale_max=255)
    assert (experiment.recipe.student, experiment.recipe.epochs) == ("kdsalbox", 7)
    assert experiment.init == str(folder / "mine.yaml")
    assert [photo.path for photo in experiment.test] == [photo.path for photo in experiment.run]
    assert experiment.test[0].path == folder / "others" / "a.png"


def test_a_recipe_that_changes_another(folder):
    experiment = read_experiment(write(folder, SHORT + "recipe: {base: kdsalbox-code, epochs: 3, size: [64, 64]}\n"))
    assert experiment.recipe == read_recipe("kdsalbox-code", ["epochs=3", "size=[64, 64]"])


def test_maps_of_the_photos_to_test_on_may_lie_with_the_others(folder):
    experiment = read_experiment(write(folder, "models: [one]\nimages: photos\nmaps: made\ntest: {images: others}\n"))
    assert experiment.models[0].test_maps == experiment.models[0].maps == folder / "made"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("images: photos", "the key 'models' is missing"),
        ("models: aim", "the key 'images' is missing"),
        (SHORT + "model: aim", "no key 'model'; did you mean 'models'?"),
        (SHORT + "tests: {images: others}", "no key 'tests'; did you mean 'test'?"),
        (SHORT + "test: {image: others}", "no key 'test.image'; did you mean 'images'?"),
        (SHORT + "name: [1]", "name=[1]: input should be a valid string"),
        (SHORT + "name: ../up", "expected a name that a folder can have"),
        (SHORT + "pre: {do_smooting: custom}", "no key 'pre.do_smooting'; did you mean 'do_smoothing'"),
        (SHORT + "post: {threshold: ostu}", "post.threshold='ostu'; did you mean 'otsu'"),
        (SHORT + "post: {scale_max: high}", "post.scale_max='high': expected a value as 1.0"),
        (SHORT + "pre: {center_prior_scale_first: 1}", "expected a value as True"),
        (SHORT + "pre: {smooth_prop: .1}", "pre.smooth_prop does nothing without do_smoothing proportional"),
        (SHORT + "recipe: boxx", "no recipe 'boxx'; did you mean 'box'?"),
        (SHORT + "recipe: {epoch: 3}", "no key 'recipe.epoch'; did you mean 'epochs'"),
        (SHORT + "recipe: {name: box}", "no key 'recipe.name'"),
        (SHORT + "recipe: {epochs: 0}", "epochs=0: input should be greater than or equal to 1"),
        (SHORT + "recipe: {base: 3}", "recipe.base=3: expected a recipe's name or file"),
        (SHORT + "test: {images: nowhere}", "nowhere: no such folder"),
        (SHORT + "test: {maps: m}", "test.maps does nothing without test.images"),
        (SHORT + "test: {images: others, maps: m}", "test.maps goes with maps"),
        (SHORT + "maps: made", "maps='made': expected {model} in it"),
        ("models: [amm]\nimages: photos", "or 'aim'?"),
        ("models: [aim, aim]\nimages: photos", "'aim' stands twice"),
        ("models: []\nimages: photos", "models: none is named"),
        ("models: [../a, b]\nimages: photos\nmaps: '{model}'", "'../a': expected a name that a folder can have"),
        (SHORT + "images: photos", "'images' stands twice"),
    ],
)
def test_what_does_not_fit_is_one_line_that_names_the_file(folder, text, message):
    path = write(folder, text)
    with pytest.raises(UsageError) as raised:
        read_experiment(path)
    assert message in str(raised.value)
    assert str(raised.value).startswith(f"{path}: ")
    assert "\n" not in str(raised.value)


def test_outputs_within_the_photos_are_no_photos(folder):
    (folder / "study").mkdir()
    Image.fromarray(np.zeros((8, 8, 3), np.uint8)).save(folder / "study" / "grid.png")
    experiment = read_experiment(write(folder, "models: [aim]\nimages: .\n"))
    assert {photo.path.relative_to(folder).as_posix() for photo in experiment.photos} == {
        "photos/a.png",
        "others/a.png",
    }
