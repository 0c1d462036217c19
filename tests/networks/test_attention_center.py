"""attention-center against the release's output, and its parts against sums written out in NumPy."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

torch = pytest.importorskip("torch")

# ruff: noqa: E402 - what follows needs torch

from PIL import Image
from scipy.signal import correlate2d

import salbox
from salbox.networks.attention_center.network import AttentionCenter, _Block, _InvertedResidual, enlarged, same_padding
from salbox.networks.attention_center.predictor import AttentionCenterPredictor


def randomized(module: torch.nn.Module) -> torch.nn.Module:
    torch.manual_seed(0)
    for value in module.state_dict().values():
        value.normal_(0, 0.3) if value.ndim > 1 else value.uniform_(-0.5, 1)
    return module.eval().requires_grad_(False)


@pytest.fixture(scope="module")
def network() -> AttentionCenter:
    return randomized(AttentionCenter())


@pytest.fixture(scope="module")
def weights(network, tmp_path_factory):
    path = tmp_path_factory.mktemp("weights") / "center.npz"
    np.savez(path, **{name: value.numpy() for name, value in network.state_dict().items()})
    return path


@pytest.fixture(scope="module")
def model(weights):
    return AttentionCenterPredictor.load(weights)


@pytest.fixture(scope="module")
def published(shared):
    return AttentionCenterPredictor.load(shared / "weights" / "attention-center" / "center_fp32.npz")


def image(height: int, width: int) -> np.ndarray:
    return np.random.default_rng(height * width).integers(0, 256, (height, width, 3), np.uint8)


def seen(pixels: np.ndarray) -> torch.Tensor:
    return torch.from_numpy(pixels).permute(2, 0, 1)[None].float()


def test_equals_the_release(shared, published):
    for path in sorted((shared / "weights" / "attention-center" / "expected").glob("*.npz")):
        with Image.open(shared / "data" / "OSIE" / "data" / "stimuli" / f"{path.stem}.jpg") as photo:
            pixels = np.array(photo.resize((640, 480), Image.Resampling.BILINEAR))
        expected = np.load(path)["logit_every_4th"]
        found = published.network(seen(pixels))[0, 0, ::4, ::4].numpy()
        assert np.abs(found - expected).max() < 1e-4 * np.ptp(expected), path.stem


def test_the_map_is_exp_of_half_the_logit(shared, published):
    """The release's output has every fourth pixel, which the map of an image of 640x480 has too."""
    path = shared / "data" / "OSIE" / "data" / "stimuli" / "1001.jpg"
    with Image.open(path) as photo:
        pixels = np.array(photo.resize((640, 480), Image.Resampling.BILINEAR))
    expected = np.exp(
        0.5 * np.load(shared / "weights" / "attention-center" / "expected" / "1001.npz")["logit_every_4th"]
    )
    assert np.abs(published(pixels)[::4, ::4] - expected).max() < 1e-4 * np.ptp(expected)
    large = published(salbox.read_image(path))
    assert np.abs(cv2.resize(published(pixels), (800, 600)) - large).max() < 1e-5 * np.ptp(large)


