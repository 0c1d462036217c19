"""ResNet-50 without its classifier as Keras builds it, the last two stages dilated instead of shrunk: stride 8.

The stride lies on the first 1x1 convolution of a stage, not on the 3x3 as in torchvision's. Names are Keras's:
res3a_branch2b is the 3x3 convolution of the third stage's first block, bn3a_branch2b its normalisation.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from torch import Tensor, nn
from torch.nn import functional as F

# Number of the stage -> blocks, inner width, stride, dilation of the 3x3 convolutions.
STAGES = {
    2: ("abc", 64, 1, 1),
    3: ("abcd", 128, 2, 1),
    4: ("abcdef", 256, 1, 2),
    5: ("abc", 512, 1, 4),
}
EXPANSION = 4


class ResNet50Keras(nn.Module):
    """The stem and four stages.

    Parameters
    ----------
    has_bias : bool
        Whether convolutions have biases.
    epsilon : float
        Added to the variances of batch norm.
    pool_padding : four integers
        Of the stem's 3x3 pool of stride 2: left, right, top, bottom.
    """

    channels = 2048

    def __init__(self, *, has_bias: bool, epsilon: float, pool_padding: Sequence[int]) -> None:
        super().__init__()
        self._has_bias, self._epsilon = has_bias, epsilon
        self._pool_padding = tuple(pool_padding)
        self._add("conv1", "bn_conv1", 3, 64, 7, stride=2, padding=3)
        inputs = 64
        for stage, (blocks, width, stride, dilation) in STAGES.items():
            for block in blocks:
                outputs = EXPANSION * width
                step = stride if block == "a" else 1
                self._branch(f"{stage}{block}_branch2a", inputs, width, stride=step)
                self._branch(f"{stage}{block}_branch2b", width, width, 3, padding=dilation, dilation=dilation)
                self._branch(f"{stage}{block}_branch2c", width, outputs)
                if block == "a":
                    self._branch(f"{stage}{block}_branch1", inputs, outputs, stride=step)
                inputs = outputs

    def _branch(self, name: str, inputs: int, outputs: int, kernel: int = 1, **how: int) -> None:
        self._add(f"res{name}", f"bn{name}", inputs, outputs, kernel, **how)

    def _add(self, convolution: str, norm: str, inputs: int, outputs: int, kernel: int, **how: int) -> None:
        self.add_module(convolution, nn.Conv2d(inputs, outputs, kernel, bias=self._has_bias, **how))
        self.add_module(norm, nn.BatchNorm2d(outputs, eps=self._epsilon))

    def stem(self, images: Tensor) -> Tensor:
        """Return what comes before the stages: (N, 64, H / 4, W / 4).

        Parameters
        ----------
        images : (N, 3, H, W) float32
            Channels as the program orders them, its means subtracted; 4 divides the sides.
        """
        values = F.relu(self._normed("conv1", "bn_conv1", images))
        # Zeros pad as well as anything below them: nothing is below after a ReLU.
        return F.max_pool2d(F.pad(values, self._pool_padding), 3, stride=2)

    def forward(self, images: Tensor) -> Tensor:
        """Return the last stage's features: (N, 2048, H / 8, W / 8); see `stem`."""
        values = self.stem(images)
        for stage, (blocks, *_) in STAGES.items():
            for block in blocks:
                inner = F.relu(self._branched(stage, block, "2a", values))
                inner = F.relu(self._branched(stage, block, "2b", inner))
                inner = self._branched(stage, block, "2c", inner)
                around = self._branched(stage, block, "1", values) if block == "a" else values
                values = F.relu(inner + around)
        return values

    def _branched(self, stage: int, block: str, branch: str, values: Tensor) -> Tensor:
        name = f"{stage}{block}_branch{branch}"
        return self._normed(f"res{name}", f"bn{name}", values)

    def _normed(self, convolution: str, norm: str, values: Tensor) -> Tensor:
        result: Tensor = self.get_submodule(norm)(self.get_submodule(convolution)(values))
        return result


def layer_names() -> Iterator[str]:
    """Yield the layers with weights in the order in which Keras saves them."""
    yield from ("conv1", "bn_conv1")
    for stage, (blocks, *_) in STAGES.items():
        for block in blocks:
            name = f"{stage}{block}_branch"
            for branch in ("2a", "2b"):
                yield from (f"res{name}{branch}", f"bn{name}{branch}")
            if block == "a":
                yield from (f"res{name}2c", f"res{name}1", f"bn{name}2c", f"bn{name}1")
            else:
                yield from (f"res{name}2c", f"bn{name}2c")
