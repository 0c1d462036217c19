"""Cards: parameters are checked, and every registered model's card is complete and true of its function."""

from __future__ import annotations

import importlib
import inspect
import json

import pytest

import salbox
from salbox.cards import ModelCard, Parameter
from salbox.registry import MODELS

UNPUBLISHED = ("attention-center", "glimpse")


@pytest.mark.parametrize(
    ("kind", "text", "value"),
    [
        ("int", "3", 3),
        ("int", 3.0, 3),
        ("float", "0.5", 0.5),
        ("bool", "no", False),
        ("bool", True, True),
        ("str", "DIO", "DIO"),
        ("path", "none", None),
        ("path", "a/b.mat", "a/b.mat"),
        ("ints", "2,3", (2, 3)),
        ("ints", [2, 3, 4], (2, 3, 4)),
        ("floats", "0,45", (0.0, 45.0)),
    ],
)
def test_parameter_converts(kind, text, value):
    converted = Parameter("p", None, "", kind).check(text)
    assert converted == value
    assert type(converted) is type(value)


@pytest.mark.parametrize(
    ("parameter", "value"),
    [
        (Parameter("p", 1, "", "int"), "1.5"),
        (Parameter("p", 1, "", "int"), 1.5),
        (Parameter("p", 1, "", "int"), True),
        (Parameter("p", 1, "", "int", minimum=1), 0),
        (Parameter("p", 1, "", "float", maximum=1), "1.1"),
        (Parameter("p", 1, "", "float"), "nan"),
        (Parameter("p", 1, "", "float"), None),
        (Parameter("p", True, "", "bool"), "False!"),
        (Parameter("p", "a", "", "str", choices=("a", "b")), "c"),
        (Parameter("p", (1,), "", "ints", minimum=1), "1,0"),
        (Parameter("p", (1,), "", "ints"), ""),
    ],
)
def test_parameter_refuses(parameter, value):
    with pytest.raises(salbox.UsageError, match="parameter p="):
        parameter.check(value)


@pytest.mark.parametrize("name", salbox.list_models())
def test_card_is_complete(name):
    card = salbox.card(name)
    assert card.name == name
    assert card.task == MODELS[name].task
    for text in (card.title, card.summary, card.origin, card.licence.code, card.size, card.agreement):
        assert text.strip()
    assert card.limits
    assert bool(card.weights_from) == bool(MODELS[name].network)
    assert ModelCard.from_dict(json.loads(json.dumps(card.to_dict()))) == card
    if name in UNPUBLISHED:
        assert card.paper is None
        return
    assert card.paper is not None
    assert card.paper.doi.startswith("10.") or (name.endswith(".kdsalbox") and not card.paper.doi)
    assert card.paper.doi in card.paper.bibtex
    assert card.paper.bibtex.count("{") == card.paper.bibtex.count("}")


@pytest.mark.parametrize(
    "change",
    [{"task": "faces"}, {"output": "map"}, {"title": 3}, {"colour": "red"}, {"licence": {}}, {"parameters": [{}]}],
)
def test_what_is_no_card_is_refused(change):
    with pytest.raises(salbox.UsageError, match="not a model card"):
        ModelCard.from_dict({**salbox.card("aim").to_dict(), **change})


@pytest.mark.parametrize("name", salbox.list_models(ready=True))
def test_card_states_the_function_s_parameters_and_defaults(name):
    module, attribute = MODELS[name].function.split(":")
    signature = inspect.signature(getattr(importlib.import_module(module), attribute))
    defaults = {p.name: p.default for p in list(signature.parameters.values())[1:]}
    card = salbox.card(name)
    assert {p.name: p.default for p in card.parameters} == defaults
    for p in card.parameters:
        assert p.check(p.default) == p.default
        assert p.description
