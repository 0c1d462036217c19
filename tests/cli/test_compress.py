"""`salbox compress` as people type it."""

from __future__ import annotations

import json

import pytest
import skimage.data
from PIL import Image

from salbox.datasets import image_shape

PHOTO = Image.fromarray(skimage.data.chelsea()[:160, :200])


@pytest.fixture
def photos(tmp_path):
    folder = tmp_path / "photos"
    (folder / "below").mkdir(parents=True)
    PHOTO.save(folder / "a.png")
    PHOTO.save(folder / "below" / "b.jpg", quality=95)
    (folder / "broken.jpg").write_bytes(b"\xff\xd8\xff words")
    return folder


def test_a_folder_with_a_broken_file_and_again(cli, photos, tmp_path):
    out = tmp_path / "small"
    given = ("compress", photos, "-r", "--target-size", "6KB", "-m", "gbvs.student", "-o", out, "--json")
    code, printed, complaints = cli(*given)
    assert code == 1
    assert "1 failed" in complaints
    assert "broken.jpg" in complaints
    found = {entry["source"].rpartition("/")[2]: entry for entry in json.loads(printed)}
    for name, target in (("a.png", out / "a.jpg"), ("b.jpg", out / "below" / "b.jpg")):
        assert found[name]["written"] == str(target)
        assert found[name]["bytes"] == target.stat().st_size <= 6000
        assert image_shape(target) == (160, 200)
    before = (out / "a.jpg").stat().st_mtime_ns
    code, _, complaints = cli(*given)
    assert code == 1
    assert "2 were there already" in complaints
    assert (out / "a.jpg").stat().st_mtime_ns == before


def test_a_photo_is_never_replaced_by_its_copy(cli, photos):
    path = photos / "below" / "b.jpg"
    before = path.read_bytes()
    code, _, complaints = cli("compress", path, "--quality", "50", "-m", "gbvs.student", "-o", path.parent)
    assert code == 1
    assert "its copy would take its place" in complaints
    assert path.read_bytes() == before


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((), "give a target size or a quality"),
        (("--target-size", "big"), "size 'big': expected a number of bytes"),
        (("--quality", "50", "--format", "png"), "no format 'png'"),
        (("--quality", "50", "-m", "gbvs.student,aim.student"), "give one"),
    ],
)
def test_what_makes_no_sense_is_one_line(cli, photos, tmp_path, arguments, message):
    code, _, complaints = cli("compress", photos / "a.png", "-o", tmp_path / "o", *arguments)
    assert code == 2
    assert message in complaints
    assert complaints.count("\n") == 1


def test_too_small_a_size_says_what_to_do(cli, photos, tmp_path):
    given = ("--target-size", "200", "-m", "gbvs.student", "-o", tmp_path / "o")
    code, _, complaints = cli("compress", photos / "a.png", *given)
    assert code == 1
    assert "allow a lower quality (--min-quality)" in complaints
