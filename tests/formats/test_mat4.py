"""MATLAB files of version 4: read as SciPy reads them, and whatever is damaged is one line."""

from __future__ import annotations

import struct

import numpy as np
import pytest
from scipy.io import loadmat, savemat
from scipy.sparse import csc_matrix

from salbox.errors import SalboxError, UsageError
from salbox.formats.mat import has_variable, load_variable

HELD = {
    "double": np.arange(6.0).reshape(2, 3) - 2.5,
    "single": np.float32([[0.1, -2]]),
    "int32": np.array([[2**30], [-7]], np.int32),
    "int16": np.array([[300, -300]], np.int16),
    "uint16": np.array([[60000]], np.uint16),
    "uint8": np.array([[255, 1]], np.uint8),
    "nothing": np.zeros((0, 3)),
    "text": "abc",
    "lines": np.array(["ab", "cd"]),
}


@pytest.fixture
def path(tmp_path):
    return tmp_path / "a.mat"


def test_everything_is_read_as_scipy_reads_it(path):
    savemat(path, HELD, format="4")
    theirs = loadmat(path)
    for name in HELD:
        ours = load_variable(path, [name])
        assert ours.dtype == theirs[name].dtype
        assert ours.shape == theirs[name].shape
        np.testing.assert_array_equal(ours, theirs[name])
    assert has_variable(path, "uint8")
    assert not has_variable(path, "other")
    with pytest.raises(UsageError, match="expected the variable other, the file holds double, int16, int32, lines"):
        load_variable(path, ["other"])


def matrix(order, kind, rows, columns, values, name=b"m\0", is_complex=0):
    return struct.pack(f"{order}5i", kind, rows, columns, is_complex, len(name)) + name + values


def test_a_file_written_on_a_machine_of_the_other_byte_order(path):
    path.write_bytes(matrix(">", 1000, 2, 2, struct.pack(">4d", 1, 2, 3, 4)))
    np.testing.assert_array_equal(load_variable(path, ["m"]), [[1, 3], [2, 4]])
    np.testing.assert_array_equal(load_variable(path, ["m"]), loadmat(path)["m"])


@pytest.mark.parametrize(
    ("held", "message"),
    [({"m": np.eye(2) * 1j}, "holds complex numbers"), ({"m": csc_matrix(np.eye(2))}, "holds a sparse array")],
)
def test_what_is_not_read(path, held, message):
    savemat(path, {**held, "other": np.eye(3)}, format="4")
    with pytest.raises(UsageError, match=message):
        load_variable(path, ["m"])
    np.testing.assert_array_equal(load_variable(path, ["other"]), np.eye(3))


GOOD = matrix("<", 0, 1, 1, bytes(8), b"a\0")


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (matrix("<", 0, 2**31 - 1, 2**31 - 1, b""), "ends within a variable"),
        (matrix("<", 0, 1000, 1000, bytes(80)), "ends within a variable"),
        (GOOD + GOOD[:15], "ends within a variable's head"),
        (GOOD + matrix("<", 60, 1, 1, bytes(8)), "a variable's head makes no sense"),
        (GOOD + matrix("<", 0, -1, 1, b""), "a variable's head makes no sense"),
        (GOOD + matrix("<", 0, 1, 1, bytes(8), b""), "a variable's head makes no sense"),
        (matrix("<", 1, 1, 1, struct.pack("<d", 1e9)), "a text that is none"),
        (matrix("<", 1, 1, 1, struct.pack("<d", np.nan)), "a text that is none"),
        (matrix("<", 2000, 1, 1, bytes(8)), "not readable as a MATLAB file of version 4 to 7.3"),  # a VAX
        (bytes(500), "not readable as a MATLAB file"),
        (GOOD * 3, "expected the variable m, the file holds a"),
    ],
)
def test_damaged_files(path, content, message):
    path.write_bytes(content)
    with pytest.raises(UsageError) as caught:
        load_variable(path, ["m"])
    assert message in str(caught.value)


def test_three_hundred_damaged_files_are_read_or_are_one_line(path):
    rng = np.random.default_rng(0)
    savemat(path, {name: HELD[name] for name in ("text", "double", "lines", "int16")}, format="4")
    whole = path.read_bytes()
    failed = 0
    for _ in range(300):
        data = bytearray(whole)
        at = int(rng.integers(len(data) // 4)) * 4
        data[at : at + 4] = struct.pack("<I", int(rng.choice([0, 1, 7, 0x7FFFFFFF, 0xFFFFFFFF, 2**30, 1000])))
        path.write_bytes(data[: rng.choice([len(data), int(rng.integers(1, len(data)))])])
        for name in ("double", "lines"):
            failed += "\n" in what_reading_gives(path, name) or bool(what_reading_gives(path, name))
    assert 100 < failed < 600


def what_reading_gives(path, name):
    """Return the message of the error, empty if there is none."""
    try:
        load_variable(path, [name])
    except SalboxError as error:
        assert "\n" not in str(error)  # noqa: PT017
        return str(error)
    return ""


def test_more_numbers_than_asked_for(path):
    savemat(path, {"m": np.eye(4)}, format="4")
    assert load_variable(path, ["m"], most=16).shape == (4, 4)
    with pytest.raises(UsageError, match="'m' has 16 numbers, more than the limit of 15"):
        load_variable(path, ["m"], most=15)
