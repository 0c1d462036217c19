"""`salbox.apps.cutout`: what comes of bytes, arrays and pictures of all kinds."""

from __future__ import annotations

import io

import numpy as np
import pytest
from PIL import Image, ImageCms
from red_objects import BACK, FRONT, LIGHT, drawn, mixed, object_model_of, red, ring, two_discs

from salbox.apps import cutout
from salbox.errors import ImageError, ImageWarning, UsageError

ALPHA = drawn(90, 120, ring)
PHOTO = mixed(ALPHA)
INSIDE, HOLE, OUTSIDE = (45, 85), (45, 60), (3, 3)


@pytest.fixture(autouse=True)
def light(monkeypatch):
    for name in LIGHT:
        monkeypatch.setattr(name, lambda: False)


def packed(image: Image.Image, kind: str = "PNG", **options) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, kind, **options)
    return buffer.getvalue()


def of_bytes(content: bytes, **options) -> Image.Image:
    return Image.open(io.BytesIO(cutout(content, red, **options)))


def check(found: np.ndarray, tolerance: int = 0) -> None:
    assert found.shape == (90, 120, 4)
    assert np.abs(found[INSIDE].astype(int) - (*FRONT, 255)).max() <= tolerance
    assert found[HOLE].tolist() == found[OUTSIDE].tolist() == [0, 0, 0, 0]


def test_each_kind_of_input_comes_back_as_its_own(tmp_path):
    found = cutout(PHOTO, red)
    assert isinstance(found, np.ndarray)
    check(found)
    content = packed(Image.fromarray(PHOTO))
    for picture in (Image.fromarray(PHOTO), io.BytesIO(content)):
        assert (np.asarray(cutout(picture, red)) == found).all()
    path = tmp_path / "photo.png"
    path.write_bytes(content)
    assert (np.asarray(cutout(path, red)) == found).all()
    assert (np.asarray(of_bytes(content)) == found).all()
    assert cutout(content, red).startswith(b"\x89PNG")


def test_alpha_and_colours_are_those_of_the_drawing():
    found = cutout(PHOTO, red, refine="guided")
    assert np.abs(found[..., 3] / 255 - ALPHA).mean() < 0.004
    edge = (ALPHA > 0.3) & (ALPHA < 0.7)
    assert np.abs(found[edge][:, :3].astype(int) - FRONT).max(axis=1).mean() < 25
    assert np.abs(PHOTO[edge].astype(int) - FRONT).max(axis=1).mean() > 60


def test_the_old_background_is_not_in_the_file():
    found = cutout(PHOTO, red)
    assert not found[found[..., 3] == 0].any()


def test_the_mask_only():
    mask = cutout(PHOTO, red, mask_only=True)
    assert (mask == cutout(PHOTO, red)[..., 3]).all()
    assert of_bytes(packed(Image.fromarray(PHOTO)), mask_only=True).mode == "L"


def test_on_a_colour_it_is_the_mixture_by_hand():
    transparent = cutout(PHOTO, red).astype(float)
    share = transparent[..., 3:] / 255
    expected = share * transparent[..., :3] + (1 - share) * [255, 136, 0]
    found = cutout(PHOTO, red, background="#ff8800")
    assert np.abs(found - expected).max() <= 0.51


def test_on_a_picture_the_middle_of_it_is_taken(tmp_path):
    wide = np.zeros((30, 120, 3), np.uint8)
    wide[:, 40:80] = 0, 0, 200  # the middle, of the photo's shape
    Image.fromarray(wide).save(tmp_path / "wide.png")
    found = cutout(PHOTO, red, background=str(tmp_path / "wide.png"))
    assert found[OUTSIDE].tolist() == found[86, 116].tolist() == [0, 0, 200]
    assert found[INSIDE].tolist() == list(FRONT)
    large = np.zeros((900, 1200, 3), np.uint8)
    large[:450] = 200
    Image.fromarray(large).save(tmp_path / "large.png")
    found = cutout(PHOTO, red, background=str(tmp_path / "large.png"))
    assert (found[2, 2].tolist(), found[87, 2].tolist()) == ([200] * 3, [0] * 3)


def test_a_blurred_background_has_nothing_of_the_object():
    found = cutout(PHOTO, red, background="blur")
    assert found[INSIDE].tolist() == list(FRONT)
    assert np.abs(found[ALPHA == 0].astype(int) - BACK).max() <= 10


def test_feather_softens_the_edge_and_brings_no_halo():
    sharp, soft = cutout(PHOTO, red, mask_only=True), cutout(PHOTO, red, feather=3)
    alpha = soft[..., 3]
    assert ((alpha > 20) & (alpha < 235)).sum() > 3 * ((sharp > 20) & (sharp < 235)).sum()
    outside = (ALPHA == 0) & (alpha > 20)
    assert outside.any()
    assert np.abs(soft[outside][:, :3].astype(int) - FRONT).max(axis=1).mean() < 25


