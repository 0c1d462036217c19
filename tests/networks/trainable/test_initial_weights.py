"""The encoder's first weights from every source, and what is said when they cannot be had."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

torch = pytest.importorskip("torch")

import timm  # noqa: E402
from safetensors.torch import save_file  # noqa: E402
from torchvision.models import mobilenet_v2, resnet18  # noqa: E402

import salbox  # noqa: E402
from salbox.models.cards import ModelCard  # noqa: E402
from salbox.models.exported import packaged  # noqa: E402
from salbox.models.registry import SHIPPED  # noqa: E402
from salbox.networks.encoders import WeightsWarning  # noqa: E402
from salbox.networks.export.onnx import export_onnx  # noqa: E402
from salbox.networks.trainable import initial_weights  # noqa: E402
from salbox.networks.trainable.factory import build_network  # noqa: E402
from salbox.networks.trainable.reload import read_exported  # noqa: E402

CARD = ModelCard("a", task="fixation", output="score")


def random_student(name="box", seed=0, **arguments):
    with pytest.warns(WeightsWarning):
        return build_network(name, ["a"], seed=seed, **arguments)


def unsettle(network):
    """Give norms statistics of their own, so that a mix-up shows."""
    generator = torch.Generator().manual_seed(0)
    for module in network.modules():
        if isinstance(module, torch.nn.BatchNorm2d):
            for tensor in (module.weight.data, module.bias.data, module.running_mean, module.running_var):
                tensor.copy_(0.5 + torch.rand(tensor.shape, generator=generator))
    return network.eval()


def encoded(network, images):
    """The encoder's last feature."""
    with torch.no_grad():
        features = network.eval().encoder(images)
    return features[-1] if isinstance(features, list) else features


IMAGES = torch.rand(1, 3, 64, 64, generator=torch.Generator().manual_seed(1))


@pytest.mark.parametrize("suffix", [".pth", ".safetensors"])
@pytest.mark.parametrize("student", ["box", "kdsalbox"])
@pytest.mark.parametrize("library", ["torchvision", "timm"])
def test_mobilenet_v2_of_either_library(library, student, suffix, tmp_path):
    """Each library's own network is what the student's encoder computes with its weights."""
    whole = unsettle(mobilenet_v2(weights=None) if library == "torchvision" else timm.create_model("mobilenetv2_100"))
    path = tmp_path / f"whole{suffix}"
    save_file(whole.state_dict(), path) if suffix == ".safetensors" else torch.save(whole.state_dict(), path)
    network = build_network(student, ["a"], init=path, **({"deepest": 32} if student == "box" else {}))
    with torch.no_grad():
        if library == "torchvision":
            expected = (whole.features if student == "kdsalbox" else whole.features[:18])(IMAGES)
        else:
            expected = (
                whole.forward_features(IMAGES)
                if student == "kdsalbox"
                else whole.blocks(whole.bn1(whole.conv_stem(IMAGES)))
            )
    torch.testing.assert_close(encoded(network, IMAGES), expected, rtol=1e-4, atol=1e-5)
    assert network.init_note == f"encoder from whole{suffix}"


@pytest.mark.parametrize("library", ["torchvision", "timm"])
def test_an_encoder_that_ends_early_takes_the_beginning(library, tmp_path):
    whole = unsettle(mobilenet_v2(weights=None) if library == "torchvision" else timm.create_model("mobilenetv2_100"))
    torch.save(whole.state_dict(), tmp_path / "whole.pth")
    network = build_network("box", ["a"], init=tmp_path / "whole.pth", deepest=16)
    with torch.no_grad():
        if library == "torchvision":
            expected = whole.features[:14](IMAGES)
        else:
            expected = whole.blocks[:5](whole.bn1(whole.conv_stem(IMAGES)))
    torch.testing.assert_close(encoded(network, IMAGES), expected, rtol=1e-4, atol=1e-5)


