"""What the decoder needs to see a picture as a whole."""

from __future__ import annotations

import numpy as np
import pytest

torch = pytest.importorskip("torch")

import salbox  # noqa: E402
from salbox.errors import UsageError  # noqa: E402
from salbox.networks.export.onnx import export_onnx, largest_difference  # noqa: E402
from salbox.networks.trainable.box import Box  # noqa: E402
from salbox.networks.trainable.context import Attention, Contrast, make_context, standard_scores  # noqa: E402
from salbox.networks.trainable.factory import rebuild  # noqa: E402


def features(*shape: int):
    return torch.from_numpy(np.random.default_rng(0).normal(3, 2, shape)).float()


def test_standard_scores_are_instance_norm():
    given = features(2, 6, 9, 7)
    expected = torch.nn.functional.instance_norm(given)
    torch.testing.assert_close(standard_scores(given), expected, rtol=1e-4, atol=1e-5)


def test_a_constant_channel_has_no_contrast():
    np.testing.assert_allclose(standard_scores(torch.full((1, 2, 4, 4), 7.0)).numpy(), 0, atol=1e-3)


def test_attention_is_that_of_pytorch():
    layer = Attention(8, heads=2).eval()
    layer.mix = torch.nn.Identity()
    given = features(2, 8, 3, 5)
    asked = layer.ask(standard_scores(given)).reshape(2, 3, 2, 4, 15).unbind(1)
    query, key, value = (part.transpose(-2, -1) for part in asked)
    found = torch.nn.functional.scaled_dot_product_attention(query, key, value)
    expected = given + found.transpose(-2, -1).reshape(given.shape)
    torch.testing.assert_close(layer(given), expected, rtol=1e-4, atol=1e-5)


def test_attention_is_for_coarse_features_alone():
    kinds = {stride: [type(part) for part in make_context("attention", 8, stride)] for stride in (2, 4, 8, 16, 32)}
    assert kinds[2] == []
    assert kinds[4] == kinds[8] == [Contrast]
    assert kinds[16] == kinds[32] == [Attention, Contrast]
    assert len(make_context("none", 8, 32)) == 0


@pytest.mark.parametrize("context", ["contrast", "attention"])
def test_a_far_corner_changes_the_whole_map(context):
    torch.manual_seed(0)
    network = Box(["a"], encoder="mobilenetv3_small_050", width=16, head_width=4, context=context).eval()
    image = torch.full((1, 3, 512, 512), 90.0)
    changed = image.clone()
    changed[:, :, :32, :32] = 255.0
    with torch.no_grad():
        difference = (network(image) - network(changed)).abs()
    assert difference[..., -8:, -8:].max() > 0


@pytest.mark.parametrize("context", ["contrast", "attention"])
def test_it_is_exported_and_built_again(context, tmp_path):
    torch.manual_seed(0)
    network = Box(["a"], encoder="mobilenetv3_small_050", width=16, head_width=4, context=context).eval()
    export_onnx(network, tmp_path / "a.onnx", {"a": salbox.card("gaussian")}, {"a": "gaussian"})
    assert largest_difference(network, tmp_path / "a.onnx") < 1e-3
    again = rebuild("box", ["a"], network.settings)
    assert again.state_dict().keys() == network.state_dict().keys()


def test_an_unknown_context_is_refused():
    with pytest.raises(UsageError, match="context='much': expected one of none, contrast, attention"):
        Box(["a"], encoder="mobilenetv3_small_050", context="much")
