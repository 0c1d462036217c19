"""HDF5 files: what is in them is read, what they point to is not, and what is too large is refused at once."""

from __future__ import annotations

import struct
import sys
import tracemalloc
import zlib

import numpy as np
import pytest

from salbox.errors import MissingExtraError, UsageError, WeightsError
from salbox.formats.hdf5 import Dialect, open_hdf5

h5py = pytest.importorskip("h5py")


LONG = 2**20 + 77


@pytest.fixture
def path(tmp_path):
    return tmp_path / "a.hdf5"


def refused(path, read):
    with pytest.raises(UsageError) as caught, open_hdf5(path) as file:
        read(file)
    message = str(caught.value)
    assert str(path) in message
    assert "\n" not in message
    return message


def test_what_the_file_holds(path):
    with h5py.File(path, "w") as file:
        file["numbers"] = np.arange(12).reshape(4, 3)
        file.create_dataset("packed", data=np.arange(9), compression="gzip", shuffle=True, fletcher32=True)
        file.create_dataset("fast", data=np.arange(9), compression="lzf")
        file["one"] = 2.5
        file["texts"] = np.array(["a", "bé"], object)
        file["fixed"] = np.array([b"x", b"yz"])
        lists = file.create_dataset("lists", (2,), h5py.vlen_dtype(np.int64))
        lists[0], lists[1] = [1, 2, 3], [4]
        references = file.create_dataset("references", (1,), h5py.ref_dtype)
        references[0] = file["numbers"].ref
        file["group/inner"] = np.ones(2)
        file.attrs["type"], file.attrs["names"], file.attrs["size"] = np.bytes_("Stimuli"), '["a", "b"]', 7
    with open_hdf5(path) as file:
        np.testing.assert_array_equal(file.array("numbers"), np.arange(12).reshape(4, 3))
        np.testing.assert_array_equal(file.rows("numbers", 1, 3), [[3, 4, 5], [6, 7, 8]])
        np.testing.assert_array_equal(file.array("packed"), np.arange(9))
        np.testing.assert_array_equal(file.array("fast"), np.arange(9))
        assert file.array("one") == 2.5
        assert file.texts("texts") == ["a", "bé"]
        assert file.texts("fixed") == ["x", "yz"]
        assert file.labels("texts").tolist() == [0, 1]
        assert [list(v) for v in file.number_lists("lists")] == [[1, 2, 3], [4]]
        np.testing.assert_array_equal(file.follow(file.array("references")[0]), np.arange(12).reshape(4, 3))
        np.testing.assert_array_equal(file.group("group").array("inner"), [1, 1])
        assert (file.attribute("type"), file.attribute("size"), file.attribute("other")) == ("Stimuli", "7", None)
        assert file.json_names("names") == ("a", "b")
        assert "numbers" in file
        assert "other" not in file


def test_nothing_outside_the_file_is_read(path, tmp_path):
    secret = tmp_path / "secret.hdf5"
    with h5py.File(secret, "w") as file:
        file["data"] = np.arange(5)
    with h5py.File(path, "w") as file:
        file["link"] = h5py.ExternalLink("/etc/passwd", "/")
        file["sound"] = h5py.ExternalLink(str(secret), "/data")  # HDF5 itself would follow it
        file["soft"] = h5py.SoftLink("/sound")
        file.create_dataset("storage", (10,), "u1", external=[("/etc/passwd", 0, 10)])
        layout = h5py.VirtualLayout((5,), "i8")
        layout[:] = h5py.VirtualSource(str(secret), "data", (5,))
        file.create_virtual_dataset("virtual", layout)
        references = file.create_dataset("references", (1,), h5py.ref_dtype)
        references[0] = file["virtual"].ref
        file["group/link"] = h5py.ExternalLink(str(secret), "/")
    with h5py.File(path) as file:
        assert file["sound"][:].tolist() == file["virtual"][:].tolist() == [0, 1, 2, 3, 4]
    for name in ("link", "sound", "soft"):
        assert "link to elsewhere, which is not followed" in refused(path, lambda f, n=name: f.array(n))
    assert "link to elsewhere" in refused(path, lambda f: f.group("link"))
    for name in ("storage", "virtual"):
        assert "has its data in another file, which is not read" in refused(path, lambda f, n=name: f.array(n))
    assert "in another file" in refused(path, lambda f: f.follow(f.array("references")[0]))
    # A path would be followed from link to link.
    assert "no 'group/link/data'" in refused(path, lambda f: f.array("group/link/data"))


