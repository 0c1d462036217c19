"""Padding as TensorFlow's, against a convolution worked out from the definition of SAME."""

from __future__ import annotations

import io
import warnings

import numpy as np
import pytest

torch = pytest.importorskip("torch")
timm = pytest.importorskip("timm")

from salbox.errors import UsageError  # noqa: E402
from salbox.networks.encoders import BottomRightConv2d, make_encoder  # noqa: E402


def same_convolution(image, weight, stride):
    """TensorFlow's SAME, position by position: output i looks at input i * stride - before + k."""
    size, kernel = image.shape[-1], weight.shape[-1]
    outputs = -(-size // stride)
    before = max((outputs - 1) * stride + kernel - size, 0) // 2
    result = torch.zeros(outputs, outputs)
    for i in range(outputs):
        for j in range(outputs):
            for k in range(kernel):
                for m in range(kernel):
                    y, x = i * stride - before + k, j * stride - before + m
                    if 0 <= y < size and 0 <= x < size:
                        result[i, j] += weight[k, m] * image[y, x]
    return result


@pytest.mark.parametrize("kernel", [3, 5])
@pytest.mark.parametrize("size", [4, 8])
def test_pads_as_tensorflow(kernel, size):
    generator = torch.Generator().manual_seed(0)
    image, weight = torch.rand(size, size, generator=generator), torch.rand(kernel, kernel, generator=generator)
    convolution = BottomRightConv2d(1, 1, kernel, stride=2, bias=False)
    with torch.no_grad():
        convolution.weight.copy_(weight)
        found = convolution(image[None, None])[0, 0]
    torch.testing.assert_close(found, same_convolution(image, weight, 2))


@pytest.mark.parametrize("bias", [False, True])
@pytest.mark.parametrize("kernel", [(3, 3), (5, 3)])
def test_padding_is_part_of_the_exported_convolution(kernel, bias):
    import onnx
    import onnxruntime

    convolution = BottomRightConv2d(4, 6, kernel, stride=2, groups=2, bias=bias).eval()
    images = torch.rand(1, 4, 8, 12, generator=torch.Generator().manual_seed(0))
    content = io.BytesIO()
    with torch.no_grad(), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        expected = convolution(images).numpy()
        torch.onnx.export(convolution, (images,), content, dynamo=False, input_names=["images"])
    graph = onnx.load_model_from_string(content.getvalue()).graph
    assert [node.op_type for node in graph.node] == ["Conv"]
    session = onnxruntime.InferenceSession(content.getvalue(), providers=["CPUExecutionProvider"])
    (found,) = session.run(None, {"images": images.numpy()})
    np.testing.assert_allclose(found, expected, atol=1e-6)


@pytest.mark.parametrize("name", ["mobilenetv2", "mobilenetv2_100", "resnet18"])
def test_features_at_five_strides(name):
    encoder = make_encoder(name)
    with torch.no_grad():
        features = encoder.network.eval()(torch.zeros(1, 3, 64, 96))
    assert [tuple(f.shape[-2:]) for f in features] == [(64 // s, 96 // s) for s in (2, 4, 8, 16, 32)]
    assert tuple(f.shape[1] for f in features) == encoder.channels


@pytest.mark.parametrize("name", ["mobilenetv2", "mobilenetv3_small_050", "resnet18"])
@pytest.mark.parametrize("deepest", [8, 16])
def test_an_encoder_that_ends_early_is_the_beginning_of_the_whole(name, deepest):
    whole, early = make_encoder(name), make_encoder(name, deepest)
    weights = whole.network.state_dict()
    assert len(early.network.state_dict()) < len(weights)
    early.network.load_state_dict({key: weights[key] for key in early.network.state_dict()})
    images = torch.rand(1, 3, 64, 96, generator=torch.Generator().manual_seed(0))
    with torch.no_grad():
        expected, found = (encoder.network.eval()(images) for encoder in (whole, early))
    assert len(found) == len(early.channels) == {8: 3, 16: 4}[deepest]
    for one, other in zip(found, expected, strict=False):
        torch.testing.assert_close(one, other, rtol=0, atol=0)


@pytest.mark.parametrize(
    ("name", "deepest", "message"),
    [
        ("convnext_atto", 16, r"'convnext_atto': has features at strides \(4, 8, 16, 32\), needed are \(2, 4, 8, 16\)"),
        ("mobilenetv2", 12, "deepest=12: expected one of"),
    ],
)
def test_encoders_that_cannot_end_there(name, deepest, message):
    with pytest.raises(UsageError, match=message):
        make_encoder(name, deepest)


def strided(network):
    return {type(m) for m in network.modules() if isinstance(m, torch.nn.Conv2d) and m.stride[0] > 1}


@pytest.mark.parametrize("name", ["mobilenetv2", "tf_efficientnet_lite0", "tf_mobilenetv3_small_minimal_100"])
def test_tensorflow_s_encoders_pad_at_the_bottom_right(name):
    assert strided(make_encoder(name).network) == {BottomRightConv2d}


def test_other_encoders_pad_as_timm_has_them():
    assert BottomRightConv2d not in strided(make_encoder("mobilenetv2_100").network)


@pytest.mark.parametrize("name", ["tf_efficientnet_lite0", "tf_efficientnet_lite1", "tf_efficientnet_lite2"])
@pytest.mark.parametrize("size", [(64, 96), (96, 32)])
def test_tensorflow_s_encoders_give_what_timm_s_do(name, size):
    """Timm pads by the size of each image; of sides that the strides divide the constants are the same."""
    own = make_encoder(name).network.eval()
    theirs = timm.create_model(name, features_only=True, out_indices=range(5)).eval()
    theirs.load_state_dict(own.state_dict())
    images = torch.rand(2, 3, *size, generator=torch.Generator().manual_seed(0))
    with torch.no_grad():
        for mine, expected in zip(own(images), theirs(images), strict=True):
            torch.testing.assert_close(mine, expected, rtol=0, atol=0)


@pytest.mark.parametrize("name", ["tf_efficientnet_lite0", "tf_mobilenetv3_small_minimal_100"])
def test_the_exported_encoder_has_no_padding_of_its_own(name):
    """Against PyTorch at three sizes, one of which the strides do not divide."""
    import onnx
    import onnxruntime

    network = make_encoder(name).network.eval()
    content = io.BytesIO()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        axes = {0: "n", 2: "h", 3: "w"}
        torch.onnx.export(
            network, (torch.rand(1, 3, 64, 96),), content, dynamo=False, input_names=["x"], dynamic_axes={"x": axes}
        )
    kinds = {node.op_type for node in onnx.load_model_from_string(content.getvalue()).graph.node}
    assert "Conv" in kinds
    assert not kinds & {"Pad", "Shape"}  # nothing is worked out from the image's size
    session = onnxruntime.InferenceSession(content.getvalue(), providers=["CPUExecutionProvider"])
    for shape in ((1, 3, 64, 96), (2, 3, 160, 128), (1, 3, 77, 101)):
        images = torch.rand(*shape, generator=torch.Generator().manual_seed(0))
        with torch.no_grad():
            expected = network(images)
        for mine, theirs in zip(session.run(None, {"x": images.numpy()}), expected, strict=True):
            np.testing.assert_allclose(mine, theirs.numpy(), atol=1e-5 * float(theirs.abs().max()))


def test_normalisation():
    assert make_encoder("mobilenetv2").mean == (0.5, 0.5, 0.5)
    for size in range(3):
        lite = make_encoder(f"tf_efficientnet_lite{size}")
        assert (lite.mean, lite.std) == ((0.5, 0.5, 0.5), (0.5, 0.5, 0.5))
    assert make_encoder("resnet18").mean == pytest.approx((0.485, 0.456, 0.406))
    assert make_encoder("resnet18").std == pytest.approx((0.229, 0.224, 0.225))
