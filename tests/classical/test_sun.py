"""SUN against the authors' program, and its steps against direct sums and values by hand."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import scipy.io
from oracle import demo_map, demo_photo, oracle_map
from scipy.signal import convolve2d, correlate
from skimage import data

from salbox.classical.sun import CARD, negative_log_probability, sun
from salbox.errors import WeightsError

FIXTURE = Path(__file__).parent / "fixtures" / "sun.npz"
# The smallest of the sixteen; the drawn one is mostly plain. benchmarks/conformance.py computes all.
FEW = ("clowns", "flipped_person", "O_Q")


@pytest.fixture
def photo():
    return data.astronaut()[20:180, 140:300]


def write_stats(path: Path, kernels: np.ndarray, sigmas: np.ndarray, thetas: np.ndarray) -> str:
    """Write kernels (n, K, K, 3) and their statistics as a Matlab file and return its path."""
    rows = np.stack([k.ravel(order="F") for k in kernels])
    scipy.io.savemat(path, {"B1": rows, "sigmas": sigmas, "thetas": thetas})
    return str(path)


@pytest.mark.slow
@pytest.mark.parametrize("name", FEW)
def test_equals_the_original(shared, name):
    o = oracle_map(shared, "sun", name)
    assert o.difference(sun(o.image, stats=shared / "weights" / "sun" / "stats.mat")) <= 1e-5


@pytest.mark.slow
def test_own_filters_give_nearly_the_original_map(shared):
    correlations = {o.name: o.correlation(sun(o.image)) for o in (oracle_map(shared, "sun", name) for name in FEW)}
    assert np.mean(list(correlations.values())) > 0.97, correlations
    assert min(correlations.values()) > 0.945, correlations


@pytest.mark.slow
def test_agrees_with_the_published_demo_map(shared):
    image, expected = demo_photo(shared), demo_map(shared, "sun").ravel()
    original = sun(image, stats=shared / "weights" / "sun" / "stats.mat")
    assert np.corrcoef(original.ravel(), expected)[0, 1] > 0.997
    assert np.corrcoef(sun(image).ravel(), expected)[0, 1] > 0.98


def test_output_has_not_changed(photo):
    np.testing.assert_allclose(sun(photo)[::8, ::8], np.load(FIXTURE)["saliency"], rtol=1e-4)


@pytest.mark.parametrize("sun_convolution", [False, True])
def test_whole_algorithm_agrees_with_direct_sums(tmp_path, sun_convolution):
    """Independent: direct sums over patches; the variant is SciPy's convolution of each channel."""
    rng = np.random.default_rng(5)
    image = rng.integers(0, 256, (31, 42, 3), dtype=np.uint8)
    kernels = rng.normal(size=(4, 5, 5, 3))
    sigmas, thetas = rng.uniform(0.5, 4, (1, 4)), rng.uniform(0.5, 1.5, (1, 4))
    values = image / 255
    values /= np.std(values, ddof=1)
    expected = np.zeros((27, 38))
    for kernel, sigma, theta in zip(kernels, sigmas[0], thetas[0], strict=True):
        if sun_convolution:
            response = sum(convolve2d(values[..., c], kernel[..., c], "valid") for c in range(3))
        else:
            response = correlate(values, kernel, "valid", "direct")[..., 0]
        expected += (np.abs(response) / sigma) ** theta
    stats = write_stats(tmp_path / "s.mat", kernels, sigmas, thetas)
    found = sun(image, stats=stats, sun_convolution=sun_convolution)
    np.testing.assert_allclose(found, np.pad(expected / 255, 2), rtol=2e-6)


def test_a_step_of_red_by_hand(tmp_path):
    """The difference of neighbouring reds, 0 or 200: one column of responses."""
    image = np.zeros((6, 10, 3), np.uint8)
    image[:, 5:, 0] = 200
    kernel = np.zeros((1, 3, 3, 3))
    kernel[0, 1, 1, 0], kernel[0, 1, 2, 0] = -1, 1
    found = sun(image, stats=write_stats(tmp_path / "s.mat", kernel, np.array([2.0]), np.array([0.5])))
    # 180 numbers, 30 of them 200: variance (30 * 200² - (30 * 200)² / 180) / 179.
    deviation = np.sqrt((30 * 200**2 - (30 * 200) ** 2 / 180) / 179)
    expected = np.zeros((6, 10))
    expected[1:5, 4] = np.sqrt(200 / deviation / 2) / 255
    np.testing.assert_allclose(found, expected, atol=2e-9)  # 1e-15 of rounding, under the square root


