"""The bridge without what it leads to."""

from __future__ import annotations

import importlib
import sys

import pytest

from salbox.errors import MissingExtraError


def test_one_line_says_what_to_install(monkeypatch):
    for name in [name for name in sys.modules if name.startswith(("pysaliency", "salbox.interop"))]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "pysaliency", None)
    with pytest.raises(MissingExtraError, match=r"bridge to pysaliency .*pip install 'salbox\[pysaliency\]'"):
        importlib.import_module("salbox.interop")
