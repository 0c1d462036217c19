"""What a graph says of its sums: that what is added has one size.

ONNX Runtime adds within the convolution before, if it knows that. Of pictures of any size it cannot find it out: a side
that was halved and doubled again is a new unknown.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import onnx
from onnx import TensorProto, helper

from ...runtime.session import session_options
from ...types import Shape

_RANK = 4  # of maps: (N, C, h, w)


def state_sizes(graph: onnx.ModelProto, sizes: Sequence[Shape]) -> None:
    """State of maps that are added to each other that they have the same height and width.

    What is no sum of such maps in all of the sizes stays as it is. Where a sum of maps whose sides are above 1 comes
    about, they are as large as each other; so nothing is stated that a picture of another size could belie.

    Parameters
    ----------
    graph : onnx.ModelProto
        Changed in place. It takes images, uint8 (N, H, W, 3).
    sizes : sequence of (height, width)
        At which it is run to find out.
    """
    stored = {tensor.name for tensor in graph.graph.initializer}
    sums = [node for node in graph.graph.node if node.op_type == "Add" and not stored.intersection(node.input)]
    names = sorted({name for node in sums for name in node.input})
    runs = [_shapes(graph, names, size) for size in sizes]
    same: dict[str, str] = {}  # a summand -> the one whose size it has
    for node in sums:
        first, second = node.input
        if all(run[first] == run[second] and _is_map(run[first]) for run in runs):
            leader, other = same.setdefault(first, first), same.setdefault(second, second)
            same |= {name: leader for name, own in same.items() if own == other}
    for name, leader in same.items():
        sides = ["batch", runs[0][name][1], f"rows of {leader}", f"columns of {leader}"]
        graph.graph.value_info.append(helper.make_tensor_value_info(name, TensorProto.FLOAT, sides))


def _is_map(shape: Sequence[int]) -> bool:
    return len(shape) == _RANK and min(shape[2:]) > 1


def _shapes(graph: onnx.ModelProto, names: Sequence[str], size: Shape) -> dict[str, tuple[int, ...]]:
    """Return the shapes of tensors within a graph, for two images of a size."""
    import onnxruntime

    shown = onnx.ModelProto()
    shown.CopyFrom(graph)
    outputs = {output.name for output in shown.graph.output}
    shown.graph.output.extend(onnx.ValueInfoProto(name=name) for name in names if name not in outputs)
    options = session_options(threads=1)
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL
    session = onnxruntime.InferenceSession(shown.SerializeToString(), options, providers=["CPUExecutionProvider"])
    image = np.zeros((2, *size, 3), np.uint8)
    found = session.run(list(names), {graph.graph.input[0].name: image}) if names else []
    return {name: values.shape for name, values in zip(names, found, strict=True)}
