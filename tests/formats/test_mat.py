"""MATLAB files: read as SciPy reads them, and whatever is damaged is one line and no crash."""

from __future__ import annotations

import io
import struct
import zlib

import numpy as np
import pytest
from scipy.io import loadmat, savemat
from scipy.sparse import csc_matrix
from trees import cell

from salbox.errors import SalboxError, UsageError
from salbox.formats import mat5_arrays
from salbox.formats.mat import load_variable, numbers_field, records, text_field
from salbox.formats.mat5_arrays import Element, Struct

SPARSE = csc_matrix(np.array([[0, 2.5, 0], [0, 0, 0], [1, 0, 0], [0, 0, -3]]))
HELD = {
    "numbers": np.arange(24, dtype=np.float64).reshape(2, 3, 4),
    "bytes": np.arange(6, dtype=np.uint8).reshape(3, 2),
    "singles": np.float32([[0.1, -2]]),
    "wide": np.array([[2**60]], np.int64),
    "logical": np.eye(3, dtype=bool),
    "text": "möwe",
    "lines": np.array(["ab", "cd", "e"]),
    "nothing": np.zeros((0, 3)),
    "sparse": SPARSE,
    "mixed": cell([np.eye(2), "a", {"b": cell([1.0, "z"])}, np.zeros((0, 0))]),
    "people": np.array([[(1.5, "x"), (2.5, "yy")]], [("size", object), ("name", object)]),
}


def decoded(value):
    """Return a value with everything in it decoded, in plain lists, as `from_scipy` does."""
    if isinstance(value, Element):
        return decoded(value.read())
    if isinstance(value, Struct):
        return {name: decoded(value[name]) for name in value.names}
    if value.dtype == object:
        return [decoded(v) for v in value.flat]
    return value


def from_scipy(value):
    if isinstance(value, np.void):
        return {name: from_scipy(value[name]) for name in value.dtype.names}
    if not isinstance(value, np.ndarray):
        return value.toarray()
    if value.dtype == object or value.dtype.names:
        return [from_scipy(v) for v in value.flat]
    return value


def assert_same(ours, theirs):
    if isinstance(ours, dict):
        assert list(ours) == list(theirs)
        for name in ours:
            assert_same(ours[name], theirs[name])
    elif isinstance(ours, list):
        assert len(ours) == len(theirs)
        for a, b in zip(ours, theirs, strict=True):
            assert_same(a, b)
    elif theirs.size:
        assert ours.shape == theirs.shape
        assert ours.dtype.newbyteorder("=") == theirs.dtype.newbyteorder("=")
        np.testing.assert_array_equal(ours, theirs)
    else:
        assert not ours.size


@pytest.mark.parametrize("packed", [False, True])
def test_everything_is_read_as_scipy_reads_it(tmp_path, packed):
    path = tmp_path / "a.mat"
    savemat(path, HELD, do_compression=packed)
    theirs = loadmat(path)
    for name in HELD:
        assert_same(decoded(load_variable(path, [name])), from_scipy(theirs[name]))


def test_a_file_written_on_a_machine_of_the_other_byte_order(tmp_path):
    def element(kind, data):
        return struct.pack(">II", kind, len(data)) + data + bytes(-len(data) % 8)

    values = struct.pack(">4d", 1, 2, 3, 4)
    head = element(6, struct.pack(">II", 6, 0)) + element(5, struct.pack(">ii", 2, 2)) + element(1, b"m")
    body = head + element(9, values)
    (tmp_path / "a.mat").write_bytes(bytes(124) + struct.pack(">H", 0x0100) + b"MI" + element(14, body))
    np.testing.assert_array_equal(load_variable(tmp_path / "a.mat", ["m"]), [[1, 3], [2, 4]])


@pytest.mark.slow
@pytest.mark.parametrize("name", ["OSIE", "EyeCrowd"])
def test_the_published_fixations_are_read_as_scipy_reads_them(shared, name):
    path = shared / "data" / name / "data" / "eye" / "fixations.mat"
    assert_same(decoded(load_variable(path, ["fixations"])), from_scipy(loadmat(path)["fixations"]))


@pytest.mark.slow
def test_the_published_labels_are_read_as_scipy_reads_them(shared):
    path = shared / "data" / "EyeCrowd" / "data" / "labels.mat"
    theirs = {name: value for name, value in loadmat(path).items() if not name.startswith("__")}
    assert theirs
    for name, value in theirs.items():
        assert_same(decoded(load_variable(path, [name])), from_scipy(value))


