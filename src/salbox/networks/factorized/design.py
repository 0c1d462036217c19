"""Any trainable network with its last features as sums of bases."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Any, Literal, Self

import torch
from torch import Tensor, nn

from ...errors import UsageError
from ..trainable.base import TrainableNetwork
from ..trainable.factory import rebuild
from ..trainable.split import SplitNetwork
from .bases import maps_layer, probabilities, rebuilt
from .gains import logit_gains

BASES = 512
READOUTS = ("own", "bases")
_SIDES = 4  # times a network's smallest image: large enough to ask for the channels of its features


class Factorized(SplitNetwork):
    """Another network whose last features V are replaced by sigmoid(V P') P, with N bases as the rows of P.

    Parameters
    ----------
    heads : names
    network : str
        The other network, see `salbox.networks.trainable.factory.NETWORKS`.
    settings : mapping
        Its settings.
    bases : int
        N.
    readout : {"own", "bases"}
        "own" (the first phase): the network reads its maps off the features that the bases make, and all of it learns.
        "bases" (the second phase): the maps are read off the bases' probabilities by one 3x3 convolution without bias,
        which alone learns; the network adds what it adds to every map, such as a centre prior. More of what is read
        off is more salient, whichever sign the network smooths it with.
    size : (int, int), optional
        Height and width at which photos are looked at, if not the other network's own.

    References
    ----------
    Chen, Jiang and Zhao: What do deep saliency models learn about visual attention? NeurIPS 2023.
    """

    def __init__(
        self,
        heads: Sequence[str],
        *,
        network: str = "box",
        settings: Mapping[str, Any] = MappingProxyType({}),
        bases: int = BASES,
        readout: Literal["own", "bases"] = "own",
        size: tuple[int, int] | None = None,
    ) -> None:
        if network == "factorized":
            raise UsageError("network 'factorized': it is made of a network that is not factorised itself")
        if type(bases) is not int or bases < 1:
            raise UsageError(f"network 'factorized': bases={bases!r}: expected a whole number, at least 1")
        if readout not in READOUTS:
            raise UsageError(f"network 'factorized': readout={readout!r}: expected {' or '.join(READOUTS)}")
        own = {**settings, **({} if size is None else {"size": list(size)})}
        made = rebuild(network, heads, own)
        super().__init__("factorized", heads, made.preprocessing)
        self.network = made
        self.output = made.output
        self.normalize = made.normalize
        self.stride, self.covered = made.stride, made.covered
        self.arguments = {"network": network, "settings": own, "bases": bases, "readout": readout}
        if size is not None:
            self.arguments["size"] = list(size)
        self.reads_bases = readout == "bases"
        channels, read = _channels(made)
        self.bases = nn.Linear(channels, bases, bias=False)
        if self.reads_bases:
            self.network.requires_grad_(False)
            self.bases.requires_grad_(False)
            self.weights = maps_layer(bases, read)

    @property
    def encoder(self) -> nn.Module:
        """The other network's encoder."""
        return self.network.encoder

    def encoder_modules(self) -> tuple[nn.Module, ...]:
        """Return the other network's encoders; all of it where only the last layer learns."""
        return (self.network,) if self.reads_bases else self.network.encoder_modules()

    def freeze_encoder(self, frozen: bool = True) -> None:
        """See `TrainableNetwork`; what the second phase does not learn stays frozen."""
        super().freeze_encoder(frozen or self.reads_bases)

    def train(self, mode: bool = True) -> Self:
        """Set training or evaluation mode; what does not learn stays in evaluation mode."""
        super().train(mode)
        if self.reads_bases:
            self.network.eval()
        return self

    @property
    def exported_settings(self) -> dict[str, Any]:
        """See `TrainableNetwork`."""
        return {**self.settings, "settings": self.network.exported_settings}

    def choose_domain(self, domain: str) -> None:
        """See `TrainableNetwork`."""
        self.network.choose_domain(domain)

    def features(self, images: Tensor) -> dict[str, Tensor]:
        """Return "decoder", the other network's last features, and "probabilities", (N, bases, h, w)."""
        decoded = self.network.decoder_features(images)
        return {"decoder": decoded, "probabilities": probabilities(decoded, self.bases.weight)}

    def encode(self, images: Tensor) -> tuple[Tensor, ...]:
        """Return the other network's last features, which stay as they are in the second phase; see `SplitNetwork`.

        Raises
        ------
        UsageError
            In the first phase, where all of it learns.
        """
        if not self.reads_bases:
            raise UsageError("cache_features: in the first phase all of the network learns: give cache_features=false")
        return (self.network.decoder_features(images),)

    def decode(self, encoded: Sequence[Tensor]) -> Tensor:
        """Return the logits, from what `encode` gives; see `SplitNetwork`."""
        return self.after_readout(self.decoder_readout(probabilities(encoded[0], self.bases.weight)))

    def probabilities(self, images: Tensor) -> Tensor:
        """Return how likely each basis is at each place: (N, bases, h, w) in 0..1; `images` as `forward` takes them."""
        with torch.set_grad_enabled(torch.is_grad_enabled() and not self.reads_bases):
            return self.features(images)["probabilities"]

    def decoder_readout(self, decoded: Tensor) -> Tensor:
        """Return what is read off "probabilities"."""
        if self.reads_bases:
            read: Tensor = self.weights(decoded)
            gains = logit_gains(self.network, read.shape[1])
            return torch.where(gains < 0, -1.0, 1.0)[:, None, None] * read
        return self.network.decoder_readout(rebuilt(decoded, self.bases.weight))

    def after_readout(self, read: Tensor) -> Tensor:
        """See `TrainableNetwork`."""
        return self.network.after_readout(read)

    def forward(self, images: Tensor) -> Tensor:
        """Return the logits: (N, heads, h, w); see `TrainableNetwork.forward`."""
        return self.after_readout(self.decoder_readout(self.probabilities(images)))


def second_phase(first: Factorized, seed: int = 0) -> Factorized:
    """Return the network that reads its maps off the bases' probabilities, its last layer yet to be learned.

    Parameters
    ----------
    first : Factorized
        With the readout "own", trained; it is left as it is.
    seed : int
        Of the last layer's random weights.
    """
    settings = {key: value for key, value in first.settings.items() if key != "output"}
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        second = Factorized(first.heads, **{**settings, "readout": "bases"})
    second.network.load_state_dict(first.network.state_dict())
    second.bases.load_state_dict(first.bases.state_dict())
    second.output = first.output
    return second


def factorize(
    network: TrainableNetwork, bases: int = BASES, *, size: tuple[int, int] | None = None, seed: int = 0
) -> Factorized:
    """Return a network with its weights and random bases, as a first phase begins; the network is left as it is.

    Raises
    ------
    UsageError
        If the network does not say how its maps are read off features.
    """
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        made = Factorized(network.heads, network=network.name, settings=network.settings, bases=bases, size=size)
    made.network.load_state_dict(network.state_dict())
    return made


def _channels(network: TrainableNetwork) -> tuple[int, int]:
    """Return how many channels a network's last features have, and how many maps it reads off them.

    Raises
    ------
    UsageError
        If the network does not say how it reads maps off features.
    """
    mode = network.training
    side = _SIDES * network.smallest
    parameter = next(network.parameters())
    with torch.no_grad():
        decoded = network.eval().decoder_features(torch.zeros(1, 3, side, side, device=parameter.device))
        read = network.decoder_readout(decoded)
    network.train(mode)
    return int(decoded.shape[1]), int(read.shape[1])
