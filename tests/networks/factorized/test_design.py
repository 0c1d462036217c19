"""Any trainable network with its last features as sums of bases, beside the same sums written out."""

from __future__ import annotations

import json
import warnings

import numpy as np
import pytest

torch = pytest.importorskip("torch")
pytest.importorskip("lightning")

# ruff: noqa: E402 - what follows needs torch

from salbox.errors import UsageError
from salbox.losses import WeightedLoss
from salbox.models.cards import ModelCard
from salbox.networks.export.onnx import export_onnx
from salbox.networks.factorized.design import Factorized, factorize, second_phase
from salbox.networks.factorized.gains import logit_gains
from salbox.networks.trainable.base import TrainableNetwork
from salbox.networks.trainable.factory import NETWORKS, build_network, network_class, rebuild
from salbox.networks.trainable.saved import read_weights, save_weights
from salbox.networks.transalnet import network as transalnet
from salbox.runtime.network import open_network
from salbox.runtime.preprocessing import Preprocessing
from salbox.training.batches import Batch
from salbox.training.frozen_features import encoded


@pytest.fixture(autouse=True)
def _narrow_transformers(monkeypatch):
    monkeypatch.setattr(transalnet.Decoder, "transformers", ((24, 3), (24, 3), (16, 2)))
    monkeypatch.setattr(transalnet.Decoder, "widths", (24, 24, 16, 8, 8, 8, 8))


def network(name: str, heads=("a",)) -> TrainableNetwork:
    narrow = {key: value for key, value in network_class(name).small.items() if key != "size"}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return build_network(name, heads, **narrow).eval()


def images(height=64, width=96):
    values = np.random.default_rng(0).integers(0, 256, (2, 3, height, width))
    return torch.from_numpy(values).float()


@pytest.mark.parametrize("name", NETWORKS)
def test_reading_off_the_last_features_is_what_a_network_does(name):
    own = network(name, ("a", "b"))
    with torch.no_grad():
        decoded = own.decoder_features(images())
        assert torch.equal(own.after_readout(own.decoder_readout(decoded)), own(images()))
        read = own.decoder_readout(decoded)
    assert read.shape[:2] == (2, 2)
    assert read.shape[2:] == decoded.shape[2:]


@pytest.mark.parametrize("name", ["gaze", "unisal", "dgii"])
def test_both_phases_as_they_are_written_in_the_paper(name):
    first = factorize(network(name), 5, seed=1).eval()
    second = second_phase(first, seed=2).eval()
    with torch.no_grad():
        v = first.network.decoder_features(images())
        p = first.bases.weight
        alpha = 1 / (1 + torch.exp(-torch.einsum("bchw,nc->bnhw", v, p)))
        torch.testing.assert_close(first.probabilities(images()), alpha)
        torch.testing.assert_close(second.probabilities(images()), alpha)
        again = torch.einsum("bnhw,nc->bchw", alpha, p)
        expected = first.network.after_readout(first.network.decoder_readout(again))
        torch.testing.assert_close(first(images()), expected, rtol=1e-4, atol=1e-4)
        padded = torch.nn.functional.pad(alpha, (1, 1, 1, 1))
        kernel = second.weights.weight
        patches = padded.unfold(2, 3, 1).unfold(3, 3, 1)
        read = torch.einsum("bnhwij,knij->bkhw", patches, kernel)
        if name == "unisal" and first.network.decoder.get_parameter("smoothing_student.weight").sum() < 0:
            read = -read
        torch.testing.assert_close(second(images()), first.network.after_readout(read), rtol=1e-4, atol=1e-4)


def test_in_the_first_phase_all_learns_and_in_the_second_the_last_layer_alone():
    own = network("gaze")
    first = factorize(own, 5).train()
    first(images()).square().mean().backward()
    # Features that pass through bases do not change which parameters there are.
    without = [name for name, p in first.named_parameters() if p.grad is None]
    assert without == []
    second = second_phase(first).train()
    before = {name: value.clone() for name, value in second.state_dict().items()}
    optimizer = torch.optim.SGD([p for p in second.parameters() if p.requires_grad], lr=1.0)
    second(images()).square().mean().backward()
    optimizer.step()
    changed = [name for name, value in second.state_dict().items() if not torch.equal(value, before[name])]
    assert changed == ["weights.weight"]


