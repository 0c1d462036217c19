"""What old frameworks did otherwise than PyTorch, against the same written out in NumPy."""

from __future__ import annotations

import numpy as np
import pytest

torch = pytest.importorskip("torch")

# ruff: noqa: E402 - what follows needs torch

from torch.nn import functional

from salbox.networks.backbones.resnet50_keras import ResNet50Keras, layer_names
from salbox.networks.backbones.vgg16 import PaddedMaxPool, Vgg16
from salbox.networks.ops.tensorflow_resize import resize
from salbox.networks.ops.upsampling import enlarged_by


@pytest.mark.parametrize(("factor", "offset"), [(2, 0), (8, 0), (16, 7), (3, 1)])
@pytest.mark.parametrize("size", [(5, 7), (1, 1), (1, 4)])
def test_enlarged_by_equals_interpolation_by_numpy(factor, offset, size):
    values = np.random.default_rng(0).random(size)
    rows, columns = ((np.arange(factor * n) - offset) / factor for n in size)
    tall = np.stack([np.interp(rows, np.arange(size[0]), column) for column in values.T], axis=1)
    expected = np.stack([np.interp(columns, np.arange(size[1]), row) for row in tall])
    found = enlarged_by(torch.from_numpy(values)[None, None], factor, offset)[0, 0].numpy()
    np.testing.assert_allclose(found, expected, atol=1e-12)


@pytest.mark.parametrize(("before", "stride", "first"), [(True, 2, -1), (True, 1, -1), (False, 1, 0)])
@pytest.mark.parametrize("size", [(6, 8), (5, 7)])
def test_padded_max_pool(before, stride, first, size):
    """Windows of two from `first` on, what lies outside is nothing."""
    values = np.random.default_rng(0).random(size)
    expected = np.zeros([-(-n // stride) for n in size])
    for i, j in np.ndindex(*expected.shape):
        top, left = first + i * stride, first + j * stride
        expected[i, j] = values[max(0, top) : top + 2, max(0, left) : left + 2].max()
    found = PaddedMaxPool(stride, before=before)(torch.from_numpy(values)[None, None])[0, 0].numpy()
    np.testing.assert_array_equal(found, expected)


def area_weights(source: int, target: int) -> np.ndarray:
    """Return the share of each pixel in each sample, from an integral in steps of a thousandth of a pixel."""
    scale = (source - 1) / (target - 1) if target > 1 else source / target
    weights = np.zeros((target, source))
    for k in range(target):
        points = k * scale + (np.arange(5000) + 0.5) * scale / 5000
        np.add.at(weights[k], np.minimum(points.astype(int), source - 1), 1 / 5000)
    return weights


@pytest.mark.parametrize(("size", "target"), [((17, 23), (6, 9)), ((40, 9), (4, 1)), ((12, 12), (12, 11))])
def test_resize_by_area(size, target):
    image = np.random.default_rng(0).random((*size, 3))
    rows, columns = area_weights(size[0], target[0]), area_weights(size[1], target[1])
    found = resize(image, target, (0, 0), target)
    np.testing.assert_allclose(found, np.einsum("yi,ijc,xj->yxc", rows, image, columns), atol=2e-3)
    part = resize(image, target, (1, 0), (target[0] - 2, target[1]))
    np.testing.assert_allclose(part, found[1:-1], atol=1e-6)


@pytest.mark.parametrize(("size", "target"), [((6, 9), (17, 30)), ((5, 5), (5, 6)), ((2, 3), (40, 50))])
def test_resize_bicubic(size, target):
    """PyTorch has the same kernel; TensorFlow looks it up in a table of 1,024 steps a pixel."""
    image = np.random.default_rng(0).random((*size, 2)).astype(np.float32)
    batch = torch.from_numpy(image).permute(2, 0, 1)[None]
    expected = functional.interpolate(batch, size=target, mode="bicubic", align_corners=True)[0].permute(1, 2, 0)
    found = resize(image, target, (0, 0), target)
    np.testing.assert_allclose(found, expected.numpy(), atol=2e-3)
    part = resize(image, target, (2, 1), (target[0] - 2, 3))
    np.testing.assert_allclose(part, found[2:, 1:4], atol=1e-6)


def test_one_pixel_becomes_any_size():
    found = resize(np.full((1, 1, 1), 7.0), (4, 5), (0, 0), (4, 5))
    np.testing.assert_allclose(found, np.full((4, 5, 1), 7.0), rtol=1e-6)


def test_vgg_s_features_and_in_place_layers():
    """What is computed in place where nothing is learned is what is computed otherwise."""
    torch.manual_seed(0)
    pools = [torch.nn.MaxPool2d(2), torch.nn.MaxPool2d(2, ceil_mode=True), None, None, PaddedMaxPool(1, before=False)]
    network = Vgg16(pools, last_dilation=2)
    images = 50 * torch.randn(2, 3, 18, 14)
    features = network.features(images)
    assert list(features) == ["pool1", "pool2", "conv5_3", "pool5"]
    assert [tuple(f.shape) for f in features.values()] == [(2, 64, 9, 7), (2, 128, 5, 4), *2 * [(2, 512, 5, 4)]]
    torch.testing.assert_close(network(images), features["pool5"])
    with torch.no_grad():
        torch.testing.assert_close(network.features(images), {k: v.detach() for k, v in features.items()})
    assert sum(p.numel() for p in network.parameters()) == 14_714_688  # VGG-16 without its three last layers


def test_resnet_has_the_layers_that_keras_saves():
    with torch.device("meta"):
        network = ResNet50Keras(has_bias=True, epsilon=1e-5, pool_padding=(1, 1, 1, 1))
    assert sorted(layer_names()) == sorted(name for name, _ in network.named_children())
    # Keras's own count for ResNet50 without its classifier: 23,587,712, its moving statistics included.
    assert sum(t.numel() for n, t in network.state_dict().items() if "num_batches" not in n) == 23_587_712
