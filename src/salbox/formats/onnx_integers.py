"""Where the graph of an ONNX file divides whole numbers: by 0 the processor stops, and the program with it.

ONNX Runtime does not look at the divisor, so that only constants that are harmless are let through. What type the
numbers of a graph are follows from its operators, as the specification of ONNX says of each.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from .protobuf import Refusal

KEPT = 64  # numbers of a constant that are looked at; a divisor has one, or one a side

_FLOATS = ("float16", "float32", "float64")
_DIVIDING = ("Div", "Mod")

# Operators whose results are of a type of their own, and those whose results are of the type of another input than the
# first.
_TRUTH = "And Equal Greater GreaterOrEqual Less LessOrEqual Not Or Xor"
_RESULT = {"Shape": "int64", "Size": "int64", **dict.fromkeys(_TRUTH.split(), "bool")}
_LIKE_INPUT = {"CastLike": 1, "Where": 1}
_SECOND_RESULT = {"MaxPool": "int64", "Dropout": "bool"}
_SAME_NUMBERS = ("Cast", "Flatten", "Identity", "Reshape", "Squeeze", "Unsqueeze")
_FITS_ANY = 127  # the largest number that no type of whole numbers cuts


@dataclass(frozen=True)
class Value:
    """What is known of a tensor in a graph: its type ("int64", ...), and its numbers if it is a small constant."""

    dtype: str
    numbers: tuple[int, ...] | None = None


@dataclass(frozen=True)
class Node:
    """One step of a graph; `stated` is what an attribute says of its result: a constant, or the type to convert to."""

    operator: str
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]
    stated: Value | None = None


def check_divisions(nodes: Iterable[Node], given: Mapping[str, Value]) -> None:
    """Raise a Refusal if whole numbers are divided by anything but constants other than 0 and -1.

    By -1, the smallest of all whole numbers has no quotient.

    Parameters
    ----------
    nodes : iterable of Node
        In the order of the file, which is that of the computation.
    given : mapping
        What is known of the graph's inputs and initializers.
    """
    known = dict(given)
    for node in nodes:
        if node.operator in _DIVIDING and len(node.inputs) > 1:
            dividend, divisor = (known.get(name, Value("unknown")) for name in node.inputs[:2])
            is_float = dividend.dtype in _FLOATS and divisor.dtype in _FLOATS
            if not is_float and (divisor.numbers is None or not {0, -1}.isdisjoint(divisor.numbers)):
                raise Refusal("divides whole numbers by some that may be 0, which would end the program")
        results = _results(node, known)
        known |= dict(zip(node.outputs, results, strict=False))


def _results(node: Node, known: Mapping[str, Value]) -> list[Value]:
    """Return what is known of a node's results."""
    place = _LIKE_INPUT.get(node.operator, 0)
    source = known.get(node.inputs[place], Value("unknown")) if place < len(node.inputs) else Value("unknown")
    dtype, numbers = source.dtype, None
    if node.operator in _SAME_NUMBERS and source.numbers is not None:
        numbers = source.numbers if all(0 < n <= _FITS_ANY for n in source.numbers) else None
    if node.operator == "Constant":
        first = node.stated or Value("unknown")
    elif node.operator == "ConstantOfShape":
        first = Value(node.stated.dtype if node.stated else "float32")
    elif node.operator == "Cast":
        first = Value(node.stated.dtype if node.stated else "unknown", numbers)
    else:
        first = Value(_RESULT.get(node.operator, dtype), numbers)
    others = Value(_SECOND_RESULT.get(node.operator, first.dtype))
    return [first, *[others] * (len(node.outputs) - 1)]
