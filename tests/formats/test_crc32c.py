"""CRC-32C in pieces is what it is bit by bit."""

from __future__ import annotations

import numpy as np
import pytest
from weight_writers import crc32c as bit_by_bit

from salbox.formats.crc32c import crc32c


def test_what_the_standard_states():
    """RFC 3720, appendix B.4, and the check value of the catalogue of CRCs."""
    assert crc32c(bytes(32)) == 0x8A9136AA
    assert crc32c(b"\xff" * 32) == 0x62A8AB43
    assert crc32c(bytes(range(32))) == 0x46DD794E
    assert crc32c(b"123456789") == 0xE3069283


@pytest.mark.parametrize("size", [0, 1, 4096, 4097, 16384, 16385, 40_000])
def test_pieces_together(size):
    content = np.random.default_rng(size).bytes(size)
    assert crc32c(content) == bit_by_bit(content)
