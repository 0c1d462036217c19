"""Damaged files: bits turned, parts cut, doubled or zeroed, lengths and numbers edited; the same ones each time."""

from __future__ import annotations

import random
import re
import struct

NUMBERS = (0, 1, 2, 7, 127, 128, 255, 256, 32767, 65535, 65536, 2**24, 2**31 - 1, 2**31, 2**32 - 1, 2**40, 2**62, 2**63)
WORDS = (
    b"", b"null", b"true", b"[]", b"{}", b'""', b"-1", b"0", b"1e400", b"NaN", b"Infinity", b"-0.0", b"9" * 400,
    b"9" * 5000, b"[" * 2000, b"\xff\xfe", b"\x00", b"\x1b[31m", b"../../x", b"/etc/passwd", b"a" * 300, b"1.5", b"'",
    b'"', b"\n", b",", b"&a", b"*a", b"!!int", b"2020-13-45", b"<<", b"0x_", b"1_0", b"\xed\xa0\x80",
)  # fmt: skip
_TOKEN = re.compile(rb"[A-Za-z_][\w.]*|-?\d+(\.\d+)?([eE]-?\d+)?|\"[^\"]*\"|[\[\]{},:;]")


def mutated(content: bytes, seed: str, is_text: bool = False) -> bytes:
    """Return a damaged copy of a file's bytes; `seed` decides which damage."""
    dice = random.Random(seed)
    found = bytearray(content)
    for _ in range(dice.choice((1, 1, 1, 2, 4))):
        ways = [_words] * 6 + _WAYS if is_text else _WAYS
        if found:
            dice.choice(ways)(found, dice)
    return bytes(found)


def _bits(content: bytearray, dice: random.Random) -> None:
    for _ in range(dice.choice((1, 1, 2, 8, 32))):
        content[dice.randrange(len(content))] ^= 1 << dice.randrange(8)


def _byte(content: bytearray, dice: random.Random) -> None:
    content[dice.randrange(len(content))] = dice.choice((0, 1, 2, 4, 8, 16, 20, 32, 64, 127, 128, 254, 255))


def _cut(content: bytearray, dice: random.Random) -> None:
    del content[dice.randrange(len(content)) :]


def _without(content: bytearray, dice: random.Random) -> None:
    at = dice.randrange(len(content))
    del content[at : at + dice.choice((1, 2, 4, 8, 64, 512))]


def _doubled(content: bytearray, dice: random.Random) -> None:
    at = dice.randrange(len(content))
    content[at:at] = content[at : at + dice.choice((1, 4, 8, 64, 512))]


def _zeroed(content: bytearray, dice: random.Random) -> None:
    at = dice.randrange(len(content))
    size = min(dice.choice((1, 2, 4, 8, 16, 64, 512)), len(content) - at)
    content[at : at + size] = bytes([dice.choice((0, 0, 255))]) * size


def _moved(content: bytearray, dice: random.Random) -> None:
    size = dice.choice((1, 4, 8, 64))
    a, b = dice.randrange(len(content)), dice.randrange(len(content))
    content[a : a + size] = content[b : b + size]


def _number(content: bytearray, dice: random.Random) -> None:
    """Replace what may be a length or a count, of any width and order, by one that is off, huge or negative."""
    kind = dice.choice("BHIQ")
    size = struct.calcsize(kind)
    if len(content) < size:
        return
    at = dice.randrange(len(content) - size + 1)
    if dice.random() < 0.7:
        at -= at % size
    order = dice.choice("<<<>")
    (old,) = struct.unpack_from(order + kind, content, at)
    new = dice.choice((old + 1, old - 1, old * 2, old // 2, *NUMBERS)) % (1 << 8 * size)
    struct.pack_into(order + kind, content, at, new)


def _words(content: bytearray, dice: random.Random) -> None:
    """Replace a word, a number or a mark of a text by one that does not belong there."""
    found = list(_TOKEN.finditer(bytes(content)))
    if found:
        at = dice.choice(found)
        other = dice.choice(found)[0] if dice.random() < 0.3 else dice.choice(WORDS)
        content[at.start() : at.end()] = other


_WAYS = [
    _bits,
    _bits,
    _byte,
    _byte,
    _byte,
    _cut,
    _without,
    _doubled,
    _zeroed,
    _moved,
    _number,
    _number,
    _number,
    _number,
]
