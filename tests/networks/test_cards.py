"""The cards of the authors' networks: complete, free of torch, and true of the predictors that they describe."""

from __future__ import annotations

import importlib
import inspect
import json
import subprocess
import sys

import pytest

from salbox.models.cards import ModelCard
from salbox.models.entries import Checkpoint
from salbox.models.import_paths import resolve
from salbox.models.registry import MODELS

ENTRIES = {
    name: entry
    for name, entry in MODELS.items()
    if isinstance(entry, Checkpoint) and entry.card.startswith("salbox.networks.")
}


@pytest.mark.parametrize("name", ENTRIES)
def test_card_is_complete(name):
    found: ModelCard = resolve(ENTRIES[name].card)
    assert found.name == name
    assert found.task == ENTRIES[name].task
    if name != "attention-center":  # released without a paper
        assert found.paper is not None
        assert found.paper.bibtex.count("{") == found.paper.bibtex.count("}")
        assert found.paper.doi in found.paper.bibtex
        assert str(found.paper.year) in found.paper.bibtex
    assert found.weights_from
    assert ModelCard.from_dict(json.loads(json.dumps(found.to_dict()))) == found
    assert found.check_parameters({}) == {p.name: p.check(p.default) for p in found.parameters}


@pytest.mark.parametrize("name", ENTRIES)
def test_parameters_and_signature_are_the_predictor_s(name):
    pytest.importorskip("torch")
    predictor = resolve(ENTRIES[name].predictor)
    taken = list(inspect.signature(predictor.__call__).parameters.values())[2:]
    assert {p.name: p.default for p in taken} == {p.name: p.default for p in resolve(ENTRIES[name].card).parameters}
    module = importlib.import_module(ENTRIES[name].card.partition(":")[0])
    several = getattr(module, "SIGNATURES", {})
    assert predictor.signature is several.get(name, getattr(module, "SIGNATURE", None))


def test_reading_cards_imports_no_torch():
    modules = sorted({entry.card.partition(":")[0] for entry in ENTRIES.values()})
    code = f"import sys, {', '.join(modules)}; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
