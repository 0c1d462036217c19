"""attention-center: the fixation network that Google released to order the tiles of progressive JPEG XL images.

The first nine blocks of a MobileNetV3-Small (Howard et al. 2019) with group instead of batch normalisation, and four
heads of two small convolutions whose maps, enlarged to the input's size, are summed. It has no publication of its own.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor, nn

GROUPS, EPSILON = 8, 1.01e-6  # of the normalisation, as released


@dataclass(frozen=True)
class _Block:
    """An inverted residual: what it widens to, the squeezed width (0: none), what it gives."""

    expanded: int
    squeezed: int
    outputs: int
    kernel: int
    stride: int
    has_swish: bool


STEM = 16
BLOCKS = (
    _Block(16, 8, 16, 3, 2, False),
    _Block(72, 0, 24, 3, 2, False),
    _Block(88, 0, 24, 3, 1, False),
    _Block(96, 24, 40, 5, 2, True),
    _Block(240, 64, 40, 5, 1, True),
    _Block(240, 64, 40, 5, 1, True),
    _Block(120, 32, 48, 5, 1, True),
    _Block(144, 40, 48, 5, 1, True),
    _Block(288, 72, 96, 5, 2, True),
)
HEADS = {2: 24, 4: 40, 6: 48, 8: 96}  # block -> its width; the heads read these blocks' outputs
HEAD_WIDTH = 3


class AttentionCenter(nn.Module):
    """The network; its parameters have the names of the weights' file."""

    def __init__(self) -> None:
        super().__init__()
        encoder = nn.Module()
        encoder.add_module("Conv", _Convolution(3, STEM, 3, stride=2, has_norm=True))
        width = STEM
        for index, block in enumerate(BLOCKS):
            encoder.add_module(_block_name(index), _InvertedResidual(width, block))
            width = block.outputs
        heads = nn.Module()
        for index, width in enumerate(HEADS.values()):
            heads.add_module(_head_name(2 * index), _Convolution(width, HEAD_WIDTH, 3))
            heads.add_module(_head_name(2 * index + 1), _Convolution(HEAD_WIDTH, 1, 1))
        self.add_module("MobilenetV3", encoder)
        self.add_module("saliency", heads)

    def forward(self, images: Tensor) -> Tensor:
        """Return a logit for each pixel: (N, 1, H, W).

        Parameters
        ----------
        images : (N, 3, H, W) float32
            RGB, 0..255. The network was trained at 480 by 640.
        """
        return self.combine(self.features(images), (int(images.shape[2]), int(images.shape[3])))

    def combine(self, features: Mapping[str, Tensor], size: tuple[int, int]) -> Tensor:
        """Return the sum of the heads' maps among the features, each enlarged to a size, (H, W): (N, 1, H, W)."""
        maps = [enlarged(values, size) for name, values in features.items() if name.startswith("saliency.")]
        return torch.stack(maps).sum(0)

    def features(self, images: Tensor) -> dict[str, Tensor]:
        """Return what the stem, the blocks and the heads give, by the release's names.

        `MobilenetV3.Conv` and `MobilenetV3.expanded_conv` to `.._8`, and of the heads `saliency.conv2d_1`, `_3`, `_5`
        and `_7`, (N, 1, h, w), whose enlarged sum is what `forward` returns.
        """
        values = F.hardswish(self.get_submodule("MobilenetV3.Conv")(images / 255))
        found = {"MobilenetV3.Conv": values}
        for index in range(len(BLOCKS)):
            name = f"MobilenetV3.{_block_name(index)}"
            values = found[name] = self.get_submodule(name)(values)
        for index, block in enumerate(HEADS):
            rectified = F.relu(found[f"MobilenetV3.{_block_name(block)}"])
            pooled = F.max_pool2d(self._head(2 * index)(rectified), 3, stride=1, padding=1)
            found[f"saliency.{_head_name(2 * index + 1)}"] = self._head(2 * index + 1)(pooled)
        return found

    def _head(self, index: int) -> nn.Module:
        return self.get_submodule(f"saliency.{_head_name(index)}")


