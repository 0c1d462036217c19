"""NumPy's arrays: read as NumPy reads them, and nothing believed that a file says of itself."""

from __future__ import annotations

import contextlib
import tracemalloc

import numpy as np
import pytest

from salbox.errors import ImageError, UsageError
from salbox.formats.npy import read_npy


@pytest.fixture
def path(tmp_path):
    return tmp_path / "a.npy"


def refused(path, **how):
    with pytest.raises(UsageError) as caught:
        read_npy(path, **how)
    message = str(caught.value)
    assert message.startswith(str(path))
    assert "\n" not in message
    return message


@pytest.mark.parametrize("kind", ["bool", "uint8", "int16", "float16", "float32", ">f4", "float64", "complex64"])
@pytest.mark.parametrize("order", ["C", "F"])
@pytest.mark.parametrize("shape", [(), (0, 3), (5,), (2, 3, 4)])
def test_what_is_read(path, kind, order, shape):
    values = np.asarray(np.arange(np.prod(shape, dtype=int)).reshape(shape), kind, order=order)
    np.save(path, values)
    found = read_npy(path)
    np.testing.assert_array_equal(found, values)
    assert (found.dtype, found.shape) == (values.dtype, shape)


def test_format_2_is_read(path):
    with path.open("wb") as file:
        np.lib.format.write_array(file, np.eye(3), version=(2, 0))
    np.testing.assert_array_equal(read_npy(path), np.eye(3))


def head(shape, descr="'<f8'"):
    text = f"{{'descr': {descr}, 'fortran_order': False, 'shape': {shape}, }}".ljust(117) + "\n"
    return b"\x93NUMPY\x01\x00" + len(text).to_bytes(2, "little") + text.encode()


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (head((10**6, 10**6)), "it is cut off"),
        (head((2, 2)) + bytes(31), "it is cut off"),
        (head((-1, 2)) + bytes(80), "an array of the size"),
        (head((0, 10**30)), "not readable as an .npy"),
        (head((1,), "'|O'") + b"\x80\x04N.", "it holds object, not numbers"),
        (head((1,), "[('a', '<f8')]") + bytes(8), "not numbers"),
        (head((1,), "'<U9'") + bytes(36), "it holds <U9, not numbers"),
        (head((1,), "'<f8"), "not readable as an .npy"),
        (head("(" * 80), "not readable as an .npy"),
        (head((1,)).replace(b"\x01\x00", b"\x03\x00", 1), "array format 3.0"),
        (b"\x93NUMPY", "not readable as an .npy"),
        (b"\x93NUMPY\x02\x00\xff\xff\xff\xff" + bytes(100), "not readable as an .npy"),
        (b"", "it does not begin as one"),
        (b"PK\x03\x04", "it is a zip archive, as PyTorch and NumPy write"),
        (b"\x80\x04N.", "it is a pickle, which is not read"),
    ],
)
@pytest.mark.filterwarnings("error")
def test_what_is_refused(path, content, message):
    path.write_bytes(content)
    tracemalloc.start()
    try:
        assert message in refused(path)
        assert tracemalloc.get_traced_memory()[1] < 2**22
    finally:
        tracemalloc.stop()


def test_too_large_no_file_and_a_folder(path, tmp_path):
    assert "a folder" in refused(tmp_path)
    assert "No such file" in refused(path)
    np.save(path, np.zeros(1000))
    assert "more than such a file may have (800)" in refused(path, most=800)


def test_the_error_is_the_caller_s(path):
    path.write_text("no array")
    with pytest.raises(ImageError):
        read_npy(path, error=ImageError)


def test_damaged_files_raise_nothing_else(path):
    rng = np.random.default_rng(0)
    np.save(path, np.eye(3))
    whole = path.read_bytes()
    for _ in range(200):
        data = bytearray(whole)
        for k in rng.integers(140, size=2):
            data[k] = int(rng.integers(256))
        path.write_bytes(data[: rng.choice([len(data), int(rng.integers(len(data)))])])
        with contextlib.suppress(UsageError):
            read_npy(path)
