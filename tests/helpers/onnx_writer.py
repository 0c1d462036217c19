"""ONNX files written field by field, so that tests need no ONNX package and can write what no program would."""

from __future__ import annotations

import json

import numpy as np

import salbox

TYPES = {"float32": 1, "uint8": 2, "int64": 7, "float16": 10}


def varint(number: int) -> bytes:
    number &= 2**64 - 1
    out = bytearray()
    while number > 0x7F:
        out.append(number & 0x7F | 0x80)
        number >>= 7
    out.append(number)
    return bytes(out)


def field(number: int, value) -> bytes:
    if isinstance(value, int):
        return varint(number << 3) + varint(value)
    octets = value.encode() if isinstance(value, str) else bytes(value)
    return varint(number << 3 | 2) + varint(len(octets)) + octets


def fields(*pairs) -> bytes:
    return b"".join(field(number, value) for number, value in pairs)


def tensor(name: str, array: np.ndarray, *extra) -> bytes:
    dims = [(1, d) for d in array.shape]
    return fields(*dims, (2, TYPES[str(array.dtype)]), (8, name), (9, array.tobytes()), *extra)


def node(operator: str, inputs, outputs, attributes: bytes = b"", domain: str = "") -> bytes:
    pairs = [(1, i) for i in inputs] + [(2, o) for o in outputs] + [(4, operator)] + ([(7, domain)] if domain else [])
    return fields(*pairs) + attributes


def integer(name: str, value: int) -> bytes:
    return field(5, fields((1, name), (3, value), (20, 2)))


def integers(name: str, values) -> bytes:
    return field(5, fields((1, name), *[(8, v) for v in values], (20, 7)))


def port(name: str, dtype: str, sides) -> bytes:
    shape = b"".join(field(1, fields((1, s) if isinstance(s, int) else (2, s))) for s in sides)
    return fields((1, name), (2, field(1, fields((1, TYPES[dtype]), (2, shape)))))


def model(nodes, initializers=(), inputs=None, outputs=None, metadata=None, opset: int = 18, domain: str = "") -> bytes:
    inputs = [port("image", "uint8", ("n", "h", "w", 3))] if inputs is None else inputs
    outputs = [port("maps", "float32", ("n", 2, "a", "b"))] if outputs is None else outputs
    graph = fields(
        *[(1, n) for n in nodes], (2, "g"), *[(5, i) for i in initializers], *[(11, i) for i in inputs],
        *[(12, o) for o in outputs],
    )  # fmt: skip
    notes = [(14, fields((1, key), (2, value))) for key, value in (metadata or {}).items()]
    return fields((1, 8), (7, graph), (8, fields((1, domain), (2, opset))), *notes)


def notes(heads=("red", "blue"), output="score", preprocessing=None, **changes) -> dict[str, str]:
    """Return the metadata of a student."""
    card = salbox.card("gaussian").to_dict() | {"output": output}
    values = {
        "format": 1,
        "salbox": salbox.__version__,
        "network": "colours",
        "heads": [{"name": h, "teacher": h, "card": card | {"name": h}} for h in heads],
        "preprocessing": preprocessing or {"rule": "fixed", "height": 12, "width": 16},
        "output": output,
        "parameters": 6,
    }
    return {"salbox": json.dumps(values | changes)}


def student(metadata=None, middle=(), **changes) -> bytes:
    """Return a student whose two maps are half as high and wide as the image: the mean red and blue, in 0..1."""
    weight = np.zeros((2, 3, 1, 1), np.float32)
    weight[0, 0] = weight[1, 2] = 1 / 255
    nodes = [
        node("Cast", ["image"], ["float"], integer("to", 1)),
        node("Transpose", ["float"], ["planes"], integers("perm", (0, 3, 1, 2))),
        *middle,
        node("Conv", ["planes", "weight"], ["colours"]),
        node("AveragePool", ["colours"], ["maps"], integers("kernel_shape", (2, 2)) + integers("strides", (2, 2))),
    ]
    parts = {"nodes": nodes, "initializers": [tensor("weight", weight)], "metadata": metadata or notes()}
    return model(**(parts | changes))


def foreign(
    layout: str = "NCHW",
    sides=("h", "w"),
    *,
    weights=(1, 10, 100),
    last: str = "Identity",
    dtype: str = "float32",
    outputs=("map",),
    middle=(),
    initializers=(),
    **changes,
) -> bytes:
    """Return another program's network: each pixel of its map is the weighted sum of what it gets for the channels.

    With several outputs the k-th is k times the first; `last` is the operator that the first comes from. `middle` goes
    from "planes" to "changed".
    """
    high, wide = sides
    kernel = np.array(weights, np.float32).reshape(1, 3, 1, 1)
    transposed = [node("Transpose", ["float"], ["planes"], integers("perm", (0, 3, 1, 2)))]
    same = [node("Identity", ["float"], ["planes"])]
    nodes = [
        node("Cast", ["picture"], ["float"], integer("to", 1)),
        *(transposed if layout == "NHWC" else same),
        *(middle or [node("Identity", ["planes"], ["changed"])]),
        node("Conv", ["changed", "kernel"], ["sum"]),
        node(last, ["sum"], [outputs[0]]),
        *[node("Mul", ["sum", f"times {k}"], [name]) for k, name in enumerate(outputs) if k],
    ]
    factors = [tensor(f"times {k}", np.array(k + 1, np.float32)) for k in range(1, len(outputs))]
    shape = (1, high, wide, 3) if layout == "NHWC" else (1, 3, high, wide)
    parts = {
        "nodes": nodes,
        "initializers": [tensor("kernel", kernel), *factors, *initializers],
        "inputs": [port("picture", dtype, shape)],
        "outputs": [port(name, "float32", (1, 1, "a", "b")) for name in outputs],
    }
    return model(**(parts | changes))
