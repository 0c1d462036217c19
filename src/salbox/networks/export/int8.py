"""Weights of an ONNX graph stored in 8 bits and brought back to float32 when the file is opened."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import onnx
from onnx import TensorProto, helper, numpy_helper

from ..checkpoints import SCALE
from .half import store_as_half

_RAISED, _WHOLE = "/float32", "/whole"  # ... for the float32 weight, and for its 8 bits as float32
_STEPS = 127
_FEWEST = 4096  # numbers of a weight: smaller ones are not worth what they lose


def store_as_int8(graph: onnx.ModelProto) -> None:
    """Store large weights as int8, a scale for each output channel, and all others in half precision.

    The arithmetic stays float32, and so does the speed; what is rounded are the weights alone, to 1/254 of the largest
    of their channel at most.

    Parameters
    ----------
    graph : onnx.ModelProto
        Changed in place. What is stored in another type than float32 already stays.
    """
    nodes, scales, renamed = [], [], {}
    for tensor in graph.graph.initializer:
        if tensor.data_type != TensorProto.FLOAT or len(tensor.dims) < 2 or np.prod(tensor.dims) < _FEWEST:
            continue
        values = numpy_helper.to_array(tensor)
        name = tensor.name
        rounded, scale = _rounded(values)
        tensor.CopyFrom(numpy_helper.from_array(rounded, name))
        scales.append(numpy_helper.from_array(scale, name + SCALE))
        nodes.append(helper.make_node("Cast", [name], [name + _WHOLE], to=TensorProto.FLOAT))
        nodes.append(helper.make_node("Mul", [name + _WHOLE, name + SCALE], [name + _RAISED]))
        renamed[name] = name + _RAISED
    for node in graph.graph.node:
        node.input[:] = [renamed.get(name, name) for name in node.input]
    every = [*nodes, *graph.graph.node]
    graph.graph.ClearField("node")
    graph.graph.node.extend(every)
    store_as_half(graph)
    graph.graph.initializer.extend(scales)  # only now: they stay float32


def _rounded(values: npt.NDArray[np.float32]) -> tuple[npt.NDArray[np.int8], npt.NDArray[np.float32]]:
    """Return a weight as whole numbers in -127..127, and what they are to be multiplied by, by output channel."""
    largest = np.abs(values).max(axis=tuple(range(1, values.ndim)), keepdims=True)
    scale = np.where(largest > 0, largest / _STEPS, 1).astype(np.float32)
    return np.rint(values / scale).astype(np.int8), scale
