"""TIFF: the ways of storing pixels that Pillow reads wrongly are read another way here, or refused.

Pillow looks a file up in a table of byte order, photometric interpretation, bits and extra samples; how samples are
laid out and compressed is not in it. `tests/imaging/test_tiff.py` tries the combinations.
"""

from __future__ import annotations

import logging
import zlib
from dataclasses import dataclass
from functools import cached_property
from typing import IO, Any

import numpy as np
import numpy.typing as npt
from PIL import Image, ImagePalette
from PIL.TiffImagePlugin import TiffImageFile

from ..errors import ImageError
from . import _orientation
from .arrays import to_uint8

MAX_TILE_PIXELS = 1 << 24  # of a tile that is larger than its picture
MAX_PAGES = 100_000

_NEW_SUBFILE_TYPE, _WIDTH, _HEIGHT, _BITS, _COMPRESSION, _PHOTOMETRIC = 254, 256, 257, 258, 259, 262
_STRIP_OFFSETS, _SAMPLES, _ROWS_PER_STRIP, _PLANAR, _COLORMAP = 273, 277, 278, 284, 320
_TILE_WIDTH, _TILE_LENGTH, _TILE_OFFSETS = 322, 323, 324
_EXTRA_SAMPLES, _SAMPLE_FORMAT, _SUBSAMPLING = 338, 339, 530
_MIN_IS_WHITE, _MIN_IS_BLACK, _RGB, _CMYK, _YCBCR = 0, 1, 2, 5, 6
_CHANNELS = {_MIN_IS_WHITE: 1, _MIN_IS_BLACK: 1, _RGB: 3, _CMYK: 4}
_SIGNED, _FLOAT = 2, 3
_UNCOMPRESSED, _DEFLATE = 1, (8, 32946)
_PREMULTIPLIED, _ALPHA = 1, 2
_UNHEARD = logging.NullHandler()  # what tifffile remarks is not for the terminal


