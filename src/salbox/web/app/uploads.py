"""Pictures that somebody drops on a page: bytes and a name to show, never a path."""

from __future__ import annotations

import hashlib
import tempfile
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path

import cv2

from ...errors import ImageError, ImageWarning, SalboxError, UsageError, one_line
from ...imaging.image import read_image
from ...imaging.scaling import at_size, smaller_copy
from ...prediction.demo import sample_photo
from ...types import FloatMap, Pixels, Shape

MAX_MEGABYTES = 40  # of a picture or a table
MAX_VIDEO_MEGABYTES = 200
MAX_PIXELS = 60_000_000  # of a picture, unpacked
MAX_PICTURES = 8  # at once
WORKING_SIDE = 960  # pages look at pictures at this longest side at most; files have the picture's own size

_NAME_SHOWN = 60  # characters
_SAMPLE = "sample: "
_IN_MEMORY = "in memory: "  # how messages call bytes, which have a name here


@dataclass(frozen=True, eq=False)
class Picture:
    """A picture on a page.

    Attributes
    ----------
    label : str
        What to call it, from the upload's name: for people, not for the file system.
    digest : str
        Of its bytes.
    pixels : (h, w, 3) uint8
        A copy of at most `WORKING_SIDE`.
    shape : (H, W)
        Of the picture itself.
    content : bytes
        The packed file; of a sample empty.
    notes : tuple of texts
        What a user should know of it.
    """

    label: str
    digest: str
    pixels: Pixels = field(repr=False)
    shape: Shape
    content: bytes = field(default=b"", repr=False)
    notes: tuple[str, ...] = ()

    def full(self) -> Pixels:
        """Return the picture in its own size: (H, W, 3) uint8."""
        return read_upload_pixels(self.label, self.content)[0] if self.content else self.pixels

    @property
    def stem(self) -> str:
        """A name for files made of it: letters, digits, "-" and "_" alone."""
        stem = self.label.removeprefix(_SAMPLE).rpartition(".")[0] or self.label.removeprefix(_SAMPLE)
        return (
            "".join(c if c.isascii() and (c.isalnum() or c in "-_") else "_" for c in stem)[:_NAME_SHOWN] or "picture"
        )


def read_upload(name: str, content: bytes) -> Picture:
    """Return an uploaded picture.

    Raises
    ------
    ImageError
        If it is no picture, broken, or larger than the limits; the message calls it by its name.
    """
    label = _label(name)
    pixels, notes = read_upload_pixels(label, content)
    digest = hashlib.blake2b(content, digest_size=16).hexdigest()
    working = smaller_copy(pixels, WORKING_SIDE)
    height, width = pixels.shape[:2]
    return Picture(label, digest, working, (height, width), content, notes)


def read_upload_pixels(label: str, content: bytes) -> tuple[Pixels, tuple[str, ...]]:
    """Return the pixels of an uploaded picture, (H, W, 3) uint8, and notes on it; raises as `read_upload`."""
    check_size(label, len(content), MAX_MEGABYTES)
    with warnings.catch_warnings(record=True) as raised:
        warnings.simplefilter("always", ImageWarning)
        try:
            pixels = read_image(content, max_pixels=MAX_PIXELS)
        except ImageError as error:
            raise ImageError(f"{label}: {str(error).rpartition(_IN_MEMORY)[2]}") from None
    notes = [str(one.message) for one in raised if issubclass(one.category, ImageWarning)]
    return pixels, tuple(notes)


def check_size(label: str, size: int, megabytes: int) -> None:
    """Raise an ImageError if an upload is larger than it may be."""
    if size > megabytes * 2**20:
        raise ImageError(f"{label}: {size / 2**20:.0f} MB, but at most {megabytes} MB are taken; shrink it first")


@contextmanager
def upload_file(name: str, content: bytes, suffix: str, megabytes: int) -> Iterator[Path]:
    """Yield an upload as a file in a temporary folder of its own, for readers that need one.

    Raises
    ------
    ImageError
        If it is larger than it may be.
    UsageError
        In the place of any SalboxError raised within: the message calls the upload by its name, not by its path.
    """
    label = _label(name, "upload")
    check_size(label, len(content), megabytes)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / f"upload{suffix}"
        path.write_bytes(content)
        try:
            yield path
        except SalboxError as error:
            raise UsageError(str(error).replace(str(path), label)) from None


def sample(name: str) -> Picture:
    """Return a sample photo as a picture."""
    pixels = sample_photo(name)
    height, width = pixels.shape[:2]
    return Picture(f"{_SAMPLE}{name}", f"sample-{name}", smaller_copy(pixels, WORKING_SIDE), (height, width))


def read_upload_map(name: str, content: bytes, shape: Shape) -> FloatMap:
    """Return an uploaded grey picture, such as a ground-truth map, in 0..1 and brought to a size: (H, W) float32.

    Raises
    ------
    ImageError
        As `read_upload`.
    UsageError
        If it has another aspect ratio than the picture that it belongs to.
    """
    label = _label(name)
    pixels, _ = read_upload_pixels(label, content)
    height, width = pixels.shape[:2]
    if abs(width / height - shape[1] / shape[0]) > 0.02 * shape[1] / shape[0]:
        raise UsageError(f"{label}: {width}x{height}, which is not the shape of the picture that it belongs to")
    gray = cv2.cvtColor(pixels, cv2.COLOR_RGB2GRAY)
    shrinks = height > shape[0]
    resized = cv2.resize(gray, shape[::-1], interpolation=cv2.INTER_AREA if shrinks else cv2.INTER_LINEAR)
    return (resized / 255.0).astype("float32")


def at_longest_side(picture: Picture, side: int) -> Picture:
    """Return a picture whose working copy has this longest side, made of the picture itself."""
    return replace(picture, digest=f"{picture.digest}@{side}", pixels=at_size(picture.full(), side))


def _label(name: str, otherwise: str = "picture") -> str:
    """Return what to call an upload: its name, on one line and not long."""
    return one_line(name, _NAME_SHOWN) or otherwise
