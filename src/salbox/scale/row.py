"""A row: an image that is still to be read, with its key."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from ..errors import ImageError, SalboxError
from .keys import safe_key
from .units import Unit

MAX_BYTES = 1 << 28  # of an image, packed


@dataclass(frozen=True)
class Row:
    """An image that is still to be read.

    Attributes
    ----------
    key : str
        What its outputs are called; empty of one that has no name.
    source : str
        Where it comes from, for people.
    read : callable
        Returns its bytes; called before the next row is asked for, or not at all. Raises a SalboxError if there are
        none, or too many.
    """

    key: str
    source: str
    read: Callable[[], bytes]


class UnreadableError(SalboxError):
    """What cannot be read, or not further, now, and perhaps later: a shard, or a file of a list."""


def check_size(size: int, most: int) -> None:
    """Raise an ImageError if an image has more bytes than it may."""
    if size > most:
        raise ImageError(f"{size:,} bytes, more than the {most:,} that an image may have")


def refuse(reason: str) -> bytes:
    """Raise an ImageError: the `read` of a row that has no image."""
    raise ImageError(reason)


def row_key(unit: Unit, name: str) -> str:
    """Return the key of a row of a shard: the shard's own, and below it the row's name; raises as `safe_key`."""
    return safe_key(unit.files[0].key, name)