def bytes_of(held, packed):
    file = io.BytesIO()
    savemat(file, held, do_compression=packed)
    return file.getvalue()


def variants(rng):
    """Yield damaged copies of a small file: bytes changed, words changed to extremes, pieces cut out or put in."""
    small = {"fixations": HELD["mixed"], "people": HELD["people"], "m": np.eye(3), "text": "abc", "sparse": SPARSE}
    for number in range(300):
        packed = number % 2 == 1
        data = bytearray(bytes_of(small, packed))
        if packed and number % 4 == 1:  # damage what is inside a packed variable, with a checksum that fits
            inner = bytearray(bytes_of({"fixations": HELD["mixed"]}, False)[128:])
            damage(inner, rng, 0, number // 4 % 4)
            body = zlib.compress(bytes(inner))
            data = data[:128] + struct.pack("<II", 15, len(body)) + body
        else:
            damage(data, rng, 100, number // 4 % 4)
        yield bytes(data)


def damage(data, rng, start, how):
    at = int(rng.integers(start, len(data) - 8))
    if how == 0:
        for k in rng.integers(start, len(data), int(rng.integers(1, 12))):
            data[k] = int(rng.integers(256))
    elif how == 1:
        at -= at % 4
        data[at : at + 4] = struct.pack("<I", int(rng.choice([0, 1, 7, 0x7FFFFFFF, 0xFFFFFFFF, 0x80000000, 2**30])))
    elif how == 2:
        del data[at : at + int(rng.integers(1, 40))]
    else:
        data[at:at] = rng.bytes(int(rng.integers(1, 40)))


def test_three_hundred_damaged_files_open_or_are_one_line(tmp_path):
    opened = failed = 0
    path = tmp_path / "a.mat"
    for data in variants(np.random.default_rng(0)):
        path.write_bytes(data)
        for name in ("fixations", "people", "m", "text", "sparse"):
            message = what_reading_gives(path, name)
            if message is None:
                opened += 1
            else:
                assert "\n" not in message
                assert message.startswith(str(path))
                failed += 1
    assert opened > 100
    assert failed > 300


def what_reading_gives(path, name):
    """Return the message of the error, or None if there is none."""
    try:
        decoded(load_variable(path, [name]))
    except SalboxError as error:
        return str(error)
    return None


@pytest.mark.parametrize("cut", range(0, 1000, 37))
def test_a_file_that_ends_too_early_is_one_line(tmp_path, cut):
    data = bytes_of({"m": np.arange(120.0)}, False)
    assert len(data) > 1000
    (tmp_path / "a.mat").write_bytes(data[:cut])
    with pytest.raises(UsageError, match=r"a\.mat"):
        load_variable(tmp_path / "a.mat", ["m"])


def packed_array(size, filler):
    """Return a file of one packed variable that says it has `size` bytes."""
    body = zlib.compress(struct.pack("<II", 14, size) + filler)
    return bytes(124) + struct.pack("<H", 0x0100) + b"IM" + struct.pack("<II", 15, len(body)) + body


def numbers_head(*shape):
    sides = struct.pack(f"<II{len(shape)}i", 5, 4 * len(shape), *shape)
    return struct.pack("<IIII", 6, 8, 6, 0) + sides + struct.pack("<HH4s", 1, 1, b"m\0\0\0")


def test_what_unpacks_to_more_than_is_read_is_refused_before_it_is_unpacked(tmp_path):
    (tmp_path / "a.mat").write_bytes(packed_array(0xFFFFFFF0, numbers_head(2, 2) + bytes(10_000_000)))
    assert (tmp_path / "a.mat").stat().st_size < 20_000
    with pytest.raises(UsageError, match=r"variable 'm' is 4\.3 GB unpacked, more than the 1\.1 GB that are read"):
        load_variable(tmp_path / "a.mat", ["m"])


def test_what_unpacks_to_more_than_it_says_is_refused_and_not_unpacked(tmp_path, monkeypatch):
    monkeypatch.setattr(mat5_arrays, "MAX_BYTES", 1000)
    filler = numbers_head(2, 2) + struct.pack("<II4d", 9, 32, 1, 2, 3, 4)
    (tmp_path / "a.mat").write_bytes(packed_array(len(filler), filler))
    np.testing.assert_array_equal(load_variable(tmp_path / "a.mat", ["m"]), [[1, 3], [2, 4]])
    (tmp_path / "a.mat").write_bytes(packed_array(len(filler), filler + bytes(50_000_000)))
    with pytest.raises(UsageError, match="'m' ends without its checksum"):
        load_variable(tmp_path / "a.mat", ["m"])


@pytest.mark.parametrize("shape", [(2**31 - 1, 2**31 - 1), (0, 2**31 - 1, 2**31 - 1, 2**31 - 1), (3, -1)])
def test_sizes_that_no_file_holds(tmp_path, shape):
    filler = numbers_head(*shape) + struct.pack("<II", 9, 0)
    (tmp_path / "a.mat").write_bytes(packed_array(len(filler), filler))
    with pytest.raises(UsageError, match="damaged MATLAB file"):
        load_variable(tmp_path / "a.mat", ["m"])


def test_a_sparse_array_is_not_filled_up_beyond_memory(tmp_path):
    (tmp_path / "a.mat").write_bytes(bytes_of({"s": csc_matrix((2**20, 2**20))}, True))
    with pytest.raises(UsageError, match="sparse array of the size"):
        load_variable(tmp_path / "a.mat", ["s"])


@pytest.mark.parametrize(("kind", "what"), [(3, "an object"), (16, "a function handle"), (17, "an object")])
def test_what_is_not_data_is_refused(tmp_path, kind, what):
    data = bytearray(bytes_of({"m": np.eye(2)}, False))
    data[128 + 16] = kind
    if kind == 17:  # has no size
        del data[128 + 24 : 128 + 40]
        data[132:136] = struct.pack("<I", len(data) - 136)
    (tmp_path / "a.mat").write_bytes(data)
    with pytest.raises(UsageError, match=f"holds {what}, which is not read"):
        load_variable(tmp_path / "a.mat", ["m"])


def test_complex_numbers_are_refused(tmp_path):
    savemat(tmp_path / "a.mat", {"m": np.eye(2) * 1j})
    with pytest.raises(UsageError, match="complex"):
        load_variable(tmp_path / "a.mat", ["m"])


def test_members_are_decoded_only_when_they_are_asked_for(tmp_path):
    data = bytearray(bytes_of({"c": cell([{"a": 1.0, "b": 2.0}, {"a": 3.0, "b": 4.0}])}, False))
    last = len(data) - 8 - 8 - 8  # of the flags, size, name and value of the last b
    data[last - 24 : last] = bytes(24)
    (tmp_path / "a.mat").write_bytes(data)
    first, second = records(load_variable(tmp_path / "a.mat", ["c"]), "c")
    assert numbers_field(first, "a", "c") == [1]
    assert numbers_field(second, "a", "c") == [3]
    with pytest.raises(UsageError, match="damaged"):
        numbers_field(second, "b", "c")


def test_a_field_of_another_kind_is_named(tmp_path):
    savemat(tmp_path / "a.mat", {"c": cell([{"a": "text"}])})
    (only,) = records(load_variable(tmp_path / "a.mat", ["c"]), "c")
    assert text_field(only, "a", "c") == "text"
    with pytest.raises(UsageError, match=r"no field 'b' \(there are a\)"):
        text_field(only, "b", "c")
    with pytest.raises(UsageError, match="'a' is not a vector"):
        numbers_field(only, "a", "c")


def test_version_7_3(tmp_path):
    h5py = pytest.importorskip("h5py")
    with h5py.File(tmp_path / "a.mat", "w", userblock_size=512) as file:
        file["m"] = np.arange(6.0).reshape(3, 2)  # in MATLAB 2x3
        file["#refs#/a"], file["#refs#/b"] = np.ones((3, 2)), np.zeros(2, np.uint64)
        pointers = np.array([[file["#refs#/a"].ref, file["#refs#/b"].ref]], h5py.ref_dtype)
        file.create_dataset("c", data=pointers, dtype=h5py.ref_dtype)
        file["s/x"] = np.ones((1, 1))
    np.testing.assert_array_equal(load_variable(tmp_path / "a.mat", ["m"]), [[0, 2, 4], [1, 3, 5]])
    members = load_variable(tmp_path / "a.mat", ["c"])
    assert members.shape == (2, 1)
    assert (members[0, 0].shape, members[1, 0].size) == ((2, 3), 0)
    with pytest.raises(UsageError, match="expected the variable q, the file holds c, m, s"):
        load_variable(tmp_path / "a.mat", ["q"])
    with pytest.raises(UsageError, match="'s' is a struct"):
        load_variable(tmp_path / "a.mat", ["s"])
    data = (tmp_path / "a.mat").read_bytes()
    (tmp_path / "a.mat").write_bytes(data[: len(data) // 2])
    with pytest.raises(UsageError, match=r"not readable as a MATLAB file of version 7\.3"):
        load_variable(tmp_path / "a.mat", ["m"])
