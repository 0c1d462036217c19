"""TIFF: every way of storing samples gives the values that were stored, or is refused in one line."""

from __future__ import annotations

import io
import itertools
import struct
import zlib

import numpy as np
import pytest
import tifffile
from PIL import Image

from salbox import ImageError, read_image
from salbox.imaging.gray import read_gray

SHAPE = (19, 35)  # sides that are no multiples of a tile's or a byte's
ROWS, COLUMNS = np.mgrid[0 : SHAPE[0], 0 : SHAPE[1]]
SMOOTH = np.stack([(COLUMNS * (c + 1) / SHAPE[1] * 0.7 + ROWS / SHAPE[0] * 0.3) % 1 for c in range(4)], axis=2)
WAYS = list(itertools.product(("contig", "separate"), (None, (16, 16)), (None, "zlib"), "<>"))
#        photometric, samples, of them what is beyond the colours
KINDS = [
    ("minisblack", 1, None),
    ("miniswhite", 1, None),
    ("minisblack", 2, "unassalpha"),
    ("rgb", 3, None),
    ("rgb", 4, "unassalpha"),
    ("rgb", 4, "assocalpha"),
    ("rgb", 4, "unspecified"),
    ("separated", 4, None),
]


def written(values, **options):
    file = io.BytesIO()
    tifffile.imwrite(file, values, metadata=None, **options)
    return file.getvalue()


def colors(values, photometric, extra):
    """The colours, 0..255 over white, that samples in 0..1 stand for, as the TIFF specification has them."""
    if photometric == "separated":
        return 255 * (1 - values[:, :, :3]) * (1 - values[:, :, 3:])
    own = values[:, :, :3] if photometric == "rgb" else np.repeat(values[:, :, :1], 3, axis=2)
    own = 1 - own if photometric == "miniswhite" else own
    if extra in ("unassalpha", "assocalpha"):
        alpha = values[:, :, -1:]
        own = (own if extra == "assocalpha" else own * alpha) + 1 - alpha
    return 255 * own


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
@pytest.mark.parametrize(("photometric", "samples", "extra"), KINDS)
def test_colours_are_right_or_refused(photometric, samples, extra, dtype):
    values = SMOOTH[:, :, :samples].copy()
    if extra == "assocalpha":
        values[:, :, :-1] *= values[:, :, -1:]
    white = np.iinfo(dtype).max
    stored = np.rint(values * white).astype(dtype)
    expected = colors(stored / white, photometric, extra)
    read = 0
    for planes, tile, compression, order in WAYS:
        array = stored[:, :, 0] if samples == 1 else stored
        if planes == "separate":
            if samples == 1:
                continue
            array = np.ascontiguousarray(np.moveaxis(stored, 2, 0))
        options = {"extrasamples": [extra]} if extra else {}
        data = written(
            array,
            photometric=photometric,
            planarconfig=planes if samples > 1 else None,
            tile=tile,
            compression=compression,
            byteorder=order,
            **options,
        )
        try:
            pixels = read_image(data)
        except ImageError:
            continue
        read += 1
        assert np.abs(pixels - expected).max() < 3, (planes, tile, compression, order)
    # What is usual is read; Pillow does not know some combinations.
    assert read >= {1: 4, 2: 0, 3: 16, 4: 12}[samples]


@pytest.mark.parametrize("dtype", ["u1", "u2", "i1", "i2", "i4", "f4"])
@pytest.mark.parametrize("order", "<>")
@pytest.mark.parametrize(("compression", "predictor"), [(None, None), ("zlib", None), ("zlib", True)])
def test_numbers_of_maps_are_as_stored(dtype, order, compression, predictor, tmp_path):
    values = np.rint(SMOOTH[:, :, 0] * 100).astype(dtype)
    if dtype[0] != "u":
        values -= 50
    if dtype == "f4":
        predictor = None  # of floats is another one, which tifffile writes with imagecodecs alone
    (tmp_path / "a.tif").write_bytes(
        written(values, photometric="minisblack", byteorder=order, compression=compression, predictor=predictor)
    )
    np.testing.assert_array_equal(read_gray(tmp_path / "a.tif"), values.astype(np.float32))


def by_hand(tags, content, order="<"):
    """A TIFF of one strip; tags are {number: 16-bit values}."""
    tags = {**tags, 256: [SHAPE[1]], 257: [SHAPE[0]], 278: [SHAPE[0]]}
    beyond = 8 + 2 + 12 * (len(tags) + 2) + 4  # where values begin that have no room in their entry
    tables = b""
    entries = {}
    for number, values in tags.items():
        data = struct.pack(order + "H" * len(values), *values)
        if len(data) > 4:
            data, tables = struct.pack(order + "I", beyond + len(tables)), tables + data
        entries[number] = struct.pack(order + "HHI", number, 3, len(values)) + data.ljust(4, b"\0")
    entries[273] = struct.pack(order + "HHII", 273, 4, 1, beyond + len(tables))
    entries[279] = struct.pack(order + "HHII", 279, 4, 1, len(content))
    head = (b"II*\0" if order == "<" else b"MM\0*") + struct.pack(order + "IH", 8, len(entries))
    return head + b"".join(entries[number] for number in sorted(entries)) + bytes(4) + tables + content


