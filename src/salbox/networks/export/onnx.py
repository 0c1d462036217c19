"""Networks written as ONNX, so that they run without PyTorch.

The file takes images as they are, uint8 (N, H, W, 3) of any number and size, and holds what is needed to use it: the
cards of its heads and the preprocessing. Weights and batch norms keep the names that they have in the network, so that
another network can start from them; ONNX Runtime joins convolutions and norms itself when it opens the file.
"""

from __future__ import annotations

import contextlib
import math
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import numpy as np
import numpy.typing as npt
import onnx
import torch
from torch import Tensor, nn

from ...errors import SalboxError, UsageError
from ...formats.onnx_file import inspect
from ...imaging.writing import atomic
from ...models.cards import ModelCard
from ...runtime.metadata import INPUT, KEY, OUTPUT, Head, Metadata
from ...runtime.network import ExportedNetwork
from ...runtime.session import Session
from ...types import Pixels
from ...version import __version__
from ..trainable.base import TrainableNetwork
from .half import store_as_half
from .sums import state_sizes
from .tracing import traced

TOLERANCE = 1e-3  # of a map's range: how far ONNX Runtime's maps may be from PyTorch's
HALF_TOLERANCE = 1e-2  # the same with weights stored in half precision
INT8_TOLERANCE = 1e-1  # the same with weights stored in 8 bits
EXAMPLE = (96, 128)  # height and width of the images that a published network is traced with
CHECKED = ((2, 96, 128), (1, 141, 97), (1, 101, 157))  # number, height and width of the images it is checked with
_ROUNDING = 1e-6  # of the largest value: what float32 cannot resolve
_SIGMOID = 2e-7  # what ONNX Runtime's sigmoid is off by, however small its value: of maps next to 0 a large share

_PREFIX = "network."  # of the names of weights: what `_FromPixels` calls the network


def export_onnx(
    network: TrainableNetwork,
    path: Path,
    cards: Mapping[str, ModelCard],
    teachers: Mapping[str, str],
    *,
    half: bool = False,
) -> None:
    """Write a network as ONNX, checked against the network itself; no half-written file is left.

    Parameters
    ----------
    network : TrainableNetwork
        It is left in the mode and on the device it was in.
    path : Path
    cards : mapping
        Head -> its card.
    teachers : mapping
        Head -> the name of the model it was taught by.
    half : bool
        Store the weights in half precision: half the size. They are brought back to float32 when the file is opened,
        so that it is not slower.

    Raises
    ------
    UsageError
        If a head has no card or teacher, or the file cannot be written.
    SalboxError
        If ONNX Runtime's maps are not the network's.
    """
    missing = [head for head in network.heads if head not in cards or head not in teachers]
    if missing:
        raise UsageError(f"export: no card or teacher for {', '.join(missing)}")
    metadata = Metadata(
        salbox=__version__,
        network=network.name,
        heads=tuple(Head(name, teachers[name], cards[name]) for name in network.heads),
        preprocessing=network.preprocessing,
        output=network.output,
        parameters=sum(p.numel() for p in network.parameters()),
        settings=network.exported_settings,
    )
    with _evaluating(network):
        _write(to_onnx(network), metadata, path, half, lambda file: largest_difference(network, file))


def export_graph(
    graph: nn.Module,
    metadata: Metadata,
    path: Path,
    expected: Callable[[Pixels], npt.NDArray[np.float32]],
    *,
    half: bool = False,
) -> None:
    """Write a published network with all around it as ONNX, checked against the model itself.

    Parameters
    ----------
    graph : nn.Module
        From uint8 images, (N, H, W, 3), to maps; left in the mode and on the device it was in.
    metadata : Metadata
    path : Path
    expected : callable
        The model: an image in, its map out.
    half : bool
        As for `export_onnx`.

    Raises
    ------
    UsageError
        If the file cannot be written.
    SalboxError
        If the file's maps are not the model's.
    """
    with _evaluating(graph):
        traced = _traced(graph, EXAMPLE, metadata.network)
        _write(traced, metadata, path, half, lambda file: _difference_to(expected, file))


def _write(
    graph: onnx.ModelProto, metadata: Metadata, path: Path, half: bool, difference_of: Callable[[Path], float]
) -> None:
    """Write a graph with its metadata, unless its maps differ too much."""
    if half:
        store_as_half(graph)
    graph.metadata_props.add(key=KEY, value=metadata.to_text())
    onnx.checker.check_model(graph, full_check=True)
    with atomic(path) as temporary:
        temporary.write_bytes(graph.SerializeToString(deterministic=True))
        difference = difference_of(temporary)
        if difference > (HALF_TOLERANCE if half else TOLERANCE):
            raise SalboxError(f"{path}: not written: ONNX Runtime's maps differ by {difference:.2g} of their range")


def _difference_to(expected: Callable[[Pixels], npt.NDArray[np.float32]], path: Path) -> float:
    """Return by how much a file's maps differ from a model's, at most, as a share of a map's range."""
    exported = ExportedNetwork(Session(inspect(path), threads=1, provider="cpu"), (str(path), 1, "cpu"))
    worst = 0.0
    for several in CHECKED:
        images = pictures(*several)
        for image, maps in zip(images, exported.maps(list(images)), strict=True):
            (found,) = maps.values()
            worst = max(worst, spread_difference(found[None, None], expected(image)[None, None]))
    return worst


