"""A branch: a second way from early features of an encoder to maps, deeper than the one that it leaves."""

from __future__ import annotations

from collections.abc import Sequence

from torch import Tensor, nn

from ...errors import UsageError
from ..encoders import STRIDES, make_encoder
from ..layers import ConvNormAct, SeparableConv, resize_like
from .context import make_context

STRIDE = 8  # where a branch leaves the encoder, and what it draws its features at
# A row of blocks and the stride that it ends at, of MobileNetV2 and of EfficientNet.
_ROW_STRIDES = (2, 4, 8, 16, 16, 32, 32)
FIRST_ROW = _ROW_STRIDES.index(STRIDE) + 1  # of an encoder's rows, of those that a branch may have


class Branch(nn.Module):
    """Later blocks of an encoder, and a decoder that brings what they give back to stride 8.

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

    Raises
    ------
    UsageError
        If the encoder has no such rows.

    References
    ----------
    Sandler et al.: MobileNetV2: inverted residuals and linear bottlenecks. CVPR 2018 (the blocks).
    """

    def __init__(self, encoder: str, rows: Sequence[int], width: int, context: str) -> None:
        super().__init__()
        made = make_encoder(encoder)
        every = getattr(made.network, "blocks", ())
        if len(every) != len(_ROW_STRIDES):
            raise UsageError(f"encoder '{encoder}': a branch is made of an encoder's rows of blocks, which it lacks")
        kept = [(row, count) for row, count in zip(every[FIRST_ROW:], rows, strict=False) if count]
        if not kept or any(not 0 < count <= len(row) for row, count in kept):
            most = ", ".join(str(len(row)) for row in every[FIRST_ROW:])
            raise UsageError(f"a branch of encoder '{encoder}': rows={tuple(rows)}: expected at most {most}")
        self.rows = nn.ModuleList(nn.Sequential(*list(row)[:count]) for row, count in kept)
        strides = _ROW_STRIDES[FIRST_ROW : FIRST_ROW + len(kept)]
        channels = {STRIDE: made.channels[STRIDES.index(STRIDE)]}
        channels |= {stride: _channels(row) for stride, row in zip(strides, self.rows, strict=True)}
        self.taken = tuple(i for i, stride in enumerate(strides) if stride not in strides[i + 1 :])
        levels = list(channels)[::-1]
        self.lateral = nn.ModuleList(ConvNormAct(channels[stride], width, act=False) for stride in levels)
        self.context = nn.ModuleList(make_context(context, width, stride) for stride in levels)
        self.mix = nn.ModuleList(SeparableConv(width, width) for _ in levels)

    def forward(self, early: Tensor) -> Tensor:
        """Return the decoder's features, (N, width, h, w), from the encoder's at stride 8, (N, channels, h, w)."""
        taps, found = [early], early
        for i, row in enumerate(self.rows):
            found = row(found)
            if i in self.taken:
                taps.append(found)
        decoded: Tensor | None = None
        for tap, lateral, context, mix in zip(taps[::-1], self.lateral, self.context, self.mix, strict=True):
            skip = lateral(tap)
            decoded = mix(context(skip if decoded is None else skip + resize_like(decoded, skip)))
        assert decoded is not None  # noqa: S101  # there are levels
        return decoded


def _channels(row: nn.Module) -> int:
    """Return how many channels a row of blocks gives: those of its last convolution."""
    return [module for module in row.modules() if isinstance(module, nn.Conv2d)][-1].out_channels
