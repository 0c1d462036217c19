"""EMD by hand, in one dimension against SciPy's closed form, in two against its own linear program."""

from __future__ import annotations

import importlib
import importlib.util
import os
import subprocess
import sys

import numpy as np
import pytest
from scipy import stats

from salbox.errors import UsageError
from salbox.metrics import emd

module = importlib.import_module("salbox.metrics.emd")  # the package has the function under this name
needs_pot = pytest.mark.skipif(importlib.util.find_spec("ot") is None, reason="POT is not installed")


@pytest.fixture(autouse=True, params=[pytest.param("POT", marks=needs_pot), "SciPy"])
def solver(request, monkeypatch):
    monkeypatch.setattr(module, "solver", lambda: request.param)
    return request.param


def test_one_shifted_point_by_hand():
    first, second = np.zeros((10, 10)), np.zeros((10, 10))
    first[1, 2], second[4, 6] = 1, 5
    assert emd(first, second, cell=1) == pytest.approx(5)
    assert emd(second, first, cell=1) == pytest.approx(5)
    first[4, 6] = 1  # half of it is there already
    assert emd(first, second, cell=1) == pytest.approx(2.5)


def test_one_row_equals_scipys_closed_form():
    rng = np.random.default_rng(1)
    first, second = rng.random((1, 40)), rng.random((1, 40))
    expected = stats.wasserstein_distance(np.arange(40), np.arange(40), first[0], second[0])
    assert emd(first, second, cell=1) == pytest.approx(expected, abs=1e-7)


@pytest.mark.skipif(not hasattr(stats, "wasserstein_distance_nd"), reason="SciPy before 1.13")
def test_two_dimensions_equal_scipys_full_program():
    rng = np.random.default_rng(4)
    first, second = rng.random((5, 6)), rng.random((5, 6)) ** 4
    positions = np.argwhere(np.ones((5, 6)))
    expected = stats.wasserstein_distance_nd(positions, positions, first.ravel(), second.ravel())
    assert emd(first, second, cell=1) == pytest.approx(expected, abs=1e-7)


def test_cells_are_sums_over_their_area():
    first, second = np.zeros((64, 96)), np.zeros((64, 96))
    first[10:20, 5:9], second[40:50, 70:90] = 1, 1
    assert emd(first, second) == pytest.approx(np.hypot(1, 2))
    assert emd(np.ones((20, 20)), np.eye(20)) == 0  # one cell


def test_zero_for_equal_maps_and_constants():
    rng = np.random.default_rng(6)
    saliency = rng.random((70, 90))
    assert emd(saliency, 3 * saliency, cell=10) == pytest.approx(0, abs=1e-9)
    assert emd(np.zeros((64, 64)), np.ones((64, 64)), cell=8) == pytest.approx(0, abs=1e-9)


def test_shapes_and_values_are_checked():
    with pytest.raises(UsageError, match="resize one first"):
        emd(np.ones((4, 5)), np.ones((5, 4)))
    with pytest.raises(UsageError, match="not finite"):
        emd(np.full((4, 5), np.nan), np.ones((4, 5)))


@pytest.mark.parametrize("solver", [pytest.param("POT", marks=needs_pot)], indirect=True)
def test_both_solvers_give_the_same(solver, monkeypatch):
    rng = np.random.default_rng(3)
    rows, columns = np.indices((96, 128))
    for sharpness in (0.5, 2, 8):
        saliency = rng.random((96, 128)) ** sharpness
        density = np.exp(-((rows - 30) ** 2 + (columns - 80) ** 2) / (50 * sharpness))
        found = []
        for name in ("POT", "SciPy"):
            monkeypatch.setattr(module, "solver", lambda name=name: name)
            found.append(emd(saliency, density, cell=8))
        assert found[0] == pytest.approx(found[1], abs=1e-6)


@pytest.mark.parametrize("solver", [pytest.param("POT", marks=needs_pot)], indirect=True)
def test_pot_brings_no_frameworks_along_and_leaves_no_switches(solver):
    program = (
        "import os, sys; before = dict(os.environ); from salbox.metrics import emd; emd([[1, 0]], [[0, 1]], cell=1); "
        "assert 'ot' in sys.modules; print(*{'torch', 'jax', 'cupy', 'tensorflow'} & sys.modules.keys()); "
        "assert [k for k in os.environ if k not in before and k.startswith('POT_')] == []"
    )
    found = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True, env=os.environ)
    assert found.stdout.strip() == ""


@pytest.mark.parametrize("solver", ["SciPy"], indirect=True)
def test_a_file_of_ones_own_called_ot_is_not_taken_for_pot(solver, tmp_path):
    (tmp_path / "ot.py").write_text("")
    program = "from salbox.metrics import emd; print(emd([[1, 0, 0]], [[0, 0, 1]], cell=1))"
    found = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True, cwd=tmp_path)
    assert float(found.stdout) == pytest.approx(2)
