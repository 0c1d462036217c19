"""Weights of an ONNX graph stored in half precision and brought back to float32 when the file is opened."""

from __future__ import annotations

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

_LARGEST = 65504.0  # of half precision
_SMALLEST = 2.0**-10  # of a weight's largest value: half precision then resolves 2**-15 of it, however small the rest
_RAISED = "/float32"  # what is added to the name of a weight for its float32 copy


def store_as_half(graph: onnx.ModelProto) -> None:
    """Store the weights of convolutions and matrix products as float16, each with a Cast to float32 before its use.

    The arithmetic stays float32: graphs of half precision are slower on a processor. Biases and the numbers of norms
    stay float32: they are few, and variances may be out of half precision's range. So does a weight whose largest
    value half precision cannot hold, or whose values are so small that it would keep few of their digits.

    Parameters
    ----------
    graph : onnx.ModelProto
        Changed in place. What is stored as half already stays.
    """
    raised = []
    renamed = {}
    for tensor in graph.graph.initializer:
        if tensor.data_type != TensorProto.FLOAT or len(tensor.dims) < 2:
            continue
        values = numpy_helper.to_array(tensor)
        largest = float(np.abs(values).max(initial=0.0))
        if values.size < 2 or not _SMALLEST <= largest <= _LARGEST:
            continue
        tensor.CopyFrom(numpy_helper.from_array(values.astype(np.float16), tensor.name))
        renamed[tensor.name] = tensor.name + _RAISED
        raised.append(helper.make_node("Cast", [tensor.name], [tensor.name + _RAISED], to=TensorProto.FLOAT))
    for node in graph.graph.node:
        node.input[:] = [renamed.get(name, name) for name in node.input]
    nodes = [*raised, *graph.graph.node]
    graph.graph.ClearField("node")
    graph.graph.node.extend(nodes)
