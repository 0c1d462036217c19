"""Opening: every picture file, whoever asks for it, is opened here, with one list of kinds and one limit of pixels."""

from __future__ import annotations

import io
import os
import re
import stat
import threading
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cached_property
from pathlib import Path
from typing import IO, TypeAlias

from PIL import Image, UnidentifiedImageError
from PIL.PngImagePlugin import PngImageFile
from PIL.TiffImagePlugin import TiffImageFile

from ..errors import ImageError, ImageWarning, one_line
from ..types import Shape
from . import _heif, _orientation, _png, _tiff

PictureSource: TypeAlias = "str | os.PathLike[str] | bytes | bytearray | memoryview | IO[bytes]"

MAX_PIXELS = 100_000_000

# What is opened, by content. Pillow knows more, some of which it hands to other programs (EPS to Ghostscript).
KINDS = ("JPEG", "MPO", "PNG", "WEBP", "TIFF", "GIF", "BMP", "DIB", "PPM", "JPEG2000", "AVIF", "HEIF", "ICO", "TGA")

# Suffixes that a folder is searched for; opening itself goes by content.
SUFFIXES = frozenset(
    {".jpg", ".jpeg", ".png", ".webp", ".tif", ".tiff", ".gif", ".bmp", ".ppm", ".pgm", ".jp2", ".avif"}
    | {".heic", ".heif", ".tga"}
)

_open_lock = threading.Lock()


class Picture:
    """A picture that is open and within the limit; its pixels are decoded when they are asked for.

    Parameters
    ----------
    image : PIL image
    where : str
        What it is called in messages.
    """

    def __init__(self, image: Image.Image, where: str) -> None:
        self.image, self.where = image, where

    @property
    def kind(self) -> str:
        """One of `KINDS`, or empty."""
        return self.image.format or ""

    @cached_property
    def orientation(self) -> int:
        """How it lies in its file, 1 to 8 as EXIF counts."""
        if isinstance(self.image, TiffImageFile):
            return _tiff.orientation_of(self.image)
        with broken_named(self.where), _quiet():
            return _orientation.orientation_of(self.image)

    @cached_property
    def frames(self) -> int:
        """How many there are; 1 if that cannot be told. An MPO holds a photo's own previews, not frames."""
        try:
            if isinstance(self.image, TiffImageFile):
                return _tiff.count_pages(self.image)
            with _quiet():
                return 1 if self.kind == "MPO" else int(getattr(self.image, "n_frames", 1))
        except Exception:  # broken beyond the first frame, which could be read
            return 1

    def shape(self, *, is_turned: bool = True) -> Shape:
        """Return the (H, W) of what `decoded` gives, from the head alone."""
        # What `size` is of a TIFF that is turned depends on Pillow's version.
        stored = _tiff.stored_size(self.image) if isinstance(self.image, TiffImageFile) else None
        width, height = stored or self.image.size
        return (width, height) if is_turned and self.orientation in _orientation.QUARTERS else (height, width)

    def decoded(self, *, is_turned: bool = True) -> Image.Image:
        """Return the pixels of the first frame, in the mode in which Pillow keeps them.

        Parameters
        ----------
        is_turned : bool
            Whether an orientation that the file states is followed.

        Raises
        ------
        ImageError
            If they are broken, or stored in a way that is read wrongly.
        """
        with broken_named(self.where), _quiet():
            orientation, (height, width) = self.orientation, self.shape()
            if isinstance(self.image, TiffImageFile):
                _ = self.frames  # once it is decoded, its file is at hand no more
                image = _tiff.decode(self.image)
            else:
                if isinstance(self.image, PngImageFile) and self.image.fp is not None:
                    _png.check_sums(self.image.fp)
                self.image.load()
                image = _orientation.upright(self.image, orientation)
            if image.size != (width, height):
                raise ImageError(f"holds a picture of {image.width}x{image.height} and says {width}x{height}")
            return image if is_turned else _orientation.as_stored(image, orientation)

    def warn_of_frames(self) -> None:
        """Say so if only the first of several frames is taken."""
        if self.frames > 1:
            warnings.warn(f"{self.where}: has {self.frames} frames; the first is taken", ImageWarning, stacklevel=4)


