"""`-o map.png`: one map in a file of its own."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from trees import photo

import salbox
from salbox.prediction.one_file import file_format


def test_which_outputs_are_files(tmp_path):
    names = ("a.png", "a.JPEG", "a.npy", "a.tif", "a.mat", "a", "maps.v1")
    assert [file_format(Path(name), None) for name in names] == ["png", "jpg", "npy", "tiff", "mat", None, None]
    assert file_format(Path("a.png"), "png16") == "png16"
    (tmp_path / "maps.png").mkdir()
    assert file_format(tmp_path / "maps.png", "npy") is None
    with pytest.raises(salbox.UsageError, match="such a file is npy, not png"):
        file_format(Path("a.npy"), "png")


def test_one_image_and_one_model_make_one_file(cli, tmp_path):
    source = photo(tmp_path / "photo.png", 40, 30)
    target = tmp_path / "new" / "map.npy"
    code, _, said = cli("predict", source, "-m", "Gaussian", "-o", target)
    assert code == 0
    assert f"1 outputs of 1 inputs written to {target}" in said
    np.testing.assert_array_equal(np.load(target), salbox.load("gaussian")(source))
    assert cli("predict", source, "-m", "gaze", "-o", tmp_path / "map.png", "--overlay")[0] == 0
    assert sorted(path.name for path in tmp_path.iterdir()) == ["map.overlay.png", "map.png", "new", "photo.png"]
    with Image.open(tmp_path / "map.png") as picture:
        assert picture.size == (40, 30)


def test_what_is_there_is_left_unless_told(cli, tmp_path):
    photo(tmp_path / "photo.png", 40, 30)
    arguments = ["predict", tmp_path / "photo.png", "-m", "gaussian", "-o", tmp_path / "map.png"]
    assert cli(*arguments)[0] == 0
    code, _, said = cli(*arguments)
    assert (code, "1 were there already" in said) == (0, True)
    code, _, said = cli(*arguments, "--param", "sigma=.4")
    assert (code, "made otherwise" in said) == (1, True)
    assert cli(*arguments, "--param", "sigma=.4", "--overwrite")[0] == 0


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("a.png", "b.png", "-m", "gaussian", "-o", "map.png"), "there are 2 images, 0 videos, 1 models"),
        (("a.png", "-m", "gaussian,imsig", "-o", "map.png"), "1 images, 0 videos, 2 models"),
        (("a.png", "-m", "gaussian", "-o", "a.png", "--overwrite"), "a.png is the image itself"),
        (("-", "-m", "gaussian,imsig", "-o", "map.png"), "2 models"),
    ],
)
def test_more_than_one_map_does_not_fit(cli, tmp_path, monkeypatch, arguments, said):
    monkeypatch.chdir(tmp_path)
    for name in ("a.png", "b.png"):
        photo(tmp_path / name, 40, 30)
    before = (tmp_path / "a.png").read_bytes()
    code, _, complaint = cli("predict", *arguments)
    assert code == 2
    assert said in complaint
    assert complaint.count("\n") == 1
    assert (tmp_path / "a.png").read_bytes() == before
    assert not (tmp_path / "map.png").exists()
