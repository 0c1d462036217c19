"""UniSal: unified image and video saliency modeling (Droste, Jiao and Noble 2020).

A MobileNetV2 with learned Gaussians for the centre, a recurrent unit that videos go through and images pass by, and a
small decoder. One set of weights serves four domains; what they need apart (norms, Gaussians, the last convolution and
a final smoothing) each has for itself. Modules have the names of the authors' weights.
"""

from __future__ import annotations

from torch import Tensor, nn
from torch.nn import functional

from ..layers import IMAGENET_MEAN, IMAGENET_STD, Normalize
from .conv_gru import ConvGRU
from .domains import DomainNorm, DomainSequential
from .mobilenet_v2 import MobileNetV2
from .readout import CHANNELS, Readout

IMAGE_DOMAIN = "SALICON"  # as whose an image is seen

# What the network sees: sides of 32 times 7 to 13, their product between these, the aspect nearest to the image's.
CELL, SIDES, FEWEST, MOST = 32, range(7, 14), 100, 120


class UniSal(Readout):
    """The network.

    Parameters
    ----------
    encoder : nn.Module, optional
        Takes (N, 3, H, W), gives features at strides 8, 16 and 32; `channels` says how many. By default the published
        network's `MobileNetV2`.

    References
    ----------
    Droste, Jiao and Noble: Unified image and video saliency modeling. ECCV 2020, section 3.
    """

    def __init__(self, encoder: nn.Module | None = None) -> None:
        cnn = MobileNetV2() if encoder is None else encoder
        super().__init__(cnn.channels)  # type: ignore[arg-type,unused-ignore]
        self.normalize = Normalize(IMAGENET_MEAN, IMAGENET_STD)
        self.cnn = cnn
        self.rnn = ConvGRU(CHANNELS)
        self.post_rnn = DomainSequential(nn.Conv2d(CHANNELS, CHANNELS, 1, bias=False), DomainNorm(CHANNELS), nn.ReLU6())

    def features(self, images: Tensor, domain: str = IMAGE_DOMAIN) -> dict[str, Tensor]:
        """Return "stride8" .. "stride32" of the encoder, and "decoder" at stride 8, which the map is read off.

        Parameters
        ----------
        images : (N, 3, H, W) float32
            RGB, 0..255; sides that 32 divides.
        domain : str
            One of `DOMAINS`.
        """
        eighth, sixteenth, coarsest = self.cnn(self.normalize(images))
        mixed = self.mixed(*self.encoded(eighth, sixteenth, coarsest, domain), domain)
        return {"stride8": eighth, "stride16": sixteenth, "stride32": coarsest, "decoder": mixed}

    def forward(self, images: Tensor, domain: str = IMAGE_DOMAIN) -> Tensor:
        """Return the log of a density up to a constant, for images one by one: (N, 1, H, W); see `features`."""
        return self.smoothed(self.features(images, domain)["decoder"], domain)

    def frames(self, images: Tensor, domain: str, state: Tensor | None = None) -> tuple[Tensor, Tensor]:
        """Return what `forward` does for the frames of a clip, and the state after the last: (T, 1, H, W), state.

        Parameters
        ----------
        images : (T, 3, H, W) float32
            RGB, 0..255, in order.
        domain : str
        state : (1, 256, H/32, W/32) float32, optional
            What was returned for the frames before.
        """
        eighth, sixteenth, coarsest = self.cnn(self.normalize(images))
        eighth, sixteenth, coarse = self.encoded(eighth, sixteenth, coarsest, domain)
        remembered, state = self.rnn(coarse, domain, state)
        coarse = coarse + self.post_rnn(remembered, domain)
        return self.decoded(eighth, sixteenth, coarse, domain), state

    def maps(self, images: Tensor, domain: str = IMAGE_DOMAIN) -> Tensor:
        """Return log densities of images at the size they are given: (N, 1, H, W), exp sums to 1."""
        return log_density(self(images, domain))


def log_density(values: Tensor) -> Tensor:
    """Return maps, (N, 1, H, W), less the log of the sum of their exponentials."""
    return functional.log_softmax(values.flatten(1), dim=1).reshape(values.shape)