@contextmanager
def opened(source: PictureSource, *, max_pixels: int = MAX_PIXELS) -> Iterator[Picture]:
    """Open a picture for the time of a block.

    Parameters
    ----------
    source : path, bytes or file object
        Of one of `KINDS`, by content.
    max_pixels : int
        Larger ones are refused before they are decoded.

    Raises
    ------
    ImageError
        If it is no picture, broken, empty, too large or no regular file; also from within the block where a picture is
        decoded, or a file cannot be read on.

    Examples
    --------
    >>> import io
    >>> from PIL import Image
    >>> from salbox.imaging.opening import opened
    >>> file = io.BytesIO()
    >>> Image.new("L", (640, 480)).save(file, "PNG")
    >>> with opened(file.getvalue()) as picture:
    ...     picture.kind, picture.shape()
    ('PNG', (480, 640))
    """
    if isinstance(source, (bytes, bytearray, memoryview)):
        yield _open(io.BytesIO(source), f"{len(source)} bytes in memory", max_pixels)
    elif isinstance(source, (str, os.PathLike)):
        with _file(source) as file:
            yield _open(file, str(Path(source)), max_pixels)
    elif hasattr(source, "read"):
        yield _open(source, str(getattr(source, "name", "file object")), max_pixels)
    else:
        raise ImageError(f"cannot read an image from {type(source).__name__}: give a path, bytes, PIL image or array")


def check_size(size: tuple[int, int], max_pixels: int, where: str) -> None:
    """Raise an ImageError if a (width, height) is empty or has more pixels than allowed."""
    width, height = size
    if width < 1 or height < 1:
        raise ImageError(f"{where}: an image of {width}x{height} has no pixels")
    if width * height > max_pixels:
        raise ImageError(f"{where}: {width}x{height} is {_too_large(width * height, max_pixels)}")


@contextmanager
def broken_named(where: str) -> Iterator[None]:
    """Turn what decoders raise within a block, which is nearly anything on malformed files, into one line."""
    try:
        yield
    except ImageError as error:
        raise error if str(error).startswith(where) else ImageError(f"{where}: {error}") from None
    except MemoryError:
        raise ImageError(f"{where}: not enough memory to decode it") from None
    except Exception as error:
        raise ImageError(f"{where}: broken image ({one_line(error)})") from None


def _file(path: str | os.PathLike[str]) -> IO[bytes]:
    """Return a regular file, open; raises as `opened`."""
    try:
        mode = Path(path).stat().st_mode
        if not stat.S_ISREG(mode):  # a pipe would be waited for, a device never ends
            raise ImageError(f"{path}: is {'a folder' if stat.S_ISDIR(mode) else 'no regular file'}, not an image")
        return Path(path).open("rb")
    except FileNotFoundError:
        raise ImageError(f"{path}: no such file") from None
    except OSError as error:
        raise ImageError(f"{path}: cannot be opened ({error.strerror or error})") from None
    except ValueError as error:  # a name with a null character
        raise error if isinstance(error, ImageError) else ImageError(f"{str(path)!r}: {error}") from None


def _open(file: IO[bytes], where: str, max_pixels: int) -> Picture:
    if not file.seekable():
        file = io.BytesIO(file.read())
    head = file.read(_heif.HEAD)
    if not head:
        raise ImageError(f"{where}: empty file")
    file.seek(0)
    kind = _heif.kind_of(head)
    with broken_named(where):
        if kind == _heif.HEIF:
            _heif.register()
        image = _open_limited(file, _kinds(kind), max_pixels)
    check_size(image.size, max_pixels, where)
    return Picture(image, where)


def _open_limited(file: IO[bytes], kinds: list[str], max_pixels: int) -> Image.Image:
    """Open with our limit in the place of Pillow's, which is global: it holds within containers and for their frames.

    Some of its readers decode or make room for pixels while they open (ICO, GIF).
    """
    with _open_lock, _quiet():
        limit, Image.MAX_IMAGE_PIXELS = Image.MAX_IMAGE_PIXELS, max_pixels / 2  # type: ignore[assignment]
        try:  # an error beyond twice the limit, a warning before
            return Image.open(file, formats=kinds)
        except UnidentifiedImageError:
            raise ImageError("not an image, or of a kind that is not supported") from None
        except Image.DecompressionBombError as error:
            found = re.search(r"\d+", str(error))
            raise ImageError(_too_large(int(found[0]) if found else 0, max_pixels)) from None
        finally:
            Image.MAX_IMAGE_PIXELS = limit


def _kinds(only: str | None) -> list[str]:
    Image.init()
    kinds = [kind for kind in ((only,) if only else KINDS) if kind in Image.OPEN]
    if not kinds:
        raise ImageError(f"a picture of the kind {only}, which this version of Pillow does not read")
    return kinds


def _too_large(pixels: int, max_pixels: int) -> str:
    return f"{pixels / 1e6:.0f} megapixels, more than the limit of {max_pixels / 1e6:g} (max_pixels, --max-pixels)"


@contextmanager
def _quiet() -> Iterator[None]:
    """Keep Pillow's warnings, of which a file can cause thousands, from the terminal."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield
