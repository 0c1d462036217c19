"""Opening: one list of kinds and one limit of pixels for everything that is read as a picture."""

from __future__ import annotations

import io
import os
import random
import resource
import struct
import sys
import zlib

import numpy as np
import pytest
from PIL import Image

from salbox import ImageError, SalboxError, read_image
from salbox.evaluation import read_map
from salbox.imaging.gray import read_class_numbers, read_gray, read_mask
from salbox.imaging.image import image_shape, read_unturned
from salbox.imaging.opening import MAX_PIXELS, opened

READERS = (read_image, read_unturned, image_shape, read_gray, read_mask, read_class_numbers, read_map)
every_reader = pytest.mark.parametrize("read", READERS)


def saved(path, data):
    path.write_bytes(data)
    return path


def encoded(image, kind, **options):
    file = io.BytesIO()
    image.save(file, kind, **options)
    return file.getvalue()


def png_chunk(kind, content):
    return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))


def png(width, height):
    head = struct.pack(">IIBBBBB", width, height, 1, 0, 0, 0, 0)
    pixels = png_chunk(b"IDAT", zlib.compress(bytes(1000)))
    return b"\x89PNG\r\n\x1a\n" + png_chunk(b"IHDR", head) + pixels + png_chunk(b"IEND", b"")


def icon(content, side=16):
    """An icon that states this side, whatever the picture in it has."""
    return struct.pack("<HHHBBBBHHII", 0, 1, 1, side, side, 0, 0, 1, 32, len(content), 22) + content


def bitmap_head(width, height):
    return struct.pack("<IiiHHIIiiII", 40, width, height, 1, 32, 0, 0, 0, 0, 0, 0)


def gif(screen, frame):
    left, top, width, height = frame
    control = b"\x21\xf9\x04\x08\0\0\0\0"  # the frame is cleared afterwards
    body = b"," + struct.pack("<HHHHB", left, top, width, height, 0) + b"\x02\x02\x4c\x01\0;"
    return b"GIF89a" + struct.pack("<HHBBB", screen, screen, 0x80, 0, 0) + bytes(6) + control + body


def tiff(tags, content):
    """A TIFF of these tags, {number: value}, all of 32 bits; its one strip or tile comes last."""
    start = 8 + 2 + 12 * len(tags) + 4
    values = {number: start if value == "here" else value for number, value in tags.items()}
    entries = b"".join(struct.pack("<HHII", number, 4, 1, value) for number, value in sorted(values.items()))
    return b"II*\0" + struct.pack("<IH", 8, len(tags)) + entries + bytes(4) + content


def tiled(side):
    tags = {256: 16, 257: 16, 258: 8, 259: 8, 262: 1, 277: 1, 322: side, 323: side, 324: "here"}
    content = zlib.compress(bytes(1000))
    return tiff({**tags, 325: len(content)}, content)


@every_reader
@pytest.mark.parametrize(
    "data",
    [
        png(50_000, 50_000),
        icon(png(50_000, 50_000)),
        icon(bitmap_head(16_000, 32_000)),
        gif(65_535, (0, 0, 1, 1)),
        gif(1, (0, 0, 65_535, 65_535)),
        gif(1, (65_000, 65_000, 65_535, 65_535)),
        b"P6 60000 60000 255\n",
        b"BM" + struct.pack("<IHHI", 100, 0, 0, 54) + bitmap_head(60_000, 60_000),
    ],
    ids=["png", "icon of png", "icon of bitmap", "gif's screen", "gif's frame", "gif's place", "ppm", "bmp"],
)
def test_what_is_too_large_is_refused_before_there_is_room_made_for_it(read, data, tmp_path):
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    with pytest.raises(ImageError, match=r"megapixels, more than the limit of 100 \(max_pixels"):
        read(saved(tmp_path / "photo.png", data))
    unit = 1 if sys.platform == "darwin" else 1024
    assert (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) * unit < 200e6


@pytest.mark.parametrize("read", [read_image, read_unturned, read_gray, read_class_numbers])
def test_a_tile_that_is_larger_than_its_picture_is_refused(read, tmp_path):
    with pytest.raises(ImageError, match="tiles of 24000x24000 in a picture of 16x16"):
        read(saved(tmp_path / "a.tif", tiled(24_000)))
    assert read(saved(tmp_path / "b.tif", tiled(16))).max() == 0


@every_reader
@pytest.mark.parametrize(
    "data",
    [
        b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n%%EndComments\nshowpage\n",
        b"8BPS" + struct.pack(">HxxxxxxHIIHH", 1, 3, 9, 9, 8, 3) + bytes(14),
        b"icns" + struct.pack(">I", 8),
        b"no picture",
    ],
    ids=["eps", "psd", "icns", "text"],
)
def test_other_kinds_are_no_pictures_whatever_they_are_called(read, data, tmp_path):
    with pytest.raises(ImageError, match=r"photo\.png: not an image, or of a kind that is not supported"):
        read(saved(tmp_path / "photo.png", data))


