"""Grey pictures as numbers: maps, masks and classes keep what they are, or are refused; none is read as empty."""

from __future__ import annotations

import struct
import zlib

import numpy as np
import pytest
from PIL import Image

from salbox import ImageError
from salbox.datasets import open_dataset
from salbox.imaging.gray import read_class_numbers, read_gray, read_mask
from salbox.metrics import as_mask

INSIDE = np.zeros((12, 16), bool)
INSIDE[4:8, 3:11] = True


def saved(path, values):
    (values if isinstance(values, Image.Image) else Image.fromarray(values)).save(path)
    return path


def cut_out(color, alpha):
    return np.dstack([np.broadcast_to(np.uint8(color), (*alpha.shape, 3)), np.uint8(alpha)])


def gray_alpha(gray, alpha):
    return Image.merge("LA", [Image.fromarray(np.uint8(gray)), Image.fromarray(np.uint8(alpha))])


MASKS = {
    "grey": INSIDE * np.uint8(255),
    "zero and one": INSIDE * np.uint8(1),
    "one bit": Image.fromarray(INSIDE),
    "16 bits": INSIDE * np.uint16(65535),
    "16 bits, zero and one": INSIDE * np.uint16(1),
    "rgb": np.dstack([INSIDE * np.uint8(255)] * 3),
    "palette": Image.fromarray(INSIDE * np.uint8(255)).convert("P"),
    "in alpha": cut_out(255, INSIDE * 255),
    "in alpha, black": cut_out(0, INSIDE * 255),
    "in both": gray_alpha(INSIDE * 255, INSIDE * 255),
    "grey with alpha": gray_alpha(INSIDE * 255, np.full(INSIDE.shape, 255)),
}


@pytest.mark.parametrize("kind", MASKS)
def test_every_kind_of_mask_has_the_same_object(kind, tmp_path):
    np.testing.assert_array_equal(as_mask(read_mask(saved(tmp_path / "a.png", MASKS[kind]))), INSIDE)


def test_a_picture_all_black_is_a_mask_without_an_object(tmp_path):
    for kind, values in (
        ("8", INSIDE * np.uint8(0)),
        ("16", INSIDE * np.uint16(0)),
        ("alpha", cut_out(255, INSIDE * 0)),
    ):
        assert not as_mask(read_mask(saved(tmp_path / f"{kind}.png", values))).any()


def test_a_transparent_grey_value_counts_as_alpha(tmp_path):
    Image.fromarray(INSIDE * np.uint8(255)).save(tmp_path / "a.png", transparency=0)
    np.testing.assert_array_equal(as_mask(read_mask(tmp_path / "a.png")), INSIDE)


@pytest.mark.parametrize(
    ("values", "message"),
    [
        (INSIDE * np.uint8(2), r"no value above half of white, though it is not black \(largest 2 of 255\)"),
        (INSIDE * np.uint8(7), "largest 7 of 255"),
        (INSIDE * np.uint8(128), "largest 128 of 255"),
        (INSIDE * np.uint16(255), "largest 255 of 65535"),
        (INSIDE * np.uint16(7), "largest 7 of 65535"),
        (gray_alpha(INSIDE.T.reshape(INSIDE.shape) * 255, INSIDE * 255), "transparent in parts"),
        (np.dstack([INSIDE * np.uint8(9), INSIDE * np.uint8(0), INSIDE * np.uint8(0)]), "a colour picture"),
    ],
)
def test_labels_and_riddles_are_refused(values, message, tmp_path):
    with pytest.raises(ImageError, match=message):
        read_mask(saved(tmp_path / "a.png", values))


def test_shares_of_people_may_all_be_below_half(tmp_path):
    path = saved(tmp_path / "a.png", INSIDE * np.uint8(100))
    assert not read_mask(path, is_graded=True).any()
    assert read_mask(saved(path, INSIDE * np.uint8(200)), is_graded=True).max() == 200


