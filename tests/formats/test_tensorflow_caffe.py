"""Readers of other frameworks' weights: read exactly, and nothing believed that a file says of itself."""

from __future__ import annotations

import struct

import numpy as np
import pytest
import weight_writers as writers
from onnx_writer import field, fields, varint

import salbox
from salbox.formats.caffe import read_caffe
from salbox.formats.crc32c import masked_crc32c
from salbox.formats.sstable import read_table
from salbox.formats.stored import StoredArray, collect
from salbox.formats.tensorflow import read_tensorflow

rng = np.random.default_rng(0)
ARRAYS = {
    f"part{k % 3}/layer_{k}/{kind}": rng.standard_normal(shape).astype(np.float32)
    for k in range(40)
    for kind, shape in (("kernel", (3, 3, 2, k + 1)), ("bias", (k + 1,)))
}
SHAPES = {name: array.shape for name, array in ARRAYS.items()}


def same(found, path) -> None:
    arrays = collect(found, SHAPES, "some model", path)
    assert list(arrays) == list(SHAPES)
    for name, values in arrays.items():
        assert values.dtype == np.float32
        np.testing.assert_array_equal(values, ARRAYS[name])


def refused(read, path, match: str) -> None:
    with pytest.raises(salbox.WeightsError, match=match) as caught:
        read(path)
    message = str(caught.value)
    assert "\n" not in message
    assert message.startswith(str(path.parent))
    assert len(message) < 400 + 2 * len(str(path))


def read_all(read):
    """Return a function that reads every array of a file."""

    def reading(path):
        stored = read(path)
        collect(stored, {name: array.shape for name, array in stored.items()}, "some model", path)

    return reading


# Sorted tables


def test_checksum_of_the_standard():
    """RFC 3720, appendix B.4: 32 bytes of zeros, and the numbers 0 to 31; masked as LevelDB does."""
    for content, crc in ((bytes(32), 0x8A9136AA), (bytes(range(32)), 0x46DD794E)):
        assert writers.crc32c(content) == crc
        assert masked_crc32c(content) == writers.masked(crc)


@pytest.mark.parametrize("per_block", [1, 7, 1000])
def test_tables_of_several_blocks(per_block):
    entries = {f"a/common/beginning/{k:03}".encode(): b"x" * k for k in range(120)} | {b"": b"first"}
    assert read_table(writers.table(entries, per_block)) == entries


# TensorFlow


def test_checkpoint(tmp_path):
    more = {"beta1_power": np.float32(0.9).reshape(()), "global_step": np.array(7), "double": np.array([0.1, 0.2])}
    index = writers.write_checkpoint(tmp_path / "model.ckpt", ARRAYS | more)
    data = tmp_path / "model.ckpt.data-00000-of-00001"
    for path in (index, data):
        found = read_tensorflow(path)
        assert set(found) == set(ARRAYS) | set(more)
        same({name: found[name] for name in ARRAYS}, path)
    assert found["beta1_power"].read() == np.float32(0.9)
    np.testing.assert_array_equal(found["double"].read(), [0.1, 0.2])
    with pytest.raises(salbox.WeightsError, match="'global_step' does not hold floating-point numbers"):
        found["global_step"].read()


def test_the_content_decides_not_the_name(tmp_path):
    index = writers.write_checkpoint(tmp_path / "a", ARRAYS)
    writers.write_graph(tmp_path / "b.pb", ARRAYS)
    index.rename(tmp_path / "graph.pb")
    (tmp_path / "a.data-00000-of-00001").rename(tmp_path / "graph.pb.data-00000-of-00001")
    (tmp_path / "b.pb").rename(tmp_path / "b.index")
    for path in (tmp_path / "graph.pb", tmp_path / "b.index"):
        same(read_tensorflow(path), path)


def test_checkpoint_without_its_other_half(tmp_path):
    index = writers.write_checkpoint(tmp_path / "model", ARRAYS)
    data = tmp_path / "model.data-00000-of-00001"
    moved = data.rename(tmp_path / "elsewhere")
    refused(read_all(read_tensorflow), index, "whose model.data-00000-of-00001 is not beside it")
    moved.rename(data)
    index.unlink()
    refused(read_tensorflow, data, "whose model.index is not beside it")


def test_checkpoint_whose_data_are_cut_off(tmp_path):
    index = writers.write_checkpoint(tmp_path / "model", ARRAYS)
    data = tmp_path / "model.data-00000-of-00001"
    data.write_bytes(data.read_bytes()[:-4])
    refused(read_all(read_tensorflow), index, "cut off, or not the data of model.index")


