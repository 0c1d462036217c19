"""`salbox predict --overlay`: what lies over the photo, and below it."""

from __future__ import annotations

import numpy as np
import pytest
from films import film, pan
from skimage import data

import salbox
from salbox.imaging.image import read_image
from salbox.imaging.video import VideoReader
from salbox.imaging.writing import write_picture

PHOTO = data.chelsea()


@pytest.fixture
def photo(tmp_path):
    path = tmp_path / "cat.png"
    write_picture(path, PHOTO, {})
    return path


def test_a_legend_lies_below_an_overlay(cli, photo, tmp_path):
    code, _, said = cli(
        "predict", photo, "-m", "gaussian", "-o", tmp_path / "maps", "--overlay", "--contours", "--legend"
    )
    assert code == 0, said
    drawn = read_image(tmp_path / "maps" / "gaussian" / "cat.overlay.png")
    saliency = salbox.predict(PHOTO, "gaussian")["gaussian"]
    expected = salbox.overlay(PHOTO, saliency, contours=(0.5, 0.75, 0.9), legend=True)
    assert len(expected) > len(PHOTO)
    np.testing.assert_array_equal(drawn, expected)
    assert read_image(tmp_path / "maps" / "gaussian" / "cat.png").shape == PHOTO.shape  # maps have none


def test_an_overlay_without_the_legend_is_told(cli, photo, tmp_path):
    arguments = ["predict", photo, "-m", "gaussian", "-o", tmp_path / "maps", "--overlay"]
    assert cli(*arguments)[0] == 0
    code, _, said = cli(*arguments, "--legend")
    assert code == 1
    assert "legend: False there, True now" in said
    assert cli(*arguments)[0] == 0
    assert cli(*arguments, "--legend", "--overwrite")[0] == 0


def test_a_videos_overlay_has_it_too(cli, tmp_path):
    clip = film(tmp_path / "clip.mp4", pan(2))
    code, _, said = cli("predict", clip, "-m", "gaussian", "-o", tmp_path, "--overlay", "--legend")
    assert code == 0, said
    with VideoReader(tmp_path / "gaussian" / "clip.overlay.mp4") as video:
        frames = [frame for _, frame in zip(range(2), video, strict=False)]
    before = pan(1)[0]
    assert frames[0].shape[1] == before.shape[1]
    assert frames[0].shape[0] > before.shape[0]
    assert frames[0][-1].min() > 240  # the strip is white


def test_it_is_refused_without_an_overlay(cli, photo, tmp_path):
    code, _, said = cli("predict", photo, "-m", "gaussian", "-o", tmp_path / "maps", "--legend")
    assert code == 2
    assert "--legend" in said
    assert "--overlay" in said
