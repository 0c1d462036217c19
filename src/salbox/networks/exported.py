"""Students read back from the ONNX files that they were exported to: names and batch norms are the network's own."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx
import torch
from onnx import numpy_helper
from torch import Tensor

from ..errors import UsageError, WeightsError
from ..students.student import open_student
from .building import rebuild
from .checkpoints import load_tensors
from .int8 import restored
from .student import StudentNetwork


def exported_tensors(path: Path) -> dict[str, Tensor]:
    """Return the weights of a student that salbox exported, by the network's names, on the CPU.

    Beside them are constants of the graph. Weights that are stored in half precision come so, those of 8 bits in
    float32.

    Raises
    ------
    WeightsError
        If it is no such file, or a damaged one.
    """
    content = open_student(path, threads=1).session.file.content
    try:
        graph = onnx.load_model_from_string(content).graph
        arrays = {constant.name: numpy_helper.to_array(constant) for constant in graph.initializer}
        return {name: torch.from_numpy(np.array(values)) for name, values in restored(arrays).items()}
    except Exception as error:  # protobuf and onnx raise nearly anything on malformed files
        reason = " ".join(str(error).split())[:120] or type(error).__name__
        raise WeightsError(f"{path}: not an ONNX file ({reason})") from None


def read_exported(path: Path) -> StudentNetwork:
    """Return the network that a file was exported from, in evaluation mode.

    Raises
    ------
    WeightsError
        If it is no student that salbox exported, or does not say how its network is made.
    """
    metadata = open_student(path, threads=1).metadata
    if not metadata.settings:
        raise WeightsError(f"{path}: does not say how its network is made; an older salbox wrote it")
    try:
        network = rebuild(metadata.network, [head.name for head in metadata.heads], metadata.settings)
    except UsageError as error:
        raise WeightsError(f"{path}: {error}") from None
    own = network.state_dict()
    tensors = {name: tensor for name, tensor in exported_tensors(path).items() if name in own}
    load_tensors(network, tensors, path)
    return network.eval()
