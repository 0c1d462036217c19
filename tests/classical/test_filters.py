"""Reading filters from files that may be anything, and the order of the numbers in them."""

from __future__ import annotations

import io
import os
import tracemalloc
import zipfile

import numpy as np
import pytest
import scipy.io
from scipy.signal import correlate

from salbox.classical._correlation import blocks
from salbox.classical._filters import DATA, read_variables, to_kernels
from salbox.errors import SalboxError, WeightsError


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
        ({"C": np.ones((1, 3))}, "expected the variable B, the file holds C"),
        ({"B": np.array([[1.0, np.nan, 1.0]])}, "not finite"),
        ({"B": np.ones((1, 3)) * 1j}, "complex"),
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
    with pytest.raises(WeightsError, match="cells or structs, expected a real matrix"):
        read_variables(tmp_path / "cell.mat", ("B",))
    np.savez(tmp_path / "pickle.npz", B=objects)
    with pytest.raises(WeightsError, match="'B': it holds object, not numbers"):
        read_variables(tmp_path / "pickle.npz", ("B",))
    for name, kind in (("text.mat", "a MATLAB file"), ("text.npz", "an .npz"), ("empty.mat", "a MATLAB file")):
        (tmp_path / name).write_text("" if name.startswith("empty") else "no filters here\n" * 20)
        with pytest.raises(WeightsError, match=f"not readable as {kind}"):
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


def test_files_of_version_7_3_are_refused(tmp_path):
    """HDF5's library trusts what it reads too much for filters of strangers."""
    (tmp_path / "a.mat").write_bytes(bytes(512) + b"\x89HDF\r\n\x1a\n" + bytes(100))
    with pytest.raises(WeightsError, match=r"a Matlab file of version 7\.3; save filters in Matlab with save"):
        read_variables(tmp_path / "a.mat", ("B",))


def damaged(content, rng):
    """Yield copies of a file with bits flipped, extreme words put in, or cut off."""
    for number in range(60):
        data = bytearray(content)
        at = int(rng.integers(len(data) - 4))
        if number % 3 == 0:
            for k in rng.integers(len(data), size=int(rng.integers(1, 8))):
                data[k] ^= 1 << int(rng.integers(8))
        elif number % 3 == 1:
            data[at : at + 4] = rng.choice([b"\0\0\0\0", b"\xff\xff\xff\xff", b"\xff\xff\xff\x7f", b"\x14\0\0\0"])
        else:
            del data[at:]
        yield bytes(data)


def written(path, how):
    rows = np.arange(12.0).reshape(4, 3)
    if how == "npz":
        np.savez(path, B=rows)
    elif how == "packed npz":
        np.savez_compressed(path, B=rows, other=rows)
    elif how == "version 4":
        scipy.io.savemat(path, {"B": rows, "text": "abc"}, format="4")
    else:
        scipy.io.savemat(path, {"text": "abc", "B": rows}, do_compression=how == "packed")
    return path.read_bytes()


@pytest.mark.parametrize("how", ["version 4", "version 5", "packed", "npz", "packed npz"])
def test_a_damaged_file_is_read_or_is_one_line(tmp_path, how):
    suffix = "npz" if "npz" in how else "mat"
    content = written(tmp_path / f"whole.{suffix}", how)
    messages = []
    for number, data in enumerate(damaged(content, np.random.default_rng(0))):
        path = tmp_path / f"{number}.{suffix}"
        path.write_bytes(data)
        if message := what_reading_gives(path):
            assert "\n" not in message
            assert message.startswith(str(path))
            messages.append(message)
    assert len(messages) > 20


def what_reading_gives(path):
    """Return the message of the error, or None if there is none."""
    try:
        read_variables(path, ("B",))
    except SalboxError as error:
        return str(error)
    return None


@pytest.mark.slow
def test_small_files_do_not_take_much_memory(tmp_path):
    """Arrays that unpack to 200 MB and more, whatever the file says of their size."""
    zeros = np.zeros((5000, 5000))
    np.savez_compressed(tmp_path / "large.npz", B=zeros)
    scipy.io.savemat(tmp_path / "large.mat", {"B": zeros}, do_compression=True)
    head = io.BytesIO()
    np.lib.format.write_array_header_1_0(head, {"descr": "<f8", "fortran_order": False, "shape": (1, 3)})
    for name, packing in (("lzma", zipfile.ZIP_LZMA), ("bz2", zipfile.ZIP_BZIP2), ("longer", zipfile.ZIP_DEFLATED)):
        with zipfile.ZipFile(tmp_path / f"{name}.npz", "w", packing) as archive:
            archive.writestr("B.npy", head.getvalue() + zeros.tobytes())
    del zeros
    tracemalloc.start()
    try:
        for path in sorted(tmp_path.iterdir()):
            assert path.stat().st_size < 500_000
            with pytest.raises(WeightsError):
                read_variables(path, ("B",))
        assert tracemalloc.get_traced_memory()[1] < 2**25
    finally:
        tracemalloc.stop()


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
