"""Every network: it is built, runs, learns, is exported and read back, with images of odd sizes.

Small where its constructor or its size can be made so. That a published network is the authors' is shown elsewhere.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import authors_files as files
import numpy as np
import pytest

torch = pytest.importorskip("torch")
pytest.importorskip("onnx")

# ruff: noqa: E402 - what follows needs torch

import salbox
from salbox.models.entries import PackagedCheckpoint
from salbox.models.model import Model
from salbox.models.registry import MODELS
from salbox.networks.attention_center.network import AttentionCenter
from salbox.networks.attention_center.predictor import AttentionCenterPredictor
from salbox.networks.backbones.resnet50 import ResNet50
from salbox.networks.backbones.swin_b import SwinB
from salbox.networks.checkpoints import BATCHES_TRACKED
from salbox.networks.deepgaze2e.network import DeepGazeIIE
from salbox.networks.deepgaze2e.predictor import DeepGazeIIEPredictor
from salbox.networks.dgii.network import DeepGazeII
from salbox.networks.dgii.predictor import DeepGazeIIPredictor
from salbox.networks.dinet import network as dinet
from salbox.networks.dinet.predictor import DINetPredictor
from salbox.networks.encoders import WeightsWarning
from salbox.networks.export.models import export_model
from salbox.networks.export.onnx import export_onnx, pictures, spread_difference
from salbox.networks.fastgaze.network import FastGaze
from salbox.networks.fastgaze.predictor import FastGazePredictor
from salbox.networks.gcpanet.network import GCPANet
from salbox.networks.gcpanet.predictor import GCPANetPredictor
from salbox.networks.kdsalbox.network import KDSalBox
from salbox.networks.kdsalbox.predictor import KDSalBoxPredictor
from salbox.networks.msinet import network as msinet
from salbox.networks.msinet.predictor import MSINetPredictor
from salbox.networks.salicon import network as salicon
from salbox.networks.salicon.predictor import SaliconPredictor
from salbox.networks.sam import network as sam
from salbox.networks.sam.predictor import SamPredictor
from salbox.networks.samnet.network import SAMNet
from salbox.networks.samnet.predictor import SAMNetPredictor
from salbox.networks.scfnet import network as scfnet
from salbox.networks.scfnet.predictor import (
    SCFNetPredictor,
    SCFNetR50Predictor,
    SCFNetSwinBPredictor,
    SCFNetV16Predictor,
)
from salbox.networks.trainable.factory import NETWORKS, build_network, encoder_of, network_class
from salbox.networks.trainable.reload import read_exported
from salbox.networks.transalnet import network as transalnet
from salbox.networks.transalnet.predictor import TranSalNetPredictor
from salbox.networks.u2net.network import U2Net, U2NetP
from salbox.networks.u2net.predictor import U2NetPPredictor, U2NetPredictor
from salbox.networks.unisal.network import UniSal
from salbox.networks.unisal.predictor import UniSalPredictor
from salbox.runtime.network import open_network

TOLERANCE = 1e-4  # of a map's range
SHAPES = [(33, 47), (131, 97), (1, 90)]
SIZE = (64, 96)


@dataclass(frozen=True)
class Published:
    """How a network is made, with its weights around it, and what it is called with.

    `refused` is the reason for which it is not exported, or empty; `last` as for `loud`.
    """

    make: Any
    predictor: Any
    takes: Any
    refused: str = ""
    last: str = ""
    shapes: tuple[tuple[int, int], ...] = tuple(SHAPES)


def pixels(*sizes: tuple[int, int]) -> tuple[Any, ...]:
    return tuple(torch.from_numpy(pictures(1, *size)).permute(0, 3, 1, 2).float() for size in sizes)


def with_bias(height: int, width: int) -> tuple[Any, ...]:
    return (*pixels((height, width)), torch.zeros(1, 1, height, width))


AROUND = "resizes and smooths around its network"
PUBLISHED = {
    "unisal": Published(UniSal, UniSalPredictor, lambda: pixels(SIZE)),
    "sam": Published(lambda: sam.Sam("vgg"), SamPredictor, lambda: pixels(SIZE)),
    "dgii": Published(DeepGazeII, DeepGazeIIPredictor, lambda: with_bias(33, 47)),
    # Of fewer pixels its norms see next to nothing, and what they divide by is rounding.
    "deepgaze2e": Published(
        lambda: DeepGazeIIE(1), DeepGazeIIEPredictor, lambda: with_bias(67, 95), shapes=((131, 97), (101, 157))
    ),
    "salicon": Published(salicon.Salicon, SaliconPredictor, lambda: pixels((65, 97), (32, 48))),
    "msinet": Published(msinet.MSINet, MSINetPredictor, lambda: pixels(SIZE)),
    "dinet": Published(dinet.DINet, DINetPredictor, lambda: pixels(SIZE), last="conv2d_7.weight"),
    "transalnet": Published(lambda: transalnet.TranSalNet(ResNet50(), SIZE), TranSalNetPredictor, lambda: pixels(SIZE)),
    "fastgaze": Published(FastGaze, FastGazePredictor, lambda: pixels((33, 47)), AROUND),
    "attention-center": Published(AttentionCenter, AttentionCenterPredictor, lambda: pixels(SIZE), AROUND),
    "scfnet": Published(scfnet.SCFNet, SCFNetPredictor, lambda: pixels(SIZE), last="linear2.weight"),
    "scfnet.r50": Published(
        lambda: scfnet.SCFNet("resnet50"), SCFNetR50Predictor, lambda: pixels(SIZE), last="linear2.weight"
    ),
    "scfnet.v16": Published(
        lambda: scfnet.SCFNet("vgg16"), SCFNetV16Predictor, lambda: pixels(SIZE), last="linear2.weight"
    ),
    "scfnet.swinb": Published(
        lambda: scfnet.SCFNet("swin-b", SIZE), SCFNetSwinBPredictor, lambda: pixels(SIZE), last="linear2.weight"
    ),
    "u2net": Published(lambda: U2Net(["map"], width=8), U2NetPredictor, lambda: pixels(SIZE)),
    "u2netp": Published(lambda: U2NetP(["map"], width=32), U2NetPPredictor, lambda: pixels(SIZE)),
    "samnet": Published(lambda: SAMNet(["map"]), SAMNetPredictor, lambda: pixels(SIZE), last=".fc2.weight"),
    "gcpanet": Published(
        lambda: GCPANet(["map"], encoder="resnet18", width=16), GCPANetPredictor, lambda: pixels(SIZE)
    ),
    "aim.kdsalbox": Published(lambda: KDSalBox(["aim"]), KDSalBoxPredictor, lambda: pixels(SIZE)),
}
HEAVY = (
    "sam",
    "deepgaze2e",
    "dinet",
    "transalnet",
    "scfnet.r50",
    "scfnet.v16",
    "scfnet.swinb",
)  # large, or of many layers
LAST = {
    "scfnet": "decoder.linear2.weight",
    "gcpanet": "linear2.weight",
    "samnet": ".fc2.weight",
}  # of networks that are trained, as for `loud`


@pytest.fixture(autouse=True)
def _small(monkeypatch):
    others = (SCFNetPredictor, SCFNetSwinBPredictor, U2NetPredictor, SAMNetPredictor, GCPANetPredictor)
    for predictor in (SamPredictor, DINetPredictor, TranSalNetPredictor, *others):
        monkeypatch.setattr(predictor, "size", SIZE)
    swin = scfnet.Variant(lambda size: SwinB(size, width=32, depths=(2, 2, 2, 2)), (32, 64, 128, 256))
    monkeypatch.setitem(scfnet.VARIANTS, "swin-b", swin)
    monkeypatch.setattr(MSINetPredictor, "sizes", {"salicon": SIZE})
    monkeypatch.setattr(SaliconPredictor, "sizes", ((65, 97), (32, 48)))
    monkeypatch.setattr(transalnet.Decoder, "transformers", ((24, 3), (24, 3), (16, 2)))
    monkeypatch.setattr(transalnet.Decoder, "widths", (24, 24, 16, 8, 8, 8, 8))


def loud(network, last: str = ""):
    """Return a network with weights that keep the size of what goes through.

    `last` is the end of the names of weights that a sigmoid or softmax follows: they are made small.
    """
    torch.manual_seed(0)
    for name, parameter in network.named_parameters():
        if parameter.ndim in (2, 4):
            torch.nn.init.kaiming_normal_(parameter, nonlinearity="relu")
        if last and name.endswith(last):
            parameter.data.mul_(1e-5)  # what many blocks add up to is large
    return network


def check_features(network, images):
    """By name, differentiable, the last one the map or what it is read off: it depends on all that sees the image."""
    features = network.features(images)
    assert all(isinstance(name, str) and values.ndim == 4 and len(values) == 1 for name, values in features.items())
    assert all(torch.isfinite(values).all() for values in features.values())
    list(features.values())[-1].square().mean().backward()
    seeing = [p for p in network.parameters() if p.ndim == 4 and p.shape[1] == 3 and p.shape[2] > 1]
    assert seeing
    assert any(p.grad is not None and p.grad.abs().sum() > 0 for p in seeing)
    network.zero_grad(set_to_none=True)


def test_every_published_network_is_here():
    takes = {name for name, e in MODELS.items() if e.needs_weights or isinstance(e, PackagedCheckpoint)}
    networks = {name for name in takes if "kdsalbox" not in name}
    of_files = {
        name for name in networks if MODELS[name].predictor.startswith("salbox.runtime.")
    }  # of ONNX files alone
    assert networks - of_files == set(PUBLISHED) - {"aim.kdsalbox"}


@pytest.mark.parametrize(
    "name", [pytest.param(name, marks=[pytest.mark.slow] if name in HEAVY else []) for name in PUBLISHED]
)
def test_published(name, tmp_path):
    case = PUBLISHED[name]
    network = loud(case.make(), case.last).eval()
    network(*case.takes()).square().mean().backward()
    gradients = [p.grad for p in network.parameters() if p.grad is not None]
    assert all(torch.isfinite(gradient).all() for gradient in gradients)
    assert sum(float(gradient.abs().sum()) for gradient in gradients) > 0
    network.zero_grad(set_to_none=True)
    check_features(network, case.takes()[0])
    card = salbox.card(name)
    model = Model(card, case.predictor(network, "here"), card.check_parameters({}))
    images = [pictures(1, *shape)[0] for shape in case.shapes]
    expected = [model(image) for image in images]
    path = tmp_path / "network.onnx"
    if case.refused:
        with pytest.raises(salbox.UsageError, match=case.refused):
            export_model(model, path)
        assert not path.exists()
        return
    export_model(model, path)
    again = salbox.load(str(path))
    assert again.card.output == card.output
    for image, saliency in zip(images, expected, strict=True):
        assert saliency.shape == image.shape[:2]
        if name == "aim.kdsalbox":  # whose map is brought to the image's size otherwise
            continue
        assert spread_difference(again(image)[None, None], saliency[None, None]) < TOLERANCE
    pair = open_network(path, threads=1).maps(list(pictures(2, 66, 98)))
    alone = again(pictures(2, 66, 98)[1])
    (together,) = pair[1].values()
    assert spread_difference(together[None, None], alone[None, None]) < TOLERANCE


@pytest.mark.slow
@pytest.mark.parametrize("name", NETWORKS)
@pytest.mark.parametrize("encoder", [None, "resnet18"])
def test_trainable(name, encoder, tmp_path):
    if encoder is not None and encoder_of(name) is None:
        pytest.skip("has its own encoder")
    named = {} if encoder is None else {"encoder": encoder}
    with pytest.warns(WeightsWarning):
        network = build_network(name, ("one", "two"), **{"size": (64, 96), **network_class(name).small, **named})
    batch = torch.from_numpy(pictures(2, 71, 93)).permute(0, 3, 1, 2).float()
    logits = network(batch)
    logits.square().mean().backward()
    assert all(torch.isfinite(p.grad).all() for p in network.parameters() if p.grad is not None)
    loud(network, LAST.get(name, ""))
    path = tmp_path / "network.onnx"
    export_onnx(network, path, {h: salbox.card("gaussian") for h in network.heads}, {"one": "aim", "two": "bms"})
    exported = open_network(path, threads=1)
    assert exported.metadata.network == name
    again, own = read_exported(path), network.state_dict()
    assert (again.heads, again.settings) == (network.heads, network.settings)
    for key, tensor in again.state_dict().items():
        if not key.startswith(network.side_layers) and not key.endswith(BATCHES_TRACKED):
            assert torch.equal(tensor, own[key]), key
    image = pictures(1, 75, 113)[0]
    prepared = network.preprocessing.prepare(image)
    with torch.no_grad():
        expected = network.eval().maps(torch.from_numpy(prepared[None]).permute(0, 3, 1, 2).float()).numpy()
    (found,) = exported.session.run({"image": prepared[None]})
    assert spread_difference(found, expected) < TOLERANCE
    (maps,) = exported.maps([image])
    assert {m.shape for m in maps.values()} == {(75, 113)}
    assert all(np.isfinite(m).all() for m in maps.values())


# One with a domain, one with a density; the others' graphs are exported at a small size above, and compared with their
# authors' maps at full size, unexported, in tests of their own.
AUTHORS = {"unisal": files.unisal, "dgii": files.dgii}


@pytest.mark.slow
@pytest.mark.parametrize("name", AUTHORS)
def test_a_file_of_the_authors_is_exported(name, shared, tmp_path, monkeypatch):
    monkeypatch.undo()  # at full size
    model = salbox.load(name, weights=AUTHORS[name](shared, tmp_path))
    export_model(model, tmp_path / "network.onnx")
    photo = files.photo_path(shared)
    found, expected = salbox.load(str(tmp_path / "network.onnx"))(photo), model(photo)
    assert spread_difference(found[None, None], expected[None, None]) < TOLERANCE
