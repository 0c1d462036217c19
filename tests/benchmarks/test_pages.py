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
    names = ("_fidelity_pages", "_gaze_page", "_gaze_rows")
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


def row(cc: float) -> dict[str, list[float]]:
    return {"cc": [cc, cc - 0.01, cc + 0.01]}


def test_maps_of_higher_cc_are_named(pages):
    rows = {"gaze": row(0.7), "gaze, quality best": row(0.8), "ensemble": row(0.73), "human ceiling": row(0.9)}
    (told,) = pages.gaze_page._higher_cc({"rows": rows})
    assert "gaze` (0.700): ensemble (0.730)." in told
    assert pages.gaze_page._higher_cc({"rows": {**rows, "ensemble": row(0.6)}}) == []


def test_parts_measured_together_share_a_line(pages):
    assert pages.gaze_page._measured({"test": "today", "cost": "today"}) == "today"
    assert pages.gaze_page._measured({"test": "today", "cost": "then"}) == "test: today cost: then"


def test_networks_are_told_apart_by_their_weights(pages):
    one, other = torch.nn.Linear(2, 2), torch.nn.Linear(2, 2)
    assert pages.gaze_rows.fingerprint(one) != pages.gaze_rows.fingerprint(other)
    other.load_state_dict(one.state_dict())
    assert pages.gaze_rows.fingerprint(one) == pages.gaze_rows.fingerprint(other)
