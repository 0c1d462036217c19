"""UniSal on an encoder of timm, for images: without the recurrent unit."""

from __future__ import annotations

from collections.abc import Sequence

from torch import Tensor

from ..encoders import TENSORFLOW
from ..trainable.design import Design
from .readout import Readout

SIZE = (288, 384)  # at which the published network looks at photos of 3 by 4
DOMAIN = "student"  # the only one


class UniSalDesign(Design):
    """Learned Gaussians beside the coarsest features, a small decoder, a smoothing, a map a head.

    Parameters
    ----------
    heads : names
    encoder : str
        See `salbox.networks.encoders.make_encoder`.
    size : (int, int)
        Height and width in pixels: about so many pixels a photo has when the network looks at it, in its own shape.

    References
    ----------
    Droste, Jiao and Noble: Unified image and video saliency modeling. ECCV 2020, section 3. There norms, Gaussians,
    the last convolution and the smoothing are several, one for each data set; here there is one of each, and of the
    last two one for each head.
    """

    covered = 8

    def __init__(self, heads: Sequence[str], *, encoder: str = TENSORFLOW, size: tuple[int, int] = SIZE) -> None:
        super().__init__("unisal", heads, encoder, size)
        self.decoder = Readout(self.channels[2:], (DOMAIN,), len(self.heads))

    def features(self, images: Tensor) -> dict[str, Tensor]:
        """Return "stride2" .. "stride32" of the encoder and "decoder" at stride 8, which the heads look at."""
        found = self.taps(images)
        encoded = self.decoder.encoded(found["stride8"], found["stride16"], found["stride32"], DOMAIN)
        found["decoder"] = self.decoder.mixed(*encoded, DOMAIN)
        return found

    def forward(self, images: Tensor) -> Tensor:
        """Return the logits: (N, heads, H, W), sides rounded to multiples of 8; see `TrainableNetwork.forward`."""
        return self.decoder.smoothed(self.features(images)["decoder"], DOMAIN)
