"""DeepGaze II on an encoder of timm."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional

from ..deepgaze.center_bias import center_bias
from ..deepgaze.layers import TRUNCATE, GaussianBlur
from ..encoders import TENSORFLOW
from ..trainable.design import Design, at_stride_8
from .network import WIDTHS, Readout

SIZE = (288, 384)
SCALE = 4  # from the readout at stride 8 to the blur at stride 2
SIGMA = 8.0  # pixels at stride 2: where the blur's standard deviation starts


class DGIIDesign(Design):
    """1x1 convolutions over features, a blur, and a centre bias that is added; a map a head.

    The centre bias is OSIE's, weighed for each head. Where the published readout has ReLUs, softplus stands as in
    DeepGaze IIE: with first weights the two channels before the last layer would often be dead.

    Parameters
    ----------
    heads : names
    encoder : str
        See `salbox.networks.encoders.make_encoder`.
    size : (int, int)
        Height and width in pixels: about so many pixels a photo has when the network looks at it, in its own shape.

    References
    ----------
    Kümmerer, Wallis, Gatys and Bethge: Understanding low- and high-level contributions to fixation prediction. ICCV
    2017. There the features are five layers of VGG-19's last stage, and are not trained: `freeze_encoder` does that.
    """

    stride = 2
    covered = 8

    bias: Tensor

    def __init__(self, heads: Sequence[str], *, encoder: str = TENSORFLOW, size: tuple[int, int] = SIZE) -> None:
        super().__init__("dgii", heads, encoder, size)
        widths = (*WIDTHS[:-1], len(self.heads))
        self.readout = Readout(sum(self.channels[2:]), widths, functional.softplus)
        # As far as the first blur reaches, whatever is learned: an exported graph has one kernel.
        self.blur = GaussianBlur(SIGMA, reach=int(TRUNCATE * SIGMA))
        self.bias_weight = nn.Parameter(torch.ones(len(self.heads), 1, 1))
        prior = torch.from_numpy(center_bias("osie", size[0] // 2, size[1] // 2))
        # Its mean is taken off, so that logits start around zero.
        self.register_buffer("bias", (prior - prior.mean())[None, None], persistent=False)

    def features(self, images: Tensor) -> dict[str, Tensor]:
        """Return "stride2" .. "stride32" of the encoder, and "readout", a channel a head, at stride 8."""
        found = self.taps(images)
        found["readout"] = self.readout(at_stride_8(found))
        return found

    def forward(self, images: Tensor) -> Tensor:
        """Return the logits: (N, heads, H / 2, W / 2), sides rounded to multiples of 4; see `TrainableNetwork.forward`.

        They are the log of a density up to a constant.
        """
        read = self.features(images)["readout"]
        enlarged = functional.interpolate(read, scale_factor=SCALE, mode="nearest")
        blurred = self.blur(enlarged.flatten(0, 1).unsqueeze(1)).reshape(enlarged.shape)
        prior = functional.interpolate(self.bias, size=enlarged.shape[-2:], mode="bilinear", align_corners=False)
        return blurred + self.bias_weight * prior
