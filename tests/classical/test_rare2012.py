"""RARE2012 against the two published maps of the original, its steps against NumPy, SciPy and values by hand."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest
from published_rare2012 import JPEG_NOISE, SHARE, agreement, correlation, low_passed, published, unmixed
from scipy import fft, ndimage
from skimage import data

from salbox.classical._color import COLOR_SPACES
from salbox.classical._gabor_bank import GaborBank
from salbox.classical._rarity import box_mean, fuse, rarity, self_information, stretch
from salbox.classical._resize import imresize
from salbox.classical.rare2012 import CARD, _enlarge, _shrink, principal_components, rare2012
from salbox.errors import UsageError

FIXTURE = Path(__file__).parent / "fixtures" / "rare2012.npz"
PAGE = Path(__file__).parents[2] / "docs" / "results" / "rare2012.md"
AGREEMENT = {"demo": 0.840, "example": 0.936}  # with the published maps, as the page says
LEFT_OUT = ".79 and .88"  # with maps that had no part in it, as the page and the card say


def noise(*shape, seed=0):
    return np.random.default_rng(seed).normal(size=shape).astype(np.float32)


@pytest.mark.parametrize("name", AGREEMENT)
def test_agrees_with_the_published_maps(shared, name):
    photo, found = published(shared)[name]
    measured = agreement(rare2012(photo), name, found)
    assert measured == pytest.approx(AGREEMENT[name], abs=0.005)
    assert f"{AGREEMENT[name]:.3f}" in PAGE.read_text(encoding="utf-8")


def test_the_card_says_what_is_to_be_expected_elsewhere():
    """Not the figures of the maps that the choices were made by."""
    assert LEFT_OUT in CARD.agreement
    assert LEFT_OUT in CARD.origin
    assert f"the CC is {LEFT_OUT.replace('.', '0.')}**" in PAGE.read_text(encoding="utf-8")


def test_a_map_is_taken_out_of_an_overlay():
    y, x = np.mgrid[:90, :120]
    saliency = np.exp(-((x - 60) ** 2 + (y - 40) ** 2) / 800).astype(np.float32)
    jet = np.stack([np.clip(1.5 - np.abs(4 * saliency - peak), 0, 1) for peak in (3, 2, 1)], axis=-1)
    gray = np.random.default_rng(0).uniform(0, 255, (90, 120, 1))
    overlay = np.rint(255 * SHARE * jet + (1 - SHARE) * gray).astype(np.uint8)
    found, rest = unmixed(overlay)
    inside = slice(8, -8)
    np.testing.assert_allclose(found[inside, inside], low_passed(saliency, JPEG_NOISE)[inside, inside], atol=0.03)
    assert rest < 3
    assert unmixed(overlay, SHARE + 0.1)[1] > 3 * rest


def test_output_has_not_changed():
    """Loose, because rounding may move a value to the next bin of a histogram."""
    kept = np.load(FIXTURE)["astronaut"]
    now = rare2012(data.astronaut())[::16, ::16]
    assert correlation(now, kept) > 0.999
    assert np.abs(now - kept).max() < 0.05 * np.ptp(kept)


def test_self_information_by_hand():
    values = np.array([[0, 0, 0.1], [0, 1, 0.5]], np.float32)  # of three bins: 4, 1 and 1 of 6
    common, rare = math.log(6 / 4), math.log(6)
    np.testing.assert_allclose(
        self_information(values, bins=3), [[common, common, common], [common, rare, rare]], rtol=1e-6
    )
    np.testing.assert_allclose(self_information(7 + 3 * values, bins=3), self_information(values, bins=3))
    np.testing.assert_array_equal(self_information(np.full((4, 5), 2, np.float32), bins=8), 0)


def test_rarity_of_one_level_by_hand():
    values = np.repeat(np.array([0.0, 0.5, 1.0], np.float32), [5, 2, 1]).reshape(2, 4)
    # Self-information -log(5/8), -log(2/8), -log(1/8); stretched to 0..1 the middle one is log 2.5 / log 5.
    expected = np.repeat([0.0, math.log(2.5) / math.log(5), 1.0], [5, 2, 1]).reshape(2, 4)
    measured = rarity(values, levels=1, bins=3)
    np.testing.assert_allclose(measured, expected, atol=1e-6)


def test_rarity_of_a_pyramid_agrees_with_scipy():
    values = ndimage.gaussian_filter(noise(40, 56), 2)
    expected, level = 0.0, values.astype(np.float64)
    for index in range(3):
        if index:
            for axis in (0, 1):
                level = ndimage.convolve1d(level, np.array([1, 4, 6, 4, 1]) / 16, axis=axis, mode="mirror")
            level = level[::2, ::2]
        counts, edges = np.histogram(level, 32)
        probability = counts[np.minimum(np.digitize(level, edges), 32) - 1] / level.size
        rows, columns = ((np.arange(n) + 0.5) / 2**index - 0.5 for n in values.shape)
        grid = np.meshgrid(rows, columns, indexing="ij")
        expected = expected - ndimage.map_coordinates(np.log(probability), grid, order=1, mode="nearest")
    measured = rarity(values, levels=3, bins=32)
    scaled = (expected - expected.min()) / np.ptp(expected)
    # Values on the edge of a bin may round either way.
    assert np.median(np.abs(measured - scaled)) < 1e-5
    assert correlation(measured, scaled) > 0.9999


def test_box_mean_of_an_even_side():
    point = np.zeros((9, 11), np.float32)
    point[4, 5] = 16
    expected = np.zeros_like(point)
    expected[2:6, 3:7] = 1  # each of them reaches one pixel back and two ahead
    np.testing.assert_allclose(box_mean(point, 4), expected, atol=1e-6)
    corners = box_mean(np.ones((8, 8), np.float32), 4)
    assert corners[0, 0] == pytest.approx(9 / 16)  # 3 x 3 of 4 x 4 pixels are inside
    assert corners[-1, -1] == pytest.approx(4 / 16)
    np.testing.assert_array_equal(box_mean(point, 1), point)


def test_fusion_by_hand():
    best = np.array([[1, 0], [0, 0]], np.float32)  # efficiency (1 - 1/4)^2 = 9/16
    second = np.array([[1, 1], [0, 0]], np.float32)  # (1 - 1/2)^2 = 4/16
    last = np.array([[1, 1], [1, 0]], np.float32)  # (1 - 3/4)^2 = 1/16
    first, next_one, weakest = 9 / 16 * best, 2 / 3 * 4 / 16 * second, 1 / 3 * 1 / 16 * last
    np.testing.assert_allclose(fuse([second, best, last], 0), first + next_one + weakest, rtol=1e-6)
    np.testing.assert_allclose(fuse([second, best, last], 0.3), first + next_one, rtol=1e-6)  # 1/9 is below
    np.testing.assert_allclose(fuse([second, best, last], 0.5), first, rtol=1e-6)  # 4/9 is below too
    np.testing.assert_array_equal(fuse([best * 0, second * 0], 0.3), 0)


def test_principal_components_agree_with_a_singular_value_decomposition():
    colors = np.moveaxis(data.astronaut()[::8, ::8] / 255, -1, 0)
    ours = principal_components(colors).reshape(3, -1)
    samples = colors.reshape(3, -1)
    samples = samples - samples.mean(axis=1, keepdims=True)
    _, strengths, axes = np.linalg.svd(samples.T, full_matrices=False)
    np.testing.assert_allclose(np.abs(ours), np.abs(axes @ samples), atol=1e-10)
    np.testing.assert_allclose(np.sqrt((ours**2).sum(axis=1)), strengths)
    for component in ours:
        axis = np.linalg.lstsq(samples.T, component, rcond=None)[0]
        assert axis[np.abs(axis).argmax()] > 0


def test_neither_the_order_nor_the_sign_of_colours_matters():
    """Principal components do not depend on the basis; rarity does not on their sign, but for values between bins."""
    image = data.astronaut()
    saliency = rare2012(image)
    assert correlation(rare2012(np.ascontiguousarray(image[:, :, [2, 0, 1]])), saliency) > 0.9999
    assert correlation(rare2012(255 - image), saliency) > 0.99


BANK = GaborBank(frequencies=3, orientations=8, max_frequency=0.25)


@pytest.mark.parametrize(("scale", "orientation"), [(0, 0), (1, 2), (2, 5), (0, 7)])
def test_a_grating_answers_its_own_filter(scale, orientation):
    frequency, angle = 0.25 / math.sqrt(2) ** scale, math.pi * orientation / 8
    y, x = np.mgrid[:120, :140]
    grating = np.cos(2 * np.pi * frequency * (x * np.cos(angle) + y * np.sin(angle)) + 1).astype(np.float32)
    answers = BANK.magnitudes(grating)[:, :, 60, 70]
    assert np.unravel_index(answers.argmax(), answers.shape) == (scale, orientation)
    # Of the two halves of a cosine's spectrum the filter takes one, at its peak of 1.
    assert answers.max() == pytest.approx(0.5, abs=0.01)
    assert answers[scale, (orientation + 4) % 8] < 0.01


def test_magnitudes_agree_with_a_full_inverse_transform():
    values = noise(50, 37)
    shape = tuple(fft.next_fast_len(side + BANK.reach) for side in values.shape)
    spectrum = np.fft.fft2(values, s=shape)
    measured = BANK.magnitudes(values)
    for scale, orientation in ((0, 0), (1, 3), (2, 7), (0, 4)):
        full = np.abs(np.fft.ifft2(spectrum * BANK.transfer(scale, orientation, shape)))
        np.testing.assert_allclose(measured[scale, orientation], full[:50, :37], atol=1e-6)


def test_opposite_borders_do_not_see_each_other():
    point = np.zeros((60, 64), np.float32)
    point[30, 0] = 1
    answers = BANK.magnitudes(point)
    assert (answers[:, :, 30, -1] < 0.02 * answers[:, :, 30, 0]).all()


def test_neighbouring_filters_cross_at_half_height():
    """The definition of the overlap p, along the wave."""
    high, low = (BANK.transfer(scale, 0, (1, 4096))[0, :2048] for scale in (0, 1))
    between = np.flatnonzero((np.arange(2048) / 4096 < 0.25) & (high > 0) & (low > 0))
    crossing = between[np.abs(high[between] - low[between]).argmin()]
    assert high[crossing] == pytest.approx(0.5, abs=0.01)


def test_filters_keep_their_share_of_the_energy():
    whole = GaborBank(3, 8, 0.25, energy=1 - 1e-12).transfer(1, 3, (512, 512))
    kept = BANK.transfer(1, 3, (512, 512))
    assert (kept**2).sum() / (whole**2).sum() == pytest.approx(0.99, abs=0.002)
    assert set(np.unique(kept[kept != whole])) == {0.0}


@pytest.mark.parametrize("shape", [(3, 1), (31, 450), (700, 900)])
def test_working_copy_agrees_with_imresize(shape):
    """The largest of them takes three strips."""
    image = np.random.default_rng(5).integers(0, 256, (*shape, 3), dtype=np.uint8)
    planes = np.ascontiguousarray(np.moveaxis(image / 255, -1, 0))
    np.testing.assert_allclose(_shrink(image, COLOR_SPACES["RGB"], 200), imresize(planes, (200, 200)), atol=1e-12)


def test_map_is_enlarged_in_blocks():
    blocks = _enlarge(np.array([[1, 2], [3, 4]], np.float32), (2, 6))
    np.testing.assert_array_equal(blocks, [[1, 1, 1, 2, 2, 2], [3, 3, 3, 4, 4, 4]])
    # 200 blocks over 640 columns: as the published map, every 3.2 pixels.
    steps = np.flatnonzero(np.diff(_enlarge(np.arange(200, dtype=np.float32)[None], (1, 640))[0])) + 1
    np.testing.assert_array_equal(steps[14:20], [48, 51, 54, 58, 61, 64])
    np.testing.assert_array_equal(_enlarge(np.array([[1, 2, 3]], np.float32), (1, 1)), [[2]])


def test_a_rare_colour_stands_out():
    image = np.random.default_rng(0).integers(90, 110, (200, 200, 3), dtype=np.uint8)
    image[60:80, 120:140] = (220, 40, 40)
    saliency = rare2012(image)
    row, column = np.unravel_index(saliency.argmax(), saliency.shape)
    assert 55 <= row < 85
    assert 115 <= column < 145
    assert saliency[60:80, 120:140].mean() > 3 * saliency[150:, :100].mean()


def test_a_rare_orientation_stands_out_of_a_grating():
    y, x = np.mgrid[:200, :200]
    wave = np.where((abs(y - 100) < 15) & (abs(x - 60) < 15), y, x)
    gray = np.rint(127 + 100 * np.sin(2 * np.pi * wave / 6)).astype(np.uint8)
    saliency = rare2012(np.repeat(gray[:, :, None], 3, axis=2))
    assert saliency[90:110, 50:70].mean() > 3 * saliency[90:110, 130:150].mean()


def test_without_orientations_only_colour_is_examined():
    image = data.astronaut()[:200, :200]
    colors = np.moveaxis(image / 255, -1, 0)
    channels = [rarity(c.astype(np.float32), 4, 11) for c in principal_components(colors)]
    assert correlation(rare2012(image, orientations=0), box_mean(fuse(channels, 0.3), 8)) > 0.9999


@pytest.mark.parametrize("color_space", ["PCA", "LAB", "YCbCr"])
@pytest.mark.parametrize("shape", [(1, 1), (1, 7), (9, 1), (2, 2), (5, 3), (33, 401), (201, 199)])
def test_any_size(shape, color_space):
    rng = np.random.default_rng(1)
    saliency = rare2012(rng.integers(0, 256, (*shape, 3), dtype=np.uint8), color_space)
    assert saliency.shape == shape
    assert saliency.dtype == np.float32
    assert np.isfinite(saliency).all()
    constant = rare2012(np.full((*shape, 3), (17, 130, 201), np.uint8), color_space)
    np.testing.assert_array_equal(constant, 0)


def test_grey_images_have_one_channel():
    gray = np.repeat(data.camera()[:, :, None], 3, axis=2)
    saliency = rare2012(gray)
    assert np.isfinite(saliency).all()
    assert np.ptp(saliency) > 0.5
    assert correlation(saliency, rare2012(gray, inter_threshold=1.0)) > 0.9999  # there is nothing to fuse with


@pytest.mark.parametrize(
    "parameters",
    [
        {"working_size": 16, "levels": 8, "smoothing": 7},
        {"working_size": 61, "max_frequency": 0.05, "scales": 6, "orientations": 1},
        {"bins": 2, "smoothing": 1},
        {"intra_threshold": 1.0, "inter_threshold": 1.0, "scales": 1},
    ],
)
def test_parameters_at_their_limits(parameters):
    image = data.astronaut()[:120, :150]
    saliency = rare2012(image, **CARD.check_parameters(parameters))
    assert np.isfinite(saliency).all()
    assert np.ptp(saliency) > 0


def test_unknown_color_space():
    with pytest.raises(UsageError, match="PCA, LAB, YCbCr"):
        rare2012(np.zeros((4, 4, 3), np.uint8), "HSV")


def test_stretch_of_equal_values_is_zero():
    np.testing.assert_array_equal(stretch(np.full((2, 3), 5, np.float32)), 0)
    np.testing.assert_allclose(stretch(np.array([2, 3, 6], np.float32)), [0, 0.25, 1])
