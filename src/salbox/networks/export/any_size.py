"""An exported network with its resizing inside: images of any size in, maps of their size out.

What `salbox.runtime` does around a network, as part of the file, for programs that are not salbox: the size at which
the network looks at an image, OpenCV's resizing to it, and the way back; of a log density what makes it one again.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import onnx
import torch
from onnx import compose
from torch import Tensor, nn

from ...errors import SalboxError
from ...formats.onnx_file import inspect
from ...imaging.writing import atomic
from ...runtime.metadata import INPUT, KEY, OUTPUT, Metadata
from ...runtime.network import ExportedNetwork, open_network
from ...runtime.preprocessing import Preprocessing, area_candidates
from ...runtime.session import Session
from ...types import Output
from . import resize_matrices
from .letterbox_graph import fixed_point, in_whole_numbers
from .onnx import pictures, spread_difference
from .tracing import traced

USAGE_KEY = "salbox.usage"  # of the file's metadata: how to call it, for whoever has nothing but the file
# Of a map's range. Where a resized pixel lies half-way between two levels of 255, the last digit of a sum decides,
# which is another in OpenCV; photos have few such pixels, drawn pictures more.
RESIZED_TOLERANCE = 5e-3
_BEFORE, _AFTER = "resize/", "finish/"
# Height and width of what the file is checked with.
_CHECKED = ((1, 1), (97, 141), (480, 640), (30, 700), (90, 970), (768, 1024))
_DIGITS = 1e9  # steps of a ratio's logarithm that are told apart, as in `Preprocessing`
_SMALL, _COARSE = "small", "coarse"
_IMAGE = ("batch", "height", "width", "")


class ToWorkingSize(nn.Module):
    """From images, (N, H, W, 3) uint8, to what a network looks at, (N, h, w, 3) uint8; see `Preprocessing.prepare`."""

    def __init__(self, preprocessing: Preprocessing) -> None:
        super().__init__()
        self._preprocessing = preprocessing

    def forward(self, image: Tensor) -> Tensor:
        """Return working copies: (N, h, w, 3) uint8 for images (N, H, W, 3) uint8."""
        images = image.permute(0, 3, 1, 2).float()
        sources = resize_matrices.lengths(images)
        targets = self._working_size(*sources)
        # 1 or 0: whether either side shrinks, and whether either grows.
        shrinks, grows = _either(sources, targets), _either(targets, sources)
        is_area, is_mixed, is_cubic = shrinks * (1 - grows), shrinks * grows, 1 - shrinks
        rows, columns = (
            is_area * resize_matrices.area(source, target) + is_cubic * resize_matrices.cubic(source, target)
            for source, target in zip(sources, targets, strict=True)
        )
        upper, lower, near, far = fixed_point(*resize_matrices.area_linear(sources[0], targets[0]), sources[0])
        left, right, left_share, right_share = fixed_point(
            *resize_matrices.area_linear(sources[1], targets[1]), sources[1]
        )
        columns = columns + is_mixed * (left_share[:, None] * left + right_share[:, None] * right)
        # Along the rows first, as OpenCV does: the order decides about values half-way between two whole numbers. Those
        # it rounds up where both sides are halved, which it does by itself.
        narrowed = images @ columns.float().T
        small = rows.float() @ narrowed
        small = small + (_is_half(sources[0], targets[0]) * _is_half(sources[1], targets[1])).float() / 8
        mixed = is_mixed * in_whole_numbers(narrowed, upper, lower, near, far)
        small = torch.round((1 - is_mixed).float() * small + mixed.float()).clamp(0, 255)
        return small.permute(0, 2, 3, 1).to(torch.uint8)

    def _working_size(self, height: Tensor, width: Tensor) -> tuple[Tensor, Tensor]:
        """Return (h, w), (1,) float64 each; see `Preprocessing.working_size`."""
        own = self._preprocessing
        if own.rule == "native":
            return height, width
        if own.rule == "fixed":
            return resize_matrices.number(own.height, height), resize_matrices.number(own.width, width)
        if own.rule == "bounded":
            return _bounded(height, width, own.height * own.width, own.multiple)
        # Largest first, so that of equally near ones it has the lower rank, and no two cost the same.
        sizes = sorted(area_candidates(own.height * own.width, own.multiple), key=lambda size: -size[0] * size[1])
        known = torch.tensor(sizes, dtype=torch.float64)
        distance = (torch.log(known[:, 0] / known[:, 1]) - torch.log(height / width)).abs()
        cost = torch.round(distance * _DIGITS) * len(sizes) + torch.arange(len(sizes), dtype=torch.float64)
        is_nearest = 1 - (cost - cost.amin(0, keepdim=True)).clamp(0, 1)
        rows, columns = ((is_nearest * known[:, side]).sum(0, keepdim=True) for side in (0, 1))
        return rows, columns


class ToImageSize(nn.Module):
    """From a network's maps, (N, heads, h, w), to maps of the image's size, (N, heads, H, W).

    Parameters
    ----------
    channels : sequence of int
        Of the heads that stay.
    output : {"score", "log_density", "probability"}
    """

    def __init__(self, channels: Sequence[int], output: Output) -> None:
        super().__init__()
        self._channels, self._output = list(channels), output

    def forward(self, image: Tensor, coarse: Tensor) -> Tensor:
        """Return maps: (N, heads, H, W) float32 for images (N, H, W, 3) and the network's maps."""
        coarse = torch.index_select(coarse, 1, torch.tensor(self._channels))
        sources, targets = resize_matrices.lengths(coarse), resize_matrices.lengths(image.permute(0, 3, 1, 2))
        rows, columns = (
            resize_matrices.linear(resize_matrices.centered(resize_matrices.places(target), source, target), source)
            for source, target in zip(sources, targets, strict=True)
        )
        maps = resize_matrices.resized(coarse, rows, columns)
        if self._output == "probability":
            return maps.clamp(0, 1)
        if self._output != "log_density":
            return maps
        # In double precision: the many small shares of a large image are lost in sums of single precision.
        largest = maps.amax((2, 3), keepdim=True)
        total = torch.exp((maps - largest).double()).sum((2, 3), keepdim=True)
        return maps - (largest + torch.log(total).float())


