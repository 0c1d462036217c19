"""MobileNetV2 as UniSal has it (Sandler et al. 2018): with its last layer, tapped where a block would halve the map."""

from __future__ import annotations

from torch import Tensor, nn

# Expansion, channels, blocks, stride of the first block: Sandler et al. 2018, table 2.
STAGES = ((1, 16, 1, 1), (6, 24, 2, 2), (6, 32, 3, 2), (6, 64, 4, 2), (6, 96, 3, 1), (6, 160, 3, 2), (6, 320, 1, 1))
STEM = 32
LAST = 1280


class MobileNetV2(nn.Module):
    """The network without its classifier; names of weights as in its first PyTorch version, `features.N.conv.K`.

    The blocks that lead to strides 16 and 32 work at strides 8 and 16, are tapped there, and every second row and
    column of what they give goes on. That is the same as a stride in the block.

    Attributes
    ----------
    channels : tuple of int
        Of the features at strides 8, 16 and 32.
    """

    channels = (64, 160, LAST)
    TAPS = (7, 14)  # the first blocks with 64 and with 160 channels

    def __init__(self) -> None:
        super().__init__()
        layers: list[nn.Module] = [_convolved(3, STEM, 3, stride=2)]
        inputs = STEM
        for expansion, outputs, blocks, stride in STAGES:
            for block in range(blocks):
                first = stride if block == 0 and len(layers) not in self.TAPS else 1
                layers.append(_Block(inputs, outputs, first, expansion, kept=block > 0))
                inputs = outputs
        self.features = nn.ModuleList([*layers, _convolved(inputs, LAST, 1)])

    def forward(self, images: Tensor) -> list[Tensor]:
        """Return features at strides 8, 16 and 32: (N, 64, H/8, W/8), (N, 160, ..), (N, 1280, ..)."""
        found = []
        for index, layer in enumerate(self.features):
            images = layer(images)
            if index in self.TAPS:
                found.append(images)
                images = images[:, :, ::2, ::2]
        return [*found, images]


class _Block(nn.Module):
    """Widened by a 1x1 convolution, each channel filtered by itself, narrowed; `kept` adds what came in."""

    def __init__(self, inputs: int, outputs: int, stride: int, expansion: int, kept: bool) -> None:
        super().__init__()
        hidden = inputs * expansion
        widened = _convolved(inputs, hidden, 1) if expansion > 1 else ()
        filtered = _convolved(hidden, hidden, 3, stride, groups=hidden)
        self.conv = nn.Sequential(
            *widened, *filtered, nn.Conv2d(hidden, outputs, 1, bias=False), nn.BatchNorm2d(outputs)
        )
        self.kept = kept

    def forward(self, values: Tensor) -> Tensor:
        narrowed: Tensor = self.conv(values)
        return values + narrowed if self.kept else narrowed


def _convolved(inputs: int, outputs: int, kernel: int, stride: int = 1, groups: int = 1) -> nn.Sequential:
    """Return a convolution, batch norm and ReLU6."""
    convolution = nn.Conv2d(inputs, outputs, kernel, stride, kernel // 2, groups=groups, bias=False)
    return nn.Sequential(convolution, nn.BatchNorm2d(outputs), nn.ReLU6(inplace=True))
