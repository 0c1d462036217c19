"""DINet: a dilated inception network for visual saliency prediction (Yang, Lin, Jiang and Lin 2020).

A dilated ResNet-50, a 1x1 convolution to 256 channels, three convolutions of different dilation side by side whose sum
goes through three more; a sigmoid, and the map eight times enlarged. None of the convolutions has a bias.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ..errors import WeightsError
from ..image import Pixels
from ._device import torch_device
from .checkpoints import load_tensors
from .formats.keras import Layer, all_names, open_keras
from .formats.stored import StoredArray, Weights, collect
from .known_files import check_model
from .official.framing import fit, unfit
from .official.resnet50_keras import ResNet50Keras
from .official.upsampling import enlarged_by
from .official.vgg16 import MEANS_BGR
from .opened import Opened

FloatMap = npt.NDArray[np.float32]

SIZE = (320, 480)  # height and width at which the network looks at images (the program's config.yaml)
SCALE = 8
WIDTH = 256
DILATIONS = {"conv2d_2": 4, "conv2d_3": 8, "conv2d_4": 16}

# What Keras calls the numbers of a normalisation: its own words to PyTorch's.
NORM = {"gamma": "weight", "beta": "bias", "moving_mean": "running_mean", "moving_variance": "running_var"}
_COUNTED = re.compile(r"conv2d_(\d+)/")


class Readout(nn.Module):
    """What follows the encoder.

    Parameters
    ----------
    inputs : int
        Channels of the features.
    outputs : int
        Maps.
    width : int
        Channels of the layers.
    """

    def __init__(self, inputs: int, outputs: int = 1, width: int = WIDTH) -> None:
        super().__init__()
        self.conv2d_1 = nn.Conv2d(inputs, width, 1, bias=False)
        for name, dilation in DILATIONS.items():
            self.add_module(name, nn.Conv2d(width, width, 3, padding=dilation, dilation=dilation, bias=False))
        self.conv2d_5 = nn.Conv2d(width, width, 3, padding=1, bias=False)
        self.conv2d_6 = nn.Conv2d(width, width, 3, padding=1, bias=False)
        self.conv2d_7 = nn.Conv2d(width, outputs, 3, padding=1, bias=False)

    def read(self, features: Tensor) -> dict[str, Tensor]:
        """Return "conv2d_1", "branches" (the sum of the three), "conv2d_5" and "conv2d_6", (N, width, h, w)."""
        found = {}
        found["conv2d_1"] = reduced = F.relu(self.conv2d_1(features))
        found["branches"] = torch.stack([F.relu(self.get_submodule(name)(reduced)) for name in DILATIONS]).sum(0)
        found["conv2d_5"] = F.relu(self.conv2d_5(found["branches"]))
        found["conv2d_6"] = F.relu(self.conv2d_6(found["conv2d_5"]))
        return found


class DINet(Readout):
    """The network; but for "encoder.", its tensors are called as the authors' layers."""

    means: Tensor

    def __init__(self) -> None:
        super().__init__(ResNet50Keras.channels)
        self.register_buffer("means", torch.tensor(MEANS_BGR).reshape(1, 3, 1, 1), persistent=False)
        # TensorFlow pads an even side at its end only.
        self.encoder = ResNet50Keras(has_bias=False, epsilon=1e-3, pool_padding=(0, 1, 0, 1))

    def features(self, images: Tensor) -> dict[str, Tensor]:
        """Return what `read` does, and "map" (after the sigmoid), at stride 8.

        Parameters
        ----------
        images : (N, 3, H, W) float32
            RGB, 0..255, of sides that 8 divides.
        """
        found = self.read(self.encoder(images.flip(1) - self.means))
        found["map"] = torch.sigmoid(self.conv2d_7(found["conv2d_6"]))
        return found

    def forward(self, images: Tensor) -> Tensor:
        """Return maps: (N, 1, H, W), each pixel in 0..1; see `features`."""
        return enlarged_by(self.features(images)["map"], SCALE)


