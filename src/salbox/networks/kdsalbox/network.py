"""KDSalBox's student: MobileNetV2 as the encoder, seven 3x3 convolutions as the decoder, no skip connections.

All ten of KDSalBox's models have this architecture. The names of the weights are its authors'.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional
from torchvision.models import mobilenet_v2

from ...runtime.preprocessing import Preprocessing
from ..layers import Normalize
from ..trainable.base import TrainableNetwork

STRIP = 64  # rows at half resolution that the last layers work on at a time
MARGIN = 2  # rows at half resolution: two 3x3 convolutions at full resolution, and one row for the upscaling


class KDSalBox(TrainableNetwork):
    """Encoder to stride 32, decoder back to stride 1.

    Parameters
    ----------
    heads : names
        The published models have one.
    size : (int, int), optional
        Height and width in pixels: about so many pixels a photo has when the network looks at it, in its own shape. By
        default the network looks at photos as they are, as the published ones do.

    References
    ----------
    Kastrati, Bylinskii and Shechtman: KDSalBox: a toolbox of efficient knowledge-distilled saliency models. SVRHM
    workshop at NeurIPS 2021, section 2.1. The release has what the paper leaves out: pixels in 0..1 without further
    normalisation, five upscalings, the widths of the decoder.
    """

    def __init__(self, heads: Sequence[str], *, size: tuple[int, int] | None = None) -> None:
        rule = Preprocessing("native", 480, 640) if size is None else Preprocessing("area", *size)
        super().__init__("kdsalbox", heads, rule)
        self.arguments = {"size": None if size is None else list(size)}
        self.normalize = Normalize()
        self.encoder = mobilenet_v2(weights=None).features
        self.decoder = Decoder(len(self.heads))

    def features(self, images: Tensor) -> dict[str, Tensor]:
        """Return "encoder" at stride 32 and the decoder's layers by the authors' names, at strides 32 to 1."""
        encoded = self.encoder(self.normalize(images))
        return {"encoder": encoded, **self.decoder.features(encoded)}

    def forward(self, images: Tensor) -> Tensor:
        """Return the logits: (N, heads, 32 ceil(H / 32), 32 ceil(W / 32)); see `TrainableNetwork.forward`."""
        logits: Tensor = self.decoder(self.encoder(self.normalize(images)))
        return logits

    def decoder_readout(self, decoded: Tensor) -> Tensor:
        """See `TrainableNetwork`."""
        read: Tensor = self.decoder.output(decoded)
        return read


class Decoder(nn.Module):
    """Convolution, batch norm and ReLU seven times, with five upscalings between; then a 1x1 convolution."""

    # The authors' names, channels in and out, and whether the map is enlarged first.
    LAYERS = (
        ("7_3", 1280, 512, False),
        ("8_1", 512, 256, True),
        ("8_2", 256, 256, True),
        ("9_1", 256, 128, True),
        ("9_2", 128, 128, True),
        ("10_1", 128, 64, True),
        ("10_2", 64, 64, False),
    )
    FULL = 2  # how many of them work at full resolution

    def __init__(self, outputs: int) -> None:
        super().__init__()
        for name, channels_in, channels_out, _ in self.LAYERS:
            self.add_module(f"conv{name}", nn.Conv2d(channels_in, channels_out, 3, padding=1))
            self.add_module(f"bn{name}", nn.BatchNorm2d(channels_out))
        self.output = nn.Conv2d(64, outputs, 1)

    def features(self, encoded: Tensor) -> dict[str, Tensor]:
        """Return what each layer gives, as "conv7_3" .. "conv10_2"."""
        found = {}
        for name, _, _, enlarged in self.LAYERS:
            encoded = self._layer(name, encoded, enlarged)
            found[f"conv{name}"] = encoded
        return found

    def forward(self, encoded: Tensor) -> Tensor:
        """Return the logits, 32 times as high and wide."""
        logits: Tensor = self.output(self._layers(self.LAYERS, encoded))
        return logits

    def in_strips(self, encoded: Tensor) -> Tensor:
        """Return the logits as `forward` does, the layers of full resolution strip by strip: in a third of the memory.

        Nothing is learned this way.
        """
        halved = self._layers(self.LAYERS[: -self.FULL], encoded)
        height = halved.shape[2]
        strips = []
        for top in range(0, height, STRIP):
            first, last = max(0, top - MARGIN), min(height, top + STRIP + MARGIN)
            logits = self.output(self._layers(self.LAYERS[-self.FULL :], halved[:, :, first:last]))
            start = 2 * (top - first)
            strips.append(logits[:, :, start : start + 2 * STRIP])
        return torch.cat(strips, dim=2)

    def _layers(self, layers: Sequence[tuple[str, int, int, bool]], features: Tensor) -> Tensor:
        for name, _, _, enlarged in layers:
            features = self._layer(name, features, enlarged)
        return features

    def _layer(self, name: str, features: Tensor, enlarged: bool) -> Tensor:
        if enlarged:
            features = functional.interpolate(features, scale_factor=2, mode="bilinear", align_corners=False)
        convolved = self.get_submodule(f"conv{name}")(features)
        return functional.relu(self.get_submodule(f"bn{name}")(convolved), inplace=True)