def test_damaged_index(tmp_path):
    index = writers.write_checkpoint(tmp_path / "model", ARRAYS)
    whole = index.read_bytes()
    changed = bytearray(whole)
    changed[100] ^= 4
    cases = {
        "a checksum is wrong": bytes(changed),
        "cut off": whole[:300] + whole[-48:],
        "as TensorFlow before 1.2 wrote it": writers.table({b"": b"\x08\x01", b"a": b""}, compression=1),
        "has no header": writers.table({b"a": b""}),
        "the other byte order": writers.table({b"": fields((1, 1), (2, 1))}),
        "larger than that of any network": bytes(17 << 20) + whole,
        "'a' is damaged .it lies nowhere": writers.table({b"": b"\x08\x01", b"a": fields((3, 5))}),
        "'a' is damaged .it is stored in slices": writers.table({b"": b"\x08\x01", b"a": fields((7, b""))}),
        "a shape makes no sense": writers.table({b"": b"\x08\x01", b"a": writers.bundle_entry([1] * 9, 0, 4)}),
    }
    for message, content in cases.items():
        index.write_bytes(content)
        refused(read_tensorflow, index, message)


def test_index_that_asks_for_much(tmp_path):
    """A terabyte that the data do not have, and a size that is not the shape's."""
    index = tmp_path / "model.index"
    (tmp_path / "model.data-00000-of-00001").write_bytes(bytes(64))
    for shape, size in (((250_000_000_000,), 10**12), ((1 << 40, 1 << 40), 64), ((16,), 60), ((15,), 64)):
        index.write_bytes(writers.table({b"": b"\x08\x01", b"a": writers.bundle_entry(shape, 0, size)}))
        refused(read_all(read_tensorflow), index, "cut off, or not the data of model.index .'a' is not whole")


@pytest.mark.parametrize("change", [lambda name: name, lambda name: f"{name}/read__cf__3", lambda name: f"{name}/read"])
def test_graph(tmp_path, change):
    """Constants as freezing leaves them, and as folding calls them; other nodes are no weights."""
    others = [
        writers.graph_node("conv/Conv2D", "Conv2D", ("padding", fields((2, "SAME")))),
        writers.constant("axis", fields((1, 3), (2, b""), (7, b"\x01"))),  # an integer
    ]
    path = writers.write_graph(tmp_path / "a.pb", {change(name): array for name, array in ARRAYS.items()}, *others)
    same(read_tensorflow(path), path)


def test_graph_s_short_forms(tmp_path):
    """A number that stands for all, and numbers one by one."""
    shape = fields((1, 1), (2, writers.tensor_shape((4,))))
    one_by_one = b"".join(varint(5 << 3 | 5) + struct.pack("<f", v) for v in (1, 2, 3, 4))
    path = tmp_path / "a.pb"
    path.write_bytes(
        writers.constant("all", shape + field(5, struct.pack("<f", 7))) + writers.constant("each", shape + one_by_one)
    )
    found = collect(read_tensorflow(path), {"all": (4,), "each": (4,)}, "some model", path)
    np.testing.assert_array_equal(found["all"], [7, 7, 7, 7])
    np.testing.assert_array_equal(found["each"], [1, 2, 3, 4])


def test_graphs_that_are_none(tmp_path):
    path = writers.write_graph(tmp_path / "a.pb", ARRAYS)
    whole = path.read_bytes()
    one = np.ones(4, np.float32)
    shape = fields((1, 1), (2, writers.tensor_shape((4,))))
    cases = {
        "or damaged .a part is cut off": whole[:-500],
        "it holds no constants": writers.graph_node("input", "Placeholder"),
        "it holds 'a' twice": 2 * writers.constant("a", writers.tensor(one)),
        "a shape is unknown": writers.constant("a", fields((1, 1), (2, fields((3, 1))))),
        "a shape makes no sense": writers.constant("a", fields((1, 1), (2, field(2, fields((1, -5)))))),
        "'a' holds 3 numbers, not 4": writers.constant("a", shape + field(4, bytes(12))),
        "'a' holds 0 numbers, not 4": writers.constant("a", shape),
        "not a TensorFlow": b"\x93NUMPY and so on",
        "it is a zip archive, as PyTorch": b"PK\x03\x04" + bytes(100),
        "far more parts": field(9, b"") * 1_000_001,
    }
    for message, content in cases.items():
        path.write_bytes(content)
        refused(read_all(read_tensorflow), path, message)
    path.write_bytes(b"")
    refused(read_tensorflow, path, "it holds no constants")
    path.unlink()
    refused(read_tensorflow, path, "cannot be read")