def test_what_is_declared_large_is_refused_before_memory_is_taken(path):
    with h5py.File(path, "w") as file:
        file.create_dataset("huge", (10**6, 10**6), "f8", chunks=(100, 100), compression="gzip")
        file.create_dataset("chunk", (1,), "f8", chunks=(2**28,), maxshape=(None,), compression="gzip")
        file.create_dataset("many", (10**9,), h5py.string_dtype(), chunks=(1000,))
        file.create_dataset("wide", (1000,), "S100000000", chunks=(1,))
        file.attrs.create("type", np.zeros(4000))
    assert path.stat().st_size < 100_000
    tracemalloc.start()
    try:
        assert "'huge' of 1000000 x 1000000 is larger" in refused(path, lambda f: f.array("huge"))
        assert "'chunk' is packed in pieces larger than 256 MiB" in refused(path, lambda f: f.array("chunk"))
        assert "larger" in refused(path, lambda f: f.texts("many"))
        assert "larger" in refused(path, lambda f: f.texts("wide"))
        assert "attribute 'type' is not a text or number" in refused(path, lambda f: f.attribute("type"))
        assert tracemalloc.get_traced_memory()[1] < 2**24
    finally:
        tracemalloc.stop()


def test_many_texts_that_share_one_stretch_of_the_file_are_counted(path, monkeypatch):
    monkeypatch.setattr("salbox.formats.hdf5.VARYING_BUDGET", 10_000)
    with h5py.File(path, "w") as file:
        texts = file.create_dataset("texts", (300,), h5py.string_dtype())
        texts[...] = "x" * 100
    assert "'texts' takes more than" in refused(path, lambda f: f.texts("texts"))


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("scaled", "needs the filter 'scaleoffset'; gzip and lzf are read"),
        ("texts", "'texts' does not hold numbers"),
        ("compound", "'compound' does not hold numbers"),
        ("empty", "'empty' is empty"),
        ("group", "'group' is not an array"),
        ("other", "no 'other' (there are compound, empty, group, scaled, texts)"),
    ],
)
def test_other_kinds_of_data_are_named(path, name, message):
    with h5py.File(path, "w") as file:
        file.create_dataset("scaled", data=np.arange(10), scaleoffset=True)
        file["texts"] = np.array(["a"], object)
        file["compound"] = np.zeros(3, [("a", "i4")])
        file["empty"] = h5py.Empty("f4")
        file["group/inner"] = 1
        file.attrs["names"] = "[" * 100_000
        file["group/self"] = file["/"]
    assert message in refused(path, lambda f: f.array(name))
    assert "'names' is not a list of names" in refused(path, lambda f: f.json_names("names"))
    assert "'texts' is not a group" in refused(path, lambda f: f.group("texts"))


@pytest.mark.parametrize("share", [0.0, 0.01, 0.3, 0.9])
def test_a_broken_file_is_one_line(path, share):
    with h5py.File(path, "w") as file:
        file.create_dataset("data", data=np.random.default_rng(0).random(5000), chunks=(100,))
    content = path.read_bytes()
    path.write_bytes(content[: int(len(content) * share)])
    assert "not readable as an HDF5 file" in refused(path, lambda f: f.array("data"))


