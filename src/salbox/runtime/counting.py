"""The arithmetic of an ONNX network, counted on the shapes that a run really has."""

from __future__ import annotations

import json
import math
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy.typing as npt

from ..errors import WeightsError
from ..formats.onnx_file import OnnxFile
from .metadata import KEY, Metadata
from .session import session_options

# Operators that move or rename numbers; all others but the multiplying ones count one operation an output number.
_MOVES = (
    "Cast CastLike Concat Constant DepthToSpace Dropout Expand Flatten Gather GatherElements GatherND Identity Pad "
    "Reshape ScatterElements ScatterND Shape Size Slice SpaceToDepth Split Squeeze Tile Transpose Trilu Unsqueeze Where"
)
_NO_ARITHMETIC = frozenset(_MOVES.split())


@dataclass(frozen=True)
class Arithmetic:
    """What one run of a network computes.

    Attributes
    ----------
    macs : int
        Multiply-adds: a multiplication and the addition of its result, in convolutions and matrix products.
    flops : int
        Two for each multiply-add, and one for each number that any other arithmetic operator gives (sums, norms,
        activations, pooling, resizing); moving numbers is free.
    """

    macs: int
    flops: int


def count_arithmetic(file: OnnxFile, inputs: Mapping[str, npt.NDArray[Any]]) -> Arithmetic:
    """Return what one run of an ONNX file on `inputs` computes.

    The network runs once, operator by operator as the file has them, and ONNX Runtime's profile gives the shapes.

    Raises
    ------
    WeightsError
        If the file cannot be opened, or not be run on these inputs.
    """
    import onnxruntime

    options = session_options(threads=1, file_bytes=len(file.content))
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL
    options.enable_profiling = True
    options.add_session_config_entry("session.disable_prepacking", "1")  # weights packed ahead have no shape there
    with tempfile.TemporaryDirectory() as folder:
        options.profile_file_prefix = str(Path(folder) / "profile")
        try:
            session = onnxruntime.InferenceSession(file.content, options, providers=["CPUExecutionProvider"])
            session.run(None, dict(inputs))
            profile = Path(session.end_profiling())
        except Exception as error:  # ONNX Runtime's exceptions have no common base
            raise WeightsError(f"{file.path}: cannot be run ({' '.join(str(error).split())[:300]})") from None
        events = json.loads(profile.read_text(encoding="utf-8"))
    counted = [_of_event(event["args"]) for event in events if "output_type_shape" in event.get("args", {})]
    return Arithmetic(sum(c.macs for c in counted), sum(c.flops for c in counted))


def _of_event(arguments: Mapping[str, Any]) -> Arithmetic:
    operator = arguments["op_name"]
    inputs, outputs = (_shapes(arguments[key]) for key in ("input_type_shape", "output_type_shape"))
    size = sum(math.prod(shape) for shape in outputs)
    if operator in ("Conv", "DeformConv"):  # weights are (outputs, inputs of a group, ...)
        macs = size * math.prod(inputs[1][1:])
    elif operator == "ConvTranspose":  # weights are (inputs, outputs of a group, ...)
        macs = math.prod(inputs[0]) * math.prod(inputs[1][1:])
    elif operator == "MatMul":
        macs = size * inputs[0][-1]
    elif operator == "Gemm":  # either factor may be transposed: (m k) (k n) / (m n) is k squared
        macs = size * math.isqrt(math.prod(inputs[0]) * math.prod(inputs[1]) // max(1, size))
    else:
        return Arithmetic(0, 0 if operator in _NO_ARITHMETIC else size)
    return Arithmetic(macs, 2 * macs)


def _shapes(entries: list[Mapping[str, list[int]]]) -> list[tuple[int, ...]]:
    """Return the shapes of a profile's list, each entry of which is {type: shape}."""
    return [tuple(shape) for entry in entries for shape in entry.values()]


def learned_numbers(file: OnnxFile) -> int:
    """Return how many learned numbers a network has: what salbox noted in the file, else all of its numbers."""
    text = file.metadata.get(KEY)
    noted = Metadata.from_text(text).parameters if text is not None else 0
    return noted or file.parameters