def write_any_size(source: Path, target: Path, heads: Sequence[str] | None = None) -> None:
    """Write an exported network again with its resizing inside, checked against the network as salbox runs it.

    Parameters
    ----------
    source, target : Path
    heads : names, optional
        Which of its maps; by default all.

    Raises
    ------
    WeightsError
        If it is no file that salbox exported, or a damaged one.
    UsageError
        If it has no such head, or the place cannot be written to.
    SalboxError
        If the file's maps are not salbox's.
    """
    exported = open_network(source, threads=1)
    names = list(exported.heads if heads is None else heads)
    graph = _joined(exported, [exported.channel(name) for name in names])
    own = exported.metadata
    metadata = replace(
        own,
        heads=tuple(head for name in names for head in own.heads if head.name == name),
        preprocessing=Preprocessing("native", own.preprocessing.height, own.preprocessing.width),
    )
    graph.metadata_props.add(key=KEY, value=metadata.to_text())
    graph.metadata_props.add(key=USAGE_KEY, value=_usage(metadata))
    onnx.checker.check_model(graph, full_check=True)
    with atomic(target) as temporary:
        temporary.write_bytes(graph.SerializeToString(deterministic=True))
        difference = largest_difference(exported, names, temporary)
        if not difference <= RESIZED_TOLERANCE:
            raise SalboxError(
                f"{target}: not written: its maps differ from salbox's by {difference:.2g} of their range"
            )


def largest_difference(exported: ExportedNetwork, heads: Sequence[str], path: Path) -> float:
    """Return by how much a file's maps differ from those that salbox makes, at most, as a share of a map's range."""
    session = Session(inspect(path), threads=1, provider="cpu")
    worst = 0.0
    for height, width in _CHECKED:
        images = pictures(1, height, width)
        (found,) = session.run({INPUT: images}, [OUTPUT])
        (expected,) = exported.maps(list(images), heads)
        for place, name in enumerate(heads):
            worst = max(worst, spread_difference(found[:, place : place + 1], expected[name][None, None]))
    return worst


