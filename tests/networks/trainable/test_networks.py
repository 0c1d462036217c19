"""Every trainable network: sizes, gradients, modes, and what goes in and out of it."""

from __future__ import annotations

import json

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from salbox.errors import UsageError  # noqa: E402
from salbox.networks.encoders import WeightsWarning  # noqa: E402
from salbox.networks.trainable.factory import NETWORKS, build_network, network_class, rebuild  # noqa: E402
from salbox.networks.transalnet import network as transalnet  # noqa: E402

# Convolutions before a batch norm that have a bias nevertheless, by network.
NORMED = {
    "kdsalbox": ("decoder.conv",),
    "u2net": (".conv_s1.",),
    "u2netp": (".conv_s1.",),
    "gcpanet": (".conv0.", ".conv1.", ".conv2.", ".conv3."),
}


@pytest.fixture(autouse=True)
def _narrow_transformers(monkeypatch):
    monkeypatch.setattr(transalnet.Decoder, "transformers", ((24, 3), (24, 3), (16, 2)))
    monkeypatch.setattr(transalnet.Decoder, "widths", (24, 24, 16, 8, 8, 8, 8))


def student(name: str, heads: tuple[str, ...] = ("a", "b"), **arguments):
    with pytest.warns(WeightsWarning):
        return build_network(name, heads, **{**narrow(name), **arguments})


def narrow(name: str) -> dict:
    """Return what gives a network fewer channels than published, at the size that it has."""
    return {key: value for key, value in network_class(name).small.items() if key != "size"}


def images(count: int, height: int, width: int):
    values = np.random.default_rng(0).integers(0, 256, (count, 3, height, width))
    return torch.from_numpy(values).float()


def enlarged(name: str, size: tuple[int, int]) -> tuple[int, int]:
    """Return a size for a network, twice as large where it needs it."""
    factor = network_class(name).smallest // 32
    return factor * size[0], factor * size[1]


