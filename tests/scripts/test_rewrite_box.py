"""A network that ships is written again: other nodes, the same weights, maps, curves and figures."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import programs
import pytest

torch = pytest.importorskip("torch")
onnx = pytest.importorskip("onnx")

import salbox  # noqa: E402
from salbox.networks.export.histogram_curves import put_curves  # noqa: E402
from salbox.networks.export.models import shrink_exported  # noqa: E402
from salbox.networks.export.onnx import export_onnx  # noqa: E402
from salbox.networks.trainable.factory import build_network  # noqa: E402
from salbox.runtime.fingerprint import weights_fingerprint  # noqa: E402
from salbox.runtime.histogram_curves import HistogramCurves  # noqa: E402
from salbox.runtime.network import open_network  # noqa: E402

HEADS = ("gbvs", "bms")


@pytest.fixture
def shipped(tmp_path):
    """A network as an older salbox wrote it: with a node that does nothing."""
    with pytest.warns(UserWarning, match="random weights"):
        network = build_network("box", HEADS, size=(64, 96))
    cards = {head: salbox.card(head) for head in HEADS}
    export_onnx(network, tmp_path / "float32.onnx", cards, {head: head for head in HEADS})
    shrink_exported(tmp_path / "float32.onnx", tmp_path / "box.onnx", "int8")
    graph = onnx.load(tmp_path / "box.onnx")
    last = graph.graph.node[-1]
    last.output[0] = "before"
    graph.graph.node.append(onnx.helper.make_node("Identity", ["before"], ["maps"]))
    onnx.save(graph, tmp_path / "box.onnx")
    weights = weights_fingerprint(tmp_path / "box.onnx")
    put_curves(tmp_path / "box.onnx", HistogramCurves(weights, (0.5, 1.0), dict.fromkeys(HEADS, (0.1, 0.9))))
    return tmp_path / "box.onnx"


def stored(path):
    return {tensor.name: tensor.SerializeToString() for tensor in onnx.load(path).graph.initializer}


def test_the_graph_alone_is_another(shipped, tmp_path):
    script, before = programs.script("rewrite_box"), open_network(shipped)
    weights, kept = weights_fingerprint(shipped), stored(shipped)
    figures = tmp_path / "figures.json"
    network = {"bytes": 1, "parameters": 2, "macs": 3, "flops": 4}
    figures.write_text(json.dumps({"weights": weights, "network": network, "osie": {"gbvs": 0.9}}))
    script.rewrite(shipped, figures)
    after = open_network(shipped)
    assert "Identity" not in {node.op_type for node in onnx.load(shipped).graph.node}
    assert stored(shipped) == kept
    photo = np.random.default_rng(0).integers(0, 256, (64, 96, 3), np.uint8)
    for head, saliency in after.maps([photo])[0].items():
        np.testing.assert_allclose(saliency, before.maps([photo])[0][head], atol=1e-6)
        assert replace(after.cards[head], size=before.cards[head].size) == before.cards[head]
    assert weights_fingerprint(shipped) != weights
    assert after.histogram_curves == replace(before.histogram_curves, weights=weights_fingerprint(shipped))
    told = json.loads(figures.read_text())
    assert told["weights"] == weights_fingerprint(shipped)
    assert told["network"]["bytes"] == shipped.stat().st_size
    assert told["network"]["macs"] > 1e6
    assert (told["network"]["parameters"], told["osie"]) == (2, {"gbvs": 0.9})


def test_figures_of_another_network_stay(shipped, tmp_path):
    figures = tmp_path / "figures.json"
    figures.write_text('{"weights": "of another"}')
    programs.script("rewrite_box").rewrite(shipped, figures)
    assert figures.read_text() == '{"weights": "of another"}'
