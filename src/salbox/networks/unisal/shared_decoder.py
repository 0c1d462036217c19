"""UniSal's decoder apart from UniSal: what heads of several teachers may look at."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from torch import Tensor, nn

from ...errors import UsageError
from ..layers import enlarge_like
from .domains import Inverted
from .readout import CHANNELS, SKIPS, Readout

STRIDES = (8, 16, 32)  # of the features that it takes
DOMAIN = "student"  # the one whose norms and Gaussians there are
# Channels between the two 1x1 convolutions at stride 16: half as many as published, for speed. Cut down so, a UniSal at
# 192x256 pixels had, untrained, a CC of .888 with what it drew at 288x384; whole it had .892.
HIDDEN = CHANNELS + SKIPS[1]
_NARROWED = "upsampling_2.inv_res.conv."


class _Layers(Readout):
    """What a box's branch has of UniSal: its strides divide the pictures that it sees."""

    enlarge = staticmethod(enlarge_like)


class UniSalDecoder(nn.Module):
    """Learned Gaussians beside the coarsest features, and skips from the finer ones; no map is read off.

    Parameters
    ----------
    channels : mapping
        Stride -> channels of the features there, at 8, 16 and 32.

    Attributes
    ----------
    width : int
        Channels of what it gives.

    Raises
    ------
    UsageError
        If it is to do without one of the strides.

    References
    ----------
    Droste, Jiao and Noble: Unified image and video saliency modeling. ECCV 2020, section 3.
    """

    width = SKIPS[0]

    def __init__(self, channels: Mapping[int, int]) -> None:
        super().__init__()
        if missing := [stride for stride in STRIDES if stride not in channels]:
            raise UsageError(f"UniSal's decoder needs features of stride {missing[0]}")
        self.layers = _Layers([channels[stride] for stride in STRIDES], (DOMAIN,))
        for name in (f"adaptation_{DOMAIN}", f"smoothing_{DOMAIN}"):  # each head has its own way to its map
            delattr(self.layers, name)
        self.layers.upsampling_2["inv_res"] = Inverted(CHANNELS + SKIPS[1], SKIPS[1], (DOMAIN,), HIDDEN)

    def forward(self, taps: Sequence[Tensor]) -> Tensor:
        """Return features at stride 8, (N, width, h, w), of the encoder's at strides 8, 16 and 32."""
        eighth, sixteenth, coarsest = taps
        mixed: Tensor = self.layers.mixed(*self.layers.encoded(eighth, sixteenth, coarsest, DOMAIN), DOMAIN)
        return mixed

    def begin_as(self, trained: Readout, domain: str) -> None:
        """Take over the weights of a whole UniSal's, as of one of its domains.

        Where this has fewer channels, it keeps those that weigh most in what comes after them.
        """
        given = {}
        for name, values in trained.state_dict().items():
            for written in (domain, domain.lower()):  # norms have a domain's name as it is, the rest in small letters
                name = name.replace(f"_{written}", f"_{DOMAIN}")
            given[name] = values
        scale, out = given[f"{_NARROWED}4.bn_{DOMAIN}.weight"], given[f"{_NARROWED}6.weight"]
        weighs = scale.abs() * out.flatten(1).norm(dim=0)
        kept = weighs.topk(HIDDEN).indices.sort().values
        own = {}
        for name, values in self.layers.state_dict().items():
            found = given[name]
            if name.startswith(_NARROWED) and found.shape != values.shape:
                found = found[:, kept] if name == f"{_NARROWED}6.weight" else found[kept]
            own[name] = found
        self.layers.load_state_dict(own)
