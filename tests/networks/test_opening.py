"""`salbox.network`: every kind of network as a module that learns, in one mode, with features."""

from __future__ import annotations

import authors_files as files
import numpy as np
import pytest

import salbox

torch = pytest.importorskip("torch")
pytest.importorskip("onnx")

# ruff: noqa: E402 - what follows needs torch

from skimage import data

from salbox.models.cards import ModelCard
from salbox.networks import opening
from salbox.networks.encoders import WeightsWarning
from salbox.networks.export.onnx import export_onnx
from salbox.networks.trainable.base import TrainableNetwork
from salbox.networks.trainable.factory import NETWORKS, build_network, network_class
from salbox.networks.trainable.reload import with_one_head
from salbox.networks.trainable.saved import save_weights

OWN = """
from torch import nn

from salbox.networks.layers import Normalize
from salbox.networks.trainable.base import TrainableNetwork
from salbox.runtime.preprocessing import Preprocessing


class Tiny(TrainableNetwork):
    def __init__(self, heads, *, width=4):
        super().__init__("tiny", heads, Preprocessing("fixed", 32, 48))
        self.arguments = {"width": width}
        self.normalize = Normalize()
        self.encoder = nn.Conv2d(3, width, 3, padding=1)
        self.read = nn.Conv2d(width, len(heads), 1)

    def features(self, images):
        return {"encoder": self.encoder(self.normalize(images)).relu()}

    def forward(self, images):
        return self.read(self.features(images)["encoder"])


class NoNetwork:
    pass
"""


@pytest.fixture
def own(tmp_path, monkeypatch):
    """A module with a network of somebody's own, of a name that no other test has imported."""
    name = f"own_networks_{tmp_path.name}"
    (tmp_path / f"{name}.py").write_text(OWN)
    monkeypatch.syspath_prepend(tmp_path)
    return name


def is_open(network) -> bool:
    """Whether it is in evaluation mode, and all of it learns."""
    return not any(m.training for m in network.modules()) and all(p.requires_grad for p in network.parameters())


def learns(network, images) -> bool:
    """Whether a loss on its maps, or what it has for these, reaches all parameters but those of other outputs."""
    network.zero_grad()
    network(images).square().mean().backward()
    return all(p.grad is not None and torch.isfinite(p.grad).all() for p in network.parameters())


def photo(height=64, width=96):
    return torch.from_numpy(data.chelsea()[:height, :width].transpose(2, 0, 1).copy())[None].float()


def one_head_s_card(name, output="score"):
    return ModelCard(name, task="fixation", output=output)


@pytest.mark.parametrize("name", ["gaze", "gbvs.student", "unisal.people"])
def test_what_ships_is_read_back(name):
    """Its maps are those of the file, and training changes it and nothing else."""
    network = salbox.network(name)
    assert is_open(network)
    assert len(network.heads) == 1
    image = data.chelsea()
    seen = torch.from_numpy(network.preprocessing.prepare(image)).permute(2, 0, 1)[None].float()
    with torch.no_grad():
        found = network.maps(seen)[0, 0].numpy()
    model = salbox.load(name)
    coarse = salbox.load("gaze").function._network if name == "gaze" else model.network
    (maps,) = coarse.session.run({"image": network.preprocessing.prepare(image)[None]})
    expected = maps[0, coarse.heads.index(network.heads[0])]
    np.testing.assert_allclose(found, expected, atol=1e-4 * float(np.ptp(expected)))
    assert learns(network, seen)
    assert list(network.features(seen))[-1] == "decoder"
    assert torch.equal(salbox.network(name).maps(seen), salbox.network(name).maps(seen))


@pytest.mark.parametrize("name", NETWORKS)
def test_one_head_alone_gives_its_maps(name):
    arguments = {key: value for key, value in network_class(name).small.items() if key != "size"}
    with pytest.warns(WeightsWarning):
        network = build_network(name, ["a", "b", "c"], output="probability", **arguments).eval()
    with torch.no_grad():
        for parameter in network.parameters():  # none is like another
            parameter.add_(0.1 * torch.rand(parameter.shape, generator=torch.Generator().manual_seed(0)) - 0.05)
        alone, together = with_one_head(network, "b"), network.maps(photo())
        torch.testing.assert_close(alone.maps(photo()), together[:, 1:2], rtol=1e-4, atol=1e-5)
    assert (alone.heads, alone.output, alone.training) == (("b",), "probability", False)
    with pytest.raises(salbox.UsageError, match=r"no head 'd'.*it has a, b, c"):
        with_one_head(network, "d")


def test_files_and_run_folders_of_salbox(tmp_path):
    with pytest.warns(WeightsWarning):
        network = build_network("box", ["one", "two"], size=(64, 96), width=8, deepest=8, seed=3)
    run = tmp_path / "run"
    cards = {head: one_head_s_card(head) for head in network.heads}
    export_onnx(network.eval(), run / "student.onnx", cards, {"one": "one", "two": "two"})
    seen = photo()
    with torch.no_grad():
        expected = network.maps(seen)
    for name, heads in ((str(run), 2), (str(run / "student.onnx"), 2), (f"{run}#two", 1)):
        found = salbox.network(name)
        assert is_open(found)
        assert len(found.heads) == heads
        with torch.no_grad():
            torch.testing.assert_close(found.maps(seen), expected[:, -heads:])
    with pytest.raises(salbox.UsageError, match=r"no head 'three'.*it has one, two"):
        salbox.network(f"{run}#three")
    with pytest.raises(salbox.UsageError, match="is a file with its weights inside; leave weights out"):
        salbox.network(str(run), weights=run / "student.onnx")


