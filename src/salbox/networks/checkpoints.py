"""Reading checkpoints: tensors and nothing else, checked by name and shape before any is used."""

from __future__ import annotations

import warnings
import zipfile
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn

from ..errors import WeightsError, name_some, one_line
from ..runtime.network import open_network

_UNPICKLER = "WeightsUnpickler error: "
MAX_BYTES = 2 * 2**30
MAX_TENSORS = 100_000

# Under these names programs keep a state dict within a larger checkpoint.
_WRAPPERS = ("state_dict", "model", "model_state_dict", "student_model")
BATCHES_TRACKED = "num_batches_tracked"  # of batch norm; older files lack it, and nothing depends on it here
SCALE = "/scale"  # what is added to the name of a weight for what its 8 bits are multiplied by
_WHOLE = frozenset({torch.bool, torch.uint8, torch.int8, torch.int16, torch.int32, torch.int64})
_NAMED = 3  # names in a message


def read_tensors(path: Path, *, within: str | None = None, max_bytes: int = MAX_BYTES) -> dict[str, Tensor]:
    """Return the tensors of a .safetensors file or of anything `torch.save` wrote, by name, on the CPU.

    Parameters
    ----------
    path : Path
    within : str, optional
        The key under which the checkpoint keeps its state dict. By default the checkpoint is one, or keeps it under
        "state_dict", "model", "model_state_dict" or "student_model". A prefix "module." of all names is taken off.
    max_bytes : int
        Larger files are refused, and so are archives that unpack to more.

    Raises
    ------
    WeightsError
        If it cannot be read, is too large, or holds something else than tensors.
    """
    _check_size(path, max_bytes)
    loaded = _read_safetensors(path) if path.suffix == ".safetensors" else _read_torch(path)
    if within is not None:
        if not isinstance(loaded, Mapping) or within not in loaded:
            raise WeightsError(f"{path}: a checkpoint without '{within}'")
        loaded = loaded[within]
    elif isinstance(loaded, Mapping):
        loaded = next((loaded[w] for w in _WRAPPERS if isinstance(loaded.get(w), Mapping)), loaded)
    if not isinstance(loaded, Mapping) or not loaded or len(loaded) > MAX_TENSORS:
        raise WeightsError(f"{path}: holds no state dict (names and tensors)")
    for name, tensor in loaded.items():
        if not isinstance(name, str) or not isinstance(tensor, Tensor):
            raise WeightsError(f"{path}: not a state dict: {one_line(name, 80)!r} is a {type(tensor).__name__}")
        if not _is_plain(tensor):
            raise WeightsError(f"{path}: '{one_line(name, 80)}' is no plain array of numbers ({tensor.dtype})")
    if all(name.startswith("module.") for name in loaded):
        return {name.removeprefix("module."): tensor for name, tensor in loaded.items()}
    return dict(loaded)


def load_tensors(
    network: nn.Module, tensors: Mapping[str, Tensor], where: str | Path, *, unused: Collection[str] = ()
) -> None:
    """Put tensors in the place of a network's own: each exactly once, of the same shape.

    Parameters
    ----------
    network : nn.Module
    tensors : mapping
        The network's names to tensors. Floating-point values of any precision are converted.
    where : str or Path
        The file, for the message.
    unused : names' beginnings
        Of tensors that the network has no use for.

    Raises
    ------
    WeightsError
        If a tensor is missing, left over, of another shape or not finite; the network is as it was then.
    """
    own = network.state_dict()
    given = {name: t for name, t in tensors.items() if name in own or not name.startswith(tuple(unused))}
    missing = [name for name in own if name not in given and not name.endswith(BATCHES_TRACKED)]
    if missing:
        raise WeightsError(f"{where}: not the weights of this network: lacks {name_some(missing, _NAMED, quoted=True)}")
    extra = [name for name in given if name not in own]
    if extra:
        raise WeightsError(
            f"{where}: not the weights of this network: it has no {name_some(extra, _NAMED, quoted=True)}"
        )
    # Shapes before values: a small file can describe a tensor of any size.
    for name, tensor in given.items():
        if tensor.shape != own[name].shape:
            expected, found = tuple(own[name].shape), tuple(tensor.shape)
            raise WeightsError(f"{where}: '{one_line(name, 80)}' has the shape {found}, expected is {expected}")
    for name, tensor in given.items():
        if tensor.is_floating_point() != own[name].is_floating_point() or not torch.isfinite(tensor.float()).all():
            raise WeightsError(f"{where}: '{one_line(name, 80)}' holds values that are not finite numbers")
    network.load_state_dict({name: tensor.to(own[name].dtype) for name, tensor in given.items()}, strict=False)


