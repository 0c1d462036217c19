"""Categories of concepts."""

from __future__ import annotations

import json

import pandas as pd
import pytest

from salbox.errors import UsageError
from salbox.explain.categories import read_categories
from salbox.explain.contributions import by_category


def test_the_eleven_and_what_they_hold():
    found = read_categories()
    assert set(found.values()) <= {
        *("action", "social", "animal", "vehicle", "clothing", "text"),
        *("sky", "ground", "scene", "color", "other"),
    }
    assert [found[name] for name in ("face", "sky", "asphalt", "goggles", "airplane", "surfing", "holding")] == [
        *("social", "sky", "ground", "clothing", "vehicle", "action", "action"),
    ]


def test_classes_of_stuff_belong_where_their_first_word_does():
    table = pd.DataFrame({"concept": ["wall-brick", "t-shirt", "spoon"], "contribution": [1.0, 2.0, -3.0]})
    found = by_category(table, {"wall": "scene", "t-shirt": "clothing"})
    assert dict(zip(found["category"], found["scaled"], strict=True)) == {"clothing": 1, "scene": 0.5, "other": -1}


@pytest.mark.parametrize("suffix", [".json", ".yaml"])
def test_a_user_s_own(tmp_path, suffix):
    path = tmp_path / f"mine{suffix}"
    path.write_text(json.dumps({"people": ["face", "hand"], "rest": []}))
    assert read_categories(path) == {"face": "people", "hand": "people"}


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ({"a": ["face"], "b": ["face"]}, "'face' is in 'a' and in 'b'"),
        ({"a": "face"}, "category 'a': expected a list of concepts"),
    ],
)
def test_what_is_none_is_refused(tmp_path, content, message):
    path = tmp_path / "mine.json"
    path.write_text(json.dumps(content))
    with pytest.raises(UsageError, match=message):
        read_categories(path)
    with pytest.raises(UsageError, match="no such file"):
        read_categories(tmp_path / "none.json")
