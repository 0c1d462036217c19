"""SALICON's file of results: a JSON list of {"image_id", "saliency_map"}, each map a picture in base64.

The picture is a PNG of 8 bits, min-max scaled; of a log density the density. While it is being written it is a file of
JSON lines, so that a run that was killed goes on.
"""

from __future__ import annotations

import base64
import binascii
import io
import json
import re
from collections.abc import Generator, Iterator
from functools import partial
from pathlib import Path
from typing import IO, Any

import numpy as np
import numpy.typing as npt
from PIL import Image

from ..errors import ImageError, UsageError, one_line
from ..imaging.image import MAX_PIXELS, read_image
from ..imaging.scaling import min_max
from ..imaging.writing import atomic
from ..types import Output
from ._part import Stored, Submission

_CHUNK = 1 << 20
_LARGEST = 64 << 20  # characters of one map; a PNG of 640x480 takes a hundredth of it
_DECODER = json.JSONDecoder()


class SaliconSubmission(Submission):
    """A submission as SALICON's list of pictures; parameters and errors as `Submission`."""

    def _open(self) -> list[str]:
        keys: list[str] = []
        with atomic(self.part) as temporary, temporary.open("wb") as file:
            file.write(self._head)
            for key, line in self._kept():
                keys.append(key)
                file.write(line)
        self._file = self.part.open("r+b")
        self._file.seek(0, io.SEEK_END)
        return keys

    @property
    def _head(self) -> bytes:
        """The first line of the part."""
        return json.dumps({"salbox": self._digest}).encode("ascii") + b"\n"

    def _kept(self) -> Iterator[tuple[str, bytes]]:
        """Yield the keys and lines of the maps that an earlier run of these settings made of the images as they are."""
        if not self.part.is_file():
            return
        with self.part.open("rb") as file:
            if file.readline() != self._head:
                return
            taken = set()
            for line in file:
                content, key = _whole_line(line)
                if key is not None and key not in taken and content == self._contents.get(key, ""):
                    taken.add(key)
                    yield key, line

    def add(self, key: str, saliency: npt.NDArray[Any], output: Output = "score") -> None:
        """Write a map, (H, W); `key` is the number of the image, or its file's name.

        Raises
        ------
        UsageError
            If the name holds no number, or the disk is full.
        """
        values = _density(saliency) if output == "log_density" else saliency
        picture = io.BytesIO()
        Image.fromarray(np.rint(min_max(values) * 255).astype(np.uint8)).save(picture, format="PNG", optimize=True)
        encoded = base64.b64encode(picture.getvalue()).decode("ascii")
        try:
            name = image_id(key)
            entry = json.dumps({"image_id": int(name), "saliency_map": encoded})
            # What the image holds stands before its map, and stays out of the file itself.
            self._file.write(f"{self._contents.get(name, '')} {entry}\n".encode("ascii"))
            self._file.flush()
        except OSError as error:
            raise self._refused(error) from None

    def finish(self) -> None:
        """Write the list under the file's name, and remove the part."""
        self._file.seek(0)
        next(self._file)
        with atomic(self.path) as temporary, temporary.open("wb") as file:
            separator = b"["
            for line in self._file:
                file.write(separator + line.rstrip(b"\n").partition(b" ")[2])
                separator = b",\n"
            file.write(b"]\n")
        self._file.close()
        self.part.unlink()


def _whole_line(line: bytes) -> tuple[str, str | None]:
    """Return what the image held, and the key, of a line of the part; None for a key if it is not as it was written."""
    content, _, text = line.decode("ascii", "replace").partition(" ")
    try:
        entry = json.loads(text)
        _check_png(base64.b64decode(entry["saliency_map"], validate=True))
        return content, str(int(entry["image_id"])) if line.endswith(b"\n") else None
    except (ValueError, TypeError, KeyError, OverflowError, RecursionError):
        return content, None


def _check_png(content: bytes) -> None:
    """Raise ValueError unless a PNG picture is whole and decodes; its checksums are computed on the way."""
    try:
        with Image.open(io.BytesIO(content), formats=("PNG",)) as picture:
            picture.load()
    except Exception as error:  # Pillow's format plugins raise nearly anything on malformed files
        raise ValueError(one_line(error)) from None


