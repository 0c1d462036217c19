"""FastGaze against the release's output, and against convolutions by SciPy."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

torch = pytest.importorskip("torch")

# ruff: noqa: E402 - what follows needs torch

from oracle import demo_map, demo_photo
from PIL import Image
from scipy.ndimage import gaussian_filter
from scipy.signal import correlate

import salbox
from salbox.metrics.fidelity import fidelity_cc
from salbox.networks.fastgaze.network import FastGaze
from salbox.networks.fastgaze.predictor import FastGazePredictor, enlarged_and_blurred, input_size


@pytest.fixture(scope="module")
def network() -> FastGaze:
    """A network of random numbers, scaled so that the image reaches the end."""
    torch.manual_seed(0)
    network = FastGaze().eval()
    for name, value in network.state_dict().items():
        if name.endswith("weight"):
            value.normal_(0, (2 / value[0].numel()) ** 0.5 * (0.02 if name == "conv0.weight" else 1))
        else:
            value.uniform_(0, 0.3)
    return network


@pytest.fixture(scope="module")
def weights(network, tmp_path_factory):
    path = tmp_path_factory.mktemp("weights") / "fastgaze.npz"
    np.savez(path, **{name: value.numpy() for name, value in network.state_dict().items()})
    return path


@pytest.fixture(scope="module")
def model(weights):
    return FastGazePredictor.load(weights)


@pytest.fixture(scope="module")
def published(shared):
    return FastGazePredictor.load(shared / "weights" / "fastgaze" / "fastgaze_fp32.npz")


def image(height: int, width: int) -> np.ndarray:
    return np.random.default_rng(height * width).integers(0, 256, (height, width, 3), np.uint8)


def seen(pixels: np.ndarray) -> torch.Tensor:
    return torch.from_numpy(pixels).permute(2, 0, 1)[None].float()


def by_scipy(pixels: np.ndarray, weights: dict[str, np.ndarray]) -> np.ndarray:
    values = pixels[:, :, ::-1].transpose(2, 0, 1) - np.array([103.939, 116.779, 123.68])[:, None, None]
    for index in range(18):
        if index in (2, 5, 8, 11):
            rows, columns = values.shape[1:]
            padded = np.pad(values, ((0, 0), (0, rows % 2), (0, columns % 2)), constant_values=-np.inf)
            values = padded.reshape(len(padded), (rows + 1) // 2, 2, (columns + 1) // 2, 2).max((2, 4))
            continue
        kernels, biases = weights[f"conv{index}.weight"], weights[f"conv{index}.bias"]
        side = kernels.shape[-1] // 2
        padded = np.pad(values, ((0, 0), (side, side), (side, side)))
        values = np.stack(
            [correlate(padded, k, "valid", "direct")[0] + b for k, b in zip(kernels, biases, strict=True)]
        )
        slope = float(weights[f"conv{index}.alpha"][0]) if index >= 14 else 0.0
        values = np.where(values > 0, values, slope * values)
    return values[0]


def test_equals_the_release(shared, published):
    for path in sorted((shared / "weights" / "fastgaze" / "expected").glob("*.npz")):
        with Image.open(shared / "data" / "OSIE" / "data" / "stimuli" / f"{path.stem}.jpg") as photo:
            pixels = np.array(photo.resize((400, 300), Image.Resampling.BILINEAR))
        expected = np.load(path)["log_density"]
        found = published.network(seen(pixels))[0, 0].numpy()
        assert np.abs(found - expected).max() < 1e-4 * np.ptp(expected), path.stem


def test_the_map_is_the_density_enlarged_and_smoothed(shared, published):
    """exp of the release's output, bilinearly to 800x600, Gaussian of 20 pixels: computed by other libraries."""
    path = shared / "weights" / "fastgaze" / "expected" / "1001.npz"
    density = torch.from_numpy(np.exp(np.load(path)["log_density"]))[None, None]
    fine = torch.nn.functional.interpolate(density, (600, 800), mode="bilinear", align_corners=False)[0, 0].numpy()
    expected = gaussian_filter(fine.astype(np.float64), 20, mode="reflect")
    pixels = salbox.read_image(shared / "data" / "OSIE" / "data" / "stimuli" / "1001.jpg")
    assert np.abs(published(pixels) - expected).max() < 1e-3 * np.ptp(expected)


def test_is_not_deepgaze_2(shared, published):
    """What the card says of one photo."""
    found, theirs = published(demo_photo(shared)), demo_map(shared, "dgii")
    assert np.corrcoef(found.ravel(), theirs.ravel())[0, 1] == pytest.approx(0.640, abs=2e-3)
    assert fidelity_cc(found, theirs) == pytest.approx(0.640, abs=2e-3)
    assert ".640" in salbox.card("fastgaze").agreement


