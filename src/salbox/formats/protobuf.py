"""The wire format of protocol buffers, read without a schema and without trust.

See "Encoding" in the documentation of Protocol Buffers (protobuf.dev).
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import numpy.typing as npt

MAX_FIELDS = 1_000_000  # a network has some thousands; a file must not keep the reader busy for minutes

# Kinds of fields: a number of 7 bits a byte, 8 bytes, a length and so many bytes, 4 bytes.
VARINT, FIXED64, BYTES, FIXED32 = 0, 1, 2, 5


class Refusal(Exception):
    """Why a file is not taken; whoever reads it says which file."""


class Damaged(Refusal):
    """Where it showed that the bytes are no such messages, or damaged or cut off."""


def read_varint(content: bytes, position: int, end: int) -> tuple[int, int]:
    """Return a number of 7 bits a byte, of up to 64 bits and not negative, and where the next part begins.

    Raises
    ------
    Damaged
        If it goes on up to `end`, or is longer than such numbers are.
    """
    value = 0
    for shift in range(0, 70, 7):
        if position >= end:
            break
        octet = content[position]
        position += 1
        value |= (octet & 0x7F) << shift
        if octet < 0x80:
            return value & (2**64 - 1), position
    raise Damaged("a number has no end")


class Messages:
    """Messages within the bytes of a file.

    Parameters
    ----------
    content : bytes
        Places below are positions in it.
    """

    def __init__(self, content: bytes):
        self.content = content
        self._fields = 0

    def text(self, start: int, end: int) -> str:
        """Return a text."""
        try:
            return self.content[start:end].decode("utf-8")
        except UnicodeDecodeError:
            raise Damaged("a name is no text") from None

    def numbers(self, start: int, end: int, dtype: np.dtype[np.floating]) -> npt.NDArray[np.floating]:
        """Return numbers of 4 or 8 bytes written one after the other."""
        return np.frombuffer(self.content, dtype, (end - start) // dtype.itemsize, start)

    def varints(self, start: int, end: int, at_most: int) -> list[int]:
        """Return numbers written one after the other; further ones than `at_most` are not looked at."""
        found: list[int] = []
        while start < end and len(found) < at_most:
            value, start = self._varint(start, end)
            found.append(value)
        return found

    def count_varints(self, start: int, end: int) -> int:
        """Return how many numbers are written one after the other."""
        octets = np.frombuffer(self.content, np.uint8, end - start, start)
        return int(np.count_nonzero(octets < 0x80))  # the last byte of a number has no high bit

    def _varint(self, position: int, end: int) -> tuple[int, int]:
        """Return a signed number of 64 bits and where the next begins."""
        value, position = read_varint(self.content, position, end)
        return (value - 2**64 if value >= 2**63 else value), position

    def walk(self, position: int, end: int) -> Iterator[tuple[int, int, int, int]]:
        """Yield (field number, wire type, value, 0), or (field number, wire type, start, end) of what has a length."""
        while position < end:
            self._fields += 1
            if self._fields > MAX_FIELDS:
                raise Refusal("has far more parts than a network has")
            key, position = self._varint(position, end)
            number, wire = key >> 3, key & 7
            if wire == VARINT:
                value, position = self._varint(position, end)
                yield number, wire, value, 0
                continue
            if wire == BYTES:
                length, position = self._varint(position, end)
            elif wire in (FIXED32, FIXED64):
                length = 4 if wire == FIXED32 else 8
            else:
                raise Damaged("a part is of no known kind")
            if number <= 0 or not 0 <= length <= end - position:
                raise Damaged("a part is cut off")
            yield number, wire, position, position + length
            position += length
