"""The fingerprint of a network: of its weights and operators, not of its cards."""

from __future__ import annotations

import hashlib

import numpy as np
import onnx_writer as ow
import pytest

from salbox.errors import WeightsError
from salbox.runtime.fingerprint import weights_fingerprint


def written(tmp_path, **changes):
    path = tmp_path / "network.onnx"
    path.write_bytes(ow.student(**changes))
    return path


def weights(value):
    return [ow.tensor("weight", np.full((2, 3, 1, 1), value, np.float32))]


def test_by_hand(tmp_path):
    """The graph and the operator sets, each with its field number and length before it."""
    nodes = [ow.node("Identity", ["image"], ["maps"])]
    whole = ow.model(nodes, metadata={"salbox": "{}"})
    path = tmp_path / "by-hand.onnx"
    path.write_bytes(whole)
    graph = ow.fields(
        (1, nodes[0]), (2, "g"), (11, ow.port("image", "uint8", ("n", "h", "w", 3))),
        (12, ow.port("maps", "float32", ("n", 2, "a", "b"))),
    )  # fmt: skip
    versions = ow.fields((1, ""), (2, 18))
    expected = hashlib.sha256(b"7 %d " % len(graph) + graph + b"8 %d " % len(versions) + versions).hexdigest()
    assert weights_fingerprint(path) == expected


def test_cards_are_left_out(tmp_path):
    plain = weights_fingerprint(written(tmp_path))
    assert weights_fingerprint(written(tmp_path, metadata=ow.notes(heads=("one", "two")))) == plain
    assert weights_fingerprint(written(tmp_path, metadata={"salbox": "{}", "more": "x"})) == plain


def test_what_is_computed_counts(tmp_path):
    seen = {
        weights_fingerprint(written(tmp_path)),
        weights_fingerprint(written(tmp_path, initializers=weights(0.5))),
        weights_fingerprint(written(tmp_path, initializers=weights(0.25))),
        weights_fingerprint(written(tmp_path, opset=17)),
    }
    assert len(seen) == 4


def test_rewriting_cards_keeps_it(tmp_path):
    pytest.importorskip("torch")
    from salbox.networks.export.cards import put_cards
    from salbox.runtime.network import open_network

    path = written(tmp_path)
    put_cards(path, open_network(path).cards)  # the `onnx` package writes the same parts in an order of its own
    before = weights_fingerprint(path)
    cards = dict(zip(("red", "blue"), reversed(open_network(path).cards.values()), strict=True))
    put_cards(path, cards)
    assert weights_fingerprint(path) == before
    assert open_network(path).cards == cards


@pytest.mark.parametrize("content", [b"", b"no network", b"\x08\x08"])
def test_what_is_no_network(tmp_path, content):
    path = tmp_path / "wrong.onnx"
    path.write_bytes(content)
    with pytest.raises(WeightsError):
        weights_fingerprint(path)
