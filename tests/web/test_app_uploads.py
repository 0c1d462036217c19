"""Pictures and tables that somebody drops: limits, names that are no paths, errors as sentences."""

from __future__ import annotations

import io

import numpy as np
import pytest
from image_bytes import image_bytes
from PIL import Image

from salbox.errors import ImageError, UsageError
from salbox.web.app import uploads
from salbox.web.app.fixations import fixations_from


@pytest.fixture
def wide():
    """A picture that is larger than what pages work on."""
    pixels = np.zeros((600, 1920, 3), np.uint8)
    pixels[:, 960:] = 200
    return uploads.read_upload("wide.png", image_bytes(pixels))


def test_a_picture_has_a_working_copy_and_its_own_size(wide):
    assert wide.shape == (600, 1920)
    assert wide.pixels.shape == (300, uploads.WORKING_SIDE, 3)
    assert wide.full().shape == (600, 1920, 3)
    assert uploads.at_longest_side(wide, 640).pixels.shape == (200, 640, 3)
    assert wide.pixels[10, 900].tolist() == [200, 200, 200]


@pytest.mark.parametrize(
    ("name", "stem"),
    [
        ("../../etc/passwd.png", "______etc_passwd"),
        ("C:\\Windows\\evil.png", "C__Windows_evil"),
        ("a\x00\x1b[31mb.png", "a_b"),
        ("größe.png", "gr__e"),
        (".png", "_png"),
        ("", "picture"),
        ("x" * 500 + ".png", "x" * 60),
    ],
)
def test_names_are_never_paths(name, stem):
    picture = uploads.read_upload(name, image_bytes(np.zeros((4, 4, 3), np.uint8)))
    assert len(picture.label) <= 60
    assert picture.label.isprintable()
    assert picture.stem == stem


def test_what_is_no_picture_is_called_by_its_name():
    with pytest.raises(ImageError, match=r"^notes\.txt: not an image"):
        uploads.read_upload("notes.txt", b"hello")
    half = image_bytes(np.random.default_rng(0).integers(0, 255, (64, 64, 3), np.uint8), "JPEG")[:900]
    with pytest.raises(ImageError, match=r"^half\.jpg: "):
        uploads.read_upload("half.jpg", half)


def test_what_is_too_large_is_refused_before_it_is_unpacked(monkeypatch):
    monkeypatch.setattr(uploads, "read_image", lambda *_, **__: pytest.fail("was read"))
    with pytest.raises(ImageError, match=r"^big\.png: 41 MB, but at most 40 MB are taken"):
        uploads.read_upload("big.png", bytes(41 * 2**20))
    monkeypatch.undo()
    bomb = image_bytes(np.zeros((8000, 8000), bool))
    with pytest.raises(ImageError, match=r"^bomb\.png: .*64.* megapixels"):
        uploads.read_upload("bomb.png", bomb)


def test_frames_that_are_left_out_are_said():
    buffer = io.BytesIO()
    frames = [Image.new("RGB", (8, 8), color) for color in ("red", "blue")]
    frames[0].save(buffer, "GIF", save_all=True, append_images=frames[1:])
    (note,) = uploads.read_upload("moving.gif", buffer.getvalue()).notes
    assert "frames" in note


def test_a_ground_truth_map_is_brought_to_the_pictures_size(wide):
    truth = uploads.read_upload_map("truth.png", image_bytes(np.full((60, 192), 128, np.uint8)), wide.pixels.shape[:2])
    assert truth.shape == wide.pixels.shape[:2]
    assert truth[0, 0] == pytest.approx(128 / 255)
    with pytest.raises(UsageError, match=r"truth\.png: 60x192, which is not the shape"):
        uploads.read_upload_map("truth.png", image_bytes(np.zeros((192, 60), np.uint8)), wide.pixels.shape[:2])


def test_fixations_are_in_the_pictures_own_pixels(wide):
    found = fixations_from("../eyes.csv", b"x,y\n1000,300\n1919.5,599\n", wide)
    assert found.x.tolist() == [500, 959.75]
    assert found.y.tolist() == [150, 299.5]


def test_a_table_that_is_none_is_called_by_its_name(wide):
    with pytest.raises(UsageError, match=r"eyes\.csv") as raised:
        fixations_from("eyes.csv", b"when,who\n1,2\n", wide)
    assert "/tmp" not in str(raised.value)
