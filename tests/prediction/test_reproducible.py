"""The same command gives the same bytes: twice, in one process or two, alone or among others."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from skimage import data

import salbox
from salbox.writing import read_notes

MODELS = "gaze,gbvs.student,imsig"
SHAPES = ((96, 128), (96, 128), (128, 96), (60, 200))


@pytest.fixture(scope="module")
def photos(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("photos")
    whole = Image.fromarray(data.astronaut())
    for number, (height, width) in enumerate(SHAPES):
        whole.crop((40 * number, 0, 40 * number + 2 * width, 2 * height)).resize((width, height)).save(
            folder / f"{number}.png"
        )
    return folder


def contents(folder: Path) -> dict[str, bytes]:
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


@pytest.mark.slow
@pytest.mark.parametrize("file_format", ["png16", "npy", "mat"])
def test_the_same_command_twice_and_two_processes(cli, photos, tmp_path, file_format):
    for name, workers in (("first", 1), ("second", 1), ("shared", 2)):
        command = ("predict", photos, "-m", MODELS, "-o", tmp_path / name, "--format", file_format)
        assert cli(*command, "--workers", workers)[0] == 0
    first = contents(tmp_path / "first")
    assert len(first) == len(SHAPES) * len(MODELS.split(","))
    assert contents(tmp_path / "second") == first
    assert contents(tmp_path / "shared") == first


@pytest.mark.parametrize("name", MODELS.split(","))
def test_alone_and_among_others(photos, name):
    paths = sorted(photos.iterdir())
    together = salbox.predict(paths, models=name)
    for path, maps in zip(paths, together, strict=True):
        np.testing.assert_array_equal(salbox.load(name)(path), maps[name])


def test_a_model_alone_and_with_others(photos):
    path = photos / "0.png"
    together = salbox.predict(path, models=MODELS.split(","))
    for name, saliency in together.items():
        np.testing.assert_array_equal(salbox.load(name)(path), saliency)


@pytest.mark.parametrize("file_format", ["png", "png16", "jpg", "npy", "tiff", "mat"])
def test_every_output_says_by_which_version_and_settings(cli, photos, tmp_path, file_format):
    command = ("predict", photos / "0.png", "-m", "gaussian", "--param", "gaussian:sigma=0.5", "-o", tmp_path)
    assert cli(*command, "--format", file_format)[0] == 0
    (path,) = (tmp_path / "gaussian").iterdir()
    notes = read_notes(path)
    assert (notes["salbox"], notes["model"]) == (salbox.__version__, "gaussian")
    assert notes["parameters"]["sigma"] == 0.5
