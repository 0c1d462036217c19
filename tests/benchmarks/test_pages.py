"""What the pages of results say of figures: reached or missed, by how much, and by whom surpassed."""

from __future__ import annotations

import importlib
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest

torch = pytest.importorskip("torch")
pytest.importorskip("lightning")

BENCHMARKS = Path(__file__).resolve().parents[2] / "benchmarks"


@pytest.fixture(scope="module")
def pages():
    """The modules of benchmarks/, which are no package."""
    folders = [str(BENCHMARKS), str(BENCHMARKS.parent / "scripts")]
    sys.path[:0] = folders
    names = ("_fidelity_pages", "_gaze_page")
    yield SimpleNamespace(**{name.strip("_"): importlib.import_module(name) for name in names})
    for folder in folders:
        sys.path.remove(folder)


@pytest.mark.parametrize(
    ("value", "target", "lower", "told"),
    [
        (0.9851, 0.99, False, "met"),
        (0.9847, 0.99, False, "0.01 short"),
        (0.8, 0.99, False, "0.19 short"),
        (0.024, 0.02, True, "met"),
        (0.026, 0.02, True, "0.01 over"),
        (0.01, 0.02, True, "met"),
    ],
)
def test_a_target_is_met_if_the_rounded_figure_is(pages, value, target, lower, told):
    assert pages.fidelity_pages.verdict(value, target, lower=lower) == told


def test_what_is_no_better_than_a_constant_is_marked(pages):
    own = {"cc": 0.9, "constant_cc": 0.5, "lowest_cc": 0.7}
    assert pages.fidelity_pages._low(own) == "0.90 (0.70)"
    assert pages.fidelity_pages._low({**own, "constant_cc": 0.89}) == "0.90° (0.70)"


def test_a_table_says_what_is_less_what(pages):
    own = {
        "photos": 5,
        "rows": {"gaze": {"nss": [2.0, 1.5, 2.5]}, "centre bias": {"nss": [1.0, 0.9, 1.1]}},
        "against": [{"row": "gaze", "less": "ensemble", "differences": {"nss": [0.25, -0.125, 0.5]}}],
    }
    told = pages.gaze_page._table("### OSIE test", own)
    assert "### OSIE test, 5 photos" in told
    assert "| `gaze` | 2.000 [1.500, 2.500] | n/a |" in told
    assert "| `gaze` less ensemble | +0.250 [-0.125, +0.500] | n/a |" in told


def test_parts_measured_together_share_a_line(pages):
    assert pages.gaze_page._measured({"test": "today", "cost": "today"}) == "today"
    assert pages.gaze_page._measured({"test": "today", "cost": "then"}) == "test: today cost: then"
