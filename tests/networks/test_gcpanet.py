"""GCPANet: its size, its modules written out, and its maps; no output of its authors' program is at hand."""

from __future__ import annotations

import numpy as np
import pytest

torch = pytest.importorskip("torch")

# ruff: noqa: E402 - what follows needs torch

from torch import nn
from torch.nn import functional

import salbox
from salbox.networks.encoders import WeightsWarning
from salbox.networks.gcpanet.blocks import GlobalContext, HeadAttention, InterweavedAggregation, SelfRefinement
from salbox.networks.gcpanet.network import SIDES, GCPANet
from salbox.networks.gcpanet.predictor import GCPANetPredictor
from salbox.networks.trainable.factory import build_network


@pytest.fixture
def small():
    torch.manual_seed(0)
    return GCPANet(["saliency"], encoder="resnet18", width=8).eval()


def pointwise(module: nn.Module) -> tuple[dict[str, np.ndarray], dict[str, np.ndarray]]:
    """Leave of all kernels the middle, take the norms out, and return the matrices and biases."""
    matrices, biases = {}, {}
    for name, layer in list(module.named_children()):
        if isinstance(layer, nn.BatchNorm2d):
            setattr(module, name, nn.Identity())
            continue
        middle = torch.zeros_like(layer.weight)
        center = layer.weight.shape[-1] // 2
        middle[:, :, center, center] = torch.randn(layer.weight.shape[:2])
        layer.weight.data.copy_(middle)
        layer.bias.data.normal_()
        matrices[name] = middle[:, :, center, center].double().numpy()
        biases[name] = layer.bias.data.double().numpy()[:, None, None]
    return matrices, biases


def mixed(module, values, name):
    matrices, biases = module
    return np.einsum("oi,ihw->ohw", matrices[name], values) + biases[name]


def relu(values):
    return np.maximum(values, 0)


def picture(channels: int, *size: int) -> torch.Tensor:
    return torch.randn(1, channels, *size, generator=torch.Generator().manual_seed(channels))


def test_the_published_network_s_size():
    """67.06 million numbers (Zhang, Liang and Shi 2022, table 1)."""
    with torch.device("meta"):
        network = GCPANet(["saliency"])
    assert sum(p.numel() for p in network.parameters()) == 67_056_196


def test_context_flow_and_head_attention_written_out():
    torch.manual_seed(1)
    flow, attention = GlobalContext(3, 5, 4), HeadAttention(3, 4)
    of_flow, of_attention = pointwise(flow), pointwise(attention)
    values, deepest = picture(3, 4, 5), picture(5, 2, 2)
    with torch.no_grad():
        flowed, refined = flow(values, deepest)[0].numpy(), attention(values)[0].numpy()
    given, mean = values[0].double().numpy(), deepest[0].double().numpy().mean((1, 2), keepdims=True)
    gate = mixed(of_flow, relu(mixed(of_flow, mean, "conv1")), "conv2")
    np.testing.assert_allclose(flowed, relu(mixed(of_flow, given, "conv0")) / (1 + np.exp(-gate)), atol=1e-4)
    both = mixed(of_attention, given, "conv2")
    expected = relu(both[:4] * relu(mixed(of_attention, given, "conv0")) + both[4:])
    np.testing.assert_allclose(refined, expected, atol=1e-4)


def test_refinement_and_aggregation_written_out():
    torch.manual_seed(2)
    refinement, aggregation = SelfRefinement(4), InterweavedAggregation(3, 4)
    of_refinement, of_aggregation = pointwise(refinement), pointwise(aggregation)
    fine, coarse, context = picture(3, 4, 6), picture(4, 4, 6), picture(4, 4, 6).flip(3)  # nothing to enlarge
    with torch.no_grad():
        refined, woven = refinement(coarse)[0].numpy(), aggregation(fine, coarse, context)[0].numpy()
    given = coarse[0].double().numpy()
    smoothed = relu(mixed(of_refinement, given, "conv1"))
    both = mixed(of_refinement, smoothed, "conv2")
    np.testing.assert_allclose(refined, relu(both[:4] * smoothed + both[4:]), rtol=1e-4, atol=1e-4)
    details, semantics, whole = (
        relu(mixed(of_aggregation, values[0].double().numpy(), name))
        for name, values in (("conv0", fine), ("conv1", coarse), ("conv2", context))
    )
    parts = (
        mixed(of_aggregation, details, "conv_l") * semantics,
        mixed(of_aggregation, semantics, "conv_d1") * details,
        mixed(of_aggregation, whole, "conv_d2") * details,
    )
    expected = relu(mixed(of_aggregation, np.concatenate([relu(part) for part in parts]), "conv3"))
    np.testing.assert_allclose(woven, expected, rtol=1e-3, atol=1e-3)


