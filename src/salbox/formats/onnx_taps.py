"""Tensors within an ONNX network: which one some weights are applied to, and how a network is made to give it, too."""

from __future__ import annotations

from .onnx_file import OnnxFile
from .protobuf import BYTES, Messages

# Field numbers of onnx.proto3: of a ModelProto, a GraphProto, a NodeProto and a ValueInfoProto.
_GRAPH, _NODE, _OUTPUT, _NAME = 7, 1, 12, 1
_NODE_INPUT, _NODE_OUTPUT, _NODE_OPERATOR = 1, 2, 4

_Node = tuple[str, list[str], list[str]]  # operator, inputs, outputs


def read_by(file: OnnxFile, weights: str) -> str | None:
    """Return the name of the tensor that the convolution with some weights reads; None if there is no such one.

    Parameters
    ----------
    file : OnnxFile
    weights : str
        The name of the tensor of weights, which may be stored in another precision and cast first.
    """
    nodes = _nodes(file.content)  # what `inspect` took can be read again
    names = {
        weights,
        *(out for operator, inputs, outs in nodes if operator == "Cast" and weights in inputs for out in outs),
    }
    for operator, inputs, _ in nodes:
        if operator == "Conv" and len(inputs) > 1 and inputs[1] in names:
            return inputs[0]
    return None


def with_output(content: bytes, name: str) -> bytes:
    """Return the content of an ONNX file with a tensor within its graph as one more output.

    Parts of one message that are written one after the other are one message, lists joined (protobuf.dev, "Encoding",
    Last One Wins): a second graph behind the first that holds nothing but an output is a part of it. ONNX Runtime finds
    out its type itself.
    """
    output = _field(_OUTPUT, _field(_NAME, name.encode()))
    return content + _field(_GRAPH, output)


def _nodes(content: bytes) -> list[_Node]:
    messages = Messages(content)
    found: list[_Node] = []
    for number, wire, start, end in messages.walk(0, len(content)):
        if number == _GRAPH and wire == BYTES:
            for part, kind, first, last in messages.walk(start, end):
                if part == _NODE and kind == BYTES:
                    found.append(_node(messages, first, last))
    return found


def _node(messages: Messages, start: int, end: int) -> _Node:
    operator, inputs, outputs = "", [], []
    for number, wire, first, last in messages.walk(start, end):
        if wire != BYTES or number not in (_NODE_INPUT, _NODE_OUTPUT, _NODE_OPERATOR):
            continue
        text = messages.text(first, last)
        if number == _NODE_INPUT:
            inputs.append(text)
        elif number == _NODE_OUTPUT:
            outputs.append(text)
        else:
            operator = text
    return operator, inputs, outputs


def _field(number: int, content: bytes) -> bytes:
    """Return a field with a length, as it is written."""
    return _varint(number << 3 | BYTES) + _varint(len(content)) + content


def _varint(value: int) -> bytes:
    octets = bytearray()
    while value >= 0x80:
        octets.append(value & 0x7F | 0x80)
        value >>= 7
    octets.append(value)
    return bytes(octets)
