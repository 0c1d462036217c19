"""Import paths: what they name, and what is said where an optional package is missing."""

from __future__ import annotations

import json

import pytest

from salbox.errors import MissingExtraError
from salbox.models.import_paths import resolve


def test_gives_what_a_path_names():
    assert resolve("json:dumps") is json.dumps


def test_names_the_extra_of_a_package_that_is_missing(tmp_path, monkeypatch):
    (tmp_path / "needs_more.py").write_text("import no_such_package.part\n")
    monkeypatch.syspath_prepend(tmp_path)
    with pytest.raises(MissingExtraError, match=r"needs_more \(no_such_package\).*salbox\[train\]"):
        resolve("needs_more:anything")


@pytest.mark.parametrize(
    ("path", "error"), [("salbox.no_such_module:f", ModuleNotFoundError), ("json:no_such_name", AttributeError)]
)
def test_a_path_that_is_wrong_is_no_missing_extra(path, error):
    with pytest.raises(error):
        resolve(path)
