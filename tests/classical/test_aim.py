"""AIM against the authors' program, and its steps against direct sums and values by hand."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import scipy.io
from oracle import demo_map, demo_photo, oracle_maps
from scipy.signal import correlate
from skimage import data

from salbox.classical.aim import CARD, aim, self_information, smooth
from salbox.classical.sun import sun
from salbox.errors import UsageError, WeightsError

FIXTURE = Path(__file__).parent / "fixtures" / "aim.npz"


@pytest.fixture
def photo():
    return data.astronaut()[20:180, 140:300]


def write_basis(path: Path, kernels: np.ndarray) -> str:
    """Write kernels (n, K, K, 3) as a Matlab file and return its path."""
    scipy.io.savemat(path, {"B": np.stack([k.ravel(order="F") for k in kernels])})
    return str(path)


@pytest.mark.slow
@pytest.mark.parametrize(("folder", "basis"), [("aim", "21jade950"), ("aim_21infomax950", "21infomax950")])
def test_equals_the_original(shared, folder, basis):
    for o in oracle_maps(shared, folder):
        assert o.difference(aim(o.image, basis=shared / "weights" / "aim" / f"{basis}.mat")) <= 1e-5, o.name


@pytest.mark.slow
def test_own_filters_give_nearly_the_original_map(shared):
    correlations = {o.name: o.correlation(aim(o.image)) for o in oracle_maps(shared, "aim")}
    assert np.mean(list(correlations.values())) > 0.998, correlations
    assert min(correlations.values()) > 0.996, correlations


def test_agrees_with_the_published_demo_map(shared):
    image, expected = demo_photo(shared), demo_map(shared, "aim").ravel()
    original = aim(image, basis=shared / "weights" / "aim" / "21jade950.mat")
    assert np.corrcoef(original.ravel(), expected)[0, 1] > 0.999
    assert np.corrcoef(aim(image).ravel(), expected)[0, 1] > 0.996


def test_output_has_not_changed(photo):
    np.testing.assert_allclose(aim(photo)[::8, ::8], np.load(FIXTURE)["saliency"], rtol=1e-4)


def test_whole_algorithm_agrees_with_direct_sums(tmp_path):
    """Independent: direct correlation, counting by dictionary, a two-dimensional kernel over zeros laid around."""
    rng = np.random.default_rng(5)
    image = rng.integers(0, 256, (41, 52, 3), dtype=np.uint8)
    kernels = rng.normal(size=(4, 5, 5, 3))
    features = np.stack([correlate(image / 255, k, "valid", "direct")[..., 0] for k in kernels])
    bins = np.floor((features - features.min()) / np.ptp(features) * 255 + 0.5).astype(int)
    information = np.zeros(features.shape[1:])
    for feature in bins:
        values, counts = np.unique(feature, return_counts=True)
        probability = dict(zip(values, counts / feature.size, strict=True))
        information += np.vectorize(lambda v, p=probability: -np.log(p[v] + 1e-6))(feature)
    y, x = np.mgrid[-14:16, -14:16] - 0.5
    window = np.exp(-(x**2 + y**2) / (2 * 8**2))
    smoothed = correlate(np.pad(information, ((14, 15), (14, 15))), window / window.sum(), "valid", "direct")

    basis = write_basis(tmp_path / "b.mat", kernels)
    np.testing.assert_allclose(aim(image, basis=basis), np.pad(smoothed, 2, constant_values=smoothed.min()), rtol=1e-6)
    np.testing.assert_allclose(
        aim(image, basis=basis, do_smoothing="none"),
        np.pad(information, 2, constant_values=information.min()),
        rtol=1e-6,
    )


def test_information_of_a_rare_colour_by_hand(tmp_path):
    """One filter that is the red of a pixel: a quarter of the places has p = 1/4, the others 3/4."""
    image = np.zeros((8, 8, 3), np.uint8)
    image[:4, 2:6, 0] = 90
    kernel = np.zeros((1, 1, 1, 3))
    kernel[..., 0] = 1
    saliency = aim(image, basis=write_basis(tmp_path / "b.mat", kernel), do_smoothing="none")
    expected = np.where(image[..., 0] > 0, -np.log(0.25 + 1e-6), -np.log(0.75 + 1e-6))
    np.testing.assert_allclose(saliency, expected, rtol=1e-6)


def test_the_window_of_the_blur_reaches_further_down_and_right():
    """Output i takes inputs i - 14 to i + 15, so a point shows from 15 before it to 14 after it."""
    point = np.zeros((80, 90))
    point[40, 50] = 1
    rows, columns = np.nonzero(smooth(point))
    assert (rows.min(), rows.max(), columns.min(), columns.max()) == (25, 54, 35, 64)
    np.testing.assert_allclose(smooth(point).sum(), 1)
    assert 0.25 < smooth(np.ones((80, 90)))[0, 0] < 0.35  # zeros outside, a little over a quarter inside


def test_plain_areas_fall_into_one_bin_though_their_value_lies_on_an_edge():
    """An odd filter's extremes are -a and a, so that nothing, 0, lies on the edge between the bins 127 and 128."""
    image = np.full((300, 300, 3), 240, np.uint8)
    image[:, :100] += np.random.default_rng(0).integers(0, 2, (300, 100, 1), dtype=np.uint8)
    kernels = np.zeros((1, 3, 3, 3))
    kernels[0, :, 1, 0], kernels[0, :, 1, 2] = -0.37, 0.37
    plain = self_information(image, kernels)[:, 100:]
    assert (plain == plain[0, 0]).all()


