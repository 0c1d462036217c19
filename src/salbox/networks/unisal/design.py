"""UniSal on an encoder of timm, for images: without the recurrent unit."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from torch import Tensor

from ...errors import UsageError, nearest
from ..encoders import TENSORFLOW
from ..trainable.design import Design
from .readout import Readout

SIZE = (288, 384)  # at which the published network looks at photos of 3 by 4
DOMAINS = ("student",)


class UniSalDesign(Design):
    """Learned Gaussians beside the coarsest features, a small decoder, a smoothing, a map a head.

    Parameters
    ----------
    heads : names
    encoder : str
        See `salbox.networks.encoders.make_encoder`.
    size : (int, int)
        Height and width in pixels: about so many pixels a photo has when the network looks at it, in its own shape.
    domains : names
        The data sets that have norms, Gaussians, a last convolution and a smoothing of their own.
    domain : str, optional
        As whose a picture is seen that is of none of them; by default the first one's.

    References
    ----------
    Droste, Jiao and Noble: Unified image and video saliency modeling. ECCV 2020, section 3. There are four domains, and
    images are seen as SALICON's; here there is one, unless several are named. The last convolution and the smoothing
    have a channel for each head.
    """

    covered = 8

    def __init__(
        self,
        heads: Sequence[str],
        *,
        encoder: str = TENSORFLOW,
        size: tuple[int, int] = SIZE,
        domains: Sequence[str] = DOMAINS,
        domain: str | None = None,
    ) -> None:
        named: dict[str, Any] = {}
        if tuple(domains) != DOMAINS:
            named = {"domains": list(domains), "domain": domain or domains[0]}
        super().__init__("unisal", heads, encoder, size, **named)
        lowered = [str(name).lower() for name in domains]
        if not domains or len({*lowered}) < len(domains) or not all(str(name).isidentifier() for name in lowered):
            raise UsageError(f"network 'unisal': domains={list(domains)}: expected names of letters, each once")
        self.domains = tuple(domains)
        self.decoder = Readout(self.channels[2:], self.domains, len(self.heads))
        self.domain = self.domains[0]
        self.choose_domain(domain or self.domain)

    @property
    def exported_settings(self) -> dict[str, Any]:
        """See `TrainableNetwork`: of several domains a file holds the chosen one."""
        return {**self.settings, "domains": [self.domain]} if len(self.domains) > 1 else self.settings

    @classmethod
    def for_domains(cls, domains: Sequence[str]) -> dict[str, Any]:
        """Return what keeps several data sets apart: {"domains": names}."""
        return {"domains": list(domains)} if len(domains) > 1 else {}

    def choose_domain(self, domain: str) -> None:
        """See images as those of one domain from now on; with only one there is nothing to choose.

        Raises
        ------
        UsageError
            If there is no such domain.
        """
        if len(self.domains) == 1:
            return
        if domain not in self.domains:
            raise UsageError(
                f"network 'unisal' has no domain '{domain}'{nearest(domain, self.domains)} (it has "
                f"{', '.join(self.domains)}; a data set is labelled as one of them by --dataset LABEL=NAME:PATH)"
            )
        self.domain = domain
        self.arguments["domain"] = domain

    def features(self, images: Tensor) -> dict[str, Tensor]:
        """Return "stride2" .. "stride32" of the encoder and "decoder" at stride 8, which the heads look at."""
        found = self.taps(images)
        encoded = self.decoder.encoded(found["stride8"], found["stride16"], found["stride32"], self.domain)
        found["decoder"] = self.decoder.mixed(*encoded, self.domain)
        return found

    def forward(self, images: Tensor) -> Tensor:
        """Return the logits: (N, heads, H, W), sides rounded to multiples of 8; see `TrainableNetwork.forward`."""
        return self.after_readout(self.decoder_readout(self.decoder_features(images)))

    def decoder_readout(self, decoded: Tensor) -> Tensor:
        """See `TrainableNetwork`."""
        return self.decoder.read(decoded, self.domain)

    def after_readout(self, read: Tensor) -> Tensor:
        """Return the logits: what was read at stride 8, enlarged and smoothed."""
        return self.decoder.enlarged(read, self.domain)
