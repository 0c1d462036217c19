"""The authors' files of SAM: Keras 1 on Theano, the arrays taken by their place among the layers.

Within the LSTM the arrays have names that Keras counted in the session that wrote them, so the order decides, as it
does for Keras 1 itself. Layers that have names of their own must have the names expected.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from ...errors import WeightsError
from ...formats.keras import Layer, all_names, open_keras
from ...formats.stored import Shape, StoredArray, collect
from ..backbones.resnet50_keras import EXPANSION, STAGES, layer_names
from ..backbones.vgg16 import BLOCKS
from ..readers import Contents

Encoder = Literal["resnet", "vgg"]

MODEL = {"resnet": "SAM-ResNet", "vgg": "SAM-VGG"}
WIDTH, PRIOR_WIDTH, PRIOR_NUMBERS = 512, 16, 64
COUNTED = ("convolution2d", "atrousconvolution2d", "attentiveconvlstm", "learningprior")  # Keras puts _1, _2 behind

# The LSTM's convolutions in the authors' order: of the attention, then of each gate its input's and its state's.
LSTM = ("hidden_a", "input_a", "attend", *(f"{source}_{gate}" for gate in "ifco" for source in ("input", "hidden")))
NORM = ("weight", "bias", "running_mean", "running_var")  # the last is a variance, though Keras 1 calls it running_std


@dataclass(frozen=True)
class _Expected:
    """A layer of a file: its name, or how it begins, and the network's tensors with their shapes."""

    name: str
    tensors: tuple[tuple[str, Shape], ...]


class SamFile:
    """A file of SAM's weights; see `Reader`."""

    @contextmanager
    def open(self, path: Path) -> Iterator[Contents]:
        """See `Reader`."""
        with open_keras(path) as layers:
            names = all_names(layers)
            yield Contents(names, lambda network: _tensors(layers, encoder_of(names), path))


def encoder_of(names: Collection[str]) -> Encoder:
    """Return which encoder a file is for, by its layers' names in their order."""
    return "vgg" if next(iter(names), "").startswith("block1") else "resnet"


def _tensors(layers: Sequence[Layer], encoder: Encoder, path: Path) -> dict[str, Tensor]:
    """Return a file's arrays under the names of the network's tensors.

    Kernels come as PyTorch has them: Theano convolves, PyTorch correlates, so they are turned by half a turn.
    """
    expected = list(expected_layers(encoder))
    stored, names = _matched(layers, expected, MODEL[encoder], path)
    shapes = {names[tensor]: shape for layer in expected for tensor, shape in layer.tensors}
    arrays = collect(stored, shapes, MODEL[encoder], path)
    return {tensor: torch.from_numpy(_turned(arrays[name])) for tensor, name in names.items()}


def expected_layers(encoder: Encoder) -> Iterator[_Expected]:
    """Yield the layers with weights in the order in which Keras saves them."""
    if encoder == "vgg":
        yield from _vgg_layers()
    else:
        yield from _resnet_layers()
        yield _Expected("convolution2d", _convolution("reduce", (WIDTH, 2048, 3, 3)))
    inner: list[tuple[str, Shape]] = []
    for name in LSTM:
        tensors = _convolution(f"lstm.{name}", (1 if name == "attend" else WIDTH, WIDTH, 3, 3))
        inner += tensors[:1] if name == "attend" else tensors
    yield _Expected("attentiveconvlstm", tuple(inner))
    for index in (1, 2):
        yield _Expected("learningprior", ((f"prior_{index}.gaussians", (PRIOR_NUMBERS,)),))
        yield _Expected("atrousconvolution2d", _convolution(f"mix_{index}", (WIDTH, WIDTH + PRIOR_WIDTH, 5, 5)))
    yield _Expected("convolution2d", _convolution("output", (1, WIDTH, 1, 1)))


def _vgg_layers() -> Iterator[_Expected]:
    inputs = 3
    for block, (width, count) in enumerate(BLOCKS, start=1):
        for index in range(1, count + 1):
            tensors = _convolution(f"encoder.conv{block}_{index}", (width, inputs, 3, 3))
            yield _Expected(f"block{block}_conv{index}", tensors)
            inputs = width


def _resnet_layers() -> Iterator[_Expected]:
    shapes: dict[str, Shape] = {"conv1": (64, 3, 7, 7)}
    inputs = 64
    for stage, (blocks, width, *_) in STAGES.items():
        for block in blocks:
            name = f"res{stage}{block}_branch"
            shapes[f"{name}2a"] = (width, inputs, 1, 1)
            shapes[f"{name}2b"] = (width, width, 3, 3)
            shapes[f"{name}2c"] = (EXPANSION * width, width, 1, 1)
            shapes[f"{name}1"] = (EXPANSION * width, inputs, 1, 1)
            inputs = EXPANSION * width
    for name in layer_names():
        if name.startswith("bn"):
            convolution = name.removeprefix("bn_") if name == "bn_conv1" else f"res{name.removeprefix('bn')}"
            width = shapes[convolution][0]
            yield _Expected(name, tuple((f"encoder.{name}.{kind}", (width,)) for kind in NORM))
        else:
            yield _Expected(name, _convolution(f"encoder.{name}", shapes[name]))


def _convolution(name: str, shape: Shape) -> tuple[tuple[str, Shape], ...]:
    return (f"{name}.weight", shape), (f"{name}.bias", shape[:1])


def _matched(
    layers: Sequence[Layer], expected: Sequence[_Expected], model: str, path: Path
) -> tuple[dict[str, StoredArray], dict[str, str]]:
    """Return a file's arrays as "layer/array", and for each tensor of the network which of them it is."""
    stored: dict[str, StoredArray] = {}
    names: dict[str, str] = {}
    for place, (layer, wanted) in enumerate(zip(layers, expected, strict=False), start=1):
        counted = wanted.name in COUNTED and layer.name.rstrip("0123456789") == f"{wanted.name}_"
        if layer.name != wanted.name and not counted:
            raise WeightsError(
                f"{path}: not the weights of {model}: layer {place} is '{layer.name[:80]}', expected '{wanted.name}'"
            )
        if len(layer.arrays) != len(wanted.tensors):
            raise WeightsError(
                f"{path}: not the weights of {model}: '{layer.name[:80]}' has {len(layer.arrays)} arrays, "
                f"expected {len(wanted.tensors)}"
            )
        for (array, content), (tensor, _) in zip(layer.arrays.items(), wanted.tensors, strict=True):
            stored[f"{layer.name}/{array}"] = content
            names[tensor] = f"{layer.name}/{array}"
    if len(layers) != len(expected):
        raise WeightsError(
            f"{path}: not the weights of {model}: {len(layers)} layers with weights, expected {len(expected)}"
        )
    return stored, names


def _turned(array: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
    return array[:, :, ::-1, ::-1].copy() if array.ndim == 4 else array