# Caffe


def test_caffemodel(tmp_path):
    arrays = {f"{name}/0": array for name, array in ARRAYS.items()}
    path = writers.write_caffemodel(tmp_path / "a.caffemodel", arrays)
    same({name.removesuffix("/0"): array for name, array in read_caffe(path).items()}, path)


def test_caffemodel_of_old(tmp_path):
    """Layers and shapes as before 2014, a bias of four sides, numbers one by one, and double precision."""
    weights, bias = np.arange(12, dtype=np.float32).reshape(2, 3, 1, 2), np.array([1, 2], np.float32)
    sides = [(k, n) for k, n in enumerate((2, 3, 1, 2), start=1)]
    doubles = fields(*sides) + field(8, weights.astype("<f8").tobytes())
    singly = b"".join(varint(5 << 3 | 5) + struct.pack("<f", v) for v in bias)
    layer = fields((4, "conv"), (6, doubles), (6, fields((1, 1), (2, 1), (3, 1), (4, 2)) + singly))
    path = tmp_path / "a.caffemodel"
    path.write_bytes(field(2, layer))
    found = collect(read_caffe(path), {"conv/0": (2, 3, 1, 2), "conv/1": (2,)}, "some model", path)
    np.testing.assert_array_equal(found["conv/0"], weights)
    np.testing.assert_array_equal(found["conv/1"], bias)


def test_caffemodels_that_are_none(tmp_path):
    path = tmp_path / "a.caffemodel"
    array = np.ones((2, 3), np.float32)
    layer = field(100, fields((1, "a"), (7, writers.blob(array))))
    lying = fields((5, array.tobytes()), (7, field(1, varint(1 << 40) + varint(1 << 40))))
    cases = {
        "or a damaged one .a part is cut off": layer[:-9],
        "it holds no layer with weights": field(1, "empty"),
        "'a' twice": 2 * layer,
        "'a/0' holds 6 numbers, not 1208925819614629174706176": field(100, fields((1, "a"), (7, lying))),
        "a shape makes no sense": field(100, fields((1, "a"), (7, fields((7, field(1, varint(1) * 9)))))),
        "it is an HDF5 file": b"\x89HDF\r\n\x1a\n" + bytes(100),
    }
    for message, content in cases.items():
        path.write_bytes(content)
        refused(read_all(read_caffe), path, message)


# What all of them are compared with


def test_names_and_shapes_must_be_the_network_s(tmp_path):
    def stored(*shape):
        return StoredArray(shape, lambda: np.ones(shape, np.float32))

    def checked(found, match, **how):
        refused(lambda path: collect(found, {"a": (2,), "b": (3,)}, "some model", path, **how), tmp_path / "x", match)

    checked({"a": stored(2)}, r"not the weights of some model: it lacks 'b' \(1 of 2 missing\)$")
    checked({"a": stored(2), "b": stored(3), "c": stored(1)}, r"it holds 'c' \(1 too many\)$")
    checked({k: stored(1) for k in "cdefg"}, r"lacks 'a', 'b' \(2 of 2 missing\) and it holds 'c', 'd', 'e' and 2 more")
    checked({"a": stored(2), "b": stored(1, 3)}, r"'b' has shape \(1, 3\), expected \(3,\)")
    checked({"a": stored(2), "b": StoredArray((3,), lambda: np.ones(2))}, "'b' holds 2 float64, not 3 floats")
    checked({"a": stored(2), "b": StoredArray((3,), lambda: np.ones(3, int))}, "'b' holds 3 int64, not 3 floats")
    for bad in (np.nan, np.inf, 1e300):
        checked({"a": stored(2), "b": StoredArray((3,), lambda bad=bad: np.full(3, bad))}, "'b' holds numbers that are")
    found = collect({"a": stored(2), "b": stored(3), "c": stored(9)}, {"a": (2,), "b": (3,)}, "m", tmp_path,
                    ignored=lambda name: name == "c")  # fmt: skip
    assert list(found) == ["a", "b"]


def test_data_whose_checksum_does_not_fit_are_refused(tmp_path):
    index = writers.write_checkpoint(tmp_path / "c", {"a": np.ones((3, 5), np.float32), "b": np.ones(2, np.float32)})
    data = next(tmp_path.glob("c.data-*"))
    content = bytearray(data.read_bytes())
    content[7] ^= 1
    data.write_bytes(content)
    stored = read_tensorflow(index)
    np.testing.assert_array_equal(stored["b"].read(), 1)
    with pytest.raises(salbox.WeightsError, match="'a' is damaged"):
        stored["a"].read()
