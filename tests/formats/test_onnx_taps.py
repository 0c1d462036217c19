"""Tensors within an ONNX network, found by the weights that read them, and given beside the maps."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx_writer as ow
import onnxruntime
import pytest

from salbox.errors import WeightsError
from salbox.formats.onnx_file import inspect
from salbox.formats.onnx_taps import read_by, with_output

KERNEL = np.arange(6, dtype=np.float32).reshape(2, 3, 1, 1)


def written(folder, *, cast: bool) -> Path:
    """Return a network whose one convolution reads the square of its input."""
    name = "kernel/float32" if cast else "kernel"
    nodes = [ow.node("Mul", ["x", "x"], ["squared"]), ow.node("Conv", ["squared", name], ["y"])]
    if cast:
        nodes.insert(0, ow.node("Cast", ["kernel"], [name], ow.integer("to", 1)))
    kernel = ow.tensor("kernel", KERNEL.astype(np.float16 if cast else np.float32))
    path = folder / "net.onnx"
    sides = ["n", 3, "h", "w"]
    path.write_bytes(
        ow.model(nodes, [kernel], [ow.port("x", "float32", sides)], [ow.port("y", "float32", ["n", 2, "h", "w"])])
    )
    return path


@pytest.mark.parametrize("cast", [False, True])
def test_what_weights_read_is_found_and_given(tmp_path, cast):
    file = inspect(written(tmp_path, cast=cast))
    assert read_by(file, "kernel") == "squared"
    assert read_by(file, "other") is None
    session = onnxruntime.InferenceSession(with_output(file.content, "squared"), providers=["CPUExecutionProvider"])
    given = np.random.default_rng(0).normal(size=(1, 3, 4, 5)).astype(np.float32)
    y, squared = session.run(["y", "squared"], {"x": given})
    np.testing.assert_allclose(squared, given**2, rtol=1e-6)
    np.testing.assert_allclose(y, np.einsum("oc,nchw->nohw", KERNEL[:, :, 0, 0], given**2), rtol=1e-5)


def test_a_name_of_any_length_is_written(tmp_path):
    content = inspect(written(tmp_path, cast=False)).content
    name = "t" * 300  # its length takes two bytes
    assert with_output(content, name)[len(content) :].endswith(name.encode())
    (tmp_path / "two.onnx").write_bytes(with_output(content, name))
    with pytest.raises(WeightsError, match="not a tensor of known shape"):
        inspect(tmp_path / "two.onnx")  # what is read from disk says more of its outputs