def test_the_second_phase_splits_where_it_stops_learning():
    first = factorize(network("gaze"), 5).eval()
    second = second_phase(first).eval()
    with torch.no_grad():
        torch.testing.assert_close(second.decode(second.encode(images())), second(images()))
    second.freeze_encoder(True)
    second.freeze_encoder(False)  # which would be all but the last layer
    assert [name for name, p in second.named_parameters() if p.requires_grad] == ["weights.weight"]
    with pytest.raises(UsageError, match="in the first phase all of the network learns"):
        first.encode(images())


def test_the_features_that_are_kept_are_those_of_a_picture_s_data_set():
    """UniSal sees each data set in its own way: norms and Gaussians of its own."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        unisal = build_network("unisal", ("a",), size=(64, 96), domains=("one", "two"), init="none").eval()
    with torch.no_grad():
        for name, parameter in unisal.named_parameters():
            if "two" in name:
                parameter.add_(0.5)
    second = second_phase(factorize(unisal, 5)).eval()
    found = {}
    for domain in ("two", "one"):
        batch = Batch(images(), torch.zeros(2, 1, 8, 12), torch.ones(2, 1, dtype=torch.bool), None, domain)
        found[domain] = encoded(second, batch).features[0].float()
        unisal.choose_domain(domain)
        with torch.no_grad():
            torch.testing.assert_close(found[domain], unisal.decoder_features(images()), rtol=1e-3, atol=1e-3)
    assert not torch.allclose(found["one"], found["two"], atol=1e-2)


def unisal_of_two_minds() -> TrainableNetwork:
    """Return a UniSal of two data sets that sees the same in both; the second reads and smooths with turned signs."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        made = build_network("unisal", ("a",), size=(64, 96), domains=("one", "two"), init="none").eval()
    with torch.no_grad():
        for name, parameter in made.named_parameters():
            if "smoothing_one" in name:
                parameter.copy_(torch.full_like(parameter, 3 / parameter.numel()))  # which sums to 3
        values = dict(made.named_parameters())
        for name, parameter in made.named_parameters():
            if "_two" in name:
                sign = -1 if "smoothing" in name or "adaptation" in name else 1
                parameter.copy_(sign * values[name.replace("_two", "_one")])
    return made


def test_how_much_more_of_what_is_read_adds_to_the_logits():
    own = unisal_of_two_minds()
    for domain, gain in (("one", 3.0), ("two", -3.0)):
        own.choose_domain(domain)
        torch.testing.assert_close(logit_gains(own, 1), torch.tensor([gain]))
    torch.testing.assert_close(logit_gains(network("gaze"), 1), torch.ones(1))
    torch.testing.assert_close(logit_gains(network("box", ("a", "b")), 2), torch.ones(2))


def test_a_weight_means_the_same_in_each_data_set():
    """Else what the last layer learns from one, it unlearns from the other."""
    own = unisal_of_two_minds()
    first = factorize(own, 5).eval()
    second = second_phase(first).eval()
    maps = {}
    for domain in ("one", "two"):
        for made in (first, second):
            made.choose_domain(domain)
        with torch.no_grad():
            maps[domain] = first(images()), second(images())
    for found, expected in zip(maps["two"], maps["one"], strict=True):
        torch.testing.assert_close(found, expected, rtol=1e-4, atol=1e-5)
    with torch.no_grad():
        second.weights.weight += 0.1
        assert (second(images()) > maps["two"][1]).all()


def test_an_exported_file_holds_the_signs(tmp_path):
    second = second_phase(factorize(unisal_of_two_minds(), 5)).eval()
    second.choose_domain("two")
    path = tmp_path / "two.onnx"
    card = ModelCard("a", task="fixation", output="score")
    export_onnx(second, path, {"a": card}, {"a": "people"})
    image = images()[0].numpy().transpose(1, 2, 0).astype(np.uint8)
    with torch.no_grad():
        expected = second.maps(images()[:1])[0, 0].numpy()
    (found,) = open_network(path, threads=1).maps([image])
    np.testing.assert_allclose(found["a"], expected, atol=1e-3)


