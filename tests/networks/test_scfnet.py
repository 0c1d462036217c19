"""SCFNet against its authors' program, run with generated weights on one photo of OSIE, and its design."""

from __future__ import annotations

from pathlib import Path

import authors_files as files
import cv2
import numpy as np
import pytest
import weight_writers as writers
from generated_weights import arrays_of, facts_of, saved_every
from PIL import Image

torch = pytest.importorskip("torch")

# ruff: noqa: E402 - what follows needs torch

from torch import nn
from torch.nn import functional

import salbox
from salbox.models.exported import packaged
from salbox.networks.backbones.mobilenetv3_large import CHANNELS, Gate
from salbox.networks.backbones.vgg16 import Vgg16
from salbox.networks.counting import counting
from salbox.networks.encoders import MOBILENETV3, WeightsWarning, make_encoder
from salbox.networks.export.models import export_model
from salbox.networks.export.onnx import export_onnx, pictures, spread_difference
from salbox.networks.scfnet.card import CARD
from salbox.networks.scfnet.network import Fusion, SCFNet
from salbox.networks.scfnet.predictor import (
    SCFNetPredictor,
    SCFNetR50Predictor,
    SCFNetSwinBPredictor,
    stored_name,
)
from salbox.networks.trainable.factory import build_network
from salbox.networks.trainable.saved import read_weights, save_weights

TOLERANCE = 1e-4  # of a map's range
TAG = "osie1001"
OFFICIAL = {"m3_0.5": SCFNetPredictor, "r50": SCFNetR50Predictor, "swinb": SCFNetSwinBPredictor}
slow = pytest.mark.slow


def numbers(network: nn.Module) -> int:
    """All that a file holds, statistics of norms included, as Paddle counts."""
    stored = network.state_dict().items()
    return sum(value.numel() for name, value in stored if not name.endswith("num_batches_tracked"))


def learned(network: nn.Module) -> int:
    return sum(parameter.numel() for parameter in network.parameters())


def lively(network: nn.Module) -> nn.Module:
    """Return a network with norms that are not those of the beginning, its maps no constants."""
    torch.manual_seed(0)
    with torch.no_grad():
        for module in network.modules():
            if isinstance(module, nn.BatchNorm2d):
                module.running_mean.normal_(0, 0.1)
                module.running_var.uniform_(0.5, 1.5)
                module.weight.uniform_(0.5, 1.0)
    return network.eval()


@pytest.fixture(scope="module")
def model():
    return SCFNetPredictor(lively(SCFNet()), "nowhere")


@pytest.fixture(scope="module")
def batch():
    return torch.from_numpy(pictures(1, 64, 96)).permute(0, 3, 1, 2).float()


@pytest.mark.parametrize("encoder", OFFICIAL)
def test_names_and_shapes_are_the_authors(encoder, shared):
    facts = facts_of(shared, f"kdscfnet_{encoder}")
    with torch.device("meta"):
        network = SCFNet(OFFICIAL[encoder].encoder)
    theirs = {key: tuple(shape) for key, shape, _ in facts["keys"]}
    own = {}
    for name, value in network.state_dict().items():
        if not name.endswith("num_batches_tracked"):
            matrix = value.ndim == 2 and name.endswith(".weight")
            own[stored_name(name)] = tuple(value.shape)[:: -1 if matrix else 1]
    for key in [key for key in theirs if key.startswith("bkbone.norm.") or key.endswith(("_mask", "_index"))]:
        assert encoder == "swinb"
        del theirs[key]
    assert own == theirs
    last_norm = 2 * 1024 if encoder == "swinb" else 0  # which no map depends on
    assert numbers(network) + last_norm == facts["n_params"]
    assert learned(network) + last_norm == facts["n_trainable"]