def test_another_encoder_that_ends_early_takes_the_beginning(tmp_path):
    whole = unsettle(timm.create_model("resnet18"))
    torch.save(whole.state_dict(), tmp_path / "whole.pth")
    network = build_network("box", ["a"], encoder="resnet18", init=tmp_path / "whole.pth", deepest=16)
    with torch.no_grad():
        x = whole.maxpool(whole.act1(whole.bn1(whole.conv1(IMAGES))))
        expected = whole.layer3(whole.layer2(whole.layer1(x)))
    torch.testing.assert_close(encoded(network, IMAGES), expected, rtol=1e-4, atol=1e-4)


def test_the_shipped_encoder_s_beginning():
    shipped = read_exported(Path(packaged(SHIPPED)))
    network = build_network("box", ["a"], init="shipped", deepest=8)
    with torch.no_grad():
        expected = shipped.eval().encoder(IMAGES)[2]
    torch.testing.assert_close(encoded(network, IMAGES), expected, rtol=0, atol=0)


def test_resnet18_of_torchvision(tmp_path):
    whole = unsettle(resnet18(weights=None))
    torch.save(whole.state_dict(), tmp_path / "r.pth")
    network = build_network("resnet18-b", ["a"], init=tmp_path / "r.pth")
    with torch.no_grad():
        x = whole.maxpool(whole.relu(whole.bn1(whole.conv1(IMAGES))))
        expected = whole.layer4(whole.layer3(whole.layer2(whole.layer1(x))))
    torch.testing.assert_close(encoded(network, IMAGES), expected, rtol=1e-4, atol=1e-4)


def test_a_student_s_own_state_gives_its_encoder(tmp_path):
    first = random_student(seed=1)
    torch.save({"state_dict": first.state_dict()}, tmp_path / "s.pt")
    second = build_network("box", ["x", "y"], encoder="mobilenetv2", init=tmp_path / "s.pt", seed=2)
    torch.testing.assert_close(encoded(second, IMAGES), encoded(first, IMAGES))


@pytest.fixture(scope="module")
def exported(tmp_path_factory):
    """A student with weights that half precision holds, and the file that it was exported to."""
    network = unsettle(random_student(seed=1, width=8, stride=8))
    with torch.no_grad():
        for parameter in network.parameters():
            parameter.copy_(parameter.half())
    path = tmp_path_factory.mktemp("exported") / "box.onnx"
    export_onnx(network, path, {"a": CARD}, {"a": "a"}, half=True)
    return network, path


@pytest.mark.slow
def test_an_exported_student_gives_its_encoder(exported):
    network, path = exported
    started = build_network("box", ["x", "y"], init=path, seed=2)
    assert started.arguments["encoder"] == "mobilenetv2"
    assert started.init_note == f"encoder from {path.name}"
    for (name, mine), theirs in zip(
        started.encoder.state_dict().items(), network.encoder.state_dict().values(), strict=True
    ):
        assert torch.equal(mine, theirs), name
    with pytest.raises(salbox.WeightsError, match="not the weights of this network: lacks"):
        build_network("resnet18-a", ["a"], init=path)


def test_the_shipped_network_gives_its_encoder():
    started = build_network("box", ["x"], init="shipped")
    assert started.init_note == "encoder from the network that salbox ships"
    shipped = read_exported(Path(packaged(SHIPPED)))
    torch.testing.assert_close(encoded(started, IMAGES), encoded(shipped, IMAGES))


def test_timm_s_weights(monkeypatch):
    """The hub is not asked; what it would have given is loaded and named."""
    make = timm.create_model
    monkeypatch.setattr(timm, "create_model", lambda name, pretrained=False, **rest: make(name, **rest))
    network = build_network("box", ["a"], init="timm")
    assert network.init_note == "encoder from timm's mobilenetv2_100.ra_in1k"
    assert network.arguments["encoder"] == "mobilenetv2_100"  # its padding and normalisation, not TensorFlow's


