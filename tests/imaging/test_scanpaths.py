"""Scanpaths drawn over a photo."""

from __future__ import annotations

import numpy as np
import pytest

from salbox.errors import UsageError
from salbox.imaging.scanpaths import COLORS, draw_scanpaths

PAPER = np.full((200, 300, 3), 128, np.uint8)


def test_places_are_discs_of_a_colour_a_scanpath_with_lines_between():
    picture = draw_scanpaths(PAPER, [[(40, 60), (240, 60)], [(40, 150), (240, 150)]])
    for y, color in ((60, COLORS[0]), (150, COLORS[1])):
        assert tuple(picture[y, 140]) == color  # half way
        assert tuple(picture[y - 5, 40]) == color  # within the disc, above its number
        assert (picture[y - 3 : y + 4, 37:44] > 230).any()  # the number
    assert (picture[:40] == 128).all()
    assert (PAPER == 128).all()


def test_nothing_and_places_beyond_the_border_are_drawn():
    np.testing.assert_array_equal(draw_scanpaths(PAPER, [np.zeros((0, 2))]), PAPER)
    assert draw_scanpaths(PAPER, [[(-5, -5), (400, 10)]]).shape == PAPER.shape


def test_white_numbers_are_read_on_every_colour():
    """Contrast of at least 4.5 to 1, by the formula of WCAG 2.2."""
    for color in COLORS:
        linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in np.array(color) / 255]
        luminance = float(np.dot(linear, (0.2126, 0.7152, 0.0722)))
        assert 1.05 / (luminance + 0.05) >= 4.5


def test_another_shape_is_refused():
    with pytest.raises(UsageError, match=r"shape \(3,\)"):
        draw_scanpaths(PAPER, [[1, 2, 3]])
