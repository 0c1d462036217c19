"""Notes: a picture gives back the numbers that it was made of; what others wrote there is not ours."""

from __future__ import annotations

import json
import os

import cv2
import numpy as np
import pytest
from PIL import Image

import salbox
from salbox.evaluation import read_map
from salbox.imaging.notes import behind_video, notes_behind, output_of, restored
from salbox.imaging.scaling import is_log_density, normalized_log, visible
from salbox.imaging.writing import FORMATS, suffix, write_map
from salbox.writing import read_notes

SCORE = np.random.default_rng(0).random((40, 60), np.float32) * 5 - 2
SOUND = {"minimum": -1.0, "maximum": 3.0}


def log_density() -> np.ndarray:
    """Return a peak on a floor that is all below the first grey of 255, (40, 60)."""
    y, x = np.mgrid[:40, :60]
    return normalized_log(-((x - 20) ** 2 + (y - 25) ** 2) / 50.0 + np.zeros((40, 60)))


@pytest.mark.parametrize("file_format", ["npy", "tiff", "mat"])
def test_numbers_come_back_as_they_are(file_format, tmp_path):
    path = tmp_path / f"a{suffix(file_format)}"
    write_map(path, log_density(), file_format, {})
    assert output_of(read_notes(path)) == "log_density"
    np.testing.assert_array_equal(read_map(path), log_density())


@pytest.mark.parametrize(("file_format", "levels"), [("png", 255), ("png16", 65535)])
def test_pixels_come_back_as_the_numbers_that_they_stand_for(file_format, levels, tmp_path):
    path = tmp_path / "a.png"
    write_map(path, SCORE, file_format, {})
    step = (SCORE.max() - SCORE.min()) / levels
    assert np.abs(read_map(path) - SCORE).max() <= 0.51 * step


@pytest.mark.parametrize(("file_format", "levels"), [("png", 255), ("png16", 65535), ("jpg", 255)])
def test_of_a_log_density_the_density_is_shown_and_the_log_comes_back(file_format, levels, tmp_path):
    path, saliency = tmp_path / f"a{suffix(file_format)}", log_density()
    write_map(path, saliency, file_format, {})
    notes = read_notes(path)
    assert (notes["output"], notes["shown"]) == ("log_density", "density")
    assert notes["minimum"] == float(saliency.min())
    with Image.open(path) as picture:
        shown = np.asarray(picture) / levels
    density = np.exp(saliency.astype(float))
    tolerance = 8 / 255 if file_format == "jpg" else 0.51 / levels
    assert np.abs(shown - density / density.max()).max() < tolerance
    back = read_map(path)
    assert np.exp(back.astype(float)).sum() == pytest.approx(1, abs=1e-5)
    assert np.abs(np.exp(back) - density).max() < 1.1 * tolerance * density.max()  # the sum is made 1 again


def test_black_is_what_its_pixels_are_on_the_average(tmp_path):
    """Most of this picture is black: as the smallest value they would be a likelihood of nearly nothing."""
    write_map(tmp_path / "a.png", log_density(), "png", {})
    back, density = np.exp(read_map(tmp_path / "a.png").astype(float)), np.exp(log_density().astype(float))
    is_black = density < density.max() / 510
    assert is_black.mean() > 0.5
    assert back[is_black].sum() == pytest.approx(density[is_black].sum(), rel=0.05)


def test_the_log_can_be_kept(tmp_path):
    write_map(tmp_path / "a.png", log_density(), "png16", {}, keep_log=True)
    assert "shown" not in read_notes(tmp_path / "a.png")
    np.testing.assert_allclose(read_map(tmp_path / "a.png"), log_density(), atol=1e-3)


@pytest.mark.parametrize("shift", [-2000, 900])
def test_a_picture_of_a_log_density_known_up_to_a_factor(shift, tmp_path):
    write_map(tmp_path / "a.png", log_density() + np.float32(shift), "png16", {}, output="log_density")
    back = np.exp(read_map(tmp_path / "a.png"))
    np.testing.assert_allclose(back, np.exp(log_density()), atol=1e-3 * back.max())


def test_what_the_numbers_are_can_be_said(tmp_path):
    write_map(tmp_path / "a.png", log_density(), "png", {}, output="score")
    assert read_notes(tmp_path / "a.png")["output"] == "score"
    write_map(tmp_path / "b.npy", SCORE, "npy", {}, output="probability")
    assert read_notes(tmp_path / "b.npy")["output"] == "probability"


