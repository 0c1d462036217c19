"""Paddle's files: arrays exactly as they were written; nothing else in a pickle is run or believed."""

from __future__ import annotations

import os
import pickle
import pickletools
import struct

import numpy as np
import pytest

import salbox
from salbox.formats import paddle
from salbox.formats.paddle import NAMES, read_paddle

RNG = np.random.default_rng(0)
ARRAYS = {
    "bkbone.conv.weight": RNG.standard_normal((4, 3, 2, 2)).astype(np.float32),
    "scale": np.array(3.5, np.float32),
    "index": np.arange(5),
    "half": RNG.standard_normal(7).astype(np.float16),
    "by column": np.asfortranarray(RNG.standard_normal((3, 4))),
    "big end first": np.arange(6, dtype=">f4").reshape(2, 3),
    "mask": np.array([True, False]),
}
NAMED = {name: f"conv2d_{i}.w_0" for i, name in enumerate(ARRAYS)}


def write(path, held: object, protocol: int = 4):
    path.write_bytes(pickle.dumps(held, protocol=protocol))
    return path


def read_all(path) -> dict[str, np.ndarray]:
    return {name: stored.read() for name, stored in read_paddle(path).items()}


def refused(path, match: str) -> None:
    with pytest.raises(salbox.WeightsError, match=match) as caught:
        read_all(path)
    assert "\n" not in str(caught.value)
    assert str(caught.value).startswith(f"{path}: ")


@pytest.mark.parametrize("protocol", [2, 3, 4])
def test_reads_what_was_saved(tmp_path, protocol):
    shared = ARRAYS | {"tied": ARRAYS["bkbone.conv.weight"]}
    found = read_paddle(write(tmp_path / "a.pdparams", shared | {NAMES: NAMED}, protocol))
    assert list(found) == list(shared)
    for name, stored in found.items():
        values = stored.read()
        np.testing.assert_array_equal(values, shared[name])
        assert values.dtype == shared[name].dtype
        assert stored.shape == shared[name].shape


def test_an_array_of_nothing(tmp_path):
    found = read_paddle(write(tmp_path / "a.pdparams", {"empty": np.zeros((0, 3), np.float32)}))
    assert found["empty"].read().shape == found["empty"].shape == (0, 3)


def test_files_of_numpy_1_are_read_too(tmp_path):
    content = pickle.dumps(ARRAYS, protocol=2).replace(b"cnumpy._core.multiarray\n", b"cnumpy.core.multiarray\n")
    (tmp_path / "a.pdparams").write_bytes(content)
    np.testing.assert_array_equal(read_paddle(tmp_path / "a.pdparams")["half"].read(), ARRAYS["half"])


class Runs:
    """Something that a pickle calls when it is opened."""

    def __init__(self, function, *given):
        self._call = function, given

    def __reduce__(self):
        return self._call


@pytest.mark.parametrize(
    ("called", "name"),
    [
        (Runs(os.mkdir, "gone"), r"(posix|nt)\.mkdir"),
        (Runs(os.system, "mkdir gone"), r"(posix|nt)\.system"),
        (Runs(eval, "__import__('os').mkdir('gone')"), r"builtin(s|__)\.eval"),
        (Runs(getattr, "text", "upper"), r"builtin(s|__)\.getattr"),
        (Runs(bytearray, 1 << 40), r"builtin(s|__)\.bytearray"),
        (np.float32(1), r"numpy\._?core\.multiarray\.scalar"),
        (np.array([{}, None]), "instruction EMPTY_LIST"),
        (np.array(["2026-01-01"], "datetime64[D]"), "changes a dtype in a way that no array does"),
        (np.zeros(2, [("a", "f4"), ("b", "f4")]), "in a way that no array does"),
        (np.ma.masked_array([1.0]), r"numpy\.ma"),
    ],
)
@pytest.mark.parametrize("protocol", [2, 4])
def test_nothing_is_run(tmp_path, monkeypatch, called, name, protocol):
    monkeypatch.chdir(tmp_path)
    for held in ({"w": called}, {"w": ARRAYS["half"], NAMES: called}, called):
        refused(write(tmp_path / "a.pdparams", held, protocol), name)
    assert not (tmp_path / "gone").exists()


@pytest.mark.parametrize(
    ("held", "match"),
    [
        ({}, "it holds 0 arrays"),
        ({NAMES: NAMED}, "it holds 0 arrays"),
        ({"w": 3}, "'w' is a int, not an array"),
        ({"w": {"w": ARRAYS["half"]}}, "'w' is a dict, not an array"),
        (ARRAYS["half"], "holds an array, not a dictionary"),
        ([ARRAYS["half"]], "instruction EMPTY_LIST"),
        ({("a", "b"): ARRAYS["half"]}, "a tuple where a name should be"),
        ({3: ARRAYS["half"]}, "a int where a name should be"),
        ({"w": 1.5}, "instruction BINFLOAT"),
    ],
)
def test_anything_but_arrays_is_refused(tmp_path, held, match):
    refused(write(tmp_path / "a.pdparams", held), match)