def test_a_run_folder_s_weights_where_the_graph_holds_constants(tmp_path):
    run = tmp_path / "run"
    with pytest.warns(WeightsWarning):
        network = build_network("sam", ["people"], **network_class("sam").small).eval()
    export_onnx(network, run / "student.onnx", {"people": one_head_s_card("people")}, {"people": "people"})
    save_weights(network, run / "student.safetensors")  # of its priors the graph has the maps alone
    seen = photo()
    with torch.no_grad():
        for name in (str(run), str(run / "student.onnx"), f"{run}#people"):
            torch.testing.assert_close(salbox.network(name).maps(seen), network.maps(seen))


@pytest.mark.parametrize("name", ["box", "kdsalbox", "msinet", "unisal"])
def test_a_network_to_be_trained(name):
    with pytest.warns(WeightsWarning, match="random weights"):
        network = salbox.network(name, heads=["a", "b"], output="probability")
    assert isinstance(network, TrainableNetwork)
    assert is_open(network)
    assert (network.name, network.heads, network.output) == (name, ("a", "b"), "probability")
    assert learns(network, photo())


def test_first_weights():
    network = salbox.network("msinet", weights="imagenet", width=16)
    assert (network.heads, network.arguments["width"]) == (("saliency",), 16)
    assert network.init_note.startswith("encoder from EfficientNet-Lite0's")
    assert salbox.network("box", weights="shipped").init_note == "encoder from the network that salbox ships"
    with pytest.warns(WeightsWarning):
        assert salbox.network("gaze", weights="none", width=8).arguments["width"] == 8


@pytest.mark.parametrize("name", ["unisal", "msinet"])
def test_a_published_network_with_its_weights(name, shared, tmp_path):
    """A file is the published network's, whose design bears the same name."""
    weights = getattr(files, name)(shared, tmp_path)
    network = salbox.network(name, weights=weights)
    assert not isinstance(network, TrainableNetwork)
    assert is_open(network)
    seen = photo()
    features = network.features(seen)
    assert list(features)[-1] == "decoder"
    network(seen).square().mean().backward()
    encoder = network.cnn if name == "unisal" else network.encoder
    assert all(p.grad is not None for p in encoder.parameters())
    # Whoever loads the model anew has it as its authors left it.
    assert not any(p.requires_grad for p in salbox.load(name, weights=weights).function.network.parameters())


def test_a_network_of_one_s_own(own):
    with pytest.warns(WeightsWarning):
        network = salbox.network(f"{own}:Tiny", heads=["a"], width=6)
    assert is_open(network)
    assert (network.name, network.settings) == (f"{own}:Tiny", {"width": 6, "output": "score"})
    assert learns(network, photo())
    with pytest.raises(salbox.UsageError, match=r"NoNetwork': expected a class made of salbox.*TrainableNetwork"):
        salbox.network(f"{own}:NoNetwork")
    with pytest.raises(salbox.UsageError, match="has no 'Tni'"):
        salbox.network(f"{own}:Tni")


def test_a_file_does_not_import_code(own, tmp_path, monkeypatch):
    """What an ONNX file names is imported by whoever reads it back, not by the reading."""
    import sys

    with pytest.warns(WeightsWarning):
        network = build_network(f"{own}:Tiny", ["a"])
    path = tmp_path / "tiny.onnx"
    export_onnx(network, path, {"a": one_head_s_card("a")}, {"a": "a"})
    assert salbox.load(str(path))(data.chelsea()).shape == (300, 451)  # it runs without the class
    assert torch.equal(salbox.network(str(path)).encoder.weight, network.encoder.weight)
    monkeypatch.delitem(sys.modules, own)
    with pytest.raises(salbox.WeightsError, match=f"is no part of salbox: import {own} first"):
        salbox.network(str(path))
    assert own not in sys.modules


@pytest.mark.parametrize(
    ("name", "arguments", "error", "message"),
    [
        ("gbvs", {}, salbox.UsageError, "model 'gbvs' is no PyTorch network"),
        ("ensemble:gaze+gbvs", {}, salbox.UsageError, "is several models: ask for the network of each"),
        ("boks", {}, salbox.UsageError, "no model 'boks'"),
        ("unisal", {"weights": "nowhere.pth"}, salbox.WeightsError, "nowhere.pth: no such file"),
        ("fastgaze", {}, salbox.WeightsError, "needs weights"),
        ("fastgaze", {"weights": "imagenet"}, salbox.UsageError, "no network 'fastgaze' to train"),
        ("gaze", {"heads": ["a"]}, salbox.UsageError, "'gaze' comes as it was trained: leave heads out"),
        ("gbvs.student", {"size": (64, 64)}, salbox.UsageError, "leave size out"),
        ("gaze", {"weights": "gaze.pth"}, salbox.UsageError, "comes with its weights; leave weights out"),
        ("box", {"widht": 8}, salbox.UsageError, "has no 'widht'; did you mean 'width'"),
        ("box", {"sha256": "00"}, salbox.UsageError, "have no sha256 to check"),
        ("box", {"device": "tpu"}, salbox.UsageError, "device 'tpu'"),
    ],
)
def test_what_cannot_be_opened_gets_one_line(name, arguments, error, message, monkeypatch):
    monkeypatch.delenv("SALBOX_WEIGHTS", raising=False)
    with pytest.raises(error, match=message) as caught:
        salbox.network(name, **arguments)
    assert "\n" not in str(caught.value)


def test_without_pytorch_one_line_names_the_extra(monkeypatch):
    import sys

    monkeypatch.setitem(sys.modules, "timm", None)
    with pytest.raises(salbox.MissingExtraError) as caught:
        opening.network("box")
    assert str(caught.value) == "salbox.network needs an optional part of salbox: pip install 'salbox[train]'"


def test_importing_it_imports_no_torch():
    import subprocess
    import sys

    code = "import sys, salbox; salbox.network; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