@pytest.mark.parametrize("size", [(33, 20), (16, 16), (1, 1), (1, 37)])
def test_the_network_equals_convolutions_by_scipy(network, size):
    pixels = image(*size)
    with torch.no_grad():
        found = network(seen(pixels))
    assert found.shape == (1, 1, -(-size[0] // 16), -(-size[1] // 16))
    expected = by_scipy(pixels, {name: value.numpy() for name, value in network.state_dict().items()})
    np.testing.assert_allclose(found[0, 0].numpy(), expected, rtol=1e-3, atol=1e-3 * np.abs(expected).max())


def test_features_have_the_release_s_names(network):
    images = torch.cat([seen(image(32, 48)), seen(image(48, 32).swapaxes(0, 1))])
    with torch.no_grad():
        features, raw = network.features(images), network(images)
    pooled = (2, 5, 8, 11)
    assert list(features) == [f"conv{k}" for k in range(18) if k not in pooled]
    assert [features[name].shape[1] for name in features] == [43, 44, 49, 56, 44, 38, 31, 20, 18, 10, 7, 7, 2, 1]
    assert features["conv0"].shape == (2, 43, 32, 48)
    assert features["conv13"].shape == (2, 10, 2, 3)
    assert min(float(features[f"conv{k}"].min()) for k in (0, 1, 13)) == 0
    torch.testing.assert_close(features["conv17"], raw)


def test_features_come_with_the_map(model):
    pixels = image(60, 80)
    saliency, features = model.with_features(pixels)
    np.testing.assert_array_equal(saliency, model(pixels))
    assert features["conv0"].shape == (1, 43, 300, 400)
    assert not any(value.requires_grad for value in features.values())


@pytest.mark.parametrize("size", [(1, 1), (1, 500), (3, 2), (40, 900), (90, 60)])
def test_maps_have_the_image_s_size(model, size):
    saliency = model(image(*size))
    assert saliency.shape == size
    assert saliency.dtype == np.float32
    assert np.isfinite(saliency).all()
    assert saliency.min() >= 0


@pytest.mark.parametrize(
    ("size", "expected"),
    [
        ((600, 800), (300, 400)),
        ((3000, 4000), (300, 400)),
        ((800, 600), (533, 400)),
        ((1, 1), (400, 400)),
        ((1, 300_000), (1, 400)),
        ((1600, 400), (1600, 400)),
        ((6400, 400), (3200, 200)),
        ((300_000, 1), (300_000, 1)),
        ((1_000_000, 1), (640_000, 1)),
    ],
)
def test_the_size_seen_is_bounded(size, expected):
    assert input_size(*size) == expected


@pytest.mark.slow
def test_a_wide_blur_on_a_coarser_grid_is_the_same():
    coarse = np.random.default_rng(0).random((38, 50), np.float32) ** 4
    fast = enlarged_and_blurred(coarse, (1200, 1600), 60.0)
    fine = cv2.resize(coarse.astype(np.float64), (1600, 1200), interpolation=cv2.INTER_LINEAR)
    exact = gaussian_filter(fine, 60.0, mode="reflect", truncate=6)
    assert np.abs(fast - exact).max() < 1e-3 * np.ptp(exact)


def test_without_blur_only_enlarged():
    coarse = np.random.default_rng(0).random((4, 5), np.float32)
    expected = cv2.resize(coarse, (50, 40), interpolation=cv2.INTER_LINEAR)
    np.testing.assert_array_equal(enlarged_and_blurred(coarse, (40, 50), 0.0), expected)


def test_blur_is_a_fraction_of_the_width(model):
    pixels = image(60, 80)
    rough, smooth = model(pixels, blur=0.0), model(pixels, blur=0.2)
    assert np.ptp(smooth) < np.ptp(rough)
    np.testing.assert_array_equal(model(pixels), model(pixels, blur=0.025))


def test_weights_that_overflow(network, tmp_path):
    path = tmp_path / "large.npz"
    huge = {name: value.numpy().copy() for name, value in network.state_dict().items()}
    huge["conv17.bias"] += 1e4
    np.savez(path, **huge)
    with pytest.raises(salbox.WeightsError, match="too large for a map"):
        FastGazePredictor.load(path)(image(8, 8))


def test_weights_of_another_model(tmp_path, weights):
    other = dict(np.load(weights))
    other["conv17.weight"] = np.zeros((1, 3, 1, 1), np.float32)
    np.savez(tmp_path / "other.npz", **other)
    with pytest.raises(salbox.WeightsError, match=r"not the weights of fastgaze: 'conv17.weight' has shape"):
        FastGazePredictor.load(tmp_path / "other.npz")