def test_of_two_objects_one():
    photo = mixed(drawn(90, 120, two_discs))
    alpha = cutout(photo, red, objects="94,45")[..., 3]
    assert (alpha[45, 94], alpha[45, 36]) == (255, 0)


def test_own_transparency_stays():
    half = np.dstack([PHOTO, np.full(PHOTO.shape[:2], 255, np.uint8)])
    half[:, 60:, 3] = 204
    found = cutout(half, red)
    assert (found[45, 35].tolist(), found[INSIDE].tolist()) == ([*FRONT, 255], [*FRONT, 204])
    assert found[OUTSIDE][3] == 0
    assert (np.asarray(of_bytes(packed(Image.fromarray(half)))) == found).all()


def test_exif_and_profile_stay_and_the_photo_lies_as_it_should():
    exif = Image.Exif()
    exif[0x0112], exif[0x010F] = 6, "Maker"
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    lying = Image.fromarray(PHOTO).transpose(Image.Transpose.ROTATE_90)
    found = of_bytes(packed(lying, exif=exif, icc_profile=profile))
    check(np.asarray(found))
    assert found.info["icc_profile"] == profile
    assert found.getexif()[0x010F] == "Maker"
    assert 0x0112 not in found.getexif()
    own = Image.open(io.BytesIO(packed(lying, exif=exif)))
    assert cutout(own, red).size == (120, 90)
    assert own.getexif()[0x0112] == 6  # somebody's own picture stays as it is
    assert cutout(Image.open(io.BytesIO(packed(lying, icc_profile=profile))), red).info["icc_profile"] == profile


@pytest.mark.parametrize(
    ("kind", "make", "tolerance"),
    [
        ("TIFF", lambda image: image.convert("CMYK"), 3),
        ("PNG", lambda image: image.quantize(64), 8),
        ("JPEG", lambda image: image, 12),
        ("WEBP", lambda image: image, 12),
    ],
)
def test_pictures_of_many_kinds(kind, make, tolerance):
    check(np.asarray(of_bytes(packed(make(Image.fromarray(PHOTO)), kind))), tolerance)


def test_printed_colours_are_seen_through_their_profile():
    """The profile of a CMYK picture would be wrong beside RGB, and its numbers mean nothing without it."""
    image = Image.fromarray(PHOTO).convert("CMYK")
    rgb = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    found = of_bytes(packed(image, "TIFF", icc_profile=rgb))  # a wrong one
    check(np.asarray(found), 3)
    assert "icc_profile" not in found.info


def test_sixteen_bits_become_eight():
    gray = np.full((40, 50), 9000, np.uint16)
    gray[10:30, 10:30] = 60000

    bright = object_model_of(lambda image: (image[..., 0] > 128).astype(float), "bright")
    found = cutout(gray, bright)
    assert found[20, 20].tolist() == [233, 233, 233, 255]
    content = packed(Image.fromarray(gray))
    assert (np.asarray(Image.open(io.BytesIO(cutout(content, bright)))) == found).all()


def test_of_an_animation_the_first_frame_is_taken():
    frames = [Image.fromarray(PHOTO), Image.fromarray(PHOTO[:, ::-1])]
    content = packed(frames[0], "WEBP", save_all=True, append_images=frames[1:], lossless=True)
    with pytest.warns(ImageWarning, match="has 2 frames; the first is taken"):
        check(np.asarray(of_bytes(content)))


def test_one_pixel():
    assert cutout(np.array([[FRONT]], np.uint8), red).tolist() == [[[*FRONT, 255]]]
    with pytest.warns(ImageWarning, match="finds no object"):
        assert cutout(np.array([[BACK]], np.uint8), red, background="white").tolist() == [[[255, 255, 255]]]


def test_what_does_not_fit_is_a_line():
    with pytest.raises(ImageError, match="not an image"):
        cutout(b"nothing of the kind", red)
    with pytest.raises(ImageError, match="more than the limit"):
        cutout(PHOTO, red, max_pixels=100)
    with pytest.raises(UsageError, match="predicts where people look"):
        cutout(PHOTO, "gbvs")
    for options, said in (
        ({"background": "whitte"}, "did you mean 'white'"),
        ({"background": "#ff000080"}, "without transparency"),
        ({"background": "red", "mask_only": True}, "one of the two"),
        ({"feather": -1}, "expected pixels"),
        ({"feather": float("nan")}, "expected pixels"),
        ({"objects": "some"}, "expected all, largest"),
        ({"refine": "best"}, "refinement 'best'"),
    ):
        with pytest.raises(UsageError, match=said):
            cutout(PHOTO, red, **options)


def test_a_photo_larger_than_the_working_copy(monkeypatch):
    monkeypatch.setattr("salbox.apps.cutout_photo.WORKING_PIXELS", 2000)
    found = cutout(PHOTO, red, refine="guided")
    check(found)
    assert np.abs(found[..., 3] / 255 - ALPHA).mean() < 0.02