def packed(values, bits):
    unpacked = np.unpackbits(values.astype(">u4").view(np.uint8).reshape(*values.shape, 4), axis=2)[:, :, -bits:]
    return np.packbits(unpacked.reshape(values.shape[0], -1), axis=1).tobytes()


@pytest.mark.parametrize("bits", [1, 2, 4, 6, 8, 10, 12, 14])
@pytest.mark.parametrize("is_inverted", [False, True])
@pytest.mark.parametrize("order", "<>")
def test_grey_of_any_depth_is_right_or_refused(bits, is_inverted, order):
    white = 2**bits - 1
    values = np.rint(SMOOTH[:, :, 0] * white).astype(np.int64)
    data = by_hand({258: [bits], 259: [1], 262: [0 if is_inverted else 1], 277: [1]}, packed(values, bits), order)
    try:
        pixels = read_image(data)[:, :, 0]
    except ImageError:
        assert bits in (6, 10, 12, 14)
        return
    assert np.abs(pixels - 255 * (white - values if is_inverted else values) / white).max() < 1


@pytest.mark.parametrize("scale", [257, 1])
@pytest.mark.parametrize("bits", [4, 8])
def test_palettes_of_16_bits_and_those_that_have_8_by_mistake(scale, bits):
    palette = np.random.default_rng(0).integers(0, 256, (3, 2**bits))
    values = np.rint(SMOOTH[:, :, 0] * (2**bits - 1)).astype(np.int64)
    tags = {258: [bits], 259: [1], 262: [3], 277: [1], 320: (palette * scale).ravel().tolist()}
    np.testing.assert_array_equal(
        read_image(by_hand(tags, packed(values, bits))), np.moveaxis(palette[:, values], 0, 2)
    )


GRAY_16 = {258: [16], 259: [8], 262: [0], 277: [1]}
NUMBER = SHAPE[0] * SHAPE[1]


@pytest.mark.parametrize(
    ("tags", "content", "message"),
    [
        ({**GRAY_16, 254: [1]}, zlib.compress(bytes(NUMBER * 2)), "a small copy"),
        (GRAY_16, zlib.compress(bytes(10**6)), "holds more than the picture"),
        (GRAY_16, zlib.compress(bytes(100)), "cut off"),
        ({**GRAY_16, 259: [5]}, b"", "stored in a rare way"),
        ({**GRAY_16, 259: [1], 339: [3]}, bytes(NUMBER * 2), "not an image"),
        ({258: [8, 8, 8], 259: [1], 262: [6], 277: [3]}, bytes(NUMBER * 3), "stored in a rare way"),
        ({258: [8], 259: [1], 262: [1], 277: [1], 339: [2]}, bytes(NUMBER), "signed whole numbers"),
        ({258: [16], 259: [1], 262: [1], 277: [1], 339: [2]}, bytes(NUMBER * 2), "signed whole numbers"),
    ],
    ids=["thumbnail", "bomb", "cut", "lzw", "half floats", "subsampled", "int8", "int16"],
)
def test_what_is_refused_says_why(tags, content, message):
    with pytest.raises(ImageError, match=message) as caught:
        read_image(by_hand(tags, content))
    assert "\n" not in str(caught.value)


def test_strips_that_are_missing_are_no_black_ones():
    tags = {258: [8], 259: [1], 262: [1], 277: [1]}
    whole = by_hand(tags, bytes(NUMBER))
    assert read_image(whole).shape == (*SHAPE, 3)
    rows = whole.index(struct.pack("<HHI", 278, 3, 1)) + 8
    with pytest.raises(ImageError, match="strips or tiles are missing"):
        read_image(whole[:rows] + b"\x05\0" + whole[rows + 2 :])


def test_a_picture_that_pillow_has_decoded_wrongly_is_refused():
    stored = np.rint(SMOOTH[:, :, :3] * 65535).astype(np.uint16)
    data = written(np.ascontiguousarray(np.moveaxis(stored, 2, 0)), photometric="rgb", planarconfig="separate")
    with Image.open(io.BytesIO(data)) as image:
        assert np.abs(read_image(image) - stored / 257).max() < 1
    with Image.open(io.BytesIO(data)) as image:
        image.load()
        with pytest.raises(ImageError, match="give the file"):
            read_image(image)