class _Convolution(nn.Module):
    """A convolution with TensorFlow's SAME padding, and a group normalisation if it has one.

    Parameters are called as in the file: w, b, gamma, beta.
    """

    def __init__(
        self, inputs: int, outputs: int, kernel: int, stride: int = 1, groups: int = 1, has_norm: bool = False
    ) -> None:
        super().__init__()
        self.w = nn.Parameter(torch.zeros(outputs, inputs // groups, kernel, kernel))
        self.b = nn.Parameter(torch.zeros(outputs))
        self.register_parameter("gamma", nn.Parameter(torch.ones(outputs)) if has_norm else None)
        self.register_parameter("beta", nn.Parameter(torch.zeros(outputs)) if has_norm else None)
        self._kernel, self._stride, self._groups = kernel, stride, groups

    def forward(self, values: Tensor) -> Tensor:
        padded = same_padding(values, self._kernel, self._stride)
        values = F.conv2d(padded, self.w, self.b, self._stride, groups=self._groups)
        return values if self.gamma is None else F.group_norm(values, GROUPS, self.gamma, self.beta, EPSILON)


class _SqueezeExcite(nn.Module):
    """Channels weighted by what the whole picture holds."""

    def __init__(self, width: int, squeezed: int) -> None:
        super().__init__()
        self.add_module("Conv", _Convolution(width, squeezed, 1))
        self.add_module("Conv_1", _Convolution(squeezed, width, 1))

    def forward(self, values: Tensor) -> Tensor:
        mean = values.mean((2, 3), keepdim=True)
        weights = self.get_submodule("Conv_1")(F.relu(self.get_submodule("Conv")(mean)))
        return values * F.relu6(weights) / 6  # a hard sigmoid, whose + 3 sits in the released bias


class _InvertedResidual(nn.Module):
    """Widen, filter each channel, weight the channels, narrow; added to the input where it has the same shape."""

    def __init__(self, inputs: int, block: _Block) -> None:
        super().__init__()
        wide = block.expanded
        self.expand = _Convolution(inputs, wide, 1, has_norm=True) if wide != inputs else None
        self.depthwise = _Convolution(wide, wide, block.kernel, block.stride, groups=wide, has_norm=True)
        self.squeeze_excite = _SqueezeExcite(wide, block.squeezed) if block.squeezed else None
        self.project = _Convolution(wide, block.outputs, 1, has_norm=True)
        self._activation = F.hardswish if block.has_swish else F.relu
        self._is_residual = block.stride == 1 and inputs == block.outputs

    def forward(self, values: Tensor) -> Tensor:
        wide = values if self.expand is None else self._activation(self.expand(values))
        wide = self._activation(self.depthwise(wide))
        if self.squeeze_excite is not None:
            wide = self.squeeze_excite(wide)
        narrow = self.project(wide)
        return values + narrow if self._is_residual else narrow


def same_padding(values: Tensor, kernel: int, stride: int) -> Tensor:
    """Return values padded with zeros so that ceil(n / stride) results come out; an odd zero goes right and below."""
    pads: list[int] = []
    for length in (int(values.shape[3]), int(values.shape[2])):
        total = max(0, (-(-length // stride) - 1) * stride + kernel - length)
        pads += [total // 2, total - total // 2]
    return F.pad(values, pads) if any(pads) else values


def enlarged(values: Tensor, size: tuple[int, int]) -> Tensor:
    """Return maps, (N, C, h, w), at a size, (H, W), bilinearly with both grids' first pixels on each other.

    Pixel k of the result lies at k h / H of the source, as in TensorFlow's resizing before half pixel centres;
    PyTorch's own interpolation has no such mode.
    """
    rows = _interpolation(int(values.shape[2]), size[0]).to(values)
    columns = _interpolation(int(values.shape[3]), size[1]).to(values)
    return rows @ values @ columns.T


def _interpolation(source: int, target: int) -> Tensor:
    """Return the matrix, (target, source), of a linear interpolation at k source / target."""
    place = torch.arange(target, dtype=torch.float64) * source / target
    low = place.floor().long().clamp(max=source - 1)
    high = (low + 1).clamp(max=source - 1)
    share = place - low
    matrix = torch.zeros(target, source, dtype=torch.float64)
    index = torch.arange(target)
    matrix[index, low] = 1 - share
    matrix[index, high] += share
    return matrix


def _block_name(index: int) -> str:
    return f"expanded_conv_{index}" if index else "expanded_conv"


def _head_name(index: int) -> str:
    return f"conv2d_{index}" if index else "conv2d"
