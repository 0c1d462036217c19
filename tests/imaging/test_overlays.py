"""Overlays: a tint that grows with the map, text that stays readable, contours with their shares, legends."""

from __future__ import annotations

import io

import cv2
import numpy as np
import pytest
from PIL import Image
from skimage.color import rgb2lab

import salbox
from salbox.imaging.overlays import MASS_SHARES, OPACITY, mass_level, overlay, smooth_density, tint_table
from salbox.imaging.scaling import log_of_density, normalized_log

PHOTO = np.random.default_rng(0).integers(0, 256, (60, 90, 3), dtype=np.uint8)
RAMP = np.linspace(5, 9, 60 * 90).reshape(60, 90)


def luminance(color: np.ndarray) -> float:
    """Return the relative luminance of an sRGB colour, as WCAG 2.2 defines it."""
    share = color.astype(float) / 255
    linear = np.where(share <= 0.04045, share / 12.92, ((share + 0.055) / 1.055) ** 2.4)
    return float(linear @ [0.2126, 0.7152, 0.0722])


def test_blends_photo_and_tint_by_hand():
    assert np.array_equal(overlay(PHOTO, RAMP, alpha=0), PHOTO)
    scaled = (RAMP - 5) / 4
    weight = 0.4 * scaled[..., None] ** 0.7
    tint = tint_table()[np.rint(scaled * 255).astype(int)].astype(float)
    drawn = overlay(PHOTO, RAMP, alpha=0.4).astype(float)
    assert np.abs(drawn - (PHOTO * (1 - weight) + tint * weight)).max() <= 0.51
    np.testing.assert_array_equal(drawn[0, 0], PHOTO[0, 0])


def test_text_stays_readable_under_every_tint():
    values = np.tile(np.linspace(0, 1, 256), (2, 1))
    page = np.zeros((2, 256, 3), np.uint8)
    page[0] = 255
    drawn = overlay(page, values, alpha=OPACITY)
    for white, black in zip(drawn[0], drawn[1], strict=True):
        # The same pair is black text on a white page and white text on a black one.
        assert (luminance(white) + 0.05) / (luminance(black) + 0.05) >= 4.5
    # and the tint is seen on both
    assert np.abs(drawn[0, -1].astype(int) - 255).max() > 80
    assert drawn[1, -1].max() > 80


def test_tints_are_of_one_lightness():
    lightness = rgb2lab(tint_table()[None])[0, :, 0]
    assert lightness.min() > 53
    assert lightness.max() < 57


def test_whatever_an_image_is():
    file = io.BytesIO()
    Image.fromarray(PHOTO).save(file, "PNG")
    np.testing.assert_array_equal(overlay(file.getvalue(), RAMP), overlay(PHOTO, RAMP))


def test_contours_enclose_the_mass_they_say():
    values = np.random.default_rng(0).random((40, 50))
    for share in (0.5, 0.75, 0.9):
        level = mass_level(values, share)
        assert values[values >= level].sum() >= share * values.sum()
        assert values[values > level].sum() < share * values.sum()
    square = np.zeros((60, 90))
    square[20:40, 30:60] = 1
    lines = overlay(PHOTO, square, contours=(0.5,)) != overlay(PHOTO, square)
    rows, columns = np.nonzero(lines.any(axis=2))
    assert (rows.min(), rows.max()) == pytest.approx((20, 39), abs=3)
    assert (columns.min(), columns.max()) == pytest.approx((30, 59), abs=3)


def test_every_contour_is_labeled_within_the_picture():
    y, x = np.mgrid[:300, :400]
    hill = np.exp(-((x - 390) ** 2 + (y - 150) ** 2) / 2 / 60**2)  # its lines leave the picture
    page = np.full((300, 400, 3), 255, np.uint8)
    plain, drawn = overlay(page, hill), overlay(page, hill, contours=MASS_SHARES)
    level = [mass_level(hill, share) for share in MASS_SHARES]
    near = np.zeros(hill.shape, bool)
    for each in level:
        (line, *_), _ = cv2.findContours((hill >= each).astype(np.uint8), cv2.RETR_LIST, cv2.CHAIN_APPROX_NONE)
        for place in line.reshape(-1, 2):
            near[max(0, place[1] - 3) : place[1] + 4, max(0, place[0] - 3) : place[0] + 4] = True
    beyond = (plain != drawn).any(axis=2) & ~near  # what is drawn that is no line: labels
    count, _ = cv2.connectedComponents(cv2.dilate(beyond.astype(np.uint8), np.ones((9, 9))))
    assert count - 1 >= len(MASS_SHARES)


def test_a_legend_is_a_strip_below():
    drawn, plain = overlay(PHOTO, RAMP, legend=True), overlay(PHOTO, RAMP)
    np.testing.assert_array_equal(drawn[:60], plain)
    strip = drawn[60:]
    assert strip.shape[0] > 9
    assert tuple(strip[0, 0]) == (255, 255, 255)
    assert strip.min() < 60  # its text
    assert len(overlay(PHOTO, RAMP, contours=(0.5,), legend=True)) > len(drawn)
    page, ramp = np.full((60, 400, 3), 255, np.uint8), np.tile(np.linspace(0, 1, 400), (60, 1))
    for alpha in (0.2, 0.9):  # its strongest tint is that of the overlay
        strip = overlay(page, 1 - ramp, alpha=alpha, legend=True)[60:]
        assert (strip == overlay(page, ramp, alpha=alpha)[0, -1]).all(axis=2).any()


def test_peaks_of_an_enlarged_log_density_have_no_kinks():
    y, x = np.mgrid[:54, :72]
    coarse = (-np.hypot(x - 36, y - 27) / 1.5).astype(np.float32)  # as steep as a network's sharpest
    large = normalized_log(cv2.resize(coarse, (1024, 768), interpolation=cv2.INTER_LINEAR))
    smooth = smooth_density(large)

    def kink(log: np.ndarray) -> float:
        """Return the largest bend between neighbours, of rows through the peak."""
        row = log[np.unravel_index(log.argmax(), log.shape)[0], 20:-20]
        return float(np.abs(np.diff(row, 2)).max())

    assert kink(smooth) < 0.2 * kink(large)
    assert np.exp(smooth.astype(float)).sum() == pytest.approx(1, abs=1e-3)
    np.testing.assert_array_equal(smooth_density(RAMP), RAMP)


@pytest.mark.parametrize(
    ("saliency", "options", "message"),
    [
        (np.zeros((2, 2)), {}, "does not fit"),
        (np.zeros((60, 90)), {"alpha": 1.2}, "0 to 1"),
        (np.zeros((60, 90)), {"contours": (1.0,)}, "between 0 and 1"),
    ],
)
def test_refuses(saliency, options, message):
    with pytest.raises(salbox.UsageError, match=message):
        overlay(PHOTO, saliency, **options)


def test_of_a_log_density_the_density_is_drawn():
    log = log_of_density(np.exp(-((np.mgrid[:60, :90][1] - 45) ** 2) / 200.0))
    np.testing.assert_array_equal(overlay(PHOTO, log), overlay(PHOTO, log, output="log_density"))
    assert (overlay(PHOTO, log) != overlay(PHOTO, log, output="score")).any()
