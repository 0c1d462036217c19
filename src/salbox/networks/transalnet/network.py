"""TranSalNet: towards perceptually relevant visual saliency prediction (Lou, Lin, Marshall, Saupe and Liu 2022).

A ResNet-50 or DenseNet-161 gives features at strides 8, 16 and 32. A transformer encoder relates all places of each
of them with one another, and a decoder of convolutions multiplies them together on the way back to full resolution.
Modules have the names of the authors' weights.
"""

from __future__ import annotations

from itertools import pairwise

import torch
from torch import Tensor, nn
from torch.nn import functional

from ..layers import Normalize

HEIGHT, WIDTH = 288, 384  # of what the network sees: the learned positions of its transformers are this many
FILL = 1  # of the frame around an image, in 0..255: the authors' program fills it with ones before it divides by 255
NORM_EPS = 1e-6  # of the transformers' norms
LAYERS = 2  # of each transformer


class TranSalNet(nn.Module):
    """The network.

    Parameters
    ----------
    encoder : nn.Module
        Takes (N, 3, H, W), gives features at strides 8, 16 and 32; `channels` says how many. The published networks
        are on `ResNet50` and `DenseNet161`.
    size : (int, int)
        Height and width of the images, multiples of 32.

    References
    ----------
    Lou, Lin, Marshall, Saupe and Liu: TranSalNet: Towards perceptually relevant visual saliency prediction.
    Neurocomputing 494 (2022), section 3. From the release: fusion by product, pixels in 0..1, not normalised.
    """

    def __init__(self, encoder: nn.Module, size: tuple[int, int] = (HEIGHT, WIDTH)) -> None:
        super().__init__()
        self.normalize = Normalize()
        self.encoder = encoder
        self.decoder = Decoder(tuple(encoder.channels), size)  # type: ignore[arg-type,unused-ignore]

    def features(self, images: Tensor) -> dict[str, Tensor]:
        """Return "stride8", "stride16" and "stride32" of the encoder, and what `Decoder.features` does.

        Parameters
        ----------
        images : (N, 3, 288, 384) float32
            RGB, 0..255.
        """
        eighth, sixteenth, thirtysecond = self.encoder(self.normalize(images))
        decoded = self.decoder.features(eighth, sixteenth, thirtysecond)
        return {"stride8": eighth, "stride16": sixteenth, "stride32": thirtysecond, **decoded}

    def forward(self, images: Tensor) -> Tensor:
        """Return the logits: (N, 1, H, W); see `features`."""
        logits: Tensor = self.decoder.conv7(self.features(images)["decoder1"])
        return logits

    def maps(self, images: Tensor) -> Tensor:
        """Return what the published network gives, the sigmoid of the logits: (N, 1, H, W) in 0..1."""
        return torch.sigmoid(self(images))


