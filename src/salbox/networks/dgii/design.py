"""DeepGaze II on an encoder of timm."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal

import torch
from torch import Tensor, nn
from torch.nn import functional

from ...errors import UsageError
from ...types import FloatMap
from ..deepgaze.center_bias import center_bias
from ..deepgaze.layers import TRUNCATE, GaussianBlur
from ..encoders import TENSORFLOW
from ..trainable.design import Design, at_stride_8
from ..trainable.split import SplitNetwork
from .network import WIDTHS, Readout

SIZE = (288, 384)
SCALE = 4  # from the readout at stride 8 to the blur at stride 2
PRIORS = ("osie", "own")
READ_STRIDES = ("stride8", "stride16", "stride32")
SIGMA = 8.0  # pixels at stride 2: where the blur's standard deviation starts


class DGIIDesign(Design, SplitNetwork):
    """1x1 convolutions over features, a blur, and a centre bias that is added; a map a head.

    The centre bias is weighed for each head. Where the published readout has ReLUs, softplus stands as in
    DeepGaze IIE: with first weights the two channels before the last layer would often be dead.

    Parameters
    ----------
    heads : names
    encoder : str
        See `salbox.networks.encoders.make_encoder`.
    size : (int, int)
        Height and width in pixels: about so many pixels a photo has when the network looks at it, in its own shape.
    prior : {"osie", "own"}
        The centre bias: where people looked on OSIE, or what `set_prior` is called with, which is kept with the
        weights.

    References
    ----------
    Kümmerer, Wallis, Gatys and Bethge: Understanding low- and high-level contributions to fixation prediction. ICCV
    2017. There the features are five layers of VGG-19's last stage, and are not trained: `freeze_encoder` does that.
    """

    stride = 2
    covered = 8

    bias: Tensor

    def __init__(
        self,
        heads: Sequence[str],
        *,
        encoder: str = TENSORFLOW,
        size: tuple[int, int] = SIZE,
        prior: Literal["osie", "own"] = "osie",
    ) -> None:
        if prior not in PRIORS:
            raise UsageError(f"network 'dgii': prior={prior!r}: expected {' or '.join(PRIORS)}")
        named: dict[str, Any] = {} if prior == "osie" else {"prior": prior}
        super().__init__("dgii", heads, encoder, size, **named)
        widths = (*WIDTHS[:-1], len(self.heads))
        self.readout = Readout(sum(self.channels[2:]), widths, functional.softplus)
        # As far as the first blur reaches, whatever is learned: an exported graph has one kernel.
        self.blur = GaussianBlur(SIGMA, reach=int(TRUNCATE * SIGMA))
        self.bias_weight = nn.Parameter(torch.ones(len(self.heads), 1, 1))
        known = torch.from_numpy(center_bias("osie", size[0] // 2, size[1] // 2))
        # Its mean is taken off, so that logits start around zero.
        self.register_buffer("bias", (known - known.mean())[None, None], persistent=prior == "own")

        self._needs_prior = prior == "own"

    @property
    def needs_prior(self) -> bool:
        """Whether `prior` is "own"."""
        return self._needs_prior

    def set_prior(self, log_density: FloatMap) -> None:
        """Take another centre bias, the natural log of a density over (h, w) pixels, where the prior is "own"."""
        height, width = self.bias.shape[-2:]
        resized = torch.from_numpy(center_bias(log_density, *log_density.shape))[None, None]
        resized = functional.interpolate(resized, size=(height, width), mode="bilinear", align_corners=False)
        self.bias.copy_(resized - resized.mean())

    def features(self, images: Tensor) -> dict[str, Tensor]:
        """Return "stride2" .. "stride32" of the encoder, and "readout", a channel a head, at stride 8."""
        found = self.taps(images)
        found["readout"] = self.readout(at_stride_8(found))
        return found

    def forward(self, images: Tensor) -> Tensor:
        """Return the logits: (N, heads, H / 2, W / 2), sides rounded to multiples of 4; see `TrainableNetwork.forward`.

        They are the log of a density up to a constant.
        """
        return self.after_readout(self.features(images)["readout"])

    def encode(self, images: Tensor) -> tuple[Tensor, ...]:
        """Return the encoder's features at strides 8, 16 and 32; see `SplitNetwork`."""
        found = self.taps(images)
        return tuple(found[name] for name in READ_STRIDES)

    def decode(self, encoded: Sequence[Tensor]) -> Tensor:
        """Return the logits, from what `encode` gives; see `SplitNetwork`.

        The same as `forward` but for rounding, in an order of operations that trains faster.
        """
        return self._with_prior(self.blur.of_repeated(self.readout.of_strides(encoded), SCALE))

    def decoder_features(self, images: Tensor) -> Tensor:
        """Return the encoder's features at stride 8, which the readout is all that follows: (N, channels, h, w)."""
        return at_stride_8(self.taps(images))

    def decoder_readout(self, decoded: Tensor) -> Tensor:
        """See `TrainableNetwork`."""
        read: Tensor = self.readout(decoded)
        return read

    def after_readout(self, read: Tensor) -> Tensor:
        """Return the logits: what was read at stride 8, enlarged, blurred, the centre bias added."""
        enlarged = functional.interpolate(read, scale_factor=SCALE, mode="nearest")
        blurred = self.blur(enlarged.flatten(0, 1).unsqueeze(1)).reshape(enlarged.shape)
        return self._with_prior(blurred)

    def _with_prior(self, blurred: Tensor) -> Tensor:
        prior = functional.interpolate(self.bias, size=blurred.shape[-2:], mode="bilinear", align_corners=False)
        return blurred + self.bias_weight * prior
