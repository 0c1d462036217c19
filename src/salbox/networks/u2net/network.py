"""U²-Net: a U of U-shaped blocks, which finds the salient object without weights of a classifier (Qin et al. 2020).

Six blocks lead down, five back. A map is read off each but the last five of those that lead down; a 1x1 convolution
over the six makes the result of them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Any, ClassVar

import torch
from torch import Tensor, nn

from ...errors import UsageError
from ...runtime.preprocessing import Preprocessing
from ..layers import IMAGENET_MEAN, IMAGENET_STD, Normalize, resize_like
from ..trainable.base import Outputs, TrainableNetwork
from .blocks import ResidualUBlock, halved, joined

SIZE = (320, 320)  # at which the network looks at images (section 4.2)
WIDTH = 64  # channels of what the first block gives (figure 5)

Blocks = Sequence[tuple[str, int, int, int]]
"""Of each block its name, L (0 for RSU-4F), and its channels within and of what it gives, as figure 5 has them."""

HEIGHT_DILATED = 4  # of RSU-4F
SIDES = ("stage1d", "stage2d", "stage3d", "stage4d", "stage5d", "stage6")  # that maps are read off, from fine to coarse


class U2Net(TrainableNetwork):
    """The network; its layers have the names of the authors' weights, those of the way down within `encoder`.

    Its maps are probabilities unless `output` says otherwise.

    Parameters
    ----------
    heads : names
        The published networks have one. Of several each has a convolution of its own wherever maps are read off.
    size : (int, int)
        Height and width in pixels: about so many pixels a photo has when the network looks at it, in its own shape.
    width : int
        Channels of what the first block gives, a multiple of 8; all others in proportion.

    References
    ----------
    Qin, Zhang, Huang, Dehghan, Zaiane and Jagersand: U²-Net: going deeper with nested U-structure for salient object
    detection. Pattern Recognition 106, 2020, section 3 and figure 5. There every image is squeezed to 320x320 and
    divided by its largest number. The loss is the sum of those of the map and of all six side outputs.
    """

    small: ClassVar[Mapping[str, Any]] = MappingProxyType({"width": 8})
    side_outputs = SIDES

    title: ClassVar[str] = "u2net"
    down: ClassVar[Blocks] = (
        ("stage1", 7, 32, 64),
        ("stage2", 6, 32, 128),
        ("stage3", 5, 64, 256),
        ("stage4", 4, 128, 512),
        ("stage5", 0, 256, 512),
        ("stage6", 0, 256, 512),
    )
    back: ClassVar[Blocks] = (
        ("stage5d", 0, 256, 512),
        ("stage4d", 4, 128, 256),
        ("stage3d", 5, 64, 128),
        ("stage2d", 6, 32, 64),
        ("stage1d", 7, 16, 64),
    )

    def __init__(self, heads: Sequence[str], *, size: tuple[int, int] = SIZE, width: int = WIDTH) -> None:
        super().__init__(self.title, heads, Preprocessing("area", *size))
        if type(width) is not int or width < 8 or width % 8:
            raise UsageError(f"network '{self.title}': width={width!r}: expected a multiple of 8")
        self.output = "probability"
        self.arguments = {"size": list(size), "width": width}
        self.normalize = Normalize(IMAGENET_MEAN, IMAGENET_STD)
        outputs = {name: channels * width // WIDTH for name, _, _, channels in (*self.down, *self.back)}
        inputs = dict(zip(outputs, (3, *outputs.values()), strict=False))
        for (name, *_), (skip, *_) in zip(self.back, self.down[-2::-1], strict=True):
            inputs[name] += outputs[skip]
        made = {
            name: ResidualUBlock(
                height or HEIGHT_DILATED,
                inputs[name],
                middle * width // WIDTH,
                outputs[name],
                is_dilated=not height,
            )
            for name, height, middle, _ in (*self.down, *self.back)
        }
        self.encoder = nn.ModuleDict({name: made[name] for name, *_ in self.down})
        for name, *_ in self.back:
            self.add_module(name, made[name])
        count = len(self.heads)
        for place, name in enumerate(SIDES, start=1):
            self.add_module(f"side{place}", nn.Conv2d(outputs[name], count, 3, padding=1))
        self.outconv = nn.Conv2d(len(SIDES) * count, count, 1, groups=count)

    def features(self, images: Tensor) -> dict[str, Tensor]:
        """Return "stage1" .. "stage6" at strides 1 to 32, "stage5d" .. "stage1d" back, and "sides".

        The last are the side outputs at the image's size, of each head all six, which the map is read off.
        """
        found: dict[str, Tensor] = {}
        values = self.normalize(images)
        for name, *_ in self.down:
            values = self.encoder[name](halved(values) if found else values)
            found[name] = values
        for (name, *_), (skip, *_) in zip(self.back, self.down[-2::-1], strict=True):
            values = self.get_submodule(name)(joined(values, found[skip]))
            found[name] = values
        sides = [self.get_submodule(f"side{place}")(found[name]) for place, name in enumerate(SIDES, start=1)]
        enlarged = torch.stack([resize_like(side, images) for side in sides], dim=2)  # (N, heads, 6, H, W)
        found["sides"] = enlarged.flatten(1, 2)
        return found

    def forward(self, images: Tensor) -> Tensor:
        """Return the logits: (N, heads, H, W); see `TrainableNetwork.forward`."""
        return self.after_readout(self.decoder_readout(self.decoder_features(images)))

    def outputs(self, images: Tensor) -> Outputs:
        """Return the logits of the maps and of the six side outputs, from fine to coarse: (N, heads, H, W) each."""
        sides = self.decoder_features(images)
        main = self.after_readout(self.decoder_readout(sides))
        return Outputs(main, sides.unflatten(1, (len(self.heads), len(SIDES))).unbind(2))

    def decoder_readout(self, decoded: Tensor) -> Tensor:
        """See `TrainableNetwork`."""
        read: Tensor = self.outconv(decoded)
        return read


class U2NetP(U2Net):
    """U²-Net-p, its blocks all equally narrow: 1.1 million numbers (table 4)."""

    title = "u2netp"
    down = tuple((name, height, 16, 64) for name, height, *_ in U2Net.down)
    back = tuple((name, height, 16, 64) for name, height, *_ in U2Net.back)


def brightened(images: Tensor) -> Tensor:
    """Return images, (N, 3, H, W) in 0..255, each scaled so that its largest number is 255; a black one stays."""
    return images * (255 / images.amax((1, 2, 3), keepdim=True).clamp(min=1))