def _joined(exported: ExportedNetwork, channels: Sequence[int]) -> onnx.ModelProto:
    """Return the graph of a network between those that resize; of its metadata what is not written anew stays."""
    own = exported.metadata
    network = onnx.load_model_from_string(exported.session.file.content)
    for entry in [entry for entry in network.metadata_props if entry.key in (KEY, USAGE_KEY)]:
        network.metadata_props.remove(entry)
    _rename(network.graph, {INPUT: _SMALL, OUTPUT: _COARSE})
    images, maps = torch.zeros((2, 97, 141, 3), dtype=torch.uint8), torch.rand((2, len(own.heads), 30, 40))
    before = traced(
        ToWorkingSize(own.preprocessing),
        {INPUT: (images, _IMAGE)},
        {_SMALL: ("batch", "rows", "columns", "")},
        own.network,
    )
    after = traced(
        ToImageSize(channels, own.output),
        {INPUT: (images, _IMAGE), _COARSE: (maps, ("batch", "", "rows", "columns"))},
        {OUTPUT: ("batch", "", "height", "width")},
        own.network,
    )
    before = compose.add_prefix(before, _BEFORE)
    after = compose.add_prefix(after, _AFTER)
    for graph in (before, network, after):
        graph.ir_version = network.ir_version
    body = compose.merge_models(before, network, io_map=[(_BEFORE + _SMALL, _SMALL)])
    return _with_one_image(compose.merge_models(body, after, io_map=[(_COARSE, _AFTER + _COARSE)]))


def _with_one_image(graph: onnx.ModelProto) -> onnx.ModelProto:
    """Return a graph whose two inputs, the same image before and after the network, are one."""
    _rename(graph.graph, {_BEFORE + INPUT: INPUT, _AFTER + INPUT: INPUT, _AFTER + OUTPUT: OUTPUT})
    del graph.graph.input[1:]
    graph.graph.ClearField("value_info")
    graph.graph.name = "salbox"
    return graph


def _rename(graph: onnx.GraphProto, names: Mapping[str, str]) -> None:
    """Give values other names, wherever they are."""
    for node in graph.node:
        node.input[:] = [names.get(name, name) for name in node.input]
        node.output[:] = [names.get(name, name) for name in node.output]
    for port in (*graph.input, *graph.output):
        port.name = names.get(port.name, port.name)


def _usage(metadata: Metadata) -> str:
    """Return as JSON how to call a file: what goes in, what comes out."""
    meanings = {
        "score": "scores without a unit; min-max scale them to draw them",
        "log_density": "natural logarithms of a density over pixels; exp of them sums to 1",
        "probability": "probabilities that a pixel belongs to the object, 0 to 1",
    }
    return json.dumps(
        {
            INPUT: "uint8 (N, H, W, 3), RGB, of any size, neither resized nor normalized",
            OUTPUT: f"float32 (N, heads, H, W), {meanings[metadata.output]}",
            "heads": [head.name for head in metadata.heads],
        }
    )


def _bounded(height: Tensor, width: Tensor, pixels: int, smallest: int) -> tuple[Tensor, Tensor]:
    scale = torch.sqrt(pixels / (height * width))
    is_large = _is_more(height * width, resize_matrices.number(pixels, height))
    most = max(smallest, pixels // smallest)
    sides = [is_large * torch.floor(side * scale) + (1 - is_large) * side for side in (height, width)]
    bounded_height, bounded_width = (side.clamp(smallest, most) for side in sides)
    return bounded_height, bounded_width


def _either(sides: tuple[Tensor, Tensor], others: tuple[Tensor, Tensor]) -> Tensor:
    """Return 1 where either side is more than the other, else 0."""
    return 1 - (1 - _is_more(sides[0], others[0])) * (1 - _is_more(sides[1], others[1]))


def _is_half(source: Tensor, target: Tensor) -> Tensor:
    """Return 1 where a side is halved, else 0."""
    return 1 - (source - 2 * target).abs().clamp(0, 1)


def _is_more(first: Tensor, second: Tensor) -> Tensor:
    """Return 1 where a whole number is more than another, else 0."""
    return (first - second).clamp(0, 1)
