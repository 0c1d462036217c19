"""Heads that see more of a picture than the decoder shows them: which do, and what becomes of the others."""

from __future__ import annotations

import numpy as np
import pytest

torch = pytest.importorskip("torch")

import salbox  # noqa: E402
from salbox.errors import UsageError  # noqa: E402
from salbox.networks.export.onnx import export_onnx, largest_difference  # noqa: E402
from salbox.networks.trainable.box import Box  # noqa: E402
from salbox.networks.trainable.branched_box import BranchedBox  # noqa: E402
from salbox.networks.trainable.factory import rebuild  # noqa: E402
from salbox.networks.trainable.growing import regrown, with_branch  # noqa: E402
from salbox.networks.trainable.numbers import CHANNELS  # noqa: E402
from salbox.networks.trainable.reload import read_exported, with_one_head  # noqa: E402
from salbox.networks.trainable.sight import SIGHTS  # noqa: E402

SMALL = {"encoder": "mobilenetv2_035", "size": (64, 96), "width": 8, "head_width": 4, "deepest": 16}

pytestmark = pytest.mark.parametrize("sight", SIGHTS)


def images(height: int = 96, width: int = 128, count: int = 1):
    values = np.random.default_rng(0).integers(0, 256, (count, 3, height, width))
    return torch.from_numpy(values).float()


def made(heads, **arguments):
    """Return a box whose every number is its own."""
    torch.manual_seed(0)
    network = Box(heads, **SMALL, **arguments)
    with torch.no_grad():
        for values in network.state_dict().values():
            if values.is_floating_point():
                values.add_(0.05 * torch.rand_like(values))
    return network.eval()


def test_only_the_head_that_is_named_sees_more(sight):
    plain, network = made(["a", "b"]), made(["a", "b"], sees={"b": sight})
    trunk = {name: values for name, values in plain.state_dict().items() if not name.startswith("head_layers.1")}
    network.load_state_dict(trunk, strict=False)
    seen = images(64, 96, 2)
    with torch.no_grad():
        found = network(seen)
        assert torch.equal(found[:, :1], plain(seen)[:, :1])
        single = with_one_head(network, "b")
        torch.testing.assert_close(single(seen), found[:, 1:])
        torch.testing.assert_close(single.decoder_readout(single.decoder_features(seen)), found[:, 1:])
        assert single.decoder_features(seen).shape[1] == SMALL["width"] + CHANNELS
        assert with_one_head(network, "a").decoder_features(seen).shape[1] == SMALL["width"]
    with pytest.raises(UsageError, match="heads look at different features"):
        network.decoder_readout(seen)


def test_the_size_of_its_maps_is_known_without_computing_them(sight):
    network = made(["a", "b"], sees={"b": sight})
    assert network.map_size(96, 128) == made(["a"]).map_size(96, 128)


def test_mixed_precision_leaves_it_single(sight):
    network = made(["a"], sees={"a": sight}).head_layers[0].sight
    with torch.no_grad():
        expected = network(images())
        with torch.autocast("cpu", torch.bfloat16):
            assert torch.equal(network(images()), expected)


def test_what_it_has_learns(sight):
    network = made(["a", "b"], sees={"b": sight}).train()
    network(images(64, 96, 2))[:, 1].square().mean().backward()
    own = network.head_layers[1].named_parameters()
    learned = {name: values.grad for name, values in own if name.startswith(("sight", "direct"))}
    assert all(gradient.abs().max() > 0 for gradient in learned.values()), learned
    assert len(learned) == {"spectrum": 4, "conspicuity": 1}[sight]


def test_beside_a_branch(sight):
    branch = {"rows": (2, 1, 1), "branch_width": 8, "branch_head_width": 4}
    trained, alone = made(["a", "b"], sees={"b": sight}), BranchedBox(["p"], branch=["p"], **SMALL, **branch).eval()
    trunk = trained.encoder.state_dict()
    alone.encoder.load_state_dict({name: trunk[name] for name in alone.encoder.state_dict()})
    grown, seen = with_branch(trained, alone), images(64, 96, 2)
    with torch.no_grad():
        assert torch.equal(grown(seen)[:, :2], trained(seen))
        torch.testing.assert_close(with_one_head(grown, "b")(seen), trained(seen)[:, 1:])


@pytest.mark.parametrize("detail", [0, 4])
def test_it_is_exported_and_read_back(sight, detail, tmp_path):
    network = made(["a", "b"], sees={"b": sight}, detail=detail)
    cards = dict.fromkeys(network.heads, salbox.card("gaussian"))
    export_onnx(network, tmp_path / "a.onnx", cards, dict.fromkeys(network.heads, "gaussian"))
    assert largest_difference(network, tmp_path / "a.onnx") < 1e-3
    again = read_exported(tmp_path / "a.onnx")
    assert again.settings == network.settings
    assert all(torch.equal(values, network.state_dict()[name]) for name, values in again.state_dict().items())
    assert (
        rebuild("box", ["b"], network.settings).state_dict().keys() == with_one_head(network, "b").state_dict().keys()
    )


@pytest.mark.parametrize("sees", ["a", {"a": "everything"}])
def test_what_cannot_be_seen(sight, sees):
    with pytest.raises(UsageError, match=rf"sees={sees!r}: expected heads, each with one of .*{sight}"):
        Box(["a"], **SMALL, sees=sees)


def test_it_stays_where_details_are_added(sight):
    trained = made(["a", "b"], sees={"b": sight})
    grown = regrown(trained, {"detail": 4})
    before = trained.head_layers.state_dict()
    assert all(torch.equal(values, before[name]) for name, values in grown.head_layers.state_dict().items())
    assert grown.settings == {**trained.settings, "detail": 4}