def test_side_outputs_are_read_off_each_depth(small):
    images = 255 * torch.rand(1, 3, 64, 96)
    with torch.no_grad():
        found, features = small.outputs(images), small.features(images)
        for stride, readout, logits in (
            (4, small.linear2, found.main),
            (8, small.linear3, found.side[0]),
            (16, small.linear4, found.side[1]),
            (32, small.linear5, found.side[2]),
        ):
            read = readout(features[f"refined{stride}"])
            assert read.shape[-2:] == (64 // stride, 96 // stride)
            expected = functional.interpolate(read, size=(64, 96), mode="bilinear", align_corners=False)
            torch.testing.assert_close(logits, expected)
    assert len(found.side) == len(SIDES)


@pytest.mark.parametrize("size", [(1, 1), (1, 500), (3, 2), (300, 90)])
def test_maps_are_probabilities_of_the_image_s_size(small, size, monkeypatch):
    model = GCPANetPredictor(small, "nowhere")
    monkeypatch.setattr(model, "size", (32, 64))
    saliency = model(np.random.default_rng(0).integers(0, 256, (*size, 3), np.uint8))
    assert (saliency.shape, saliency.dtype) == (size, np.float32)
    assert 0 < saliency.min() <= saliency.max() < 1


@pytest.mark.slow
def test_a_checkpoint_under_the_authors_names(tmp_path):
    """A ResNet-50 of torchvision's names beside the decoder's."""
    torchvision = pytest.importorskip("torchvision")
    torch.manual_seed(0)
    network = GCPANet(["saliency"])
    whole = torchvision.models.resnet50(weights=None).state_dict()
    resnet = {k: v for k, v in whole.items() if not k.startswith("fc.")}
    decoder = {k: v for k, v in network.state_dict().items() if not k.startswith("encoder.")}
    torch.save({**{f"bkbone.{k}": v for k, v in resnet.items()}, **decoder}, tmp_path / "model.pth")
    model = GCPANetPredictor.load(tmp_path / "model.pth")
    for key, values in resnet.items():
        torch.testing.assert_close(model.network.encoder.state_dict()[key], values)
    images = 255 * torch.rand(1, 3, 64, 64)
    mean, std = (torch.tensor(v).reshape(1, 3, 1, 1) for v in ((124.55, 118.9, 102.94), (56.77, 55.97, 57.5)))
    torch.testing.assert_close(model.network.normalize(images), (images - mean) / std)


def test_a_file_of_scfnet_is_none_of_it(tmp_path):
    torch.save({f"{name}x": torch.zeros(1) for name in ("bkbone.blocks.", "mp.cv4.", "linear5.")}, tmp_path / "a.pth")
    with pytest.raises(salbox.WeightsError, match="not the weights of 'gcpanet': it looks like those of 'scfnet'"):
        GCPANetPredictor.load(tmp_path / "a.pth")


def test_one_step_of_training():
    """The sum of the losses of all four outputs, as its paper has it, becomes less."""
    with pytest.warns(WeightsWarning):
        network = build_network("gcpanet", ["a"], **GCPANet.small)
    images, mask = 255 * torch.rand(4, 3, 64, 64), torch.zeros(4, 1, 64, 64)
    mask[:, :, 16:48, 16:48] = 1
    optimizer = torch.optim.SGD(network.parameters(), lr=0.05)

    def loss():
        logits = network.outputs(images).joined
        return functional.binary_cross_entropy_with_logits(logits, mask.expand_as(logits))

    first = loss()
    first.backward()
    optimizer.step()
    assert loss() < first
