"""A message names the format that a user gave, and none that a reader within thinks of."""

from __future__ import annotations

import numpy as np
import pytest
import weight_writers as writers
from onnx_writer import student
from scipy.io import savemat

from salbox.errors import SalboxError
from salbox.formats.caffe import read_caffe
from salbox.formats.hdf5 import open_hdf5
from salbox.formats.keras import open_keras
from salbox.formats.mat import load_variable
from salbox.formats.npy import read_npy
from salbox.formats.npz import open_npz, read_weights
from salbox.formats.onnx_file import inspect
from salbox.formats.tensorflow import read_tensorflow

ARRAYS = {"a": np.random.default_rng(0).standard_normal((20, 30)).astype(np.float32)}
NAMES = ("ONNX", "TensorFlow", ".caffemodel", "HDF5", "Keras", "MATLAB", ".npz", ".npy", "h5py", "protocol", "zip")


def keras(path):
    pytest.importorskip("h5py")
    return writers.write_keras(path, [("a", ARRAYS)])


def matlab73(path):
    with pytest.importorskip("h5py").File(path, "w", userblock_size=512) as file:
        file["a"] = ARRAYS["a"]


def within(opened):
    def read(path):
        with opened(path) as found:
            return found

    return read


KINDS = {
    "onnx": (lambda path: path.write_bytes(student()), inspect, {"ONNX"}),
    "pb": (lambda path: writers.write_graph(path, ARRAYS), read_tensorflow, {"TensorFlow"}),
    "index": (lambda path: writers.write_checkpoint(path.with_suffix(""), ARRAYS), read_tensorflow, {"TensorFlow"}),
    "caffemodel": (lambda path: writers.write_caffemodel(path, ARRAYS), read_caffe, {".caffemodel"}),
    "h5": (keras, within(open_keras), {"HDF5", "Keras"}),
    "hdf5": (matlab73, within(open_hdf5), {"HDF5"}),
    "mat": (matlab73, lambda path: load_variable(path, ["a"]), {"MATLAB"}),
    "v5.mat": (lambda path: savemat(path, ARRAYS), lambda path: load_variable(path, ["a"]), {"MATLAB"}),
    "v4.mat": (lambda path: savemat(path, ARRAYS, format="4"), lambda path: load_variable(path, ["a"]), {"MATLAB"}),
    "npz": (lambda path: np.savez(path, **ARRAYS), within(open_npz), {".npz"}),
    "weights.npz": (
        lambda path: np.savez(path, **ARRAYS),
        lambda path: read_weights(path, {"a": (20, 30)}, "some model"),
        {".npz"},
    ),
    "npy": (lambda path: np.save(path, ARRAYS["a"]), read_npy, {".npy"}),
}


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("damage", ["cut off", "a text"])
def test_the_format_is_named(tmp_path, kind, damage):
    write, read, expected = KINDS[kind]
    path = tmp_path / f"file.{kind}"
    write(path)
    read(path)  # what was written is sound
    path.write_bytes(path.read_bytes()[:-300] if damage == "cut off" else b"a text, no file of numbers\n" * 20)
    with pytest.raises(SalboxError) as caught:
        read(path)
    message = str(caught.value).removeprefix(str(path))
    assert message.startswith(": ")
    named = {name for name in NAMES if name in message.replace("zip file", "")}
    assert named - {"TensorFlow"} == expected - {"TensorFlow"}
    if damage == "a text" or kind != "index":
        assert expected <= named
