"""MSI-Net: contextual encoder-decoder network for visual saliency prediction (Kroner et al. 2020).

A VGG-16 whose last two pools keep the size, its features of three depths side by side, over them convolutions of
several dilations and the mean of the whole picture, three enlargings; the map is scaled to 0..1.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np
import numpy.typing as npt
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ..errors import UsageError
from ..image import Pixels
from ._device import torch_device
from .checkpoints import load_tensors
from .formats.stored import Weights, collect
from .formats.tensorflow import read_tensorflow
from .known_files import check_model
from .official.tensorflow_resize import resize
from .official.upsampling import enlarged_by
from .official.vgg16 import MEANS_BGR, PaddedMaxPool, Vgg16
from .opened import Opened

FloatMap = npt.NDArray[np.float32]

# Height and width at which the network looks at images, by what it was trained on (the program's config.py).
SIZES: Mapping[str, tuple[int, int]] = {
    "salicon": (240, 320),
    "osie": (240, 320),
    "mit1003": (360, 360),
    "dutomron": (360, 360),
    "pascals": (360, 360),
    "cat2000": (216, 384),
    "fiwi": (216, 384),
}
FILL = 126  # around an image whose shape is not the network's
EPSILON = 1e-7  # added to the maximum that a map is divided by

DILATIONS = {"conv1_2": 4, "conv1_3": 8, "conv1_4": 12}
WIDTH = 256

# Of an optimiser, in checkpoints that training wrote; the map does not depend on them.
IGNORED_ENDS = ("/Adam", "/Adam_1")
IGNORED = frozenset({"beta1_power", "beta2_power", "global_step"})
# Weights are called so; a graph's other constants (means, sides, axes) are part of the program, written anew here.
WEIGHTS_ENDS = ("/kernel", "/bias")


class MSINet(nn.Module):
    """The network.

    Attributes
    ----------
    encoder : Vgg16
    aspp, decoder : nn.Module
        Their convolutions have the names of the authors' variables.
    """

    means: Tensor

    def __init__(self) -> None:
        super().__init__()
        # The program takes the means of B, G and R off R, G and B. Its weights were learned so.
        self.register_buffer("means", torch.tensor(MEANS_BGR).reshape(1, 3, 1, 1), persistent=False)
        halving = [nn.MaxPool2d(2) for _ in range(3)]
        keeping = [PaddedMaxPool(1, before=False) for _ in range(2)]
        self.encoder = Vgg16([*halving, *keeping], last_dilation=2)
        self.aspp = Context(256 + 2 * self.encoder.channels)
        self.decoder = Decoder()

    def forward(self, images: Tensor) -> Tensor:
        """Return maps before they are scaled: (N, 1, H, W) for sides that 8 divides.

        Parameters
        ----------
        images : (N, 3, H, W) float32
            RGB, 0..255.
        """
        features = self.encoder.features(images - self.means)
        mixed = self.aspp(torch.cat([features["pool3"], features["pool4"], features["pool5"]], dim=1))
        logits: Tensor = self.decoder(mixed)
        return logits

    @staticmethod
    def scaled(logits: Tensor) -> Tensor:
        """Return maps scaled to 0..1, each by itself; a constant one becomes 0."""
        raised = logits - logits.amin((1, 2, 3), keepdim=True)
        return raised / (EPSILON + raised.amax((1, 2, 3), keepdim=True))


class Context(nn.Module):
    """What is there at several distances: atrous spatial pyramid pooling."""

    def __init__(self, inputs: int, width: int = WIDTH) -> None:
        super().__init__()
        self.conv1_1 = nn.Conv2d(inputs, width, 1)
        for name, dilation in DILATIONS.items():
            self.add_module(name, nn.Conv2d(inputs, width, 3, padding=dilation, dilation=dilation))
        self.conv1_5 = nn.Conv2d(inputs, width, 1)
        self.conv2 = nn.Conv2d(5 * width, width, 1)

    def forward(self, features: Tensor) -> Tensor:
        """Return what is around each place: (N, width, h, w) for features (N, inputs, h, w)."""
        near = [F.relu(self.get_submodule(name)(features)) for name in ("conv1_1", *DILATIONS)]
        whole = F.relu(self.conv1_5(features.mean((2, 3), keepdim=True)))
        return F.relu(self.conv2(torch.cat([*near, whole.expand_as(near[0])], dim=1)))


class Decoder(nn.Module):
    """Three times enlarged and convolved, then a convolution to the maps."""

    def __init__(self, width: int = WIDTH, outputs: int = 1) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(width, width // 2, 3, padding=1)
        self.conv2 = nn.Conv2d(width // 2, width // 4, 3, padding=1)
        self.conv3 = nn.Conv2d(width // 4, width // 8, 3, padding=1)
        self.conv4 = nn.Conv2d(width // 8, outputs, 3, padding=1)

    def enlarged(self, features: Tensor) -> Tensor:
        """Return what the last convolution looks at: (N, width / 8, 8 h, 8 w)."""
        for convolution in (self.conv1, self.conv2, self.conv3):
            features = F.relu(convolution(enlarged_by(features, 2)))
        return features

    def forward(self, features: Tensor) -> Tensor:
        """Return the maps: (N, outputs, 8 h, 8 w) for features (N, width, h, w)."""
        logits: Tensor = self.conv4(self.enlarged(features))
        return logits


class MSINetModel(Opened[MSINet]):
    """The network with its weights, an image in and a map out; safe in threads."""

    def __call__(self, image: Pixels, dataset: str = "salicon") -> FloatMap:
        """Return the map that the authors' program writes, not rounded to 8 bits: (H, W) float32 in 0..1.

        Parameters
        ----------
        image : (H, W, 3) uint8 RGB
        dataset : str
            What the weights were trained on, a key of `SIZES`; it decides at which size the network looks.

        Raises
        ------
        UsageError
            If there is no such data set.
        WeightsError
            If the weights make numbers too large for a map.
        """
        if dataset not in SIZES:
            raise UsageError(f"dataset '{dataset}': expected one of {', '.join(SIZES)}")
        with torch.inference_mode():
            logits = self.network(self._tensor(framed(image, SIZES[dataset])))
            saliency = self._checked(self.network.scaled(logits))
        return unframed(saliency, (image.shape[0], image.shape[1]))

    def whole(self, dataset: str = "salicon") -> nn.Module:
        """Return the network with all around it as one graph, to be exported."""
        from .whole.msinet import WholeMSINet

        return WholeMSINet(self.network, SIZES[dataset])


def framed(image: Pixels, size: tuple[int, int]) -> FloatMap:
    """Return an image in the middle of a frame, its shape kept: (h, w, 3) float32 in 0..255."""
    inner = _sides(image.shape[:2], min(size[0] / image.shape[0], size[1] / image.shape[1]))
    result = np.full((*size, 3), FILL, np.float32)
    top, left = (size[0] - inner[0]) // 2, (size[1] - inner[1]) // 2
    resized = resize(image, inner, (0, 0), inner)
    result[top : top + inner[0], left : left + inner[1]] = np.clip(resized, 0, 255)
    return result


def unframed(saliency: FloatMap, shape: tuple[int, int]) -> FloatMap:
    """Return the map of a frame enlarged or shrunk until it covers an image, its middle cut out: (H, W) float32."""
    size = (saliency.shape[0], saliency.shape[1])
    covering = _sides(size, max(shape[0] / size[0], shape[1] / size[1]))
    start = ((covering[0] - shape[0]) // 2, (covering[1] - shape[1]) // 2)
    return np.clip(resize(saliency[:, :, None], covering, start, shape)[:, :, 0], 0, 1)


def _sides(sides: tuple[int, ...], ratio: float) -> tuple[int, int]:
    height, width = (max(1, int(np.rint(side * ratio))) for side in sides)
    return height, width


def open_msinet(weights: Path, device: str = "cpu") -> MSINetModel:
    """Return MSI-Net with weights of its authors.

    Parameters
    ----------
    weights : Path
        A frozen graph (.pb), or a checkpoint's .index with its .data beside it.
    device : str
        "cpu", "cuda", "cuda:1", ..

    Raises
    ------
    WeightsError
        If it is not such a file.
    UsageError
        If there is no such device.
    """
    place = torch_device(device)
    network = MSINet()
    names = {name: variable(name) for name in network.state_dict()}
    shapes = {names[name]: stored_shape(value) for name, value in network.state_dict().items()}
    stored = read_tensorflow(weights)
    check_model(stored, "msinet", weights)
    load_msinet(network, collect(stored, shapes, "MSI-Net", weights, ignored=_is_ignored), weights)
    return MSINetModel(network.to(place), str(weights))


def load_msinet(network: MSINet, arrays: Weights, where: Path) -> None:
    """Put arrays, by the authors' names, in the place of a network's own."""
    tensors = {}
    for name in network.state_dict():
        array = arrays[variable(name)]
        # TensorFlow keeps kernels as (rows, columns, inputs, outputs).
        tensors[name] = torch.from_numpy(array.transpose(3, 2, 0, 1).copy() if array.ndim == 4 else array)
    load_tensors(network, tensors, where)


def variable(name: str) -> str:
    """Return what the authors call a tensor of the network, "encoder.conv1_1.weight" for example."""
    part, layer, kind = name.split(".")
    scope = layer.split("_")[0] if part == "encoder" else part
    return f"{scope}/{layer}/{'kernel' if kind == 'weight' else 'bias'}"


def stored_shape(tensor: Tensor) -> tuple[int, ...]:
    """Return the shape in which TensorFlow keeps a tensor."""
    shape = tuple(tensor.shape)
    return (shape[2], shape[3], shape[1], shape[0]) if len(shape) == 4 else shape


def _is_ignored(name: str) -> bool:
    return name in IGNORED or name.endswith(IGNORED_ENDS) or not name.endswith(WEIGHTS_ENDS)