def array_of(shape: tuple[int, ...], content: bytes, code: str = "f4") -> bytes:
    """Return a pickle of one array that says of itself what it is told to."""

    class Says:
        def __reduce__(self):
            dtype = np.dtype("f4")
            reconstruct, given, _ = np.zeros(1).__reduce__()
            return reconstruct, given, (1, shape, dtype, False, content)

    return pickle.dumps({"w": Says()}, protocol=4).replace(b"\x8c\x02f4", b"\x8c\x02" + code.encode())


@pytest.mark.parametrize("shape", [(1 << 40,), (1 << 62, 4), (-1, 2), (3,), (1,) * 40, (2**70,)])
def test_no_shape_is_believed(tmp_path, shape):
    path = tmp_path / "a.pdparams"
    path.write_bytes(array_of((2,), bytes(8)))
    np.testing.assert_array_equal(read_paddle(path)["w"].read(), [0, 0])
    path.write_bytes(array_of(shape, bytes(8)))
    refused(path, "'w' is not an array of numbers")


@pytest.mark.parametrize("code", ["O8", "V4", "f3", "S4", "U1", "zz"])
def test_only_numbers_are_numbers(tmp_path, code):
    path = tmp_path / "a.pdparams"
    path.write_bytes(array_of((1,), bytes(8), code))
    refused(path, "'w' is not an array of numbers")


@pytest.mark.parametrize(
    ("content", "match"),
    [
        (b"", "not a .pdparams"),
        (b"PK\x03\x04" + bytes(60), "it is a zip archive, as PyTorch and NumPy write"),
        (b"no pickle", "it does not begin as one"),
        # Of a petabyte, of a text of 4 GB, of a place far away: none of it is set aside.
        (b"\x80\x04\x8e" + struct.pack("<Q", 1 << 50), "not a .pdparams"),
        (b"\x80\x04X" + b"\xff" * 4, "not a .pdparams"),
        (b"\x80\x04}r\xff\xff\xff\xffj\xfe\xff\xff\xff.", "refers to what is not there"),
        (b"\x80\x04}h\x07.", "refers to what is not there"),
        (b"\x80\x04u.", "takes more than it has"),
        (b"\x80\x04}(K\x01u.", "sets entries of a dict"),
        (b"\x80\x04}}.", "not a dictionary of arrays"),
        # A list of lists of lists, a tuple in a tuple: as a name it would be hashed from within.
        (b"\x80\x04" + b"]" * 200_000 + b".", "instruction EMPTY_LIST"),
        (b"\x80\x04})" + b"\x85" * 200_000 + b"Ns.", "a tuple where a name should be"),
        (b"\x80\x04" + b"}" * 200_000 + b".", "not a dictionary"),
        (b"\x80\x04" + b"(" * 200_000 + b"t.", "not a dictionary"),
        (b"\x80\x04L" + b"9" * 100_000 + b"L\n.", "not a .pdparams"),
        (b"\x80\x04cos\nsystem\n.", "it names os.system"),
    ],
)
def test_malformed_files_are_refused(tmp_path, content, match):
    path = tmp_path / "a.pdparams"
    path.write_bytes(content)
    refused(path, match)


def test_torn_files_are_refused(tmp_path):
    content = pickle.dumps(ARRAYS | {NAMES: NAMED}, protocol=4)
    for length in range(1, len(content) - 1, 7):
        (tmp_path / "a.pdparams").write_bytes(content[:length])
        refused(tmp_path / "a.pdparams", "a.pdparams: not")


def test_a_text_that_is_no_bytes(tmp_path):
    content = pickle.dumps({"w": np.zeros(2, np.float32)}, protocol=2)
    places = [(place, given) for code, given, place in pickletools.genops(content) if code.name == "BINUNICODE"]
    place = next(place for place, given in places if given == "\0" * 8)
    torn = content[:place] + b"X\x18\0\0\0" + "€".encode() * 8 + content[place + 5 + 8 :]
    (tmp_path / "a.pdparams").write_bytes(torn)
    refused(tmp_path / "a.pdparams", "holds a text that is no bytes")


def test_sizes_are_capped(tmp_path, monkeypatch):
    path = write(tmp_path / "a.pdparams", ARRAYS)
    monkeypatch.setattr(paddle, "MAX_ARRAYS", 3)
    refused(path, "it holds 7 arrays")
    monkeypatch.setattr(paddle, "MAX_INSTRUCTIONS", 20)
    refused(path, "more instructions than arrays take")
    monkeypatch.undo()
    with path.open("r+b") as file:
        file.truncate((1 << 30) + 1)  # a hole: nothing is written
    refused(path, "bytes are more than such a file may have")
    refused(tmp_path, "a folder")
    refused(tmp_path / "none.pdparams", "cannot be read")