def _density(saliency: npt.NDArray[Any]) -> npt.NDArray[np.float64]:
    """Return the density of a log density, scaled so that its maximum is 1."""
    values = saliency.astype(np.float64)
    return np.exp(values - values.max())


def image_id(key: str) -> str:
    """Return the number of an image by its file's name: 'COCO_test2014_000000000001.jpg' is image 1.

    Raises
    ------
    UsageError
        If the name does not end in a number.
    """
    found = re.search(r"(\d+)$", Path(key).stem)
    if found is None:
        raise UsageError(f"{key}: SALICON knows images by a number at the end of the name")
    return str(int(found[1]))


def read_salicon(path: Path) -> Generator[Stored, None, None]:
    """Yield the maps of a file that nobody vouches for, one at a time; keys are the images' numbers as texts.

    Raises
    ------
    UsageError
        If it is not such a file.
    """
    try:
        with path.open(encoding="utf-8") as file:
            for number, entry in enumerate(_entries(file, path)):
                where = f"{path}: entry {number + 1}"
                if not isinstance(entry, dict) or not {"image_id", "saliency_map"} <= entry.keys():
                    raise UsageError(f"{where}: expected image_id and saliency_map")
                key, text = entry["image_id"], entry["saliency_map"]
                if isinstance(key, bool) or not isinstance(key, int) or not isinstance(text, str):
                    raise UsageError(f"{where}: expected image_id to be a whole number and saliency_map a text")
                yield _stored(str(key), text, f"{path}: image {key}")
    except FileNotFoundError:
        raise UsageError(f"{path}: no such file") from None
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(f"{path}: not readable as JSON ({' '.join(str(error).split())})") from None


def _stored(key: str, text: str, where: str) -> Stored:
    try:
        data = base64.b64decode(text, validate=True)
        with Image.open(io.BytesIO(data), formats=("PNG", "JPEG")) as picture:
            width, height = picture.size
    except binascii.Error as error:
        raise UsageError(f"{where}: not base64 ({error})") from None
    except Exception as error:  # Pillow's format plugins raise nearly anything on malformed headers
        raise UsageError(f"{where}: not a PNG or JPEG picture ({' '.join(str(error).split())})") from None
    if width * height > MAX_PIXELS:
        raise UsageError(f"{where}: a picture of {width}x{height}")
    return Stored(key, (height, width), partial(_gray, data, where))


def _gray(data: bytes, where: str) -> npt.NDArray[np.uint8]:
    try:
        pixels = read_image(data)
    except ImageError as error:
        raise UsageError(f"{where}: {error}") from None
    if not (pixels == pixels[:, :, :1]).all():
        raise UsageError(f"{where}: a colour picture, expected a grey one")
    return pixels[:, :, 0]


def _entries(file: IO[str], path: Path) -> Iterator[Any]:
    """Yield the elements of a JSON list, however large the file is."""
    text = _Text(file)
    broken = UsageError(f"{path}: broken or cut off: expected a JSON list of results")
    if text.sign() != "[":
        raise UsageError(f"{path}: expected a JSON list of results")
    text.skip()
    if text.sign() == "]":
        return
    while True:
        try:
            yield text.element()
        except (ValueError, RecursionError):
            raise broken from None
        if text.sign() == "]":
            return
        if text.sign() != ",":
            raise broken
        text.skip()


class _Text:
    """A JSON text that is read piece by piece."""

    def __init__(self, file: IO[str]) -> None:
        self._file, self._ahead = file, ""

    def sign(self) -> str:
        """Return the next character that is no space; empty at the end."""
        self._ahead = self._ahead.lstrip()
        while not self._ahead and (more := self._file.read(_CHUNK)):
            self._ahead = more.lstrip()
        return self._ahead[:1]

    def skip(self) -> None:
        """Pass over the character that `sign` returned."""
        self._ahead = self._ahead[1:]

    def element(self) -> Any:
        """Return the next element; raises ValueError or RecursionError if there is none, or it is too large."""
        self.sign()
        while True:
            try:
                found, end = _DECODER.raw_decode(self._ahead)
            except ValueError:
                more = self._file.read(_CHUNK) if len(self._ahead) <= _LARGEST else ""
                if not more:
                    raise
                self._ahead += more
            else:
                self._ahead = self._ahead[end:]
                return found
