"""DeepGaze IIE against its authors' program, run with generated weights on one photo of OSIE."""

from __future__ import annotations

import authors_files as files
import numpy as np
import pytest
from generated_weights import arrays_of, facts_of, saved_every

torch = pytest.importorskip("torch")

# ruff: noqa: E402 - what follows needs torch

import timm
from torchvision.models import densenet201, resnet50, resnext50_32x4d

import salbox
from salbox.networks.deepgaze.efficientnet_b5 import EfficientNetB5
from salbox.networks.deepgaze.layers import LayerNorm
from salbox.networks.deepgaze.tapped import TappedDenseNet201, TappedResNet
from salbox.networks.deepgaze2e.network import BACKBONES, DeepGazeIIE, SaliencyReadout, covered
from salbox.networks.deepgaze2e.predictor import DeepGazeIIEPredictor

TOLERANCE = 1e-4  # of the map's range
CLASSIFIERS = 3 * (2048 * 1000 + 1000) + (1920 * 1000 + 1000)


@pytest.fixture(scope="module")
def model():
    torch.manual_seed(0)
    network = DeepGazeIIE(components=2)
    with torch.no_grad():
        for name, value in network.named_parameters():
            if "_networks." in name and value.ndim == 4:
                value.normal_(0, (2 / value[0].numel()) ** 0.5)
    return DeepGazeIIEPredictor(network, "nowhere")


@pytest.fixture
def two_threads():
    """As the oracle's run: with its weights rounding, which depends on the threads, grows on the way."""
    before = torch.get_num_threads()
    torch.set_num_threads(2)
    yield
    torch.set_num_threads(before)


def image(height: int, width: int) -> np.ndarray:
    return np.random.default_rng(height * width).integers(0, 256, (height, width, 3), np.uint8)


def test_names_and_shapes_are_the_authors(shared):
    facts = facts_of(shared, "deepgaze2e")
    with torch.device("meta"):
        network = DeepGazeIIE()
    own = {key: [list(t.shape), str(t.dtype)] for key, t in network.state_dict().items()}
    theirs = {key: [shape, f"torch.{dtype}"] for key, shape, dtype in facts["keys"]}
    unread = {key for key in theirs if key.startswith(DeepGazeIIEPredictor.unused)}
    assert len(theirs) == 5461
    assert len(unread) == 2 * len(DeepGazeIIEPredictor.unused)
    assert own == {key: value for key, value in theirs.items() if key not in unread}
    assert sum(p.numel() for p in network.parameters()) + CLASSIFIERS == facts["n_params"]


@pytest.mark.slow
def test_equals_the_authors_program(shared, tmp_path, two_threads):
    arrays = arrays_of(shared, "deepgaze2e")
    np.save(tmp_path / "bias.npy", files.deepgaze_center_bias(600, 800))
    model = DeepGazeIIEPredictor.load(files.deepgaze2e(shared, tmp_path))
    photo = salbox.read_image(files.photo_path(shared))

    seen = {}
    for number, part in enumerate(model.network.models):
        part.saliency_networks[0].register_forward_hook(lambda _, __, result, n=number: seen.update({n: result}))
        network = part.get_submodule(part._network)
        network.register_forward_hook(lambda _, __, result, n=number: seen.update({f"layers {n}": result}))
    saliency = model(photo, center_bias=tmp_path / "bias.npy")

    def away(values, name):
        """How far values are from the oracle's few, as a share of its deviation."""
        rows, columns = values.shape[2] // 2 - 2, values.shape[3] // 2 - 3
        part = values[0, :3, rows : rows + 4, columns : columns + 6].numpy()
        key = f"osie1001__feat__{name}"
        return np.abs(part - arrays[f"{key}__slice"]).max() / float(arrays[f"{key}__std"])

    for number, backbone in enumerate(BACKBONES):
        layers = seen[f"layers {number}"]
        assert list(layers) == sorted(backbone.layers, key=list(layers).index)
        for name, values in layers.items():
            if name != "_blocks.35._project_conv":
                assert away(values, f"models.{number}.features.features.{backbone.prefix}.{name}") < 1e-3
        if number != 1:
            assert away(seen[number], f"models.{number}.saliency_networks.0") < 1e-4
    if away(seen["layers 1"]["_blocks.26._depthwise_conv"], "models.1.features.features.1._blocks.26._depthwise_conv"):
        pytest.skip("this processor rounds otherwise than the oracle's, which EfficientNet with its weights amplifies")
    found, expected = saved_every(arrays, "osie1001", saliency)
    assert np.abs(found - expected).max() <= TOLERANCE * np.ptp(expected)


@pytest.mark.slow
@pytest.mark.parametrize("size", [(1, 1), (65, 130), (200, 3)])
def test_maps_are_densities_of_the_image_s_size(model, size):
    saliency = model(image(*size))
    assert saliency.shape == size
    assert saliency.dtype == np.float32
    assert np.exp(saliency.astype(np.float64)).sum() == pytest.approx(1, abs=1e-4)


def test_the_centre_bias_counts(model):
    pixels = image(64, 96)
    osie, uniform = model(pixels), model(pixels, center_bias="uniform")
    assert np.abs(osie - uniform).max() > 0.1
    np.testing.assert_array_equal(model(pixels, center_bias="osie"), osie)


