"""A branch: a second way from early features of an encoder to maps, deeper than the one that it leaves."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Sequence
from typing import Any

from torch import Tensor, nn

from ...errors import UsageError
from ...models.import_paths import resolve
from ..encoders import STRIDES, make_encoder
from ..layers import ConvNormAct, SeparableConv, enlarge_like
from .context import make_context

STRIDE = 8  # what a branch draws its features at
# What brings features back to stride 8 -> where it is, if it is a published design's; loaded late: that looks at this.
DECODERS = {"pyramid": "", "unisal": "salbox.networks.unisal.shared_decoder:UniSalDecoder"}
LEAVES = (1, 2, 4, 8)  # strides at which it may leave the encoder; at 1 it begins with the picture itself
# A row of blocks and the stride that it ends at, of MobileNetV2 and of EfficientNet.
_ROW_STRIDES = (2, 4, 8, 16, 16, 32, 32)
FIRST_ROW = _ROW_STRIDES.index(STRIDE) + 1  # of an encoder's rows, of those whose number of blocks is chosen


class Branch(nn.Module):
    """Blocks of an encoder from some stride on, and a decoder that brings what they give back to stride 8.

    Parameters
    ----------
    encoder : str
        See `salbox.networks.encoders.make_encoder`: one that is a row of `blocks`.
    rows : sequence of int
        How many blocks of each of the encoder's rows after stride 8 there are; 0 leaves a row out, and what follows it.
    width : int
        Channels of the decoder.
    context : {"none", "contrast", "attention"}
        See `salbox.networks.trainable.context`.
    leaves : {1, 2, 4, 8}
        The stride at which it leaves the encoder: from there to stride 8 it has blocks of its own, `early`.
    decoder : {"pyramid", "unisal"}
        What brings features back to stride 8: coarse ones enlarged and added to finer ones, or what UniSal has there,
        which needs features of strides 16 and 32 and has its own width.

    Raises
    ------
    UsageError
        If the encoder has no such rows, no branch leaves it there, or there is no such decoder.

    References
    ----------
    Sandler et al.: MobileNetV2: inverted residuals and linear bottlenecks. CVPR 2018 (the blocks).
    Lin et al.: Feature pyramid networks for object detection. CVPR 2017 (the pyramid).
    Droste, Jiao and Noble: Unified image and video saliency modeling. ECCV 2020, section 3 (UniSal's decoder).
    """

    def __init__(
        self,
        encoder: str,
        rows: Sequence[int],
        width: int,
        context: str,
        leaves: int = STRIDE,
        decoder: str = "pyramid",
    ) -> None:
        super().__init__()
        if leaves not in LEAVES:
            raise UsageError(f"a branch of encoder '{encoder}': leaves={leaves!r}: expected one of {LEAVES}")
        made = make_encoder(encoder)
        every = getattr(made.network, "blocks", ())
        if len(every) != len(_ROW_STRIDES):
            raise UsageError(f"encoder '{encoder}': a branch is made of an encoder's rows of blocks, which it lacks")
        kept = [(row, count) for row, count in zip(every[FIRST_ROW:], rows, strict=False) if count]
        if not kept or any(not 0 < count <= len(row) for row, count in kept):
            most = ", ".join(str(len(row)) for row in every[FIRST_ROW:])
            raise UsageError(f"a branch of encoder '{encoder}': rows={tuple(rows)}: expected at most {most}")
        first = 0 if leaves == 1 else _ROW_STRIDES.index(leaves) + 1
        self.early = nn.ModuleDict({str(place): every[place] for place in range(first, FIRST_ROW)})
        self.stem = _stem(made.network) if leaves == 1 else nn.Sequential()
        self.rows = nn.ModuleList(nn.Sequential(*list(row)[:count]) for row, count in kept)
        strides = _ROW_STRIDES[FIRST_ROW : FIRST_ROW + len(kept)]
        channels = {STRIDE: made.channels[STRIDES.index(STRIDE)]}
        channels |= {stride: _channels(row) for stride, row in zip(strides, self.rows, strict=True)}
        self.taken = tuple(i for i, stride in enumerate(strides) if stride not in strides[i + 1 :])
        if decoder not in DECODERS:
            raise UsageError(f"a branch: decoder={decoder!r}: expected one of {', '.join(DECODERS)}")
        self.readout: Any = None
        self.lateral, self.context, self.mix = nn.ModuleList(), nn.ModuleList(), nn.ModuleList()
        if DECODERS[decoder]:
            self.readout = resolve(DECODERS[decoder])(channels)
            self.width = self.readout.width
            return
        self.width = width
        levels = list(channels)[::-1]
        self.lateral.extend(ConvNormAct(channels[stride], width, act=False) for stride in levels)
        self.context.extend(make_context(context, width, stride) for stride in levels)
        self.mix.extend(SeparableConv(width, width) for _ in levels)

    def begin(self, left: Tensor) -> Tensor:
        """Return its features at stride 8, (N, channels, h, w), of the encoder's where it leaves that."""
        left = self.stem(left)
        for row in self.early.values():
            left = row(left)
        return left

    def forward(self, early: Tensor) -> Tensor:
        """Return the decoder's features, (N, width, h, w), of what `begin` gives."""
        taps, found = [early], early
        for i, row in enumerate(self.rows):
            found = row(found)
            if i in self.taken:
                taps.append(found)
        decoded: Tensor = self._pyramid(taps) if self.readout is None else self.readout(taps)
        return decoded

    def _pyramid(self, taps: list[Tensor]) -> Tensor:
        decoded: Tensor | None = None
        for tap, lateral, context, mix in zip(taps[::-1], self.lateral, self.context, self.mix, strict=True):
            skip = lateral(tap)
            decoded = mix(context(skip if decoded is None else skip + enlarge_like(decoded, skip)))
        assert decoded is not None  # noqa: S101  # there are levels
        return decoded


def _stem(network: Any) -> nn.Sequential:
    """Return what an encoder does before its rows of blocks."""
    return nn.Sequential(OrderedDict(conv_stem=network.conv_stem, bn1=network.bn1))


def _channels(row: nn.Module) -> int:
    """Return how many channels a row of blocks gives: those of its last convolution."""
    return [module for module in row.modules() if isinstance(module, nn.Conv2d)][-1].out_channels
