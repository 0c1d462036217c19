"""The page on another encoder: differences photo by photo, and equal numbers of pictures."""

from __future__ import annotations

import importlib
import sys
from dataclasses import replace
from pathlib import Path

import pytest

torch = pytest.importorskip("torch")
pytest.importorskip("lightning")

BENCHMARKS = Path(__file__).resolve().parents[2] / "benchmarks"


@pytest.fixture(scope="module")
def lite():
    sys.path.insert(0, str(BENCHMARKS))
    yield importlib.import_module("lite_encoder")
    sys.path.remove(str(BENCHMARKS))


def outcome(lite, **by_photo):
    return lite.Outcome({}, by_photo, images=500, epochs=1, minutes=1.0, parts=(1, 1, 2))


def test_differences_are_those_of_each_photo(lite):
    """Of 0.02 and 0.04 the mean is 0.03, and the standard error 0.01; of -0.1 twice -0.1 and 0."""
    one = outcome(lite, a=(0.5, 0.3), b=(0.7, 0.4))
    other = outcome(lite, b=(0.74, 0.3), a=(0.52, 0.2))
    assert lite.difference(one, other) == "CC +0.0300 ± 0.0100 and KL -0.1000 ± 0.0000"


def test_both_must_have_seen_as_many_pictures(lite):
    one = outcome(lite)
    with pytest.raises(SystemExit, match="different numbers of pictures"):
        lite.page({"mobilenetv2": one, "tf_efficientnet_lite0": replace(one, images=400)}, {})