class DINetModel(Opened[DINet]):
    """The network with its weights, an image in and a map out; safe in threads."""

    def __call__(self, image: Pixels) -> FloatMap:
        """Return the map that the authors' program writes, over 255: (H, W) float32, scaled to 0..1.

        Parameters
        ----------
        image : (H, W, 3) uint8 RGB

        Raises
        ------
        WeightsError
            If the weights make numbers too large for a map.
        """
        # The program's frame is black before the means go off it.
        with torch.inference_mode():
            saliency = self._checked(self.network(self._tensor(fit(image, *SIZE))))
        return scaled(unfit(saliency, (image.shape[0], image.shape[1])))

    def whole(self) -> nn.Module:
        """Return the network with all around it as one graph, to be exported."""
        from .whole.framed import FramedDINet

        return FramedDINet(self.network, SIZE)


def scaled(saliency: FloatMap) -> FloatMap:
    """Return a map scaled to 0..1; a constant one becomes 0."""
    raised = saliency - saliency.min()
    highest = raised.max()
    return raised / highest if highest > 0 else raised


def open_dinet(weights: Path, device: str = "cpu") -> DINetModel:
    """Return DINet with weights of its authors.

    Parameters
    ----------
    weights : Path
        An .h5 that Keras wrote, of the whole model or of its weights.
    device : str
        "cpu", "cuda", "cuda:1", ..

    Raises
    ------
    WeightsError
        If it is not such a file.
    MissingExtraError
        If h5py is not installed.
    UsageError
        If there is no such device.
    """
    place = torch_device(device)
    network = DINet()
    own = {name: value for name, value in network.state_dict().items() if not name.endswith("num_batches_tracked")}
    shapes = {stored_name(name): stored_shape(value) for name, value in own.items()}
    with open_keras(weights) as layers:
        check_model(all_names(layers), "dinet", weights)
        stored = _by_name(layers, weights)
        load_dinet(network, collect(stored, shapes, "DINet", weights), weights)
    return DINetModel(network.to(place), str(weights))


def load_dinet(network: DINet, arrays: Weights, where: Path) -> None:
    """Put arrays, by the authors' names, in the place of a network's own."""
    tensors = {}
    for name in network.state_dict():
        if not name.endswith("num_batches_tracked"):
            array = arrays[stored_name(name)]
            # TensorFlow keeps kernels as (rows, columns, inputs, outputs).
            tensors[name] = torch.from_numpy(array.transpose(3, 2, 0, 1).copy() if array.ndim == 4 else array)
    load_tensors(network, tensors, where)


def stored_name(name: str) -> str:
    """Return what Keras calls a tensor of the network."""
    layer, kind = name.removeprefix("encoder.").split(".")
    if not layer.startswith("bn"):
        return f"{layer}/kernel"
    return f"{layer}/{next(theirs for theirs, ours in NORM.items() if ours == kind)}"


def stored_shape(tensor: Tensor) -> tuple[int, ...]:
    """Return the shape in which Keras keeps a tensor."""
    shape = tuple(tensor.shape)
    return (shape[2], shape[3], shape[1], shape[0]) if len(shape) == 4 else shape


def _by_name(layers: Sequence[Layer], where: Path) -> dict[str, StoredArray]:
    """Return a file's arrays by name; the names are unique, the order differs with how the file was written.

    Keras counts convolutions that have no name of their own within a session. The counts may begin anywhere, so they
    are replaced by 1, 2, .. in their order.
    """
    found: dict[str, StoredArray] = {}
    for layer in layers:
        for name, array in layer.arrays.items():
            plain = name.split(":")[0]
            if plain in found:
                raise WeightsError(f"{where}: holds '{plain[:80]}' twice")
            found[plain] = array
    counts = sorted({int(match[1]) for name in found if (match := _COUNTED.match(name))})
    places = {count: place for place, count in enumerate(counts, start=1)}
    return {_COUNTED.sub(lambda match: f"conv2d_{places[int(match[1])]}/", name): a for name, a in found.items()}