def test_data_that_are_broken_within_are_one_line(path):
    with h5py.File(path, "w") as file:
        file.create_dataset("data", data=np.arange(5000), chunks=(5000,), compression="gzip", fletcher32=True)
        place = file["data"].id.get_chunk_info(0).byte_offset
    content = bytearray(path.read_bytes())
    content[place : place + 8] = b"\xff" * 8
    path.write_bytes(content)
    assert "'data' is broken (" in refused(path, lambda f: f.array("data"))


def test_a_missing_file_and_another_kind_of_file(path, tmp_path):
    assert "no such file" in refused(path, lambda f: f)
    path.write_text("a text")
    assert "not readable as an HDF5 file" in refused(path, lambda f: f)


def test_without_h5py(path, monkeypatch):
    monkeypatch.setitem(sys.modules, "h5py", None)
    with (
        pytest.raises(MissingExtraError, match=r"reading HDF5 files needs .*pip install 'salbox\[eval\]'"),
        open_hdf5(path),
    ):
        pass


def test_attributes_that_list_names(path):
    with h5py.File(path, "w") as file:
        file.attrs["fixed"] = np.array([b"a", b"bc"])
        file.attrs["varying"] = ["a", "bé"]
        file.attrs["one"] = "a"
        file.attrs["none"] = np.zeros(0)
        file.attrs["numbers"] = np.ones(2)
        file.attrs["table"] = np.array([[b"a"]])
        file.attrs.create("references", [file.ref], dtype=h5py.ref_dtype)
    with open_hdf5(path) as file:
        assert file.attribute_texts("fixed") == ["a", "bc"]
        assert file.attribute_texts("varying") == ["a", "bé"]
        assert file.attribute_texts("one") == ["a"]
        assert file.attribute_texts("none") == []
        assert file.attribute_texts("other") is None
    for name in ("numbers", "table", "references"):
        assert f"attribute '{name}' is not a list of names" in refused(path, lambda f, n=name: f.attribute_texts(n))


def test_many_names_in_a_large_file(path):
    """The file's size alone would not allow so many."""
    with h5py.File(path, "w") as file:
        file.attrs["names"] = ["y"] * 1000
        file["large"] = np.random.default_rng(0).random(2**20)
    with open_hdf5(path) as file:
        assert file.attribute_texts("names") == ["y"] * 1000


def test_names_that_share_one_stretch_of_the_file_are_counted(path):
    """A thousand names of a megabyte each, all of them in the same place."""
    with h5py.File(path, "w") as file:
        file.attrs["names"] = ["x" * LONG, *"y" * 999]
    content = bytearray(path.read_bytes())
    at = content.index(struct.pack("<I", LONG))  # before each: its length, and where in which heap it is
    content[at : at + 16_000] = content[at : at + 16] * 1000
    path.write_bytes(content)
    tracemalloc.start()
    try:
        assert "attribute 'names' lists more names than there can be" in refused(
            path, lambda f: f.attribute_texts("names")
        )
        assert tracemalloc.get_traced_memory()[1] < 2**24
    finally:
        tracemalloc.stop()


def test_names_in_a_file_do_not_reach_the_terminal_as_they_are(path):
    with h5py.File(path, "w") as file:
        file["a\nb\x1b[2J/c"] = np.ones(2)
    message = refused(path, lambda f: f.array("other"))
    assert "(there are a b)" in message
    assert "a.hdf5:/a b: no 'x?y'" in refused(path, lambda f: f.group("a\nb\x1b[2J").array("x\x1by"))


def test_what_users_call_the_file(path):
    dialect = Dialect("a file of Keras", error=WeightsError)
    path.write_text("a text")
    with (
        pytest.raises(WeightsError, match=r"not readable as a file of Keras \(it does not begin as one"),
        open_hdf5(path, dialect),
    ):
        pass
    with h5py.File(path, "w") as file:
        file["group/a"] = np.ones(2)
    with open_hdf5(path, dialect) as file:
        assert file.is_group("group")
        assert not file.group("group").is_group("a")
        with pytest.raises(WeightsError, match="no 'b'"):
            file.group("group").array("b")
    for name in ("", ".", "..", "/", "group/a"):
        assert "no '" in refused(path, lambda f, n=name: f.array(n))