def test_the_small_network_is_as_small_as_published():
    network = SCFNet().eval()
    assert (numbers(network), learned(network)) == (800_154, 788_298)
    around = []
    for module in network.modules():
        if isinstance(module, nn.BatchNorm2d):
            module.register_forward_hook(lambda _, given, result: around.append(2 * result.numel()))
        if isinstance(module, nn.Conv2d) and module.bias is not None:
            module.register_forward_hook(lambda _, given, result: around.append(result.numel()))
    images = torch.zeros(1, 3, 352, 352)
    with torch.no_grad(), counting() as counted:
        network(images)
    assert counted.macs == 238_754_736  # of the one map that is used
    around.clear()
    with torch.no_grad(), counting() as counted:
        network.outputs(images)
    assert counted.macs == 239_120_640
    # With biases and norms, which Paddle counts too, it is what the paper states.
    assert round((counted.macs + sum(around)) / 1e9, 2) == 0.25


def test_vgg_16_is_tapped_behind_its_pools():
    with torch.device("meta"):
        network = SCFNet("vgg16")
        found = network.features(torch.zeros(1, 3, 64, 96))
        bare = Vgg16([None] * 5)
    assert [tuple(found[f"stride{s}"].shape[1:]) for s in (4, 8, 16, 32)] == [
        (128, 16, 24),
        (256, 8, 12),
        (512, 4, 6),
        (512, 2, 3),
    ]
    # A convolution of n inputs with its bias and norm has 64 (9 n + 3) numbers; fourteen of them, ten of 64 inputs.
    decoder = 64 * sum(9 * n + 3 for n in (128, 256, 512, 512, *[64] * 10)) + 4 * (9 * 64 + 1)
    assert learned(network) == learned(bare) + decoder == 14_714_688 + decoder