def test_the_last_layer_learns_from_two_data_sets_at_once():
    second = second_phase(factorize(unisal_of_two_minds(), 32)).train()
    encoded = second.encode(images())
    target = torch.zeros(2, 1, 64, 96)
    target[0, 0, 16:32, 16:48], target[1, 0, 32:48, 48:80] = 1, 1
    valid = torch.ones(2, 1, dtype=torch.bool)
    loss = WeightedLoss({"kl": 1.0}, output="log_density", given=("density",))
    optimizer = torch.optim.Adam([second.weights.weight], 0.01)
    losses = []
    for step in range(60):
        second.choose_domain(("one", "two")[step % 2])
        losses.append(loss(second.decode(encoded), {"density": target}, valid))
        optimizer.zero_grad()
        losses[-1].backward()
        optimizer.step()
    assert max(losses[-2:]) < 0.75 * losses[0]


def test_the_network_that_it_is_made_of_stays_as_it_is():
    own = network("box")
    before = {name: value.clone() for name, value in own.state_dict().items()}
    made = factorize(own, 3)
    with torch.no_grad():
        for parameter in made.parameters():
            parameter.add_(1)
    assert all(torch.equal(value, before[name]) for name, value in own.state_dict().items())


@pytest.mark.parametrize("name", ["box", "gaze"])
def test_it_is_kept_and_read_again(name, tmp_path):
    second = second_phase(factorize(network(name), 4, size=(64, 96))).eval()
    save_weights(second, tmp_path / "weights.safetensors")
    again = read_weights(tmp_path / "weights.safetensors").eval()
    assert isinstance(again, Factorized)
    assert again.settings == json.loads(json.dumps(second.settings))
    assert again.preprocessing == second.preprocessing
    with torch.no_grad():
        assert torch.equal(again.maps(images()), second.maps(images()))


def test_the_loss_is_the_published_one():
    """Prediction over its maximum, then over its sum; KL with 1e-7, NSS with N - 1: a thousandth of difference."""
    rng = torch.Generator().manual_seed(0)
    logits = torch.randn(3, 1, 20, 30, generator=rng)
    density = torch.rand(3, 1, 20, 30, generator=rng) ** 4
    fixations = (torch.rand(3, 1, 20, 30, generator=rng) > 0.98).float()
    ours = WeightedLoss({"nss": 1, "kl": 10, "cc": 2}, given=("density", "fixations"))
    found = ours(logits, {"density": density, "fixations": fixations}, torch.ones(3, 1, dtype=torch.bool))
    eps, total = 1e-7, 0.0
    for s, d, f in zip(torch.sigmoid(logits).double(), density.double(), fixations.double(), strict=True):
        s = s / s.max()
        s, d = s / s.sum(), d / d.sum()
        kl = (d * torch.log(eps + d / (s + eps))).sum()
        a, b = s - s.mean(), d - d.mean()
        cc = (a * b).sum() / torch.sqrt((a * a).sum() * (b * b).sum() + eps**2)
        nss = ((s - s.mean()) / s.std() * f).sum() / f.sum()
        total += (-nss + 10 * kl - 2 * cc) / 3
    assert found.item() - 2 == pytest.approx(float(total), rel=1e-3)  # ours is 2 (1 - CC)


class Silent(TrainableNetwork):
    """A network of a user's own that does not say how it reads maps off its features."""

    def __init__(self, heads):
        super().__init__("silent", heads, Preprocessing("fixed", 32, 32))
        self.encoder = torch.nn.Conv2d(3, 2, 3, padding=1)
        self.normalize = torch.nn.Identity()

    def features(self, images):
        return {"encoder": self.encoder(images)}

    def forward(self, images):
        return self.features(images)["encoder"][:, :1]


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: Factorized(["a"], bases=0), "bases=0: expected a whole number"),
        (lambda: Factorized(["a"], readout="mine"), "readout='mine': expected own or bases"),
        (lambda: Factorized(["a"], network="factorized"), "not factorised itself"),
        (lambda: Factorized(["a"], network="boxx"), "no network 'boxx'"),
        (lambda: rebuild("factorized", ["a"], {"bases": 1 << 30}), "numbers, more than networks have"),
        (lambda: Silent(["a"]).decoder_readout(images()), r"does not say how its maps are read off features"),
    ],
)
def test_what_cannot_be_is_refused(make, message):
    with pytest.raises(UsageError, match=message):
        make()
