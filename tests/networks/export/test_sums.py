"""What a graph states of the maps that it adds, checked against maps that it gives."""

from __future__ import annotations

import numpy as np
import pytest

pytest.importorskip("onnx")
from onnx import TensorProto, helper, numpy_helper

from salbox.networks.export.sums import state_sizes

SIZES = [(16, 24), (24, 16)]


def graph():
    """Return a graph that adds maps of one size, maps of several sizes, and a stored number."""
    nodes = [
        helper.make_node("Cast", ["image"], ["pixels"], to=TensorProto.FLOAT),
        helper.make_node("Transpose", ["pixels"], ["a"], perm=[0, 3, 1, 2]),
        helper.make_node("AveragePool", ["a"], ["b"], kernel_shape=[2, 2], strides=[2, 2]),
        helper.make_node("MaxPool", ["a"], ["c"], kernel_shape=[2, 2], strides=[2, 2]),
        helper.make_node("GlobalAveragePool", ["a"], ["mean"]),
        helper.make_node("Add", ["b", "c"], ["d"]),
        helper.make_node("Add", ["d", "mean"], ["e"]),  # of other sizes
        helper.make_node("Add", ["e", "one"], ["f"]),  # with a stored number
        helper.make_node("Abs", ["f"], ["g"]),
        helper.make_node("Neg", ["g"], ["h"]),
        helper.make_node("Add", ["g", "h"], ["i"]),
        helper.make_node("Add", ["i", "c"], ["maps"]),  # joins two groups
    ]
    image = helper.make_tensor_value_info("image", TensorProto.UINT8, ["batch", "height", "width", 3])
    maps = helper.make_tensor_value_info("maps", TensorProto.FLOAT, ["batch", 3, "rows", "columns"])
    one = numpy_helper.from_array(np.float32(1), "one")
    made = helper.make_graph(nodes, "sums", [image], [maps], [one])
    return helper.make_model(made, opset_imports=[helper.make_opsetid("", 18)], ir_version=9)


def test_maps_that_are_added_have_the_same_sides():
    model = graph()
    state_sizes(model, SIZES)
    stated = {}
    for value in model.graph.value_info:
        batch, channels, *sides = value.type.tensor_type.shape.dim
        assert (batch.dim_param, channels.dim_value) == ("batch", 3)
        stated[value.name] = tuple(side.dim_param for side in sides)
    assert stated.keys() == {"b", "c", "g", "h", "i"}
    assert stated["b"] == stated["c"] == stated["i"]
    assert stated["g"] == stated["h"]
    assert all(len(set(sides)) == 2 for sides in stated.values())


def test_a_graph_without_sums_stays():
    model = graph()
    del model.graph.node[5:]
    model.graph.node.append(helper.make_node("Identity", ["c"], ["maps"]))
    before = model.SerializeToString(deterministic=True)
    state_sizes(model, SIZES)
    assert model.SerializeToString(deterministic=True) == before