@pytest.mark.parametrize("value", [0.0, -7.5])
@pytest.mark.parametrize("file_format", FORMATS)
def test_a_constant_map_comes_back(value, file_format, tmp_path):
    path = tmp_path / f"a{suffix(file_format)}"
    write_map(path, np.full((3, 4), value, np.float32), file_format, {})
    np.testing.assert_array_equal(read_map(path), np.full((3, 4), value, np.float32))


def test_a_log_density_is_recognised_by_its_sum():
    assert is_log_density(log_density())
    assert is_log_density(np.full((4, 5), -np.log(20)))
    assert not is_log_density(log_density() - 0.1)
    assert not is_log_density(SCORE)
    assert not is_log_density(np.zeros((0, 3)))
    np.testing.assert_array_equal(visible(SCORE), SCORE)
    assert visible(log_density()).max() == 1


@pytest.mark.parametrize(
    "text",
    [
        "a holiday",
        "[1, 2]",
        '{"shape": [3, 4]}',
        "[" * 5000,
        json.dumps({**SOUND, "minimum": 5.0}),
        json.dumps({**SOUND, "maximum": float("nan")}),
        json.dumps({**SOUND, "maximum": 1e200, "white": 255}),
        json.dumps({**SOUND, "maximum": True}),
        json.dumps({**SOUND, "output": "anything"}),
        json.dumps({**SOUND, "white": 0}),
        json.dumps({**SOUND, "bounds": [1, 0]}),
        json.dumps({**SOUND, "bounds": "ab"}),
        json.dumps({**SOUND, "black": "dark"}),
        json.dumps({**SOUND, "shown": "density"}),
        json.dumps({**SOUND, "output": "log_density", "maximum": 800.0}),
        json.dumps({**SOUND, "output": ["log_density"]}),
    ],
)
def test_texts_of_others_are_no_notes(text, tmp_path):
    Image.new("L", (4, 4), 7).save(tmp_path / "a.tiff", tiffinfo={270: text})
    Image.new("L", (4, 4), 7).save(tmp_path / "a.jpg", comment=text)
    assert read_notes(tmp_path / "a.tiff") == read_notes(tmp_path / "a.jpg") == {}
    np.testing.assert_array_equal(read_map(tmp_path / "a.tiff"), np.full((4, 4), 7))


def test_files_of_others_have_none(tmp_path):
    np.save(tmp_path / "a.npy", SCORE)
    (tmp_path / "b.npy").write_bytes(b"")
    (tmp_path / "c.npy").write_bytes(b"\xff\xff\xff\x7f\nsalbox notes")
    assert [read_notes(tmp_path / name) for name in ("a.npy", "b.npy", "c.npy")] == [{}, {}, {}]


@pytest.mark.parametrize(("name", "content"), [("a.png", b"\x89PNG\r\n\x1a\n" + bytes(40)), ("a.mat", b"MATLAB 5.0")])
def test_what_cannot_be_read_is_one_line(name, content, tmp_path):
    (tmp_path / name).write_bytes(content)
    for path in (tmp_path / name, tmp_path, tmp_path / "missing.npy", tmp_path / ("x" * 300)):
        if path != tmp_path / name or name == "a.mat":
            with pytest.raises(salbox.ImageError):
                read_notes(path)
        else:
            assert read_notes(path) == {}


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no pipes here")
def test_a_pipe_is_not_waited_for(tmp_path):
    os.mkfifo(tmp_path / "a.png")
    with pytest.raises(salbox.ImageError, match="not a regular file"):
        read_notes(tmp_path / "a.png")


def test_pixels_reduced_to_8_bits_stand_for_the_same():
    notes = {**SOUND, "white": 65535, "black": -1.0}
    np.testing.assert_allclose(restored(np.array([[0, 255]], np.uint8), notes), [[-1, 3]])
    np.testing.assert_allclose(restored(np.array([[0, 65535]], np.float32), notes), [[-1, 3]])


@pytest.mark.parametrize(("kind", "codec"), [(".mp4", "mp4v"), (".webm", "VP80"), (".avi", "MJPG")])
def test_a_video_plays_with_notes_behind_it(kind, codec, tmp_path):
    path = tmp_path / f"a{kind}"
    writer = cv2.VideoWriter(str(path), cv2.CAP_FFMPEG, cv2.VideoWriter.fourcc(*codec), 25, (64, 48))
    for level in range(8):
        writer.write(np.full((48, 64, 3), 20 * level, np.uint8))
    writer.release()
    with path.open("ab") as file:
        file.write(behind_video(SOUND, kind))
    assert notes_behind(path) == SOUND
    capture = cv2.VideoCapture(str(path), cv2.CAP_FFMPEG)
    frames = 0
    while capture.read()[0]:
        frames += 1
    assert frames == 8
