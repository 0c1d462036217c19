"""A loss that is kept is read again, and computed again where its file does not hold one."""

from __future__ import annotations

import json
from types import SimpleNamespace

import pytest

pytest.importorskip("torch")
pytest.importorskip("lightning")

from salbox.experiments.loss import kept_loss


@pytest.fixture
def kept(tmp_path, monkeypatch):
    """Return what gives the loss of a network, the network's file, and the file in which the loss is kept."""
    measured = []

    def measure(run, *others):
        measured.append(run)
        return float(len(measured))

    monkeypatch.setattr("salbox.experiments.loss.mean_loss", measure)
    run = SimpleNamespace(weights=tmp_path / "weights")
    run.weights.write_bytes(b"some")
    return lambda: kept_loss(tmp_path / "loss.json", run, [], None, None), run.weights, tmp_path / "loss.json"


def test_it_is_computed_once_for_each_network(kept):
    loss, weights, file = kept
    assert [loss(), loss()] == [1, 1]
    weights.write_bytes(b"others")
    assert [loss(), loss()] == [2, 2]
    assert json.loads(file.read_text())["loss"] == 2


@pytest.mark.parametrize("content", ["", "[]", "{}", "[" * 100_000, '{"made_of": 1}', "\udcff"])
def test_what_is_no_loss_is_computed_again(kept, content):
    loss, _, file = kept
    assert loss() == 1
    file.write_text(content, encoding="utf-8", errors="surrogateescape")
    assert [loss(), loss()] == [2, 2]
