"""Glimpse: ONNX Runtime on the authors' own file is the reference."""

from __future__ import annotations

import cv2
import numpy as np
import onnxruntime
import pytest
from PIL import Image

import salbox
from salbox.runtime.glimpse import GlimpsePredictor


@pytest.fixture(scope="module")
def path(shared):
    return shared / "weights" / "glimpse" / "saliency.onnx"


@pytest.fixture(scope="module")
def published(path):
    return GlimpsePredictor.load(path)


def image(height: int, width: int) -> np.ndarray:
    return np.random.default_rng(height * width).integers(0, 256, (height, width, 3), np.uint8)


def network(path, shape=(1, 3, 240, 320), stride: int = 8, scale: float = 1.0):
    """Write a network with one convolution."""
    onnx = pytest.importorskip("onnx")
    helper, kind = onnx.helper, onnx.TensorProto.FLOAT
    kernel = np.full((1, shape[1], stride, stride), scale, np.float32)
    node = helper.make_node("Conv", ["in", "kernel"], ["out"], strides=[stride, stride])
    graph = helper.make_graph(
        [node],
        "graph",
        [helper.make_tensor_value_info("in", kind, shape)],
        [helper.make_tensor_value_info("out", kind, (1, 1, shape[2] // stride, shape[3] // stride))],
        [onnx.numpy_helper.from_array(kernel, "kernel")],
    )
    opsets = [helper.make_opsetid("", 17)]
    onnx.save(helper.make_model(graph, opset_imports=opsets, ir_version=8), path)
    return path


def test_equals_onnx_runtime_on_its_own_file(shared, path, published):
    session = onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
    for name in ("1001", "1015", "1029"):
        photo = shared / "data" / "OSIE" / "data" / "stimuli" / f"{name}.jpg"
        with Image.open(photo) as opened:
            small = np.array(opened.resize((320, 240), Image.Resampling.BILINEAR), np.float32) / 255
        expected = session.run(None, {session.get_inputs()[0].name: small.transpose(2, 0, 1)[None]})[0][0, 0]
        pixels = salbox.read_image(photo)
        assert np.abs(published.raw(pixels) - expected).max() <= 1e-4 * np.ptp(expected)
        np.testing.assert_allclose(published(pixels), cv2.resize(expected, (800, 600)), atol=1e-4 * np.ptp(expected))


@pytest.mark.parametrize("size", [(1, 1), (1, 500), (500, 1), (20, 30), (40, 900), (700, 900)])
def test_maps_have_the_image_s_size(published, size):
    saliency = published(image(*size))
    assert saliency.shape == size
    assert saliency.dtype == np.float32
    assert np.isfinite(saliency).all()


def test_the_image_is_given_as_rgb_from_0_to_1(tmp_path):
    """A network that sums blocks of 8x8 pixels over the channels."""
    model = GlimpsePredictor.load(network(tmp_path / "sum.onnx"))
    pixels = image(240, 320)
    expected = (pixels / 255).sum(2).reshape(30, 8, 40, 8).sum((1, 3))
    np.testing.assert_allclose(model.raw(pixels), expected, rtol=1e-5)


def test_numbers_that_are_not_finite(tmp_path):
    model = GlimpsePredictor.load(network(tmp_path / "large.onnx", scale=3e38))
    with pytest.raises(salbox.WeightsError, match="not finite"):
        model(image(10, 10))


@pytest.mark.parametrize("shape", [(1, 3, 480, 640), (1, 1, 240, 320), (2, 3, 240, 320)])
def test_another_network(tmp_path, shape):
    with pytest.raises(salbox.WeightsError, match="not the network of glimpse") as caught:
        GlimpsePredictor.load(network(tmp_path / "other.onnx", shape))
    assert "\n" not in str(caught.value)


def test_not_a_network(tmp_path):
    (tmp_path / "text.onnx").write_text("not a network")
    with pytest.raises(salbox.WeightsError) as caught:
        GlimpsePredictor.load(tmp_path / "text.onnx")
    assert "\n" not in str(caught.value)


def test_a_device_that_is_not_there(path):
    if "CUDAExecutionProvider" in onnxruntime.get_available_providers():
        pytest.skip("this ONNX Runtime can use CUDA")
    with pytest.raises(salbox.UsageError, match="device 'cuda'"):
        GlimpsePredictor.load(path, "cuda")