def _is_plain(tensor: Tensor) -> bool:
    """Return whether a tensor has its numbers in memory, one beside the other, of a type that can be counted with."""
    is_dense = tensor.layout == torch.strided and tensor.device.type == "cpu" and not tensor.is_quantized
    return is_dense and not tensor.is_nested and (tensor.is_floating_point() or tensor.dtype in _WHOLE)


def _check_size(path: Path, max_bytes: int) -> None:
    try:
        size = path.stat().st_size
        if zipfile.is_zipfile(path):
            with zipfile.ZipFile(path) as archive:
                size = max(size, sum(member.file_size for member in archive.infolist()))
                # PyTorch is built without this check.
                damaged = archive.testzip() if size <= max_bytes else None
                if damaged is not None:
                    raise WeightsError(f"{path}: damaged (the checksum of '{one_line(damaged, 80)}' does not fit)")
    except FileNotFoundError:
        raise WeightsError(f"{path}: no such file") from None
    except WeightsError:
        raise
    except Exception as error:  # zipfile raises nearly anything on malformed archives
        raise WeightsError(f"{path}: cannot be read ({_reason(error)})") from None
    if size > max_bytes:
        raise WeightsError(f"{path}: {size} bytes are more than weights may have ({max_bytes})")


def _read_torch(path: Path) -> object:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # on formats of old, which are read all the same
            return torch.load(path, map_location="cpu", weights_only=True)
    except Exception as error:  # a malformed pickle surfaces as nearly anything; weights_only admits tensors alone
        raise WeightsError(f"{path}: not a checkpoint of tensors alone ({_reason(error)})") from None


def _read_safetensors(path: Path) -> object:
    from safetensors.torch import load_file

    try:
        return load_file(path, device="cpu")
    except Exception as error:  # its own exceptions, and PyTorch's on types of numbers that it does not know
        raise WeightsError(f"{path}: not a safetensors file ({_reason(error)})") from None


def _reason(error: Exception) -> str:
    # Of PyTorch's text the unpickler's own sentence says what was wrong, else the first line; the rest is advice to
    # trust the file.
    lines = [line.strip() for line in str(error).splitlines() if line.strip()] or [type(error).__name__]
    told = (line.partition(_UNPICKLER)[2].partition(". ")[0] for line in lines if _UNPICKLER in line)
    return one_line(next(told, lines[0]), 160)


def exported_tensors(path: Path) -> dict[str, Tensor]:
    """Return the weights of a network that salbox exported, by the network's names, on the CPU.

    Beside them are constants of the graph. Weights that are stored in half precision come so, those of 8 bits in
    float32.

    Raises
    ------
    WeightsError
        If it is no such file, or a damaged one.
    """
    import onnx
    from onnx import numpy_helper

    content = open_network(path, threads=1).session.file.content
    try:
        graph = onnx.load_model_from_string(content).graph
        arrays = {constant.name: numpy_helper.to_array(constant) for constant in graph.initializer}
        return {name: torch.from_numpy(np.array(values)) for name, values in from_int8(arrays).items()}
    except Exception as error:  # protobuf and onnx raise nearly anything on malformed files
        reason = " ".join(str(error).split())[:120] or type(error).__name__
        raise WeightsError(f"{path}: not an ONNX file ({reason})") from None


def from_int8(arrays: Mapping[str, npt.NDArray[Any]]) -> dict[str, npt.NDArray[Any]]:
    """Return a file's numbers by name, those that are stored in 8 bits as float32 again."""
    quantized = {name for name in arrays if name + SCALE in arrays}
    return {
        name: np.asarray(values * arrays[name + SCALE], np.float32) if name in quantized else values
        for name, values in arrays.items()
        if name.removesuffix(SCALE) not in quantized or name in quantized
    }
