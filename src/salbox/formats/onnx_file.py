"""What an ONNX file holds, read without running it and without the `onnx` package.

A file may come from anywhere, so it is checked here before ONNX Runtime sees it: only data that lies in the file
itself, only operators that image networks need, no subgraphs, no functions, no division of whole numbers by 0, no
attribute that no network has, and every tensor as long as it says. The wire format is that of protocol buffers
(protobuf.dev, "Encoding"), the field numbers those of onnx.proto3.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from ..errors import WeightsError, one_line
from .onnx_attributes import check_attributes
from .onnx_integers import KEPT, Node, Value, check_divisions
from .protobuf import BYTES, VARINT, Damaged, Messages, Refusal

MAX_MEGABYTES = 512.0  # of 2**20 bytes; whoever opens a file may allow more
MAX_NODES = 20_000
MAX_RANK = 16
_DEFAULT_DOMAINS = ("", "ai.onnx")

# What salbox exports and what published networks of maps use (U2-Net, ISNet, BiRefNet with its transformer and its
# deformable convolutions, as an operator of their own or made of others). None draws at random, none loops.
_OPERATORS = (
    "Abs Add And AveragePool BatchNormalization Cast CastLike Ceil Celu Clip Concat Constant ConstantOfShape Conv "
    "ConvTranspose Cos CumSum DeformConv DepthToSpace Div Dropout Einsum Elu Equal Erf Exp Expand Flatten Floor "
    "Gather GatherElements GatherND Gelu Gemm GlobalAveragePool GlobalMaxPool Greater GreaterOrEqual GridSample "
    "GroupNormalization HardSigmoid HardSwish Identity InstanceNormalization LayerNormalization LeakyRelu Less "
    "LessOrEqual Log LogSoftmax LpNormalization MatMul Max MaxPool Mean Min Mish Mod Mul Neg Not Or Pad Pow PRelu "
    "Range Reciprocal ReduceL1 ReduceL2 ReduceLogSumExp ReduceMax ReduceMean ReduceMin ReduceProd ReduceSum "
    "ReduceSumSquare Relu Reshape Resize Round ScatterElements ScatterND Selu Shape Sigmoid Sign Sin Size Slice "
    "Softmax Softplus Softsign SpaceToDepth Split Sqrt Squeeze Sub Sum Tanh ThresholdedRelu Tile Transpose Trilu "
    "Unsqueeze Upsample Where Xor"
)
OPERATORS = frozenset(_OPERATORS.split())

# TensorProto.DataType -> (name, bytes a number).
TYPES = {
    1: ("float32", 4),
    2: ("uint8", 1),
    3: ("int8", 1),
    6: ("int32", 4),
    7: ("int64", 8),
    9: ("bool", 1),
    10: ("float16", 2),
    11: ("float64", 8),
}
# Fields of TensorProto with numbers in them: number -> bytes of one, or None for varints.
_NUMBERS: Mapping[int, int | None] = {4: 4, 5: None, 7: None, 9: 1, 10: 8, 11: None}
_NUMBERS_OF = {1: 4, 2: 5, 3: 5, 6: 5, 7: 7, 9: 5, 10: 5, 11: 10}
_RAW = 9
_WHOLE = {"uint8": "u1", "int8": "i1", "int32": "<i4", "int64": "<i8"}  # how raw numbers are read


@dataclass(frozen=True)
class Initializer:
    """A tensor stored in the file: its name, shape and type ("float32", ...)."""

    name: str
    shape: tuple[int, ...]
    dtype: str

    @property
    def size(self) -> int:
        """How many numbers it has."""
        return math.prod(self.shape)


@dataclass(frozen=True)
class Port:
    """An input or output of the graph; a side of any length is None or the name that the file gives it."""

    name: str
    dtype: str
    shape: tuple[int | str | None, ...]


@dataclass(frozen=True)
class OnnxFile:
    """What an ONNX file holds.

    Attributes
    ----------
    path : Path
    content : bytes
        The file itself: what was checked is what is run, whatever happens to the file meanwhile.
    opset : int
        The version of the operators.
    metadata : mapping
        Texts by name.
    operators : mapping
        Operator -> how many nodes there are of it.
    initializers : tuple of Initializer
    inputs, outputs : tuple of Port
        Inputs without those that only name an initializer.
    made_by : mapping
        Output -> the operator that it comes from.
    """

    path: Path
    content: bytes = field(repr=False)
    opset: int
    metadata: Mapping[str, str]
    operators: Mapping[str, int]
    initializers: tuple[Initializer, ...]
    inputs: tuple[Port, ...]
    outputs: tuple[Port, ...]
    made_by: Mapping[str, str]

    @property
    def parameters(self) -> int:
        """How many learned numbers it has: those of all floating-point tensors of more than one number."""
        return sum(t.size for t in self.initializers if t.dtype.startswith("float") and t.size > 1)


def inspect(path: Path, max_megabytes: float | None = None) -> OnnxFile:
    """Return what an ONNX file holds.

    Parameters
    ----------
    path : path
    max_megabytes : float, optional
        How large it may be; by default `MAX_MEGABYTES`.

    Raises
    ------
    WeightsError
        If it cannot be read, is no ONNX file, is damaged, too large, or holds what salbox does not run: data in other
        files, operators that no image network needs, subgraphs, functions.
    """
    content = _read(path, MAX_MEGABYTES if max_megabytes is None else max_megabytes)
    try:
        return _Reader(content).model(path)
    except Damaged as reason:
        raise WeightsError(f"{path}: not an ONNX network, or a damaged one ({reason})") from None
    except Refusal as refusal:
        raise WeightsError(f"{path}: {refusal}") from None


def _read(path: Path, max_megabytes: float) -> bytes:
    most = int(max_megabytes * 2**20)
    try:
        size = path.stat().st_size
        if path.is_file() and size > most:
            raise WeightsError(
                f"{path}: {math.ceil(size / 2**20)} MB are more than a network may have ({max_megabytes:g} MB; "
                "max_model_size, --max-model-size)"
            )
        with path.open("rb") as file:
            content = file.read(most + 1)
    except FileNotFoundError:
        raise WeightsError(f"{path}: no such file") from None
    except IsADirectoryError:
        raise WeightsError(f"{path}: is a folder, not an ONNX file") from None
    except OSError as error:
        raise WeightsError(f"{path}: cannot be read ({error.strerror or error})") from None
    if not content:
        raise WeightsError(f"{path}: empty file, not an ONNX network")
    return content


class _Reader(Messages):
    """Walks through the messages of one file."""

    def __init__(self, content: bytes):
        super().__init__(content)
        self._nodes: list[Node] = []
        self._integers: dict[str, tuple[int, ...] | None] = {}
        self._initializers: dict[str, Initializer] = {}
        self._inputs: list[Port] = []
        self._outputs: list[Port] = []
        self._metadata: dict[str, str] = {}
        self._opset = 0

    def model(self, path: Path) -> OnnxFile:
        ir_version, graphs = 0, 0
        for number, wire, value, end in self.walk(0, len(self.content)):
            if number == 1 and wire == VARINT:
                ir_version = value
            elif number == 7 and wire == BYTES:
                graphs += 1
                self._graph(value, end)
            elif number == 8 and wire == BYTES:
                self._operator_set(value, end)
            elif number == 14 and wire == BYTES:
                key, text = self._pair(value, end)
                self._metadata[key] = text
            elif number in (20, 25):
                raise Refusal("holds functions or training steps, which salbox does not run")
        if not ir_version or graphs != 1 or not self._opset or not self._outputs:
            raise Refusal("not an ONNX network, or a damaged one")
        check_divisions(self._nodes, self._given())
        made_by = {output: node.operator for node in self._nodes for output in node.outputs}
        return OnnxFile(
            path=path,
            content=self.content,
            opset=self._opset,
            metadata=self._metadata,
            operators=dict(Counter(node.operator for node in self._nodes)),
            initializers=tuple(self._initializers.values()),
            inputs=tuple(p for p in self._inputs if p.name not in self._initializers),
            outputs=tuple(self._outputs),
            made_by={port.name: made_by.get(port.name, "") for port in self._outputs},
        )

    def _given(self) -> dict[str, Value]:
        """Return what is known of the graph's inputs and initializers."""
        inputs = {port.name: Value(port.dtype) for port in self._inputs}
        return inputs | {name: Value(t.dtype, self._integers[name]) for name, t in self._initializers.items()}

    def _graph(self, start: int, end: int) -> None:
        parts: dict[int, Callable[[int, int], None]] = {
            1: self._node,
            5: lambda a, b: self._initializer(a, b),
            11: lambda a, b: self._inputs.append(self._port(a, b)),
            12: lambda a, b: self._outputs.append(self._port(a, b)),
        }
        for number, wire, value, stop in self.walk(start, end):
            if number == 15:
                raise Refusal("holds sparse tensors, which salbox does not run")
            if number in parts and wire == BYTES:
                parts[number](value, stop)

    def _operator_set(self, start: int, end: int) -> None:
        domain, version = "", 0
        for number, wire, value, stop in self.walk(start, end):
            if number == 1 and wire == BYTES:
                domain = self.text(value, stop)
            elif number == 2 and wire == VARINT:
                version = value
        if domain in _DEFAULT_DOMAINS:
            self._opset = version

    def _node(self, start: int, end: int) -> None:
        if len(self._nodes) >= MAX_NODES:
            raise Refusal(f"has more than {MAX_NODES} nodes")
        operator, domain = "", ""
        names: dict[int, list[str]] = {1: [], 2: []}  # inputs and outputs
        stated: dict[str, Value] = {}
        whole: dict[str, list[int]] = {}
        for number, wire, value, stop in self.walk(start, end):
            if wire != BYTES:
                continue
            if number in names:
                names[number].append(self.text(value, stop))
            elif number == 4:
                operator = self.text(value, stop)
            elif number == 7:
                domain = self.text(value, stop)
            elif number == 5:
                said = self._attribute(value, stop, whole)
                if said.keys() & stated.keys():
                    raise Refusal("holds a node that states its result twice")
                stated |= said
        if domain not in _DEFAULT_DOMAINS:
            raise Refusal(f"operator '{one_line(domain, 60)}.{one_line(operator, 60)}' is not one of ONNX's own")
        if operator not in OPERATORS:
            raise Refusal(f"operator '{one_line(operator, 60)}' is none that salbox runs")
        check_attributes(operator, whole, len(names[2]))
        result = stated.get("to" if operator == "Cast" else "value")
        self._nodes.append(Node(operator, tuple(names[1]), tuple(names[2]), result))

    def _attribute(self, start: int, end: int, every: dict[str, list[int]]) -> dict[str, Value]:
        """Return what an attribute says of the result of its node: nothing, or {"to" or "value": type and numbers}.

        Its whole numbers are added to `every`, by its name.
        """
        name, whole, stated, has_whole = "", 0, None, False
        numbers: list[int] = []
        for number, wire, value, stop in self.walk(start, end):
            if number in (6, 11):
                raise Refusal("holds a graph within a graph, which salbox does not run")
            if number in (22, 23):
                raise Refusal("holds sparse tensors, which salbox does not run")
            if number == 1 and wire == BYTES:
                name = self.text(value, stop)
            elif number == 3 and wire == VARINT:
                whole, has_whole = value, True
            elif number == 8:
                numbers += [value] if wire == VARINT else self.varints(value, stop, at_most=KEPT + 1)
            elif number in (5, 10) and wire == BYTES:
                if stated is not None and number == 5:  # protocol buffers would make one of them
                    raise Refusal("holds a node that states its result twice")
                tensor, integers = self._tensor(value, stop)
                stated = Value(tensor.dtype, integers)
        every.setdefault(name, []).extend([whole, *numbers] if has_whole else numbers)
        if name == "value" and stated is not None:
            return {"value": stated}
        if name == "to":
            return {"to": Value(TYPES.get(whole, ("other", 0))[0])}
        if name in ("value_int", "value_ints"):
            constant = [whole] if name == "value_int" else numbers
            return {"value": Value("int64", tuple(constant) if len(constant) <= KEPT else None)}
        return {"value": Value("float32")} if name in ("value_float", "value_floats") else {}

    def _initializer(self, start: int, end: int) -> None:
        tensor, integers = self._tensor(start, end)
        if not tensor.name or tensor.name in self._initializers:
            raise Refusal("holds tensors without a name, or two of one name")
        self._initializers[tensor.name] = tensor
        self._integers[tensor.name] = integers

    def _tensor(self, start: int, end: int) -> tuple[Initializer, tuple[int, ...] | None]:
        """Return a tensor, and its numbers if they are few and whole."""
        dims: list[int] = []
        integers: list[int] = []
        raw = (0, 0)
        counts: Counter[int] = Counter()
        data_type, name = 0, ""
        for number, wire, value, stop in self.walk(start, end):
            if number == 1:
                dims += [value] if wire == VARINT else self.varints(value, stop, at_most=MAX_RANK + 1)
            elif number == 2 and wire == VARINT:
                data_type = value
            elif number == 8 and wire == BYTES:
                name = self.text(value, stop)
            elif number in (3, 13) or (number == 14 and value):
                raise Refusal("keeps its weights in another file; only networks in one file are taken")
            elif number == 6:
                raise Refusal("holds tensors of text, which salbox does not run")
            elif number in _NUMBERS:
                counts[number] += self._count(number, wire, value, stop)
                if number == _RAW and wire == BYTES:
                    raw = value, stop
                elif number in (5, 7) and wire in (VARINT, BYTES) and len(integers) <= KEPT:
                    integers += [value] if wire == VARINT else self.varints(value, stop, at_most=KEPT + 1)
        if data_type not in TYPES:
            raise Refusal(f"tensor '{one_line(name, 60)}' is of a type (number {data_type}) that salbox does not run")
        dtype, width = TYPES[data_type]
        # ONNX Runtime divides by the sides of some; only lists are empty in networks, as of axes.
        if len(dims) > MAX_RANK or any(d < 0 for d in dims) or (len(dims) > 1 and 0 in dims):
            raise Refusal(f"tensor '{one_line(name, 60)}' has no valid shape")
        stored = counts[_RAW] / width if counts[_RAW] else counts[_NUMBERS_OF[data_type]]
        if len([c for c in counts.values() if c]) > 1 or stored != math.prod(dims):
            raise Refusal(
                f"tensor '{one_line(name, 60)}' has not as many numbers as its shape says: damaged or cut off"
            )
        found = Initializer(name, tuple(dims), dtype)
        if dtype not in _WHOLE or found.size > KEPT:
            return found, None
        if counts[_RAW]:
            octets = self.content[slice(*raw)]
            if len(octets) != found.size * width:
                raise Refusal(f"tensor '{one_line(name, 60)}' has its numbers in parts")
            return found, tuple(np.frombuffer(octets, _WHOLE[dtype]).tolist())
        # Cut to the type's size, as whoever reads them cuts them: 2**32 is a 0 of 32 bits.
        return found, tuple(np.array(integers, np.int64).astype(_WHOLE[dtype]).tolist())

    def _count(self, number: int, wire: int, start: int, end: int) -> int:
        """Return how many numbers a field of a tensor holds (of raw data: bytes)."""
        if wire != BYTES:
            return 1
        width = _NUMBERS[number]
        return self.count_varints(start, end) if width is None else (end - start) // width

    def _port(self, start: int, end: int) -> Port:
        name, dtype, shape = "", "", None
        for number, wire, value, stop in self.walk(start, end):
            if number == 1 and wire == BYTES:
                name = self.text(value, stop)
            elif number == 2 and wire == BYTES:
                for kind, _, tensor, tensor_end in self.walk(value, stop):
                    if kind == 1:
                        dtype, shape = self._tensor_type(tensor, tensor_end)
        if shape is None:
            raise Refusal(f"input or output '{one_line(name, 60)}' is not a tensor of known shape")
        return Port(name, dtype, shape)

    def _tensor_type(self, start: int, end: int) -> tuple[str, tuple[int | str | None, ...] | None]:
        dtype, shape = "", None
        for number, wire, value, stop in self.walk(start, end):
            if number == 1 and wire == VARINT:
                dtype = TYPES.get(value, ("other", 0))[0]
            elif number == 2 and wire == BYTES:
                shape = tuple(self._side(a, b) for n, w, a, b in self.walk(value, stop) if n == 1 and w == BYTES)
        return dtype, shape

    def _side(self, start: int, end: int) -> int | str | None:
        side: int | str | None = None
        for number, wire, value, stop in self.walk(start, end):
            if number == 1 and wire == VARINT:
                side = value
            elif number == 2 and wire == BYTES:
                side = self.text(value, stop)
        return side

    def _pair(self, start: int, end: int) -> tuple[str, str]:
        found = {n: self.text(a, b) for n, wire, a, b in self.walk(start, end) if wire == BYTES}
        return found.get(1, ""), found.get(2, "")
