"""Writing: what is read back is what was written, and nothing is left half-done."""

from __future__ import annotations

import errno
import json
import os
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis.extra import numpy as hnp
from PIL import Image
from scipy.io import loadmat

import salbox
from salbox.formats.npy import read_npy
from salbox.imaging.image import read_image
from salbox.imaging.scaling import min_max
from salbox.imaging.writing import FORMATS, WHITE, atomic, suffix, write_map
from salbox.writing import read_notes

MAP = np.array([[-1.0, 0.0, 1.0], [3.0, 0.5, -0.5]], np.float32)
NOTES = {"salbox": "0", "model": "gbvs", "parameters": {"levels": (2, 3)}}


@pytest.mark.parametrize("file_format", FORMATS)
def test_comes_back(file_format, tmp_path):
    path = tmp_path / "deep" / f"map{suffix(file_format)}"
    write_map(path, MAP, file_format, NOTES)
    if file_format == "npy":
        back = np.load(path, allow_pickle=False)
    elif file_format == "mat":
        back = loadmat(path)["saliency_map"]
    else:
        with Image.open(path) as image:
            back = np.asarray(image)
    assert back.shape == MAP.shape
    if file_format in ("npy", "mat", "tiff"):
        assert back.dtype == np.float32
        np.testing.assert_array_equal(back, MAP)
    else:
        steps = {"png": 255, "png16": 65535, "jpg": 255}[file_format]
        tolerance = 6 if file_format == "jpg" else 0
        assert np.abs(back.astype(float) - np.rint((MAP + 1) / 4 * steps)).max() <= tolerance
    assert [p.name for p in path.parent.iterdir()] == [path.name]


@pytest.mark.parametrize("file_format", FORMATS)
def test_notes_say_where_the_map_comes_from(file_format, tmp_path):
    path = tmp_path / f"map{suffix(file_format)}"
    write_map(path, MAP, file_format, NOTES)
    notes = read_notes(path)
    picture = {"white": WHITE[file_format], "black": -1.0} if file_format in WHITE else {}
    numbers = {"output": "score", "minimum": -1.0, "maximum": 3.0}
    assert notes == {**NOTES, "parameters": {"levels": [2, 3]}, **numbers, **picture}


def test_a_comment_of_a_jpg_that_would_be_too_long_keeps_what_the_map_is(tmp_path):
    write_map(tmp_path / "a.jpg", MAP, "jpg", {"model": "x" * 70_000}, output="probability")
    notes = read_notes(tmp_path / "a.jpg")
    assert notes == {"output": "probability", "white": 255, "black": -1.0, "minimum": -1.0, "maximum": 3.0}


def test_an_npy_is_as_numpy_writes_it_with_the_notes_behind(tmp_path):
    write_map(tmp_path / "a.npy", MAP.T, "npy", NOTES)
    np.save(tmp_path / "b.npy", np.ascontiguousarray(MAP.T))
    expected = (tmp_path / "b.npy").read_bytes()
    assert (tmp_path / "a.npy").read_bytes().startswith(expected)
    np.testing.assert_array_equal(np.load(tmp_path / "a.npy", mmap_mode="r"), MAP.T)
    np.testing.assert_array_equal(read_npy(tmp_path / "a.npy"), MAP.T)


@pytest.mark.parametrize("file_format", FORMATS)
def test_a_full_disk_is_one_line_and_leaves_nothing(file_format, tmp_path, monkeypatch):
    real = Path.open

    class Full:
        """A file whose disk is full after a few bytes."""

        def __init__(self, file):
            self._file = file

        def write(self, piece):
            self._file.write(bytes(piece)[:9])
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

        def __enter__(self):
            return self

        def __exit__(self, *_):
            self._file.close()

    before = tmp_path / f"map{suffix(file_format)}"
    write_map(before, MAP, file_format, {})
    content = before.read_bytes()
    monkeypatch.setattr(Path, "open", lambda path, mode="r": Full(real(path, mode)))
    with pytest.raises(salbox.UsageError, match=r"cannot be written \(No space left on device\)"):
        write_map(before, MAP, file_format, {})
    monkeypatch.undo()
    assert (before.read_bytes(), list(tmp_path.iterdir())) == (content, [before])


@pytest.mark.parametrize(("file_format", "full"), [("png", 255), ("png16", 65535)])
def test_black_and_white_can_be_said(file_format, full, tmp_path):
    """Then a map is not stretched, and what lies beyond is brought to them."""
    path = tmp_path / "map.png"
    write_map(path, np.array([[0.2, 0.5], [1.5, -1.0]], np.float32), file_format, {}, bounds=(0.0, 1.0))
    with Image.open(path) as image:
        np.testing.assert_array_equal(np.asarray(image), np.rint(np.array([[0.2, 0.5], [1, 0]], np.float32) * full))
    expected = {"output": "score", "minimum": -1.0, "maximum": 1.5, "bounds": [0.0, 1.0], "white": full}
    assert read_notes(path) == expected


def test_mat_carries_the_notes_too(tmp_path):
    path = tmp_path / "map.mat"
    write_map(path, MAP, "mat", NOTES)
    assert json.loads(str(loadmat(path)["notes"][0]))["model"] == "gbvs"


def test_foreign_picture_has_no_notes(tmp_path):
    Image.new("L", (2, 2)).save(tmp_path / "a.png")
    assert read_notes(tmp_path / "a.png") == {}


def test_constant_map_is_black(tmp_path):
    write_map(tmp_path / "a.png", np.full((2, 2), 5, np.float32), "png", {})
    assert not read_image(tmp_path / "a.png").any()


def test_failure_leaves_what_was_there(tmp_path):
    path = tmp_path / "a.txt"
    path.write_text("before")

    def fail_halfway():
        with atomic(path) as temporary:
            temporary.write_text("half")
            raise RuntimeError

    with pytest.raises(RuntimeError):
        fail_halfway()
    assert path.read_text() == "before"
    assert list(tmp_path.iterdir()) == [path]


def test_unwritable_place_is_one_line(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(salbox.UsageError, match="cannot be written"):
        write_map(tmp_path / "file" / "a.png", MAP, "png", {})
    (tmp_path / "folder.png").mkdir()
    with pytest.raises(salbox.UsageError, match="cannot be written"):
        write_map(tmp_path / "folder.png", MAP, "png", {})


def test_unknown_format_proposes_the_nearest(tmp_path):
    with pytest.raises(salbox.UsageError, match="'png16'"):
        write_map(tmp_path / "a", MAP, "png61", {})


@given(
    hnp.arrays(
        np.float32,
        hnp.array_shapes(min_dims=2, max_dims=2, max_side=6),
        elements={"allow_nan": False, "allow_infinity": False},
    )
)
def test_min_max_stays_within_0_and_1(values):
    scaled = min_max(values)
    assert scaled.dtype == np.float32
    assert np.isfinite(scaled).all()
    if values.min() < values.max():
        assert (scaled.min(), scaled.max()) == (0, 1)
    else:
        assert not scaled.any()


@pytest.mark.parametrize(("file_format", "full"), [("png", 255), ("png16", 65535)])
def test_a_probability_is_not_stretched(file_format, full, tmp_path):
    path = tmp_path / "map.png"
    write_map(path, np.array([[0.2, 0.5], [0.25, 0.4]], np.float32), file_format, {}, output="probability")
    with Image.open(path) as image:
        np.testing.assert_array_equal(np.asarray(image), np.rint(np.array([[0.2, 0.5], [0.25, 0.4]]) * full))
    assert read_notes(path)["bounds"] == [0.0, 1.0]