def test_the_frame_is_zero_or_repeats_the_nearest_value(photo):
    framed, filled = sun(photo), sun(photo, pad_results=False)
    inside = framed[5:-5, 5:-5]
    assert inside.min() > 0
    np.testing.assert_array_equal(framed, np.pad(inside, 5))
    np.testing.assert_array_equal(filled, np.pad(inside, 5, mode="edge"))


def test_brightness_range_does_not_matter(photo):
    """Values are divided by their standard deviation, and the filters do not see the mean."""
    flat = photo // 2
    expected = sun(flat)
    np.testing.assert_allclose(sun(flat + np.uint8(100)), expected, atol=1e-6 * expected.max())


@pytest.mark.parametrize("tile", [22, 77, 10_000])
def test_tiles_do_not_show(photo, tile, monkeypatch):
    rng = np.random.default_rng(2)
    kernels, thetas = rng.normal(size=(9, 3, 11, 11)) / 255, rng.uniform(0.5, 1.5, 9)
    expected = negative_log_probability(photo, kernels, thetas)
    monkeypatch.setattr("salbox.classical._correlation.TILES_PER_BLOCK", 2)
    found = negative_log_probability(photo, kernels, thetas, tile=tile)
    assert np.abs(found - expected).max() <= 1e-6 * np.ptp(expected)


@pytest.mark.parametrize("size", [(1, 1), (1, 300), (10, 40), (40, 10)])
@pytest.mark.parametrize("pad_results", [True, False])
def test_nothing_can_be_computed_of_an_image_smaller_than_a_patch(size, pad_results):
    image = np.random.default_rng(0).integers(0, 256, (*size, 3), dtype=np.uint8)
    np.testing.assert_array_equal(sun(image, pad_results=pad_results), np.zeros(size))


@pytest.mark.parametrize("size", [(11, 11), (11, 90), (90, 12), (47, 33), (151, 150), (300, 14)])
def test_every_other_size_gives_a_finite_map(size):
    image = np.random.default_rng(0).integers(0, 256, (*size, 3), dtype=np.uint8)
    saliency = sun(image)
    assert saliency.shape == size
    assert saliency.dtype == np.float32
    assert np.isfinite(saliency).all()
    assert saliency[5:-5, 5:-5].min() > 0 == saliency[0].max()


@pytest.mark.parametrize("color", [(0, 0, 0), (255, 255, 255), (10, 200, 30)])
def test_one_colour_is_nowhere_salient(color):
    np.testing.assert_array_equal(sun(np.full((64, 50, 3), color, np.uint8)), 0)


def test_plain_areas_are_not_salient():
    """What the Fourier transform rounds must not show where there is nothing."""
    image = np.full((120, 200, 3), 231, np.uint8)
    image[40:60, 20:40] = 12
    saliency = sun(image)
    assert saliency[:, 60:].max() < 1e-6 * saliency.max()


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"thetas": np.ones(3)}, r"thetas has shape \(1, 3\), expected 2 positive numbers"),
        ({"sigmas": np.array([1.0, 0.0])}, "sigmas"),
        ({"B1": np.ones((2, 12))}, r"B1 has shape \(2, 12\)"),
    ],
)
def test_unfit_statistics_are_refused(photo, tmp_path, change, message):
    np.savez(tmp_path / "s.npz", **{"B1": np.ones((2, 27)), "sigmas": np.ones(2), "thetas": np.ones(2), **change})
    with pytest.raises(WeightsError, match=message):
        sun(photo, stats=str(tmp_path / "s.npz"))
    assert [p.name for p in CARD.parameters] == ["stats", "sun_convolution", "pad_results"]


def test_statistics_that_overflow_are_refused(photo, tmp_path):
    rows = np.random.default_rng(0).normal(size=(2, 27))
    np.savez(tmp_path / "s.npz", B1=rows, sigmas=np.full(2, 1e-3), thetas=np.full(2, 100.0))
    with pytest.raises(WeightsError, match="too large for a map"):
        sun(photo, stats=tmp_path / "s.npz")