def patched(file, name, change, *arguments, **options):
    """Write an array, and beside it under `name` one whose only piece is stored in other bytes."""
    sound = file.create_dataset(f"sound {name}", *arguments, **options)
    left_out, content = sound.id.read_direct_chunk((0,))
    damaged = file.create_dataset(name, sound.shape, sound.dtype, chunks=sound.chunks, **filters_of(options))
    damaged.id.write_direct_chunk((0,), change(bytes(content)), left_out)


def filters_of(options):
    return {key: value for key, value in options.items() if key in ("compression", "shuffle", "fletcher32")}


PIECES = {
    "checksum": ({"fletcher32": True}, lambda stored: b"xy", "cut off"),
    "checksum, wrong": ({"fletcher32": True}, lambda stored: bytes([1]) * 8 + stored[8:], "checksum is wrong"),
    "checksum, long": ({"fletcher32": True}, lambda stored: stored * 20, "is stored in 16080"),
    "shuffled": ({"shuffle": True}, lambda stored: stored[:20], "a piece has 20 bytes"),
    "packed short": ({"compression": "gzip"}, lambda stored: zlib.compress(bytes(9)), "a piece has 9 bytes"),
    "bomb": ({"compression": "gzip"}, lambda stored: zlib.compress(bytes(10**6)), "unpacks to more bytes"),
    "cut": ({"compression": "gzip"}, lambda stored: stored[:-6], "cut off"),
    "no zlib": ({"compression": "gzip"}, lambda stored: b"x" * 30, "incorrect header check"),
    "lzf short": ({"compression": "lzf"}, lambda stored: b"\x01ab", "a piece has 2 bytes"),
    "lzf back": ({"compression": "lzf"}, lambda stored: b"\x20\x05", "before its first"),
    "lzf bomb": ({"compression": "lzf"}, lambda stored: b"\x00a" + b"\xe0\xff\x00" * 100, "unpacks to more bytes"),
}


@pytest.mark.parametrize("case", PIECES)
def test_pieces_that_are_not_as_long_as_they_say(case, path):
    filters, change, expected = PIECES[case]
    with h5py.File(path, "w") as file:
        patched(file, "numbers", change, data=np.arange(100.0), chunks=(100,), **filters)
        references = np.array([file["sound numbers"].ref] * 100, h5py.ref_dtype)
        patched(file, "references", change, data=references, dtype=h5py.ref_dtype, chunks=(100,), **filters)
    for name in ("numbers", "references"):
        message = refused(path, lambda f, n=name: f.array(n))
        assert "is broken" in message
        assert expected in message


def test_texts_and_lists_in_pieces(path):
    with h5py.File(path, "w") as file:
        options = {"chunks": (2,), "compression": "gzip", "shuffle": True}
        short = lambda stored: zlib.compress(bytes(7))  # noqa: E731
        patched(file, "texts", short, data=["a", "bé"], dtype=h5py.string_dtype(), **options)
        lists = file.create_dataset("lists", (2,), h5py.vlen_dtype(np.int64), **options)
        lists[0], lists[1] = [1, 2, 3], [4]
    with open_hdf5(path) as file:
        assert file.texts("sound texts") == ["a", "bé"]
        assert [list(numbers) for numbers in file.number_lists("lists")] == [[1, 2, 3], [4]]
    assert "a piece has 7 bytes, not 32" in refused(path, lambda f: f.texts("texts"))


