"""Fixtures shared by all tests."""

from __future__ import annotations

import os
from pathlib import Path

import pytest


@pytest.fixture(scope="session")
def shared() -> Path:
    """The folder with the original programs' maps and the data sets; tests that need it skip without it."""
    default = Path(__file__).resolve().parents[2] / "shared"
    folder = Path(os.environ.get("SALBOX_SHARED", default))
    if not (folder / "oracle").is_dir():
        pytest.skip("the reference data is not beside this checkout (set SALBOX_SHARED to its folder)")
    return folder
