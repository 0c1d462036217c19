"""What Streamlit leaves behind in the process of the tests."""

from __future__ import annotations

import sys

import pytest


@pytest.fixture(autouse=True)
def main_script(monkeypatch):
    """Keep the script that runs: `AppTest` puts its own in the place, which processes begun later would import."""
    monkeypatch.setitem(sys.modules, "__main__", sys.modules["__main__"])
