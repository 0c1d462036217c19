"""The reader of Keras's files: layers in their order, and nothing believed that a file says of itself."""

from __future__ import annotations

import sys

import numpy as np
import pytest
import weight_writers as writers

import salbox
from salbox.formats.keras import open_keras
from salbox.formats.stored import collect


def read_keras(path) -> dict[str, np.ndarray]:
    with open_keras(path) as layers:
        return {
            f"{layer.name}/{name}": stored.read().reshape(stored.shape)
            for layer in layers
            for name, stored in layer.arrays.items()
        }


def refused(read, path, match: str) -> None:
    with pytest.raises(salbox.WeightsError, match=match) as caught:
        read(path)
    message = str(caught.value)
    assert "\n" not in message
    assert message.startswith(str(path.parent))
    assert len(message) < 400 + 2 * len(str(path))


@pytest.fixture
def h5py():
    return pytest.importorskip("h5py")


@pytest.mark.parametrize("whole", [False, True])
def test_keras(tmp_path, h5py, whole):
    """Layers and arrays in the file's order, not the alphabet's; layers without weights left out."""
    layers = [("z", {"z_W": np.ones((2, 2)), "z_b": np.zeros(2)}), ("input", {}), ("a", {"a/kernel:0": np.arange(3.0)})]
    path = writers.write_keras(tmp_path / "a.h5", layers, whole=whole)
    found = read_keras(path)
    assert list(found) == ["z/z_W", "z/z_b", "a/a/kernel:0"]
    np.testing.assert_array_equal(found["a/a/kernel:0"], [0, 1, 2])
    with open_keras(path) as opened:
        assert [(layer.name, [a.shape for a in layer.arrays.values()]) for layer in opened] == [
            ("z", [(2, 2), (2,)]),
            ("a", [(3,)]),
        ]


def test_keras_names_in_several_attributes(tmp_path, h5py):
    """A list too long for one attribute, and texts of varying length."""
    with h5py.File(tmp_path / "a.h5", "w") as file:
        file.attrs["layer_names0"] = ["b"]
        file.attrs["layer_names1"] = np.array([b"a"])
        for name in "ab":
            file.create_group(name).attrs["weight_names"] = ["w"]
            file[name]["w"] = np.full(2, ord(name), np.float32)
    assert list(read_keras(tmp_path / "a.h5")) == ["b/w", "a/w"]


def test_keras_files_that_are_none(tmp_path, h5py):
    path = tmp_path / "a.h5"
    refused(read_keras, path, "no such file; expected an HDF5 file of Keras weights")
    path.write_bytes(b"\x80\x04\x95 a pickle")
    refused(read_keras, path, "not readable as an HDF5 file of Keras weights .it is a pickle")
    writers.write_keras(path, [("a", {"w": np.random.default_rng(0).standard_normal((50, 50))})])
    path.write_bytes(path.read_bytes()[:5000])
    refused(read_keras, path, "not readable as an HDF5 file of Keras weights")

    def case(message, change):
        writers.write_keras(path, [("a", {"w": np.ones(3), "v": np.ones(3)})])
        with h5py.File(path, "r+") as file:
            change(file)
        refused(read_keras, path, message)

    def named(group, attribute, value):
        group.attrs[attribute] = value

    def replaced(file, **how):
        del file["a/w"]
        file["a"].create_dataset("w", **how)

    def linked(name, link):
        def change(file):
            del file[name]
            file[name] = link

        return change

    case("has no layer_names", lambda file: file.attrs.clear())
    case("attribute 'layer_names' is not a list of names", lambda file: named(file, "layer_names", np.ones(2)))
    case("lists a layer twice", lambda file: named(file, "layer_names", np.array([b"a", b"a"])))
    case("no 'b' .there are a", lambda file: named(file, "layer_names", np.array([b"b"])))
    case("no '..' .there are v, w", lambda file: named(file["a"], "weight_names", np.array([b"../w"])))
    case(
        "'x' is not a group",
        lambda file: named(file, "layer_names", np.array([b"x"])) or file.create_dataset("x", data=1),
    )
    case("lists an array twice", lambda file: named(file["a"], "weight_names", np.array([b"w", b"w"])))
    case("more names than a network", lambda file: named(file, "layer_names", np.full(30_000, b"a")))
    case("'w' is a link to elsewhere", linked("a/w", h5py.ExternalLink("other.h5", "/w")))
    case("'w' is a link to elsewhere", linked("a/w", h5py.SoftLink("/a/v")))
    case("'a' is a link to elsewhere", linked("a", h5py.ExternalLink("other.h5", "/a")))
    case("'w' does not hold floating-point", lambda file: replaced(file, data=np.ones(3, int)))
    case("'w' is packed in pieces larger", lambda file: replaced(file, shape=(1 << 30,), chunks=(1 << 27,), dtype="f4"))
    case("'w' is empty", lambda file: replaced(file, data=h5py.Empty("f")))
    case(
        "'w' has its data in another file",
        lambda file: replaced(file, shape=(3,), dtype="f4", external=[(str(tmp_path / "raw"), 0, 12)]),
    )


def test_model_weights_elsewhere(tmp_path, h5py):
    with h5py.File(tmp_path / "a.h5", "w") as file:
        file["model_weights"] = h5py.ExternalLink("other.h5", "/")
    refused(read_keras, tmp_path / "a.h5", "'model_weights' is a link to elsewhere")


def test_an_array_that_says_it_is_huge_is_not_read(tmp_path, h5py):
    """A petabyte that takes no place in the file: the shape is looked at first."""
    with h5py.File(tmp_path / "a.h5", "w") as file:
        file.attrs["layer_names"] = np.array([b"a"])
        file.create_group("a").attrs["weight_names"] = np.array([b"w"])
        file["a"].create_dataset("w", shape=(1 << 48,), chunks=(1 << 10,), dtype="f4")
    path = tmp_path / "a.h5"
    with open_keras(path) as layers:
        stored = layers[0].arrays
        refused(
            lambda where: collect(stored, {"w": (3,)}, "some model", where), path, r"has shape \(281474976710656,\)"
        )


def test_without_h5py(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "h5py", None)
    with pytest.raises(salbox.MissingExtraError, match=r"salbox\[train\]"):
        read_keras(tmp_path / "a.h5")


def test_names_that_lie_deep(tmp_path, h5py):
    path = writers.write_keras(tmp_path / "a.h5", [("a", {"w": np.ones(3)})])
    with h5py.File(path, "r+") as file:
        file["a/self"] = file["a"]
        file["a"].attrs["weight_names"] = np.array([b"self/" * 20 + b"w"])
    assert list(read_keras(path)) == ["a/" + "self/" * 20 + "w"]
    with h5py.File(path, "r+") as file:
        file["a"].attrs["weight_names"] = np.array([b"self/" * 40 + b"w"])
    refused(read_keras, path, "lies too deep")
