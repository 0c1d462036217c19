"""CRC-32C, the checksum of LevelDB's tables and of TensorFlow's checkpoints, in NumPy: many pieces at once.

The polynomial is Castagnoli's, x^32 + ... + 1 = 0x1EDC6F41, bits reversed (RFC 3720, appendix B.4). Without its first
and last inversion it is linear over GF(2): that of two pieces, one behind the other, is that of the first, moved on by
the length of the second, plus that of the second.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

_REVERSED = 0x82F63B78
_PIECES = 1 << 14
_FEW = 1 << 12  # bytes, for which pieces are not worth it
_ALL = 0xFFFFFFFF

_Words = npt.NDArray[np.uint32]


def crc32c(content: bytes | memoryview) -> int:
    """Return the checksum of some bytes, 32 bits."""
    values = np.frombuffer(content, np.uint8)
    length = len(values) // _PIECES if len(values) > _FEW else 0
    whole = length * _PIECES
    state = _ALL
    if length:
        pieces = values[:whole].reshape(_PIECES, length).T
        sums = np.zeros(_PIECES, np.uint32)
        for column in pieces:
            sums = _TABLE[(sums ^ column) & 0xFF] ^ (sums >> 8)
        move = _moved_by(length)
        while len(sums) > 1:
            sums = _times(move, sums[::2]) ^ sums[1::2]
            move = _times(move, move)
        state = int((sums ^ _times(move, np.array([state], np.uint32)))[0])  # moved on by all pieces
    for value in values[whole:].tolist():
        state = (state >> 8) ^ int(_TABLE[(state ^ value) & 0xFF])
    return state ^ _ALL


def masked_crc32c(content: bytes | memoryview) -> int:
    """Return the checksum of some bytes, rotated and shifted as LevelDB and TensorFlow store it."""
    crc = crc32c(content)
    return (((crc >> 15) | (crc << 17)) + 0xA282EAD8) & _ALL


def _times(matrix: _Words, vectors: _Words) -> _Words:
    """Return the products of a matrix over GF(2), its columns, (32,), and vectors, (N,)."""
    found = np.zeros_like(vectors)
    for bit in range(32):
        found ^= matrix[bit] * (vectors >> np.uint32(bit) & np.uint32(1))
    return found


def _moved_by(length: int) -> _Words:
    """Return the matrix that moves a sum on by so many zero bytes, its columns, (32,)."""
    step = np.array([1 << bit for bit in range(32)], np.uint32)
    step = _TABLE[step & 0xFF] ^ (step >> 8)  # by one byte
    found = np.array([1 << bit for bit in range(32)], np.uint32)
    while length:
        if length & 1:
            found = _times(step, found)
        step = _times(step, step)
        length >>= 1
    return found


def _table() -> _Words:
    table: _Words = np.arange(256, dtype=np.uint32)
    for _ in range(8):
        table = (table >> np.uint32(1)) ^ (table & np.uint32(1)) * np.uint32(_REVERSED)
    return table


_TABLE = _table()
