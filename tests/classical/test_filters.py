"""Reading filters from files that may be anything, and the order of the numbers in them."""

from __future__ import annotations

import os

import numpy as np
import pytest
import scipy.io
from scipy.signal import correlate

from salbox.classical._correlation import blocks
from salbox.classical._filters import DATA, read_variables, to_kernels
from salbox.errors import WeightsError


def test_matlab_files_and_archives_give_the_same(tmp_path):
    rows = np.arange(6.0).reshape(2, 3)
    scipy.io.savemat(tmp_path / "a.mat", {"B": rows, "other": "text"})
    scipy.io.savemat(tmp_path / "b.mat", {"B": rows}, format="4")
    np.savez_compressed(tmp_path / "c.npz", B=rows.astype(np.float32))
    for name in ("a.mat", "b.mat", "c.npz"):
        found = read_variables(tmp_path / name, ("B",))["B"]
        np.testing.assert_array_equal(found, rows)
        assert found.dtype == np.float64
        with pytest.raises(ValueError, match="read-only"):
            found[0] = 1


def test_a_file_that_has_changed_is_read_again(tmp_path):
    path = tmp_path / "a.npz"
    np.savez(path, B=np.ones((1, 3)))
    assert read_variables(path, ("B",))["B"][0, 0] == 1
    np.savez(path, B=np.full((1, 3), 2.0))
    os.utime(path, ns=(1, 1))
    assert read_variables(path, ("B",))["B"][0, 0] == 2


@pytest.mark.parametrize(
    ("variables", "message"),
    [
        ({"C": np.ones((1, 3))}, r"has no variable B \(it has C\)"),
        ({"B": np.array([[1.0, np.nan, 1.0]])}, "not finite"),
        ({"B": np.ones((1, 3)) * 1j}, "expected a real matrix"),
        ({"B": np.ones((1, 3, 2))}, "3 dimensions"),
        ({"B": np.empty((0, 3))}, "empty"),
        ({"B": np.array([["x"]])}, "B"),
    ],
)
@pytest.mark.parametrize("suffix", [".mat", ".npz"])
def test_unfit_variables_are_refused_in_one_line(tmp_path, variables, message, suffix):
    path = tmp_path / f"a{suffix}"
    (scipy.io.savemat if suffix == ".mat" else lambda p, v: np.savez(p, **v))(path, variables)
    with pytest.raises(WeightsError, match=message) as error:
        read_variables(path, ("B",))
    assert "\n" not in str(error.value)
    assert str(path) in str(error.value)


def test_cells_pickles_and_other_files_are_refused(tmp_path):
    objects = np.empty((1, 2), object)
    objects[:] = [["a", 1]]
    scipy.io.savemat(tmp_path / "cell.mat", {"B": objects})
    with pytest.raises(WeightsError, match="cell"):
        read_variables(tmp_path / "cell.mat", ("B",))
    np.savez(tmp_path / "pickle.npz", B=objects)
    with pytest.raises(WeightsError, match="allow_pickle"):
        read_variables(tmp_path / "pickle.npz", ("B",))
    for name in ("text.mat", "text.npz", "empty.mat"):
        (tmp_path / name).write_text("" if name.startswith("empty") else "no filters here\n" * 20)
        with pytest.raises(WeightsError, match="neither a Matlab file"):
            read_variables(tmp_path / name, ("B",))
    with pytest.raises(WeightsError, match="No such file"):
        read_variables(tmp_path / "missing.mat", ("B",))
    with pytest.raises(WeightsError):
        read_variables(tmp_path, ("B",))


def test_too_many_numbers_are_refused_before_they_are_unpacked(tmp_path, monkeypatch):
    monkeypatch.setattr("salbox.classical._filters.MAX_NUMBERS", 10)
    scipy.io.savemat(tmp_path / "a.mat", {"B": np.ones((4, 3))})
    np.savez_compressed(tmp_path / "a.npz", B=np.ones((4, 3)))
    for name in ("a.mat", "a.npz"):
        with pytest.raises(WeightsError, match="more than the limit of 10"):
            read_variables(tmp_path / name, ("B",))


def test_rows_run_fastest_then_columns_then_channels():
    """The number at index row + K column + K² channel, in Matlab's own order."""
    patch = np.random.default_rng(0).normal(size=(5, 5, 3))  # row, column, channel
    kernel = to_kernels(patch.ravel(order="F")[None], "B")[0]
    np.testing.assert_array_equal(kernel, patch.transpose(2, 0, 1))


@pytest.mark.parametrize("columns", [1, 12, 3 * 4 * 4, 26])
def test_rows_that_are_no_odd_square_are_refused(columns):
    with pytest.raises(WeightsError, match="file: variable B has shape"):
        to_kernels(np.ones((2, columns)), "file: variable B")


@pytest.mark.parametrize("size", [(9, 9), (9, 40), (53, 61), (20, 10)])
@pytest.mark.parametrize("tile", [1, 20, 1000])
def test_responses_agree_with_direct_correlation(size, tile):
    """Independent: SciPy's direct sum, in whole numbers so that it is exact."""
    rng = np.random.default_rng(1)
    image = rng.integers(0, 256, (*size, 3), dtype=np.uint8)
    kernel = rng.integers(-5, 6, (3, 9, 9)).astype(np.float64)
    expected = correlate(image.astype(np.int64), kernel.transpose(1, 2, 0).astype(np.int64), "valid", "direct")[..., 0]
    found = np.full(expected.shape, np.nan)
    for block in blocks(image, 9, tile):
        for region, response in block.responses(kernel):
            assert np.isnan(found[region]).all()  # each position once
            found[region] = response
    np.testing.assert_allclose(found, expected, atol=1e-8)


def test_the_shipped_filters_are_what_the_papers_describe():
    aim = read_variables(DATA / "aim_filters.npz", ("B",))["B"]
    assert to_kernels(aim, "B").shape[1:] == (3, 21, 21)
    sun = read_variables(DATA / "sun_filters.npz", ("B1", "sigmas", "thetas"))
    assert sun["B1"].shape == (362, 363)
    assert np.linalg.matrix_rank(sun["B1"]) == 362
    assert np.abs(sun["B1"].sum(axis=1)).max() < 1e-7  # blind to the mean of a patch
    assert 0.3 < np.median(sun["thetas"]) < 1.5  # sparser than a Gaussian, 2
    assert sum(path.stat().st_size for path in DATA.glob("*_filters.npz")) < 1_000_000
