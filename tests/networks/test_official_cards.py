"""The cards of the authors' networks: complete, free of torch, and true of the functions that they describe."""

from __future__ import annotations

import importlib
import inspect
import json
import subprocess
import sys

import pytest

from salbox.cards import ModelCard

OPENED = {
    "transalnet": ("OpenTranSalNet", "score"),
    "unisal": ("OpenUniSal", "log_density"),
    "dgii": ("OpenDeepGazeII", "log_density"),
    "deepgaze2e": ("OpenDeepGazeIIE", "log_density"),
}


def card(name: str) -> ModelCard:
    return importlib.import_module(f"salbox.networks.cards.{name}").CARD


@pytest.mark.parametrize("name", OPENED)
def test_card_is_complete(name):
    found = card(name)
    assert found.name == name
    assert found.output == OPENED[name][1]
    assert found.task == "fixation"
    assert found.paper is not None
    assert found.paper.bibtex.count("{") == found.paper.bibtex.count("}")
    assert found.paper.doi in found.paper.bibtex
    assert str(found.paper.year) in found.paper.bibtex
    assert found.weights_from
    assert ModelCard.from_dict(json.loads(json.dumps(found.to_dict()))) == found
    assert found.check_parameters({}) == {p.name: p.check(p.default) for p in found.parameters}


@pytest.mark.parametrize("name", OPENED)
def test_parameters_are_the_function_s(name):
    pytest.importorskip("torch")
    opened = getattr(importlib.import_module(f"salbox.networks.{name}"), OPENED[name][0])
    taken = list(inspect.signature(opened.__call__).parameters.values())[2:]
    assert {p.name: p.default for p in taken} == {p.name: p.default for p in card(name).parameters}


@pytest.mark.parametrize("name", OPENED)
def test_reading_a_card_imports_no_torch(name):
    code = f"import sys, salbox.networks.cards.{name}; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