class Decoder(nn.Module):
    """From features at strides 8, 16 and 32 to logits.

    Attributes
    ----------
    transformers : three (int, int)
        Width and heads of each, from stride 32 down to 8.
    widths : tuple of int
        Channels in and out of the convolutions with a norm.
    """

    transformers = ((768, 12), (768, 12), (512, 8))
    widths = (768, 768, 512, 256, 128, 64, 32)

    def __init__(self, channels: tuple[int, int, int], size: tuple[int, int], outputs: int = 1) -> None:
        super().__init__()
        for place, ((width, heads), inputs) in enumerate(zip(self.transformers, reversed(channels), strict=True)):
            stride = 32 >> place
            grid = max(1, size[0] // stride), max(1, size[1] // stride)
            self.add_module(f"TransEncoder{place + 1}", TransEncoder(inputs, grid, width, heads))
        for index, (before, after) in enumerate(pairwise(self.widths), start=1):
            self.add_module(f"conv{index}", nn.Conv2d(before, after, 3, padding=1))
            self.add_module(f"batchnorm{index}", nn.BatchNorm2d(after))
        self.conv7 = nn.Conv2d(self.widths[-1], outputs, 3, padding=1)

    def features(self, eighth: Tensor, sixteenth: Tensor, thirtysecond: Tensor) -> dict[str, Tensor]:
        """Return "fused16" and "fused8", products at strides 16 and 8, and "decoder1", which the maps are read off."""
        found = {}
        related = self.get_submodule("TransEncoder2")(sixteenth)
        values = self._enlarged(1, self.get_submodule("TransEncoder1")(thirtysecond), related)
        found["fused16"] = functional.relu(values * related)
        related = self.get_submodule("TransEncoder3")(eighth)
        values = self._enlarged(2, found["fused16"], related)
        found["fused8"] = values = functional.relu(values * related)
        for index in (3, 4, 5):
            values = functional.interpolate(self._convolved(index, values), scale_factor=2, mode="nearest")
        found["decoder1"] = self._convolved(6, values)
        return found

    def _convolved(self, index: int, values: Tensor) -> Tensor:
        convolved = self.get_submodule(f"conv{index}")(values)
        return functional.relu(self.get_submodule(f"batchnorm{index}")(convolved))

    def _enlarged(self, index: int, values: Tensor, reference: Tensor) -> Tensor:
        # To twice the size; of images whose sides 32 does not divide, to the next finer features'.
        return functional.interpolate(self._convolved(index, values), size=reference.shape[-2:], mode="nearest")


class TransEncoder(nn.Module):
    """A 1x1 convolution, learned positions, and transformer layers over all places of a map; its shape is kept.

    Parameters
    ----------
    inputs : int
    grid : (int, int)
        Rows and columns of places that positions are learned for; of other maps they are interpolated bilinearly.
    width, heads : int
    """

    def __init__(self, inputs: int, grid: tuple[int, int], width: int, heads: int) -> None:
        super().__init__()
        self._grid = grid
        self.patch_embeddings = nn.Conv2d(inputs, width, 1)
        self.position_embeddings = nn.Parameter(torch.zeros(1, grid[0] * grid[1], width))
        self.transformer_encoder = Transformer(width, heads)

    def forward(self, features: Tensor) -> Tensor:
        """Return (N, width, h, w) for features (N, inputs, h, w)."""
        embedded = self.patch_embeddings(features)
        tokens = (embedded + self._positions(features.shape[-2:])).flatten(2).transpose(1, 2)
        related = self.transformer_encoder(tokens)
        restored: Tensor = related.transpose(1, 2).reshape(embedded.shape)
        return restored

    def _positions(self, size: torch.Size) -> Tensor:
        learned = self.position_embeddings.transpose(1, 2).reshape(1, -1, *self._grid)
        return functional.interpolate(learned, size=size, mode="bilinear", align_corners=False)


class Transformer(nn.Module):
    """Layers with their norms in front, and one norm behind all."""

    def __init__(self, width: int, heads: int) -> None:
        super().__init__()
        self.layer = nn.ModuleList([TransformerLayer(width, heads) for _ in range(LAYERS)])
        self.encoder_norm = nn.LayerNorm(width, NORM_EPS)

    def forward(self, tokens: Tensor) -> Tensor:
        """Return the tokens related to one another: (N, tokens, width)."""
        for layer in self.layer:
            tokens = layer(tokens)
        normed: Tensor = self.encoder_norm(tokens)
        return normed


class TransformerLayer(nn.Module):
    """Attention and a perceptron of four times the width, each added to what it was given."""

    def __init__(self, width: int, heads: int) -> None:
        super().__init__()
        self.attention_norm = nn.LayerNorm(width, NORM_EPS)
        self.attn = Attention(width, heads)
        self.ffn_norm = nn.LayerNorm(width, NORM_EPS)
        self.ffn = nn.ModuleDict({"fc1": nn.Linear(width, 4 * width), "fc2": nn.Linear(4 * width, width)})

    def forward(self, tokens: Tensor) -> Tensor:
        """Return the tokens after the layer: (N, tokens, width)."""
        tokens = tokens + self.attn(self.attention_norm(tokens))
        hidden = functional.gelu(self.ffn["fc1"](self.ffn_norm(tokens)))
        moved: Tensor = tokens + self.ffn["fc2"](hidden)
        return moved


class Attention(nn.Module):
    """Multi-head attention (Vaswani et al. 2017) of tokens with one another."""

    def __init__(self, width: int, heads: int) -> None:
        super().__init__()
        self._parts = heads, width // heads
        self.query = nn.Linear(width, width)
        self.key = nn.Linear(width, width)
        self.value = nn.Linear(width, width)
        self.out = nn.Linear(width, width)

    def forward(self, tokens: Tensor) -> Tensor:
        """Return what each token gathers from all: (N, tokens, width)."""
        parts = (self._split(layer(tokens)) for layer in (self.query, self.key, self.value))
        attended = functional.scaled_dot_product_attention(*parts)
        mixed: Tensor = self.out(attended.transpose(1, 2).flatten(2))
        return mixed

    def _split(self, tokens: Tensor) -> Tensor:
        return tokens.reshape(*tokens.shape[:2], *self._parts).transpose(1, 2)
