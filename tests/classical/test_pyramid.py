"""The pyramid against its taps written out, one number at a time, with the roundings of single precision."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from salbox.classical import _pyramid
from salbox.classical._pyramid import halve, pyramids


def halve_line(line):
    """Return one line filtered and decimated: pairs added in float32, weighted in float64, stored in float32."""
    n, f = len(line), np.float64
    out = [((line[0] + line[1]) * f(10) + line[2] * f(5) + f(line[3])) / f(26)]
    for i in range(2, n - 3, 2):
        far, mid, near = line[i - 2] + line[i + 3], line[i - 1] + line[i + 2], line[i] + line[i + 1]
        out.append((f(far) + f(mid) * 5 + f(near) * 10) / 32)
    if n % 2:
        a, b, c, d, e = line[-5:]
        out.append((f(a) + f(b + e) * 5 + f(c + d) * 10) / 31)
    else:
        a, b, c, d = line[-4:]
        out.append((f(a) + f(b) * 5 + f(c + d) * 10) / 26)
    return np.array(out).astype(np.float32)


def halve_by_lines(plane):
    narrow = np.array([halve_line(row) for row in plane])
    return np.array([halve_line(column) for column in narrow.T]).T


@pytest.mark.parametrize("shape", [(11, 11), (12, 13), (13, 12), (37, 50), (75, 64)])
def test_equals_the_filter_written_out(shape, monkeypatch):
    image = np.random.default_rng(1).integers(0, 256, shape, dtype=np.uint8)
    expected = halve_by_lines((image / 255.0).astype(np.float32))
    np.testing.assert_array_equal(halve(image), expected)
    monkeypatch.setattr(_pyramid, "STRIP", 300)  # many strips
    np.testing.assert_array_equal(halve(image), expected)
    np.testing.assert_array_equal(
        halve(halve(image)), halve_by_lines(expected) if min(expected.shape) > 10 else expected
    )


def test_a_ramp_by_hand():
    ramp = np.tile(np.arange(12, dtype=np.float32), (12, 1))
    # Inside, the middle of each pair; at the ends (0 + 10 + 10 + 3) / 26 and its mirror image.
    expected = np.array([23 / 26, 2.5, 4.5, 6.5, 8.5, 11 - 23 / 26])
    np.testing.assert_allclose(halve(ramp), np.tile(expected, (6, 1)), rtol=1e-6)


@pytest.mark.parametrize("shape", [(10, 40), (40, 10), (1, 1), (2, 300)])
def test_small_sides_are_left_alone(shape):
    image = np.random.default_rng(2).integers(0, 256, shape, dtype=np.uint8)
    np.testing.assert_array_equal(halve(image), (image / 255).astype(np.float32))


@pytest.mark.parametrize("value", [0, 1, 77, 254, 255])
def test_one_value_stays_exactly_the_same(value):
    """So that the colour table is entered where the value stands."""
    image = np.full((47, 61), value, np.uint8)
    with ThreadPoolExecutor(2) as pool:
        levels = pyramids([image, image], 5, pool)[1]
    assert [level.shape for level in levels] == [(23, 30), (11, 15), (5, 7), (5, 7), (5, 7)]
    for level in levels:
        np.testing.assert_array_equal(level, np.float32(value / 255))