@pytest.mark.parametrize("encoder", ["m3_0.5", *(pytest.param(name, marks=slow) for name in ("r50", "swinb"))])
def test_equals_the_authors_program(encoder, shared, tmp_path):
    path = files.scfnet(shared, tmp_path, encoder)
    arrays = arrays_of(shared, f"kdscfnet_{encoder}")
    photo = salbox.read_image(files.photo_path(shared))
    name = {"m3_0.5": "scfnet"}.get(encoder, f"scfnet.{encoder}")
    model = salbox.load(name, weights=path)
    path.unlink()
    found, expected = saved_every(arrays, f"{TAG}_final", model(photo))
    assert np.abs(found - expected).max() <= TOLERANCE * np.ptp(expected)
    network, (height, width) = model.function.network, model.function.size
    resized = cv2.resize(photo.astype(np.float32), (width, height), interpolation=cv2.INTER_LINEAR)
    with torch.no_grad():
        main, *sides = network.outputs(torch.from_numpy(resized.transpose(2, 0, 1))[None])
    found, expected = saved_every(arrays, TAG, main[0, 0].numpy())
    assert np.abs(found - expected).max() <= TOLERANCE * np.ptp(expected)
    assert len(sides) == 3
    for number, side in enumerate(sides, start=1):
        kept = f"{TAG}__feat__side output {number} logits"
        part = side[0, 0, height // 2 - 2 : height // 2 + 2, width // 2 - 3 : width // 2 + 3].numpy()
        spread = float(arrays[f"{kept}__std"])
        np.testing.assert_allclose(part, arrays[f"{kept}__slice"][0], atol=TOLERANCE * spread)
        assert float(side.double().mean()) == pytest.approx(float(arrays[f"{kept}__mean"]), abs=TOLERANCE * spread)


def test_both_kinds_of_files_are_read(model, tmp_path):
    state = model.network.state_dict()
    torch.save(state, tmp_path / "a.pth")
    arrays = {stored_name(name): value.numpy() for name, value in state.items() if "tracked" not in name}
    writers.write_paddle(tmp_path / "a.pdparams", arrays)
    image = pictures(1, 50, 70)[0]
    expected = model(image)
    for name in ("a.pth", "a.pdparams"):
        np.testing.assert_array_equal(salbox.load("scfnet", weights=tmp_path / name)(image), expected)
    assert {"scfnet", "scfnet.r50", "scfnet.v16", "scfnet.swinb"} <= set(salbox.list_models(task="object"))


def test_wrong_files_are_refused(model, tmp_path, cli):
    with torch.device("meta"):
        names = SCFNet("resnet50").state_dict()
    path = writers.write_paddle(tmp_path / "r50.pdparams", {stored_name(n): np.zeros(1, np.float32) for n in names})
    with pytest.raises(salbox.WeightsError, match=r"not the weights of 'scfnet': it looks like those of scfnet\.r50"):
        salbox.load("scfnet", weights=path)
    with pytest.raises(salbox.WeightsError, match=r"r50\.pdparams: not the weights of SCFNet: "):
        salbox.load("scfnet.r50", weights=path)
    state = {stored_name(n): v.numpy() for n, v in model.network.state_dict().items() if "tracked" not in n}
    state["linear2.bias"] = np.full(1, np.nan, np.float32)
    writers.write_paddle(path, state)
    with pytest.raises(salbox.WeightsError, match=r"'linear2\.bias' holds numbers that are not finite"):
        salbox.load("scfnet", weights=path)
    photo = tmp_path / "photo.png"
    Image.fromarray(pictures(1, 9, 9)[0]).save(photo)
    code, _, said = cli("predict", photo, "-m", "scfnet.r50", "-o", tmp_path / "maps")
    assert code == 2
    assert said.count("\n") == 1
    assert "'scfnet.r50' needs weights: SCFNet_R50, a .pdparams" in said


@pytest.mark.parametrize("size", [(1, 1), (1, 300), (37, 20), (500, 40)])
def test_maps_are_probabilities_of_the_image_s_size(model, size):
    image = np.random.default_rng(0).integers(0, 256, (*size, 3), np.uint8)
    saliency = model(image)
    assert saliency.shape == size
    assert saliency.dtype == np.float32
    assert saliency.min() >= 0
    assert saliency.max() <= 1
    np.testing.assert_array_equal(model(image), saliency)


def test_the_gate_is_paddle_s():
    gate = Gate(8).eval()
    values = torch.randn(2, 8, 3, 5)
    with torch.no_grad():
        gate.conv2.weight.mul_(8)
        inner = gate.conv2(functional.relu(gate.conv1(functional.adaptive_avg_pool2d(values, 1))))
        expected = values * torch.where(inner <= -2.5, 0.0, torch.where(inner >= 2.5, 1.0, inner / 5 + 0.5))
        torch.testing.assert_close(gate(values), expected)


def test_features_are_fused_as_the_paper_says():
    """Convolutions and norms that do nothing, features that are constant: what is left are sums and products."""
    fusion = Fusion(1).eval()
    with torch.no_grad():
        for layer in (fusion.cv1, fusion.cv2, fusion.cv3):
            layer[0].weight.zero_()[0, 0, 1, 1] = 1
            layer[1].running_var.fill_(1 - layer[1].eps)
    fine, coarse, deepest = torch.tensor([[2.0, 3.0], [0.5, 0.0]])[None, None], torch.tensor([[[[5.0]]]]), 7.0
    found = fusion(fine, coarse, torch.full((1, 1, 1, 1), deepest))
    expected = (fine + fine * 5) + (5 + 5 * deepest)
    torch.testing.assert_close(found, expected)


def test_gradients_of_the_fusion():
    torch.manual_seed(0)
    fusion = Fusion(2).double().eval()
    for layer in (fusion.cv1, fusion.cv2, fusion.cv3):
        layer[2] = nn.Softplus()  # a ReLU has none where it begins
    sizes = (1, 2, 4, 6), (1, 2, 2, 3), (1, 2, 1, 2)
    given = [torch.rand(size, dtype=torch.float64, requires_grad=True) for size in sizes]
    assert torch.autograd.gradcheck(fusion, given)


@pytest.mark.parametrize("shape", [(75, 131), (1, 50), (400, 380)])
def test_the_graph_in_onnx_equals_the_network(model, shape, tmp_path_factory, monkeypatch):
    monkeypatch.setattr(SCFNetPredictor, "size", (96, 128))
    path = tmp_path_factory.getbasetemp() / "scfnet.onnx"
    if not path.exists():
        card = CARD
        export_model(salbox.Model(card, model, {}), path)
    image = pictures(1, *shape)[0]
    again = salbox.load(str(path))
    assert again.card.output == "probability"
    assert again.card.task == "object"
    assert spread_difference(again(image)[None, None], model(image)[None, None]) < TOLERANCE


def design(**keywords):
    with pytest.warns(WeightsWarning):
        return build_network("scfnet", ("one", "two"), **keywords)


def test_the_design_is_the_published_network(model):
    """On the published encoder, with its weights, at the published size."""
    with pytest.warns(WeightsWarning):
        made = build_network("scfnet", ("one",)).eval()
    assert made.arguments == {"encoder": MOBILENETV3, "size": [352, 352], "width": 16}
    assert made.output == "probability"
    assert learned(made) == learned(model.network) == 788_298
    state = model.network.state_dict()
    renamed = {
        f"encoder.{n.removeprefix('bkbone.')}" if n.startswith("bkbone.") else f"decoder.{n}": v
        for n, v in state.items()
    }
    made.load_state_dict(renamed)
    images = torch.from_numpy(pictures(1, 352, 352)).permute(0, 3, 1, 2).float()
    with torch.no_grad():
        found, expected = made.outputs(images), model.network.outputs(images)
        for mine, theirs in zip((found.main, *found.side), expected, strict=True):
            torch.testing.assert_close(mine, theirs, rtol=1e-5, atol=1e-4)
        torch.testing.assert_close(made.maps(images), model.network.maps(images))


@pytest.mark.parametrize("encoder", [MOBILENETV3, "tf_efficientnet_lite0"])
def test_all_outputs_of_the_design_teach_its_encoder(encoder, batch):
    network = design(encoder=encoder, width=24)
    batch = torch.cat([batch, batch.flip(3)])
    found = network.outputs(batch)
    assert network.side_outputs == ("stride 8", "stride 16", "stride 32")
    assert [tuple(logits.shape) for logits in (found.main, *found.side)] == [(2, 2, 64, 96)] * 4
    assert found.joined.shape == (2, 8, 64, 96)
    torch.testing.assert_close(network.eval().outputs(batch).main, network(batch))
    network.train()
    for logits in (found.main, *found.side):
        network.zero_grad()
        logits.square().mean().backward(retain_graph=True)
        stem = next(p for p in network.encoder_parameters() if p.ndim == 4)
        assert float(stem.grad.abs().sum()) > 0
    used = [p for p in network.parameters() if p.grad is not None]
    assert all(torch.isfinite(p.grad).all() for p in used)
    assert learned(network.decoder.cv1) == 24 * (9 * 24 + 3)
    assert network.decoder.cv1[0].dilation == (5, 5)


def test_photos_of_any_shape(batch):
    network = design(encoder="resnet18", width=8).eval()
    with torch.no_grad():
        assert network(batch[:, :, :61, :71]).shape == (1, 2, 64, 72)
        read = network.decoder_readout(network.decoder_features(batch))
        assert read.shape == (1, 2, 16, 24)
        torch.testing.assert_close(network.after_readout(read), network(batch))


def test_an_encoder_that_ends_at_stride_16_stands_for_stride_32_too(batch):
    network = design(encoder="tf_efficientnet_lite0", width=8, deepest=16).eval()
    assert network.arguments["deepest"] == 16
    assert learned(network.encoder) < learned(design(encoder="tf_efficientnet_lite0", width=8).encoder) / 4
    with torch.no_grad():
        for odd in (batch, batch[:, :, :36, :44], batch[:, :, :32, :80]):
            taps = network.taps(odd)
            assert list(taps) == ["stride2", "stride4", "stride8", "stride16", "stride32"]
            height, width = taps["stride16"].shape[-2:]
            assert taps["stride32"].shape[-2:] == (-(-height // 2), -(-width // 2))
            assert torch.equal(taps["stride32"].amax((2, 3)), taps["stride16"].amax((2, 3)))
            assert network(odd).shape[:2] == (1, 2)
    with pytest.raises(salbox.UsageError, match="deepest=8: expected 16 or 32"):
        build_network("scfnet", ("one",), deepest=8)


def test_photos_are_squeezed_where_it_is_asked_for(tmp_path):
    network = design(encoder="resnet18", width=8, size=(64, 96), squeezed=True)
    assert [network.preprocessing.working_size(*shape) for shape in ((300, 400), (900, 50))] == [(64, 96)] * 2
    assert design(encoder="resnet18", width=8, size=(64, 96)).preprocessing.working_size(900, 50) != (64, 96)
    save_weights(network, tmp_path / "student.safetensors")
    again = read_weights(tmp_path / "student.safetensors")
    assert again.preprocessing == network.preprocessing
    assert again.settings["squeezed"] is True


@pytest.mark.parametrize("keywords", [{}, {"encoder": "tf_efficientnet_lite0", "deepest": 16}])
def test_the_design_in_onnx_gives_its_main_maps(keywords, tmp_path):
    network = design(size=(64, 96), width=8, **keywords)
    lively(network)
    path = tmp_path / "network.onnx"
    export_onnx(network, path, dict.fromkeys(network.heads, salbox.card("scfnet")), {"one": "aim", "two": "bms"})
    again = salbox.network(str(path))
    images = torch.from_numpy(pictures(1, 64, 96)).permute(0, 3, 1, 2).float()
    with torch.no_grad():
        torch.testing.assert_close(again.maps(images), network.maps(images), rtol=1e-5, atol=1e-5)
    assert again.side_outputs == network.side_outputs


def test_the_encoder_may_end_early():
    made = make_encoder(MOBILENETV3, 16)
    assert made.channels == CHANNELS[:4] == (8, 16, 24, 56)
    features = made.network(torch.zeros(1, 3, 64, 96))
    assert [tuple(f.shape[1:]) for f in features] == [(8, 32, 48), (16, 16, 24), (24, 8, 12), (56, 4, 6)]
    assert len(made.network.blocks) == 12
    assert not list(made.network.state_dict().keys() - make_encoder(MOBILENETV3).network.state_dict().keys())


def test_its_name_stands_for_what_ships_and_weights_for_the_authors(model, tmp_path):
    photo = pictures(1, 60, 80)[0]
    shipped = salbox.load("scfnet")
    assert shipped.weights == Path(packaged("scfnet.onnx"))
    assert shipped.card == salbox.card("scfnet")
    assert "not the published network" in shipped.card.limits[0]
    assert shipped.card.weights_from == ""
    np.testing.assert_array_equal(shipped(photo), salbox.load(packaged("scfnet.onnx"))(photo))
    path = tmp_path / "m.pth"
    torch.save(model.network.state_dict(), path)
    authors = salbox.load("scfnet", weights=path)
    assert authors.card == CARD
    assert authors.weights == path
    assert np.abs(authors(photo) - shipped(photo)).max() > 0.01
    with pytest.raises(salbox.UsageError, match="comes with its weights; leave weights out"):
        salbox.load("scfnet", sha256="0" * 64)


def test_the_network_that_ships_can_be_trained_further_and_a_new_one_be_made():
    shipped = salbox.network("scfnet")
    assert shipped.arguments["encoder"] == "tf_efficientnet_lite0"
    assert len(shipped.heads) == 1
    with pytest.warns(WeightsWarning):
        assert salbox.network("scfnet", weights="none").arguments["encoder"] == MOBILENETV3
