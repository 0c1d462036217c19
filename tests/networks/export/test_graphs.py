"""What the programs do around their networks, as a graph: against the libraries that they use."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from PIL import Image

torch = pytest.importorskip("torch")

# ruff: noqa: E402 - what follows needs torch

from salbox.networks.deepgaze.center_bias import center_bias
from salbox.networks.deepgaze.graph import DensityGraph
from salbox.networks.export import letterbox_graph, resize_matrices
from salbox.networks.msinet import graph as msinet_graph
from salbox.networks.msinet import predictor as msinet
from salbox.networks.ops.letterbox import fit, unfit
from salbox.networks.salicon import graph as salicon_graph
from salbox.networks.salicon import predictor as salicon
from salbox.networks.unisal import graph as unisal_graph
from salbox.networks.unisal import predictor as unisal

SHAPES = [(1, 1), (1, 50), (75, 131), (500, 90), (64, 700), (240, 320), (37, 48), (120, 160)]
FRAME = (48, 64)


def image(height: int, width: int) -> np.ndarray:
    return np.random.default_rng(height * width).integers(0, 256, (height, width, 3), np.uint8)


def as_tensor(pixels: np.ndarray):
    return torch.from_numpy(pixels).permute(2, 0, 1)[None].float()


def as_array(images) -> np.ndarray:
    return images[0].permute(1, 2, 0).numpy()


def shape_of(pixels: np.ndarray):
    return resize_matrices.lengths(as_tensor(pixels))


def saliency() -> np.ndarray:
    return cv2.GaussianBlur(np.random.default_rng(0).random(FRAME, np.float32), (0, 0), 2)


@pytest.mark.parametrize("shape", SHAPES)
def test_frames_are_opencv_s_to_the_bit(shape):
    pixels = image(*shape)
    np.testing.assert_array_equal(as_array(letterbox_graph.fit(as_tensor(pixels), FRAME, 3)), fit(pixels, *FRAME, 3))


@pytest.mark.parametrize("shape", SHAPES)
def test_maps_come_back_from_frames(shape):
    values = saliency()
    found = letterbox_graph.unfit(torch.from_numpy(values)[None, None], shape_of(image(*shape)))[0, 0].numpy()
    np.testing.assert_allclose(found, unfit(values, shape), atol=1e-6)


@pytest.mark.parametrize("shape", SHAPES)
def test_maps_are_smoothed_as_opencv_does(shape):
    values = saliency()
    kernel = resize_matrices.gaussian(7.0, 28)
    found = letterbox_graph.unfit(torch.from_numpy(values)[None, None], shape_of(image(*shape)), kernel)[0, 0].numpy()
    expected = cv2.GaussianBlur(unfit(values, shape), (57, 57), 7.0, borderType=cv2.BORDER_REFLECT)
    np.testing.assert_allclose(found, expected, atol=2e-6)


@pytest.mark.parametrize("shape", SHAPES)
def test_msi_net_s_frames(shape):
    pixels = image(*shape)
    found = as_array(msinet_graph.framed(as_tensor(pixels), FRAME))
    np.testing.assert_allclose(found, msinet.framed(pixels, FRAME), atol=2e-4)
    values = saliency()
    back = msinet_graph.unframed(torch.from_numpy(values)[None, None], shape_of(pixels))[0, 0].numpy()
    np.testing.assert_allclose(back, msinet.unframed(values, shape), atol=1e-6)


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("size", [(60, 80), (1, 7)])
def test_splines_are_scipy_s(shape, size):
    pixels = image(*shape)
    lengths = [resize_matrices.number(side, torch.zeros(1)) for side in size]
    found = as_array(salicon_graph.by_splines(as_tensor(pixels), lengths))
    expected = np.stack([salicon.by_splines(pixels[:, :, channel], size) for channel in range(3)], axis=2)
    np.testing.assert_allclose(found, expected, atol=3e-4)  # of 255


@pytest.mark.parametrize("shape", SHAPES)
def test_lanczos_is_pillow_s_to_the_bit(shape):
    pixels = image(*shape)
    high, wide = shape_of(pixels)
    height, width = unisal_graph.image_size(high, wide)
    assert (int(height), int(width)) == unisal.image_size(*shape)
    seen = unisal_graph.by_lanczos(as_tensor(pixels).double(), (height, width))
    narrowed = Image.fromarray(pixels).resize((int(width), shape[0]), Image.Resampling.LANCZOS)
    expected = narrowed.resize((int(width), int(height)), Image.Resampling.LANCZOS)
    np.testing.assert_array_equal(as_array(seen), np.asarray(expected))


@pytest.mark.parametrize("shape", [(7, 5), (75, 131)])
@pytest.mark.parametrize("source", ["osie", "uniform"])
def test_the_centre_bias(shape, source):
    class Sees(torch.nn.Module):
        def forward(self, images, bias):
            return bias

    found = DensityGraph(Sees(), source)(torch.from_numpy(image(*shape))[None])[0, 0].numpy()
    np.testing.assert_allclose(found, center_bias(source, *shape), atol=1e-5)