@dataclass(frozen=True)
class _Storage:
    """How the first page stores its pixels."""

    image: TiffImageFile

    def tag(self, number: int, default: Any = None) -> Any:
        return self.image.tag_v2.get(number, default)

    def first(self, number: int, default: int) -> int:
        value = self.tag(number, default)
        return int(value[0] if isinstance(value, tuple) else value)

    @cached_property
    def bits(self) -> int:
        return self.first(_BITS, 1)

    @cached_property
    def samples(self) -> int:
        return self.first(_SAMPLES, 1)

    @cached_property
    def photometric(self) -> int:
        return self.first(_PHOTOMETRIC, _MIN_IS_WHITE)

    @cached_property
    def compression(self) -> int:
        return self.first(_COMPRESSION, _UNCOMPRESSED)

    @cached_property
    def sample_format(self) -> int:
        return self.first(_SAMPLE_FORMAT, 1)

    @property
    def is_misread(self) -> bool:
        """Whether Pillow takes the samples for others than they are."""
        is_raw = self.compression == _UNCOMPRESSED
        in_planes = self.first(_PLANAR, 1) == 2 and self.samples > 1
        is_gray = self.photometric in (_MIN_IS_WHITE, _MIN_IS_BLACK)
        # One plane after the other is read byte by byte, and libtiff's grey planes as grey and alpha in turn.
        planes = in_planes and (is_raw or is_gray)
        # libtiff gives the machine's byte order, whatever the file's.
        swapped = not is_raw and self.image.tag_v2.prefix == b"MM" and self.sample_format in (_SIGNED, _FLOAT)
        negative = self.photometric == _MIN_IS_WHITE and self.bits > 8
        unsigned = self.sample_format == _SIGNED and self.bits == 8
        subsampled = is_raw and self.photometric == _YCBCR and tuple(self.tag(_SUBSAMPLING, (2, 2))) != (1, 1)
        return planes or swapped or negative or unsigned or subsampled

    @property
    def is_signed(self) -> bool:
        """Whether samples are signed whole numbers of 8 or 16 bits."""
        return self.sample_format == _SIGNED and self.bits <= 16

    def check(self) -> None:
        """Raise an ImageError if unpacking takes far more than the picture has, or it is a copy of another one."""
        width, height = self.first(_WIDTH, 0), self.first(_HEIGHT, 0)
        tile = self.first(_TILE_WIDTH, 0), self.first(_TILE_LENGTH, 0)
        if tile[0] * tile[1] > max(MAX_TILE_PIXELS, 2 * width * height):
            raise ImageError(f"tiles of {tile[0]}x{tile[1]} in a picture of {width}x{height}")
        if self.first(_NEW_SUBFILE_TYPE, 0) & 1:
            raise ImageError("its first picture is a small copy, as in a camera's raw file; convert it to TIFF or PNG")
        if self.compression == _UNCOMPRESSED:  # of which Pillow leaves out what is not there, and reads what is nowhere
            planes = self.samples if self.first(_PLANAR, 1) == 2 else 1
            across = -(-width // tile[0]) if tile[0] else 1
            rows = tile[1] or min(self.first(_ROWS_PER_STRIP, height), height)
            offsets = self.tag(_TILE_OFFSETS if tile[0] else _STRIP_OFFSETS, ())
            if len(offsets) < planes * across * -(-height // max(1, rows)) or not all(offsets):
                raise ImageError("strips or tiles are missing")


def count_pages(image: TiffImageFile) -> int:
    """Return how many pages an open TIFF has, counted along their heads alone, at most `MAX_PAGES`."""
    file = image.fp
    if file is None:
        return 1
    position = file.tell()
    try:
        file.seek(0)
        pages = _count(file)
    finally:
        file.seek(position)
    return pages


def _count(file: IO[bytes]) -> int:
    head = file.read(16)

    def number(data: bytes) -> int:
        return int.from_bytes(data, "little" if head[:2] == b"II" else "big")

    is_big = number(head[2:4]) == 43
    of_count, of_entry, of_offset = (8, 20, 8) if is_big else (2, 12, 4)
    offset = number(head[8:16] if is_big else head[4:8])
    seen: set[int] = set()
    while offset and offset not in seen and len(seen) < MAX_PAGES:
        file.seek(offset)
        entries = file.read(of_count)
        if len(entries) < of_count:
            break
        seen.add(offset)
        file.seek(number(entries) * of_entry, 1)
        offset = number(file.read(of_offset))
    return max(1, len(seen))


def stored_size(image: TiffImageFile) -> tuple[int, int] | None:
    """Return the (width, height) in which an open TIFF stores its first page; None once it is decoded."""
    if not image.tile:
        return None
    storage = _Storage(image)
    return storage.first(_WIDTH, 0), storage.first(_HEIGHT, 0)


def orientation_of(image: TiffImageFile) -> int:
    """Return the orientation of an open TIFF's first page; 1 once it is decoded, for then it is upright."""
    return _orientation.as_orientation(image.tag_v2.get(_orientation.ORIENTATION)) if image.tile else 1


def has_signed_samples(image: Image.Image) -> bool:
    """Return whether a picture is a TIFF of signed whole numbers that are no count of brightness."""
    return isinstance(image, TiffImageFile) and _Storage(image).is_signed


def decode(image: TiffImageFile) -> Image.Image:
    """Return the pixels of a TIFF's first page, upright.

    Raises
    ------
    ImageError
        If they are stored in a way that cannot be read rightly.
    """
    storage = _Storage(image)
    storage.check()
    if storage.is_misread:
        if not image.tile or image.fp is None:
            raise ImageError("a TIFF that Pillow has decoded, which it does wrongly for its kind; give the file")
        orientation = orientation_of(image)
        return _orientation.upright(_picture(_samples(image.fp, storage), storage), orientation)
    colors = storage.tag(_COLORMAP)
    if colors is not None and image.tile and 0 < max(colors) < 256:  # should be of 16 bits, as libtiff forgives too
        image.palette = ImagePalette.raw("RGB;L", bytes(colors))
    image.load()
    if storage.bits == 12 and image.mode.startswith("I;16"):
        values = np.asarray(image).astype(np.uint16)
        return Image.fromarray(values << 4 | values >> 8)
    return image


def _samples(file: IO[bytes], storage: _Storage) -> npt.NDArray[Any]:
    """Return the samples of the first page, (H, W, samples), as they are stored."""
    from tifffile import TiffFile

    logging.getLogger("tifffile").addHandler(_UNHEARD)
    if storage.compression not in (_UNCOMPRESSED, *_DEFLATE) or storage.photometric not in _CHANNELS:
        raise ImageError("a TIFF stored in a rare way, which is not read; convert it to PNG or save it uncompressed")
    position = file.tell()
    try:
        file.seek(0)
        with TiffFile(file) as tiff:
            page: Any = tiff.pages[0]
            shape = (storage.first(_HEIGHT, 0), storage.first(_WIDTH, 0), storage.samples)
            in_planes = storage.samples > 1 and storage.first(_PLANAR, 1) == 2
            if page.shape not in ((shape[2], *shape[:2]) if in_planes else shape, shape[:2]):
                raise ImageError(f"a TIFF of the shape {page.shape}, which is not read")
            _check_segments(file, page, storage, int(np.prod(shape)))
            samples: npt.NDArray[Any] = page.asarray(maxworkers=1)
    finally:
        file.seek(position)
    return np.moveaxis(samples, 0, 2) if in_planes else samples.reshape(shape)


def _check_segments(file: IO[bytes], page: Any, storage: _Storage, samples: int) -> None:
    """Raise an ImageError unless strips or tiles hold what the picture takes, and not more than one of them should."""
    size = page.dtype.itemsize
    most = int(np.prod(page.chunks)) * size
    total = 0
    for offset, length in zip(page.dataoffsets, page.databytecounts, strict=True):
        if storage.compression == _UNCOMPRESSED:
            end = file.seek(0, 2)
            total += max(0, min(length, most, end - offset))
            continue
        file.seek(offset)
        total += len(unpacked := zlib.decompressobj().decompress(file.read(length), most + 1))
        if len(unpacked) > most:
            raise ImageError("a strip or tile holds more than the picture")
    if total < samples * size:
        raise ImageError("cut off")


def _picture(samples: npt.NDArray[Any], storage: _Storage) -> Image.Image:
    """Return samples, (H, W, S), as a picture: grey ones as they are, others with 8 bits a channel."""
    channels = _CHANNELS[storage.photometric]
    extra = storage.tag(_EXTRA_SAMPLES, ())
    extra = extra if isinstance(extra, tuple) else (extra,)
    alpha = extra[0] if extra and extra[0] in (_PREMULTIPLIED, _ALPHA) and channels < 4 else None
    samples = samples.astype(samples.dtype.newbyteorder("="), copy=False)
    kind = samples.dtype.kind
    if storage.photometric == _MIN_IS_WHITE:
        if kind != "u":
            raise ImageError("a TIFF of numbers whose least is white, which have no agreed brightness")
        color = np.iinfo(samples.dtype).max - samples[:, :, :1]
        samples = np.concatenate([color, samples[:, :, 1:]], axis=2)
    if channels == 1 and alpha is None:
        return _gray(samples[:, :, 0])
    if kind != "u" or samples.dtype.itemsize > 2:
        raise ImageError(f"a TIFF of {samples.dtype} with {storage.samples} samples a pixel, which is not read")
    kept = np.ascontiguousarray(to_uint8(samples[:, :, : channels + (alpha is not None)]))
    modes = {(1, _ALPHA): "LA", (1, _PREMULTIPLIED): "La", (3, None): "RGB", (3, _ALPHA): "RGBA"}
    mode = {**modes, (3, _PREMULTIPLIED): "RGBa", (4, None): "CMYK"}[channels, alpha]
    return Image.frombytes(mode, (kept.shape[1], kept.shape[0]), kept.tobytes())


def _gray(values: npt.NDArray[Any]) -> Image.Image:
    if values.dtype in (np.uint8, np.uint16):
        return Image.fromarray(np.ascontiguousarray(values))
    if values.dtype.kind == "f":
        return Image.fromarray(np.ascontiguousarray(values, np.float32))
    if values.dtype.kind in "iu" and values.dtype.itemsize <= 4 and values.max() <= np.iinfo(np.int32).max:
        return Image.fromarray(np.ascontiguousarray(values, np.int32))
    raise ImageError(f"a TIFF of {values.dtype}, which is not read")