def test_it_is_the_mean_of_all_densities(model):
    """Each readout by itself at full size, as the authors do; the model does it at half the size."""
    pixels = torch.from_numpy(image(66, 71).transpose(2, 0, 1).copy())[None].float()
    bias = torch.log_softmax(torch.rand(66 * 71), 0).reshape(1, 1, 66, 71)
    with torch.inference_mode():
        found = model.network(pixels, bias)
        whole = [p.finalizers for p in model.network.models]
        readouts = []
        hooks = [
            s.register_forward_hook(lambda _, __, result: readouts.append(result))
            for part in model.network.models
            for s in part.fixation_selection_networks
        ]
        try:
            model.network(pixels, bias)
        finally:
            for hook in hooks:
                hook.remove()
        finalizers = [finalizer for part in whole for finalizer in part]
        densities = [f(readout, bias).exp() for f, readout in zip(finalizers, readouts, strict=True)]
    assert len(densities) == 8
    torch.testing.assert_close(found, torch.stack(densities).mean(0).log(), rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("size", [(2, 3), (3, 2), (64, 65), (101, 200)])
def test_areas_are_what_nearest_neighbours_make(size):
    small = [side // 2 for side in size]
    numbers = torch.arange(float(small[0] * small[1])).reshape(1, 1, *small)
    enlarged = torch.nn.functional.interpolate(numbers, size=size, mode="nearest")
    counts = torch.bincount(enlarged.flatten().long()).reshape(small)
    torch.testing.assert_close(covered(small, size).exp(), counts.float())


@pytest.mark.parametrize(("make", "number"), [(resnet50, 0), (resnext50_32x4d, 3)])
def test_residual_networks_are_torchvision_s(make, number):
    torch.manual_seed(0)
    theirs = make(weights=None).eval()
    own = TappedResNet(make).eval()
    own.load_state_dict({k: v for k, v in theirs.state_dict().items() if not k.startswith("fc.")})
    _compare(own, theirs, BACKBONES[number].layers, 64)


def test_the_dense_network_is_torchvision_s():
    torch.manual_seed(0)
    theirs, own = densenet201(weights=None).eval(), TappedDenseNet201().eval()
    own.load_state_dict({k: v for k, v in theirs.state_dict().items() if not k.startswith("classifier.")})
    _compare(own, theirs, BACKBONES[2].layers, 64)


def _compare(own, theirs, names, side):
    expected = {}
    for name in names:  # copied, because torchvision's rectifiers work in place
        theirs.get_submodule(name).register_forward_hook(
            lambda _, __, result, name=name: expected.update({name: result.clone()})
        )
    images = torch.rand(1, 3, side, side)
    with torch.inference_mode():
        found = own(images, names)
        theirs(images)
    assert set(found) == set(names)
    for name in names:
        torch.testing.assert_close(found[name], expected[name], rtol=1e-4, atol=1e-4)


@pytest.mark.slow
def test_the_efficient_network_is_timm_s_where_both_pad_alike():
    """Where all sides are even the fixed padding is TensorFlow's, which timm has for any size."""
    torch.manual_seed(0)
    theirs, own = timm.create_model("tf_efficientnet_b5", pretrained=False).eval(), EfficientNetB5().eval()
    weights = [v for k, v in theirs.state_dict().items() if not k.startswith("classifier.")]
    own.load_state_dict(dict(zip(own.state_dict(), weights, strict=True)))
    expected = {}
    theirs.blocks[4][4].conv_dw.register_forward_hook(lambda _, __, result: expected.update({24: result}))
    theirs.blocks[5][8].conv_pwl.register_forward_hook(lambda _, __, result: expected.update({35: result}))
    images = torch.rand(1, 3, 128, 192)
    names = ("_blocks.24._depthwise_conv", "_blocks.35._project_conv")
    with torch.inference_mode():
        found = own(images, names)
        theirs(images)
    for name, number in zip(names, (24, 35), strict=True):
        spread = float(expected[number].std())
        torch.testing.assert_close(found[name] / spread, expected[number] / spread, rtol=1e-3, atol=1e-3)


def test_the_norm_is_pytorch_s():
    norm = LayerNorm(5)
    with torch.no_grad():
        norm.weight.copy_(torch.rand(5))
        norm.bias.copy_(torch.rand(5))
        values = torch.randn(2, 5, 3, 4)
        expected = torch.nn.GroupNorm(1, 5, eps=1e-12)
        expected.load_state_dict(norm.state_dict())
        torch.testing.assert_close(norm(values), expected(values))


def test_readouts_learn():
    readout = SaliencyReadout(6)
    readout(torch.randn(1, 6, 3, 4)).square().sum().backward()
    assert all(p.grad is not None and torch.isfinite(p.grad).all() for p in readout.parameters())


@pytest.mark.slow
def test_other_files_get_one_line(tmp_path):
    cases = {
        "dgii": (
            ["features.features.conv5_1.weight", "readout_network.conv0.weight", "finalizer.a"],
            "those of 'dgii'",
        ),
        "short": (["models.0.saliency_networks.0.a", "models.3.finalizers.0.a"], "lacks 'models.0.features"),
    }
    for name, (keys, message) in cases.items():
        torch.save({key: torch.zeros(1) for key in keys}, tmp_path / f"{name}.pth")
        with pytest.raises(salbox.WeightsError, match=message) as caught:
            DeepGazeIIEPredictor.load(tmp_path / f"{name}.pth")
        assert "\n" not in str(caught.value)
