"""What a decoder needs to see a picture as a whole: how a place differs from the rest, and what it shares with it.

Most classical algorithms end with a step over the whole map (a normalisation, an equilibrium, the sign of a spectrum),
which convolutions, blind beyond their surroundings, cannot do.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from ..layers import ConvNormAct

CONTEXTS = ("none", "contrast", "attention")
_SMALLEST = 1e-5  # variance: below it a channel is constant


def standard_scores(features: Tensor) -> Tensor:
    """Return features, (N, C, h, w), less each channel's mean over the picture, in its standard deviations.

    References
    ----------
    Ulyanov, Vedaldi, Lempitsky: Instance normalization, 2016.
    """
    # Spelled out: PyTorch does not export its own for pictures of any size, and its variance as many operators.
    centered = features - features.mean((2, 3), keepdim=True)
    return centered * torch.rsqrt(centered.square().mean((2, 3), keepdim=True) + _SMALLEST)


class Contrast(nn.Module):
    """Adds to features what their difference from the picture's mean tells; see `standard_scores`."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.mix = ConvNormAct(channels, channels, act=False)

    def forward(self, features: Tensor) -> Tensor:
        """Return the features, (N, C, h, w), with theirs added."""
        mixed: Tensor = self.mix(standard_scores(features))
        return features + mixed


class Attention(nn.Module):
    """Lets every place look at every other one: few places, so used where features are coarse.

    Parameters
    ----------
    channels : int
    heads : int
        Parts of the channels that look independently.

    References
    ----------
    Vaswani et al.: Attention is all you need. NeurIPS 2017, section 3.2.
    """

    def __init__(self, channels: int, heads: int = 4) -> None:
        super().__init__()
        self.heads = heads
        self.ask = nn.Conv2d(channels, 3 * channels, 1)  # queries, keys and values
        self.mix = ConvNormAct(channels, channels, act=False)

    def forward(self, features: Tensor) -> Tensor:
        """Return the features, (N, C, h, w), with what was found elsewhere added."""
        asked = self.ask(standard_scores(features))
        number, channels = features.shape[:2]
        query, key, value = asked.reshape(number, 3, self.heads, channels // self.heads, -1).unbind(1)
        weights = torch.softmax(key.transpose(-2, -1) @ query * query.shape[2] ** -0.5, dim=-2)
        found: Tensor = self.mix((value @ weights).reshape(features.shape))
        return features + found


def make_context(name: str, channels: int, stride: int) -> nn.Module:
    """Return the part of a decoder that sees the whole picture, for features of a stride.

    Parameters
    ----------
    name : {"none", "contrast", "attention"}
        "attention" is contrast with attention before it at strides 16 and 32. Contrast is at stride 4 and above: at 2
        it would cost more than all the rest of the decoder.
    """
    parts: list[nn.Module] = []
    if name == "attention" and stride >= 16:
        parts.append(Attention(channels))
    if name != "none" and stride >= 4:
        parts.append(Contrast(channels))
    return nn.Sequential(*parts)