def test_no_hub(monkeypatch):
    make = timm.create_model

    def offline(name, pretrained=False, **rest):
        if pretrained:
            raise ConnectionError("cannot reach\nthe hub")
        return make(name, **rest)

    monkeypatch.setattr(timm, "create_model", offline)
    with pytest.raises(salbox.WeightsError, match=r"timm's weights of 'resnet18' .*cannot reach the hub.*give a file"):
        build_network("resnet18-a", ["a"], init="timm")


def test_photos_of_one_s_own(shared):
    weights = shared / "weights" / "mobilenet_v2" / "mobilenet_v2_imagenet_folded.npz"
    photos = [np.random.default_rng(i).integers(0, 256, (64, 96, 3), dtype=np.uint8) for i in range(3)]
    network = build_network("box", ["a"], init=weights, calibration=photos, size=(64, 96))
    assert network.init_note.endswith("from 3 photos")
    with pytest.raises(salbox.WeightsError, match="no photos"):
        build_network("box", ["a"], init=weights, calibration=[])


def test_folded_weights_in_a_network_that_normalises_otherwise(shared):
    """KDSalBox's pixels are in 0..1; away from the border its first layer sees what it would see in -1..1."""
    weights = shared / "weights" / "mobilenet_v2" / "mobilenet_v2_imagenet_folded.npz"
    photos = [np.random.default_rng(i).integers(0, 256, (64, 96, 3), dtype=np.uint8) for i in range(3)]
    network = build_network("kdsalbox", ["a"], init=weights, calibration=photos).eval()
    with np.load(weights) as archive:
        weight, bias = (torch.from_numpy(archive[f"features.0.0.{kind}"]) for kind in ("weight", "bias"))
    images = torch.from_numpy(photos[0].transpose(2, 0, 1).copy())[None].float()
    with torch.no_grad():
        found = network.encoder[0](network.normalize(images))
        expected = torch.nn.functional.conv2d(images / 127.5 - 1, weight, bias, stride=2, padding=1).clamp(0, 6)
    torch.testing.assert_close(found[..., 1:-1, 1:-1], expected[..., 1:-1, 1:-1], rtol=1e-4, atol=1e-4)


def test_sample_photos_are_the_same_each_time():
    first, second = initial_weights.sample_photos(6), initial_weights.sample_photos(6)
    assert [p.shape for p in first] == [(192, 256, 3)] * 6
    assert all(np.array_equal(a, b) for a, b in zip(first, second, strict=True))


@pytest.mark.parametrize(
    ("student", "init", "message"),
    [
        ("box", "shiped", "no such file .*none, imagenet, timm, shipped or a file"),
        ("box", "text.onnx", "text.onnx: "),
        ("box", "text.npz", "not readable as an .npz with the weights of a folded MobileNetV2"),
        ("box", "text.pth", "not a checkpoint of tensors alone"),
        ("box", "other.pth", "not the weights of this network: lacks"),
        ("resnet18-a", "text.npz", "holds a MobileNetV2, which the encoder of this 'resnet18-a' is not"),
    ],
)
def test_what_cannot_be_had_gets_one_line(student, init, message, tmp_path, monkeypatch):
    for name in ("text.onnx", "text.npz", "text.pth"):
        (tmp_path / name).write_text("weights, honestly")
    torch.save(torch.nn.Linear(2, 2).state_dict(), tmp_path / "other.pth")
    monkeypatch.chdir(tmp_path)
    with pytest.raises(salbox.WeightsError, match=message) as caught:
        build_network(student, ["a"], init=init)
    assert "\n" not in str(caught.value)


@pytest.mark.slow
def test_vgg16_of_torchvision_in_both_streams(tmp_path):
    torchvision = pytest.importorskip("torchvision")
    source = torchvision.models.vgg16(weights=None).features
    torch.save({f"features.{name}": t for name, t in source.state_dict().items()}, tmp_path / "vgg16.pth")
    network = build_network(
        "salicon", ["people"], encoder="vgg16", init=tmp_path / "vgg16.pth", size=(64, 64), shared=False
    )
    for encoder in network.encoder_modules():
        for own, its in zip(encoder.parameters(), source.parameters(), strict=True):
            assert torch.equal(own, its)