@pytest.mark.parametrize("dtype", [bool, np.uint8, np.int64, np.float32])
def test_masks_of_arrays(dtype, tmp_path):
    for folder in ("images", "masks"):
        (tmp_path / folder).mkdir()
    Image.new("RGB", INSIDE.shape[::-1]).save(tmp_path / "images" / "a.png")
    np.save(tmp_path / "masks" / "a.npy", INSIDE.astype(dtype))
    data = open_dataset(f"folder:{tmp_path}")
    np.testing.assert_array_equal(as_mask(data.mask(0)), INSIDE)
    if dtype == np.int64:
        np.save(tmp_path / "masks" / "a.npy", INSIDE * 255)
        np.testing.assert_array_equal(as_mask(data.mask(0)), INSIDE)
        np.save(tmp_path / "masks" / "a.npy", INSIDE * 7)
        with pytest.raises(ImageError, match="largest 7 of 255"):
            data.mask(0)


def test_maps_keep_their_numbers(tmp_path):
    deep = np.arange(192, dtype=np.uint16).reshape(12, 16) * 300
    np.testing.assert_array_equal(read_gray(saved(tmp_path / "a.png", deep)), deep.astype(np.float32))
    np.testing.assert_array_equal(read_gray(saved(tmp_path / "a.tif", np.float32(deep) - 9)), np.float32(deep) - 9)
    flat = (deep >> 8).astype(np.uint8)
    assert read_gray(saved(tmp_path / "b.png", flat)).dtype == np.uint8
    np.testing.assert_array_equal(read_gray(saved(tmp_path / "c.png", cut_out(255, flat))), flat)


@pytest.mark.parametrize("bits", [1, 2, 4, 8])
@pytest.mark.parametrize("mode", ["L", "P"])
def test_class_numbers_are_those_stored_whatever_their_bits(bits, mode, tmp_path):
    numbers = np.arange(192).reshape(12, 16) % 2**bits
    image = Image.fromarray(np.uint8(numbers if mode == "P" else numbers * (255 // (2**bits - 1))))
    if mode == "P":
        image.putpalette(bytes(range(256)) * 3)
        image.save(tmp_path / "a.png", bits=bits)
    elif bits == 8:
        image.save(tmp_path / "a.png")
    else:
        gray_png(tmp_path / "a.png", numbers, bits)
    np.testing.assert_array_equal(read_class_numbers(tmp_path / "a.png"), numbers)


def gray_png(path, numbers, bits):
    def chunk(kind, content):
        return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))

    unpacked = np.unpackbits(np.uint8(numbers)[:, :, None], axis=2)[:, :, -bits:]
    rows = np.packbits(unpacked.reshape(numbers.shape[0], -1), axis=1)
    content = b"".join(b"\0" + row.tobytes() for row in rows)
    head = struct.pack(">IIBBBBB", numbers.shape[1], numbers.shape[0], bits, 0, 0, 0, 0)
    chunks = chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(content)) + chunk(b"IEND", b"")
    path.write_bytes(b"\x89PNG\r\n\x1a\n" + chunks)


def test_lossy_pictures_are_no_class_numbers(tmp_path):
    with pytest.raises(ImageError, match="of the kind JPEG, which does not keep class numbers"):
        read_class_numbers(saved(tmp_path / "a.jpg", INSIDE * np.uint8(255)))


def test_labels_with_a_border_are_no_mask(tmp_path):
    """As PASCAL VOC has them in grey: read as grey values, only the border would be the object."""
    labels = np.zeros((30, 40), np.uint8)
    labels[5:25, 5:35] = 255
    labels[7:23, 7:20] = 3
    labels[7:23, 22:33] = 12
    Image.fromarray(labels).save(tmp_path / "labels.png")
    with pytest.raises(ImageError, match="a border of 255"):
        read_mask(tmp_path / "labels.png")
    assert read_mask(tmp_path / "labels.png", is_graded=True).max() == 255  # of shares they may be


def test_edges_of_a_mask_are_no_labels(tmp_path):
    mask = np.zeros((30, 40), np.uint8)
    mask[5:25, 5:35] = 255
    for name, changed in (("plain", mask), ("dark edge", np.where(np.roll(mask, 1, 0) != mask, 20, mask))):
        Image.fromarray(changed.astype(np.uint8)).save(tmp_path / f"{name}.png")
        assert (read_mask(tmp_path / f"{name}.png") > 128).sum() > 500
    soft = Image.fromarray(mask).resize((13, 9), Image.Resampling.BILINEAR).resize((40, 30), Image.Resampling.BILINEAR)
    soft.save(tmp_path / "soft.jpg")
    assert (read_mask(tmp_path / "soft.jpg") > 128).any()
