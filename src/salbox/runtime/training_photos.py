"""Which photos the heads of an exported network learned from: a list of short digests inside the ONNX file.

It says no more of a photo than whether a given file is among them, at 7 characters a photo.
"""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..errors import WeightsError
from ..formats.onnx_file import inspect

KEY = "salbox.training_photos"  # of the ONNX file's metadata
_FORMAT = 1
_BYTES = 5  # of a photo's digest: among a hundred thousand, one in ten million others is taken for one of them


@dataclass(frozen=True)
class TrainingPhotos:
    """The photos that a head learned from, and those that chose its checkpoint, by `short_digest`."""

    training: frozenset[str] = frozenset()
    validation: frozenset[str] = frozenset()

    def __or__(self, other: TrainingPhotos) -> TrainingPhotos:
        """Return the photos of both."""
        return TrainingPhotos(self.training | other.training, self.validation | other.validation)


def short_digest(digest: str) -> str:
    """Return what a photo is called in these lists: the first ten hexadecimal digits of its `content_digest`."""
    return digest[: 2 * _BYTES]


def to_text(heads: Mapping[str, TrainingPhotos]) -> str:
    """Return the lists of heads as JSON; those that are alike stand there once."""
    lists = list(dict.fromkeys(heads.values()))
    kept = [{"training": _packed(each.training), "validation": _packed(each.validation)} for each in lists]
    places = {head: lists.index(photos) for head, photos in heads.items()}
    return json.dumps({"format": _FORMAT, "heads": places, "lists": kept})


def from_text(text: str) -> dict[str, TrainingPhotos]:
    """Return what `to_text` wrote.

    Raises
    ------
    ValueError
        If it is something else.
    """
    try:
        values = json.loads(text)
        if values["format"] != _FORMAT:
            raise ValueError("of another version of salbox")
        lists = [TrainingPhotos(_unpacked(each["training"]), _unpacked(each["validation"])) for each in values["lists"]]
        return {str(head): lists[place] for head, place in values["heads"].items()}
    except (KeyError, TypeError, AttributeError, IndexError, RecursionError, binascii.Error) as error:
        raise ValueError(f"damaged ({type(error).__name__})") from None


def read_training_photos(path: Path) -> dict[str, TrainingPhotos]:
    """Return head -> the photos that it learned from; nothing of a file that does not say.

    Raises
    ------
    WeightsError
        If it is no ONNX file, or the list in it is damaged.
    """
    text = inspect(path).metadata.get(KEY)
    try:
        return {} if text is None else from_text(text)
    except ValueError as error:
        raise WeightsError(f"{path}: its list of training photos cannot be read: {error}") from None


def _packed(digests: Iterable[str]) -> str:
    return base64.b64encode(b"".join(bytes.fromhex(digest) for digest in sorted(digests))).decode("ascii")


def _unpacked(text: Any) -> frozenset[str]:
    joined = base64.b64decode(text, validate=True)
    if len(joined) % _BYTES:
        raise ValueError("cut off")
    return frozenset(joined[start : start + _BYTES].hex() for start in range(0, len(joined), _BYTES))