@every_reader
@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="there are no named pipes here")
def test_a_pipe_is_not_waited_for(read, tmp_path):
    os.mkfifo(tmp_path / "a.png")
    with pytest.raises(ImageError, match=r"a\.png: is no regular file, not an image"):
        read(tmp_path / "a.png")


@every_reader
def test_what_cannot_be_opened_is_named(read, tmp_path):
    (tmp_path / "folder.png").mkdir()
    (tmp_path / "empty.png").touch()
    for name, message in (("folder", "is a folder"), ("empty", "empty file"), ("nothing", "no such file")):
        with pytest.raises(ImageError, match=rf"{name}\.png: {message}"):
            read(tmp_path / f"{name}.png")
    with pytest.raises(ImageError, match="null"):
        read(tmp_path / "a\0.png")


def test_an_icon_s_largest_picture_is_read(tmp_path):
    data = encoded(Image.new("RGB", (32, 32), (10, 20, 30)), "ICO", sizes=[(16, 16), (32, 32)])
    pixels = read_image(saved(tmp_path / "a.ico", data))
    assert pixels.shape == (*image_shape(tmp_path / "a.ico"), 3) == (32, 32, 3)
    assert (pixels == (10, 20, 30)).all()


def test_the_limit_of_pillow_is_left_as_it_is():
    before = Image.MAX_IMAGE_PIXELS
    for data in (png(50_000, 50_000), b"no picture"):
        with pytest.raises(ImageError):
            read_image(data)
    assert before == Image.MAX_IMAGE_PIXELS
    assert MAX_PIXELS == 100_000_000


def test_what_happens_within_the_block_is_not_taken_for_a_broken_picture(tmp_path):
    path = saved(tmp_path / "a.png", encoded(Image.new("L", (4, 3)), "PNG"))
    for error in (ValueError("own"), OSError("own"), KeyError("own")):
        with pytest.raises(type(error), match="own"), opened(path):
            raise error


def test_a_chain_of_pages_is_counted_without_reading_them():
    tags = {256: 4, 257: 3, 258: 8, 259: 1, 262: 1, 273: 8, 277: 1, 278: 3, 279: 12}
    page = tiff(tags, b"")[8:-4]
    data = bytearray(b"II*\0\x08\0\0\0")
    for _ in range(2000):
        data += page + struct.pack("<I", len(data) + len(page) + 4)
    with pytest.warns(Warning, match="has 2000 frames"):
        assert read_image(bytes(data)).shape == (3, 4, 3)


HEIC = struct.pack(">I4s4sI", 24, b"ftyp", b"heic", 0) + b"mif1heic" + bytes(40)


@every_reader
def test_heic_says_what_it_takes(read, tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "pillow_heif", None)  # as if it were not installed
    with pytest.raises(ImageError, match=r"a\.heic: a HEIC photo \(HEIF\).*pip install 'salbox\[heic\]'"):
        read(saved(tmp_path / "a.heic", HEIC))


def test_heic_is_read_where_pillow_heif_is_installed(tmp_path):
    pillow_heif = pytest.importorskip("pillow_heif")
    pillow_heif.from_pillow(Image.new("RGB", (64, 48), (200, 100, 50))).save(tmp_path / "a.heic")
    pixels = read_image(tmp_path / "a.heic")
    assert pixels.shape == (*image_shape(tmp_path / "a.heic"), 3) == (48, 64, 3)
    assert np.abs(pixels.astype(int) - (200, 100, 50)).max() < 6
    with pytest.raises(ImageError, match=r"a\.heic: "):
        read_image(saved(tmp_path / "a.heic", HEIC))


def seeds():
    image = Image.fromarray(np.random.default_rng(0).integers(0, 255, (9, 12, 3), dtype=np.uint8))
    exif = Image.Exif()
    exif[0x0112] = 6
    yield from (encoded(image, kind, exif=exif) for kind in ("JPEG", "PNG", "WEBP", "TIFF"))
    yield from (encoded(image, kind) for kind in ("BMP", "GIF", "PPM", "JPEG2000", "ICO", "TGA"))
    yield encoded(image, "TIFF", compression="tiff_adobe_deflate")
    yield encoded(image.convert("P"), "PNG", transparency=3)
    yield encoded(Image.fromarray(np.arange(108, dtype=np.uint16).reshape(9, 12)), "PNG")


def tried(read, path):
    try:
        return read(path)
    except SalboxError as error:
        return str(error)


def test_damaged_pictures_cost_one_line(tmp_path):
    chance = random.Random(0)
    path = tmp_path / "a.png"
    for seed in seeds():
        for _ in range(6):
            data = bytearray(seed)
            for _ in range(chance.choice((1, 4))):
                data[chance.randrange(min(len(data), 200))] = chance.choice((0, 1, 127, 255))
            path.write_bytes(data[: chance.randrange(1, len(data))] if chance.random() < 0.3 else data)
            for read in READERS:
                found = tried(read, path)
                if isinstance(found, str):
                    assert found.startswith(str(path))
                    assert "\n" not in found
                elif read is read_image:
                    assert found.shape[:2] == image_shape(path)