def to_onnx(network: TrainableNetwork) -> onnx.ModelProto:
    """Return the graph from uint8 images, (N, H, W, 3), to maps, (N, heads, h, w), without metadata.

    Raises
    ------
    SalboxError
        If PyTorch cannot write the network as ONNX.
    """
    height, width = network.preprocessing.working_size(192, 256)
    graph = _traced(_FromPixels(network), (height, width), network.name)
    state_sizes(graph, [(height, width), (width, height)])
    return graph


def _traced(graph: nn.Module, size: tuple[int, int], name: str) -> onnx.ModelProto:
    """Return the graph of a module that takes images as the file does, traced at a size, (height, width)."""
    example = torch.zeros((2, *size, 3), dtype=torch.uint8)
    outputs = {OUTPUT: ("batch", "", "rows", "columns")}
    return _tidy(traced(graph, {INPUT: (example, ("batch", "height", "width", ""))}, outputs, name))


def largest_difference(network: TrainableNetwork, path: Path) -> float:
    """Return by how much ONNX Runtime's maps differ from the network's, at most, as a share of a map's range.

    Looked at are three sizes, two of them with several images. The network is in evaluation mode, on the CPU.
    """
    height, width = network.preprocessing.working_size(192, 256)
    session = Session(inspect(path), threads=1, provider="cpu")
    worst = 0.0
    for count, size in ((1, (height, width)), (2, (width, height)), (3, (77, 101))):
        images = pictures(count, *size)
        with torch.no_grad():
            expected = _FromPixels(network)(torch.from_numpy(images)).numpy()
        (found,) = session.run({INPUT: images}, [OUTPUT])
        worst = max(worst, spread_difference(found, expected))
    return worst


def spread_difference(found: npt.NDArray[np.float32], expected: npt.NDArray[np.float32]) -> float:
    """Return by how much maps, (N, heads, h, w), differ at most, as a share of the expected map's range.

    What float32 cannot resolve is not counted.
    """
    if found.shape != expected.shape or not np.isfinite(found).all():
        return math.inf
    difference = np.abs(found - expected).max(axis=(2, 3)) - _ROUNDING * np.abs(expected).max(axis=(2, 3)) - _SIGMOID
    spread = expected.max(axis=(2, 3)) - expected.min(axis=(2, 3))
    if (difference[spread == 0] > 0).any():
        return math.inf
    return float(np.maximum(0, difference[spread > 0] / spread[spread > 0]).max(initial=0))


class _FromPixels(nn.Module):
    """What is exported: from uint8 pixels, colours last, to maps."""

    def __init__(self, network: TrainableNetwork) -> None:
        super().__init__()
        self.network = network

    def forward(self, image: Tensor) -> Tensor:
        if (divisor := self.network.divisor) > 1:
            height, width = (side // divisor * divisor for side in image.shape[1:3])
            image = image[:, :height, :width]
        return self.network.maps(image.permute(0, 3, 1, 2).to(torch.float32))


def pictures(count: int, height: int, width: int) -> npt.NDArray[np.uint8]:
    """Return smooth random pictures, (N, H, W, 3): like photos they have structure at every scale."""
    random = np.random.default_rng(0)
    total = np.zeros((count, height, width, 3))
    for cells in (4, 16, 64):
        coarse = random.random((count, cells, cells, 3))
        rows, columns = np.arange(height) * cells // height, np.arange(width) * cells // width
        total += coarse[:, rows][:, :, columns]
    return np.rint(total * 85).astype(np.uint8)


def _tidy(graph: onnx.ModelProto) -> onnx.ModelProto:
    """Return a graph with each weight under the network's own name, and without the exporter's notes."""
    for tensor in graph.graph.initializer:
        tensor.name = tensor.name.removeprefix(_PREFIX)
    nodes = list(graph.graph.node)
    graph.graph.ClearField("node")
    stored = {tensor.name: tensor for tensor in graph.graph.initializer}
    for node in nodes:
        node.ClearField("doc_string")
        node.input[:] = [name.removeprefix(_PREFIX) for name in node.input]
        twin = stored.get(node.input[0]) if node.op_type == "Identity" else None
        if twin is None:
            graph.graph.node.append(node)
        else:  # weights with equal numbers are stored once; they are not the same weights
            tensor = graph.graph.initializer.add()
            tensor.CopyFrom(twin)
            tensor.name = node.output[0].removeprefix(_PREFIX)
    graph.graph.ClearField("value_info")
    graph.graph.name = "salbox"
    return graph


@contextlib.contextmanager
def _evaluating(network: nn.Module) -> Iterator[None]:
    """Put a network into evaluation mode on the CPU, and everything back afterwards."""
    modes = {module: module.training for module in network.modules()}
    device = next(network.parameters()).device
    network.eval().to("cpu")
    try:
        yield
    finally:
        network.to(device)
        for module, mode in modes.items():
            module.training = mode