@pytest.mark.parametrize("tile", [42, 77, 10_000])
def test_tiles_do_not_show(photo, tile, monkeypatch):
    kernels = np.random.default_rng(2).normal(size=(5, 3, 21, 21))
    expected = self_information(photo, kernels)
    assert np.abs(self_information(photo, kernels, tile=tile) - expected).max() <= 1e-6 * np.ptp(expected)
    monkeypatch.setattr("salbox.classical._correlation.TILES_PER_BLOCK", 2)
    monkeypatch.setattr("salbox.classical.aim.GROUP_BYTES", 2 * expected.size)  # two components at a time
    assert np.abs(self_information(photo, kernels, tile=tile) - expected).max() <= 1e-6 * np.ptp(expected)


@pytest.mark.parametrize("model", [aim, sun])
def test_the_number_of_threads_does_not_show(photo, model, monkeypatch):
    expected = model(photo)
    for threads in (1, 3):
        monkeypatch.setattr(f"salbox.classical.{model.__name__}.THREADS", threads)
        np.testing.assert_array_equal(model(photo), expected)


@pytest.mark.parametrize("size", [(1, 1), (1, 300), (20, 40), (40, 20)])
def test_nothing_can_be_computed_of_an_image_smaller_than_a_patch(size):
    image = np.random.default_rng(0).integers(0, 256, (*size, 3), dtype=np.uint8)
    np.testing.assert_array_equal(aim(image), np.zeros(size))


@pytest.mark.parametrize("size", [(21, 21), (21, 90), (90, 22), (47, 33), (161, 160), (300, 24)])
def test_every_other_size_gives_a_finite_map(size):
    image = np.random.default_rng(0).integers(0, 256, (*size, 3), dtype=np.uint8)
    saliency = aim(image)
    assert saliency.shape == size
    assert saliency.dtype == np.float32
    assert np.isfinite(saliency).all()
    assert (saliency[0] == saliency.min()).all()  # the frame
    assert (saliency == saliency[0, 0]).all() == (size == (21, 21))  # one position is as rare as itself


@pytest.mark.parametrize("color", [(0, 0, 0), (255, 255, 255), (10, 200, 30)])
def test_one_colour_carries_no_information(color):
    np.testing.assert_array_equal(aim(np.full((64, 50, 3), color, np.uint8)), 0)


def test_components_that_do_not_respond_carry_no_information(photo):
    """Weights of the channels that cancel in a grey image: their rounding errors must not be stretched."""
    gray = np.repeat(photo[:, :, :1], 3, axis=2)
    kernels = np.zeros((2, 3, 21, 21))
    kernels[0] = np.array([0.1, 0.2, -0.3])[:, None, None]
    np.testing.assert_array_equal(self_information(gray, kernels), 0)


def test_grey_is_given_by_three_equal_channels(photo, tmp_path):
    """Only the sum of a filter's channels counts."""
    gray = np.repeat(photo[:, :, :1], 3, axis=2)
    kernels = np.random.default_rng(3).normal(size=(3, 7, 7, 3))
    merged = np.zeros_like(kernels)
    merged[..., 1] = kernels.sum(axis=-1)
    separate = aim(gray, basis=write_basis(tmp_path / "a.mat", kernels))
    np.testing.assert_allclose(separate, aim(gray, basis=write_basis(tmp_path / "b.mat", merged)), rtol=1e-4)


def test_unfit_arguments_are_refused(photo, tmp_path):
    with pytest.raises(WeightsError, match="No such file"):
        aim(photo, basis=str(tmp_path / "missing.mat"))
    np.savez(tmp_path / "even.npz", B=np.ones((2, 3 * 4 * 4)))
    with pytest.raises(WeightsError, match="variable B has shape"):
        aim(photo, basis=str(tmp_path / "even.npz"))
    with pytest.raises(UsageError, match="do_smoothing"):
        aim(photo, do_smoothing="custom")
    assert [p.name for p in CARD.parameters] == ["basis", "do_smoothing"]