@pytest.mark.parametrize(
    ("length", "kernel", "stride", "before", "after"),
    [
        (4, 3, 2, 0, 1),
        (5, 3, 2, 1, 1),
        (15, 5, 2, 2, 2),
        (30, 5, 2, 1, 2),
        (1, 5, 2, 2, 2),
        (7, 3, 1, 1, 1),
        (6, 1, 1, 0, 0),
    ],
)
def test_same_padding(length, kernel, stride, before, after):
    """TensorFlow's rule: total (ceil(n / s) - 1) s + k - n, the smaller half in front."""
    values = torch.ones(1, 1, length, 1)
    padded = same_padding(values, kernel, stride)[0, 0]
    column = padded[:, padded.shape[1] // 2].tolist()
    assert column == [0.0] * before + [1.0] * length + [0.0] * after


def test_enlarged_equals_interpolation_by_numpy():
    values = np.random.default_rng(0).random((5, 7))
    rows = np.arange(32) * 5 / 32
    columns = np.arange(20) * 7 / 20
    tall = np.stack([np.interp(rows, np.arange(5), column) for column in values.T], axis=1)
    expected = np.stack([np.interp(columns, np.arange(7), row) for row in tall])
    found = enlarged(torch.from_numpy(values)[None, None], (32, 20))[0, 0].numpy()
    np.testing.assert_allclose(found, expected, atol=1e-12)


def normalized(values: np.ndarray, layer: dict[str, np.ndarray]) -> np.ndarray:
    groups = values.reshape(8, -1)
    groups = (groups - groups.mean(1, keepdims=True)) / np.sqrt(groups.var(1, keepdims=True) + 1.01e-6)
    return groups.reshape(values.shape) * layer["gamma"][:, None, None] + layer["beta"][:, None, None]


def mixed(values: np.ndarray, layer: dict[str, np.ndarray]) -> np.ndarray:
    return np.einsum("oi,ihw->ohw", layer["w"][:, :, 0, 0], values) + layer["b"][:, None, None]


@pytest.mark.parametrize(
    ("inputs", "block"),
    [
        (16, _Block(16, 8, 16, 3, 2, False)),  # no widening
        (16, _Block(24, 0, 16, 3, 1, False)),  # added to its input
        (8, _Block(24, 8, 16, 5, 2, True)),
    ],
)
def test_inverted_residual_equals_numpy(inputs, block):
    module = randomized(_InvertedResidual(inputs, block))
    layers: dict[str, dict[str, np.ndarray]] = {}
    for name, value in module.state_dict().items():
        layer, _, kind = name.rpartition(".")
        layers.setdefault(layer, {})[kind] = value.numpy().astype(np.float64)
    given = np.random.default_rng(1).standard_normal((inputs, 6, 9))

    def activated(x: np.ndarray) -> np.ndarray:
        return x * np.clip(x + 3, 0, 6) / 6 if block.has_swish else np.maximum(x, 0)

    wide = given
    if "expand" in layers:
        wide = activated(normalized(mixed(wide, layers["expand"]), layers["expand"]))
    filters, biases = layers["depthwise"]["w"][:, 0], layers["depthwise"]["b"]
    full = np.stack([correlate2d(v, f, "same") + b for v, f, b in zip(wide, filters, biases, strict=True)])
    if block.stride == 2:  # SAME at an even length starts one pixel in, at an odd one with the first
        full = full[:, 1::2, 0::2]
    wide = activated(normalized(full, layers["depthwise"]))
    if block.squeezed:
        squeezed = np.maximum(mixed(wide.mean((1, 2), keepdims=True), layers["squeeze_excite.Conv"]), 0)
        wide = wide * np.clip(mixed(squeezed, layers["squeeze_excite.Conv_1"]), 0, 6) / 6
    expected = normalized(mixed(wide, layers["project"]), layers["project"])
    if block.stride == 1:
        expected = given + expected
    found = module(torch.from_numpy(given)[None].float())[0].numpy()
    np.testing.assert_allclose(found, expected, atol=1e-4)


def test_features_have_the_release_s_names(network):
    features = network.features(seen(image(64, 96)))
    blocks = ["MobilenetV3.expanded_conv", *(f"MobilenetV3.expanded_conv_{k}" for k in range(1, 9))]
    heads = [f"saliency.conv2d_{k}" for k in (1, 3, 5, 7)]
    assert list(features) == ["MobilenetV3.Conv", *blocks, *heads]
    assert features["MobilenetV3.Conv"].shape == (1, 16, 32, 48)
    assert features["MobilenetV3.expanded_conv_8"].shape == (1, 96, 2, 3)
    assert [features[name].shape[2:] for name in heads] == [(8, 12), (4, 6), (4, 6), (2, 3)]
    total = sum(enlarged(features[name], (64, 96)) for name in heads)
    torch.testing.assert_close(network(seen(image(64, 96))), total)


def test_images_of_a_batch_do_not_mix(network):
    images = torch.cat([seen(image(64, 96)), seen(image(96, 64).swapaxes(0, 1))])
    torch.testing.assert_close(network(images)[1:], network(images[1:]))


def test_features_come_with_the_map(model):
    pixels = image(60, 80)
    saliency, features = model.with_features(pixels)
    np.testing.assert_array_equal(saliency, model(pixels))
    assert features["MobilenetV3.Conv"].shape == (1, 16, 240, 320)


@pytest.mark.parametrize("size", [(1, 1), (1, 500), (3, 2), (40, 900), (700, 900)])
def test_maps_have_the_image_s_size(published, size):
    saliency = published(image(*size))
    assert saliency.shape == size
    assert saliency.dtype == np.float32
    assert np.isfinite(saliency).all()
    assert saliency.min() > 0


def test_sharpness_is_the_exponent(published):
    pixels = image(480, 640)
    np.testing.assert_allclose(published(pixels, sharpness=1.0), published(pixels) ** 2, rtol=1e-5)
    np.testing.assert_array_equal(published(pixels), published(pixels, sharpness=0.5))


def test_numbers_too_large_for_a_map(weights, tmp_path):
    large = {**np.load(weights), "saliency.conv2d_1.b": np.array([1e4], np.float32)}
    np.savez(tmp_path / "large.npz", **large)
    with pytest.raises(salbox.WeightsError, match=r"too large for a map with sharpness=0\.5"):
        AttentionCenterPredictor.load(tmp_path / "large.npz")(image(8, 8))


def test_weights_of_another_model(tmp_path):
    np.savez(tmp_path / "other.npz", **{"conv0.weight": np.zeros((43, 3, 3, 3), np.float32)})
    with pytest.raises(
        salbox.WeightsError, match=r"not the weights of attention-center: it lacks 'MobilenetV3\.Conv\.w'"
    ):
        AttentionCenterPredictor.load(tmp_path / "other.npz")