@pytest.mark.parametrize("dtype", ["f8", ">f4", "i2", "u1", "?"])
@pytest.mark.parametrize(
    "filters",
    [
        {},
        {"compression": "gzip", "shuffle": True, "fletcher32": True},
        {"compression": "lzf"},
        {"compression": "lzf", "shuffle": True},
    ],
)
def test_pieces_are_put_together_as_hdf5_does(dtype, filters, path):
    numbers = np.random.default_rng(3).integers(0, 4, (23, 17, 2)).astype(dtype)
    with h5py.File(path, "w") as file:
        dataset = file.create_dataset(
            "numbers", (40, 17, 2), dtype, chunks=(5, 4, 2), fillvalue=numbers[0, 0, 0], **filters
        )
        dataset[:23] = numbers
        expected = dataset[:]
    with open_hdf5(path) as file:
        np.testing.assert_array_equal(file.array("numbers"), expected)
        np.testing.assert_array_equal(file.rows("numbers", 7, 31), expected[7:31])
        assert file.array("numbers").dtype == expected.dtype
        assert file.rows("numbers", 9, 3).shape == (0, 17, 2)


HEAP = b"GCOL\x01\0\0\0"


@pytest.mark.parametrize("length", [0, 8, 2**40])
def test_heaps_of_texts_that_hdf5_would_not_come_back_from(path, length):
    with h5py.File(path, "w") as file:
        file.create_dataset("texts", data=["a", "b"], dtype=h5py.string_dtype())
        file.attrs["type"] = "Stimuli"
        file.attrs.create("list", ["a", "b"], dtype=h5py.string_dtype())
    content = path.read_bytes()
    objects = content.index(HEAP) + 16
    while int.from_bytes(content[objects : objects + 2], "little"):  # up to what is not used
        objects += 16 + -(-int.from_bytes(content[objects + 8 : objects + 16], "little") // 8) * 8
    path.write_bytes(content[: objects + 8] + length.to_bytes(8, "little") + content[objects + 16 :])
    for read in (lambda f: f.texts("texts"), lambda f: f.attribute("type"), lambda f: f.attribute_texts("list")):
        assert "a heap of texts is damaged" in refused(path, read)


def test_lists_that_say_that_they_are_longer_than_the_file(path):
    with h5py.File(path, "w") as file:
        lists = file.create_dataset("lists", (2,), h5py.vlen_dtype(np.int64))
        lists[0], lists[1] = [1, 2, 3], [4]
        at = lists.id.get_offset()
    content = path.read_bytes()
    assert content[at : at + 4] == (3).to_bytes(4, "little")
    path.write_bytes(content[:at] + (2**31).to_bytes(4, "little") + content[at + 4 :])
    assert "longer than what holds it" in refused(path, lambda f: f.number_lists("lists"))


def test_varying_lengths_of_a_kind_that_there_is_not(path):
    with h5py.File(path, "w") as file:
        file.create_dataset("texts", data=["a", "b"], dtype=h5py.string_dtype())
        lists = file.create_dataset("lists", (2,), h5py.vlen_dtype(np.int64))
        lists[0], lists[1] = [1, 2, 3], [4]
        file.attrs["type"] = "Stimuli"
        file.attrs.create("list", ["a", "b"], dtype=h5py.string_dtype())
    content = path.read_bytes()
    # The class of a type, 9, with its version, and the kind: 0 a list, 1 a text. HDF5 would call what is not there.
    for kind in (b"\x19\x01\x01\x00\x10\0\0\0", b"\x19\x01\x00\x00\x10\0\0\0", b"\x19\x00\x00\x00\x10\0\0\0"):
        content = content.replace(kind, kind[:1] + bytes([kind[1] | 8]) + kind[2:])
    path.write_bytes(content)
    for read in (
        lambda f: f.texts("texts"),
        lambda f: f.number_lists("lists"),
        lambda f: f.attribute("type"),
        lambda f: f.attribute_texts("list"),
    ):
        assert "is not a" in refused(path, read)