@pytest.mark.parametrize("name", NETWORKS)
@pytest.mark.parametrize("size", [(32, 32), (64, 96), (33, 65), (47, 32)])
def test_maps_have_the_stated_size(name, size):
    network = student(name).eval()
    size = enlarged(name, size)
    with torch.no_grad():
        maps = network.maps(images(2, *size))
    if name == "kdsalbox":
        expected = tuple(-(-side // 32) * 32 for side in size)
    elif name == "scfnet":
        expected = tuple(-(-side // 4) * 4 for side in size)
    else:
        expected = tuple(side // network.covered * network.covered / network.stride for side in size)
    assert maps.shape == (2, 2, *expected)
    assert maps.dtype == torch.float32
    maps = maps.exp() if network.output == "log_density" else maps
    assert ((maps >= 0) & (maps <= 1)).all()


@pytest.mark.parametrize("name", NETWORKS)
@pytest.mark.parametrize("value", [0.0, 128.0, 255.0])
def test_one_colour_gives_finite_maps(name, value):
    network = student(name).eval()
    with torch.no_grad():
        assert torch.isfinite(network(torch.full((1, 3, 64, 64), value))).all()


@pytest.mark.parametrize("name", NETWORKS)
def test_every_parameter_learns(name):
    network = student(name)
    for module in network.modules():
        if isinstance(module, torch.nn.BatchNorm2d) and not module.weight.any():
            torch.nn.init.ones_(module.weight)  # timm starts residual branches at zero, where nothing passes yet
    logits = network.outputs(images(2, 64, 64)).joined
    # The target tells the maps apart, so that no gradient cancels.
    target = torch.rand(logits.shape, generator=torch.Generator().manual_seed(0))
    torch.nn.functional.binary_cross_entropy_with_logits(logits, target).backward()
    without = [key for key, p in network.named_parameters() if p.grad is None or not p.grad.abs().sum() > 0]
    # A bias before a batch norm is taken away again by it.
    cancelled = {key for key in without if any(text in key for text in NORMED.get(name, ())) and key.endswith("bias")}
    assert set(without) == cancelled
    assert all(torch.isfinite(p.grad).all() for p in network.parameters() if p.grad is not None)


@pytest.mark.parametrize("name", NETWORKS)
def test_heads_have_channels_of_their_own(name):
    network = student(name, ("a", "b", "c", "d", "e")).eval()
    network(images(1, *enlarged(name, (32, 32))))[:, 1].sum().backward()
    if hasattr(network, "head_layers"):
        grads = [
            sum(float(p.grad.abs().sum()) for p in head.parameters() if p.grad is not None)
            for head in network.head_layers
        ]
    else:  # the last convolution, which alone has five outputs
        last = [p.grad for p in network.parameters() if p.grad is not None and p.ndim == 4 and len(p) == 5][-1]
        grads = last.abs().sum(dim=(1, 2, 3)).tolist()
    assert [g > 0 for g in grads] == [False, True, False, False, False]


@pytest.mark.parametrize("name", NETWORKS)
def test_evaluation_repeats_itself_and_batches_do_not_matter(name):
    network = student(name).eval()
    batch = images(3, 64, 64)
    with torch.no_grad():
        together, again, alone = network(batch), network(batch), network(batch[1:2])
    assert torch.equal(together, again)
    torch.testing.assert_close(together[1:2], alone, rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("name", NETWORKS)
def test_training_mode_is_as_the_seed_has_it(name):
    def maps():
        network = student(name, seed=3)
        torch.manual_seed(0)  # of what is dropped
        return network(images(2, *enlarged(name, (32, 64))))

    assert torch.equal(maps(), maps())


@pytest.mark.parametrize("name", NETWORKS)
def test_a_network_is_made_again_from_its_settings_and_state(name, tmp_path):
    network = student(name, size=network_class(name).small.get("size", (64, 96)), output="log_density").eval()
    torch.save(network.state_dict(), tmp_path / "state.pt")
    settings = json.loads(json.dumps(network.settings))
    again = rebuild(name, network.heads, settings).eval()
    again.load_state_dict(torch.load(tmp_path / "state.pt", weights_only=True))
    assert (again.heads, again.preprocessing, again.output) == (network.heads, network.preprocessing, "log_density")
    assert again.settings == network.settings
    with torch.no_grad():
        assert torch.equal(again.maps(images(1, 64, 96)), network.maps(images(1, 64, 96)))


@pytest.mark.parametrize("name", NETWORKS)
def test_log_densities_sum_to_one(name):
    network = student(name, output="log_density").eval()
    with torch.no_grad():
        total = network.maps(images(2, 64, 64)).double().exp().sum(dim=(2, 3))
    torch.testing.assert_close(total, torch.ones_like(total), rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("name", NETWORKS)
def test_probabilities_are_each_pixel_s_own(name):
    """Whatever a network's own kind: the sigmoid, pixel by pixel."""
    network = student(name, output="probability").eval()
    with torch.no_grad():
        found, logits = network.maps(images(2, 64, 64)), network(images(2, 64, 64))
    torch.testing.assert_close(found, 1 / (1 + torch.exp(-logits)))
    assert network.settings["output"] == "probability"


@pytest.mark.parametrize("name", NETWORKS)
def test_a_frozen_encoder_stays_as_it_is(name):
    network = student(name)
    network.freeze_encoder()
    network.train()
    before = {key: value.clone() for key, value in network.encoder.state_dict().items()}
    optimizer = torch.optim.SGD([p for p in network.parameters() if p.requires_grad], lr=1.0)
    network(images(2, 64, 64)).square().mean().backward()
    optimizer.step()
    assert all(torch.equal(value, before[key]) for key, value in network.encoder.state_dict().items())
    network.freeze_encoder(False)
    network.zero_grad()
    network(images(2, 64, 64)).square().mean().backward()
    assert all(p.grad is not None for p in network.encoder_parameters())
    assert not all(torch.equal(value, before[key]) for key, value in network.encoder.state_dict().items())


@pytest.mark.parametrize("name", NETWORKS)
def test_encoder_and_decoder_share_the_parameters_out(name):
    network = student(name)
    encoder, decoder = list(network.encoder_parameters()), list(network.decoder_parameters())
    assert encoder
    assert decoder
    assert {id(p) for p in encoder} | {id(p) for p in decoder} == {id(p) for p in network.parameters()}
    assert len(encoder) + len(decoder) == len(list(network.parameters()))


@pytest.mark.parametrize("name", NETWORKS)
def test_features_run_from_coarse_sizes_to_what_the_heads_see(name):
    network = student(name).eval()
    with torch.no_grad():
        features = network.features(images(1, 64, 96))
        logits = network(images(1, 64, 96))
    assert all(f.ndim == 4 and f.shape[0] == 1 for f in features.values())
    last = list(features.values())[-1]
    # By how much what is read off is enlarged.
    factor = {"unisal": 8, "dgii": 4, "scfnet": 4, "samnet": 2, "gcpanet": 4}.get(name, 1)
    assert tuple(factor * side for side in last.shape[-2:]) == logits.shape[-2:]


def test_variant_b_branches_at_its_last_layer():
    network = student("resnet18-b").eval()
    with torch.no_grad():
        found = network.outputs(images(1, 64, 64))
        saliency, (feature,) = found.main, found.side
        assert torch.equal(saliency, network(images(1, 64, 64)))
        assert torch.equal(found.joined, torch.cat([saliency, feature], dim=1))
    assert feature.shape == saliency.shape
    assert not torch.equal(feature, saliency)
    shared = {n.split(".")[0] for n, _ in network.named_parameters()} - {"saliency", "feature"}
    assert shared == {"encoder", "decoder"}


@pytest.mark.parametrize(
    ("name", "low", "high"),
    [
        ("kdsalbox", 10_448_833, 10_448_833),
        ("resnet18-a", 11_500_000, 12_500_000),
        ("resnet18-b", 11_500_000, 12_500_000),
        ("box", 550_000, 600_000),
    ],
)
def test_parameters(name, low, high):
    with pytest.warns(WeightsWarning):
        network = build_network(name, ("a",))
    assert low <= sum(p.numel() for p in network.parameters()) <= high


@pytest.mark.parametrize(
    ("arguments", "shape"),
    [
        ({"stride": 4}, (16, 24)),
        ({"stride": 8}, (8, 12)),
        ({"width": 8, "head_width": 4}, (32, 48)),
        ({"deepest": 4}, (32, 48)),
        ({"deepest": 16, "stride": 8}, (8, 12)),
        ({"detail": 8}, (16, 24)),
    ],
)
def test_box_takes_another_stride_and_width(arguments, shape):
    network = student("box", **arguments).eval()
    with torch.no_grad():
        assert network(images(1, 64, 96)).shape == (1, 2, *shape)
    assert rebuild("box", network.heads, network.settings).settings == network.settings


@pytest.mark.parametrize("deepest", [2, 8, 12])
def test_box_looks_at_something_coarser_than_what_it_draws(deepest):
    with pytest.raises(UsageError, match=f"deepest={deepest}: expected one of"):
        build_network("box", ["a"], stride=8, deepest=deepest)


@pytest.mark.parametrize("size", [(192, 256), (256, 192), (77, 101), (131, 66)])
@pytest.mark.parametrize("encoder", ["mobilenetv2", "mobilenetv3_small_050"])
def test_details_have_the_decoder_s_size(encoder, size):
    network = student("box", ("a",), encoder=encoder, detail=4).eval()
    plain = student("box", ("a",), encoder=encoder).eval()
    with torch.no_grad():
        expected = plain(torch.zeros(1, 3, size[0] // 2, size[1] // 2)).shape
        assert network(images(1, *size)).shape == expected


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"detail": -1}, "detail=-1: expected a whole number, at least 0"),
        ({"detail": "fine"}, "detail='fine': expected a whole number"),
        ({"detail": 8, "stride": 4}, "detail=8, stride=4: details need stride=2"),
        ({"width": 0}, "width=0: expected a whole number, at least 1"),
        ({"head_width": 1.5}, "head_width=1.5: expected a whole number"),
    ],
)
def test_box_of_widths_that_cannot_be(arguments, message):
    with pytest.raises(UsageError, match=message):
        build_network("box", ["a"], **arguments)


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("kdsalbox", (64 / 255, 128 / 255, 1.0)),
        ("box", (64 / 127.5 - 1, 128 / 127.5 - 1, 1.0)),
        ("resnet18-a", ((64 / 255 - 0.485) / 0.229, (128 / 255 - 0.456) / 0.224, (1 - 0.406) / 0.225)),
    ],
)
def test_pixels_are_normalised_as_the_encoder_expects(name, expected):
    pixel = torch.tensor([64.0, 128.0, 255.0]).reshape(1, 3, 1, 1)
    assert student(name).normalize(pixel).flatten().tolist() == pytest.approx(expected, rel=1e-6)
