"""Cards: parameters are checked, and every registered model's card is complete and true of its function."""

from __future__ import annotations

import inspect
import json
from pathlib import Path

import numpy as np
import pytest

import salbox
from salbox.datasets import dataset_card
from salbox.models.cards import NOT_STATED, License, ModelCard, Parameter
from salbox.models.registry import CLASSICAL, MODELS, resolve

UNPUBLISHED = ("gaze", "gaze.large", "attention-center", "glimpse")


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


def test_arrays_are_checked_and_held():
    parameter, given = Parameter("p", "osie", "", "array"), np.arange(6.0).reshape(2, 3)
    held = parameter.check(given)
    given[0, 0] = 7
    np.testing.assert_array_equal(held, np.arange(6.0).reshape(2, 3))
    with pytest.raises(ValueError, match="read-only"):
        held[0, 0] = 7
    assert parameter.check("osie") == "osie"
    assert parameter.check(Path("a/b.npy")) == "a/b.npy"


@pytest.mark.parametrize(
    "value",
    [np.zeros(3), np.zeros((0, 3)), np.zeros((2, 3), int), np.full((2, 3), np.nan), np.zeros((2, 3, 1)), None, [[0.5]]],
)
def test_what_is_no_such_array(value):
    with pytest.raises(
        salbox.UsageError, match=r"parameter p=.*: expected a text, or finite .* numbers \(h, w\)"
    ) as said:
        Parameter("p", "osie", "", "array").check(value)
    assert "\n" not in str(said.value)


def test_what_is_written_of_a_parameter_changes_with_its_contents(tmp_path):
    array, path = Parameter("p", "osie", "", "array"), tmp_path / "a.npy"
    values = [np.zeros((2, 3)), np.zeros((3, 2)), np.zeros((2, 3), np.float32), np.ones((2, 3)), "osie", str(path)]
    written = [array.to_json(value) for value in values]
    path.write_bytes(b"1")
    written.append(array.to_json(str(path)))
    path.write_bytes(b"23")
    written += [array.to_json(str(path)), Parameter("p", None, "", "path").to_json(None)]
    assert len(set(map(json.dumps, written))) == len(written)
    assert written[4:6] == ["osie", str(path)]
    assert written[0].startswith("float64 array (2, 3) (sha256 ")
    assert array.to_json(np.zeros((2, 3))) == written[0]


@pytest.mark.parametrize("name", MODELS)
def test_card_is_complete(name):
    card = salbox.card(name)
    assert card.name == name
    assert card.task == MODELS[name].task
    for text in (card.title, card.summary, card.origin, card.license.code, card.size, card.agreement):
        assert text.strip()
        assert text != NOT_STATED
    assert card.limits
    assert bool(card.weights_from) == MODELS[name].needs_weights
    assert ModelCard.from_dict(json.loads(json.dumps(card.to_dict()))) == card
    if name in UNPUBLISHED:
        assert card.paper is None
        return
    assert card.paper is not None
    assert card.paper.doi.startswith("10.") or (name.endswith(".kdsalbox") and not card.paper.doi)
    assert card.paper.doi in card.paper.bibtex
    assert card.paper.bibtex.count("{") == card.paper.bibtex.count("}")


def test_three_fields_make_a_card_and_the_rest_is_not_stated():
    card = ModelCard("mine", task="object", output="score")
    assert ModelCard.from_dict({"name": "mine", "task": "object", "output": "score"}) == card
    assert ModelCard.from_dict(json.loads(json.dumps(card.to_dict()))) == card
    assert card.title == "mine"
    assert card.license == License(NOT_STATED, NOT_STATED, NOT_STATED)
    assert list(card.to_dict()) == list(salbox.card("gbvs").to_dict())


def test_a_licence_in_a_word_is_the_code_s():
    card = ModelCard.from_dict({"name": "mine", "task": "object", "output": "score", "licence": "MIT", "limits": ["a"]})
    assert card.license == License("MIT", NOT_STATED, NOT_STATED)
    assert card.limits == ("a",)


@pytest.mark.parametrize("field", ["name", "task", "output"])
def test_a_field_that_must_be_is_named(field):
    given = {"name": "mine", "task": "object", "output": "score"}
    with pytest.raises(salbox.UsageError, match=f"^not a model card: {field} is missing$"):
        ModelCard.from_dict({key: value for key, value in given.items() if key != field})


@pytest.mark.parametrize(("task", "output"), [("faces", "score"), ("object", "map")])
def test_a_card_is_checked_when_it_is_made(task, output):
    with pytest.raises(salbox.UsageError, match="expected fixation or object, and score or log_density or probability"):
        ModelCard("mine", task=task, output=output)


def test_what_was_called_a_licence_first_still_is():
    card = salbox.card("gbvs")
    assert salbox.Licence is salbox.License
    assert card.licence is card.license
    assert "licence" in card.to_dict()
    assert dataset_card("osie").licence == dataset_card("osie").license


@pytest.mark.parametrize(
    "change",
    [{"task": "faces"}, {"output": "map"}, {"title": 3}, {"colour": "red"}, {"licence": {}}, {"parameters": [{}]}],
)
def test_what_is_no_card_is_refused(change):
    with pytest.raises(salbox.UsageError, match="not a model card"):
        ModelCard.from_dict({**salbox.card("aim").to_dict(), **change})


@pytest.mark.parametrize("name", CLASSICAL)
def test_card_states_the_function_s_parameters_and_defaults(name):
    signature = inspect.signature(resolve(MODELS[name].code))
    defaults = {p.name: p.default for p in list(signature.parameters.values())[1:]}
    card = salbox.card(name)
    assert {p.name: p.default for p in card.parameters} == defaults
    for p in card.parameters:
        assert p.check(p.default) == p.default
        assert p.description
