"""What every trainable network has in common: what goes in, what comes out, and which part of it is the encoder."""

from __future__ import annotations

import copy
from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, ClassVar, Self, get_args

import torch
from torch import Tensor, nn

from ...errors import UsageError
from ...runtime.preprocessing import Preprocessing
from ...types import FloatMap, Output, Shape
from ..layers import Normalize

OUTPUTS: tuple[Output, ...] = get_args(Output)  # what the maps of a network can be


@dataclass(frozen=True)
class Outputs:
    """The logits of a network as its losses see them.

    Attributes
    ----------
    main : (N, heads, h, w)
        Of the maps: what `forward` returns.
    side : tuple of (N, heads, h, w)
        Of the side outputs, in the order of `TrainableNetwork.side_outputs`.
    """

    main: Tensor
    side: tuple[Tensor, ...] = ()

    @property
    def joined(self) -> Tensor:
        """All of them, (N, heads * (1 + sides), h, w), the main ones first."""
        return torch.cat([self.main, *self.side], dim=1) if self.side else self.main


class TrainableNetwork(nn.Module, ABC):
    """A network with one saliency map a teacher.

    Parameters
    ----------
    name : str
        The architecture's, see `salbox.networks.trainable.factory.NETWORKS`.
    heads : names
        The teachers' names, one output channel each.
    preprocessing : Preprocessing
        The size at which the network looks at a photo.

    Attributes
    ----------
    output : {"score", "log_density", "probability"}
        What `maps` gives, one of `OUTPUTS`; a score unless it is set.
    encoder : nn.Module
        The part that first weights are known for; all else is the decoder.
    normalize : Normalize
        What is done to the pixels before the encoder sees them.
    init_note : str
        Where the first weights came from, for the card; empty if unknown.
    arguments : dict
        What the class was called with, `heads` aside.

    Raises
    ------
    UsageError
        If there is no head, or two of one name.
    """

    encoder: nn.Module
    normalize: Normalize

    smallest: ClassVar[int] = 32
    """Pixels: the shortest side that images may have."""

    small: ClassVar[Mapping[str, Any]] = MappingProxyType({})
    """What makes a small network of the class, quick to try: keywords of `build_network`."""

    stride: int = 1
    """Pixels of an image that a pixel of its map stands for, along a side."""

    covered: int = 1
    """Pixels: a map covers an image up to the last multiple of so many, along a side."""

    divisor: int = 1
    """Pixels: what the exported network sees of an image ends at the last multiple of so many, along a side."""

    side_outputs: ClassVar[tuple[str, ...]] = ()
    """Names of further outputs, which only training looks at; each has one channel a head."""

    side_layers: ClassVar[tuple[str, ...]] = ()
    """Beginnings of the names of the weights that only these outputs need: an exported file lacks them."""

    def __init__(self, name: str, heads: Sequence[str], preprocessing: Preprocessing) -> None:
        super().__init__()
        if isinstance(heads, str) or not heads or len(set(heads)) != len(heads) or not all(heads):
            raise UsageError(f"network '{name}': heads={heads!r}: expected names, at least one and each once")
        self.name = name
        self.heads = tuple(heads)
        self.preprocessing = preprocessing
        self.output: Output = "score"
        self.init_note = ""
        self.arguments: dict[str, Any] = {}
        self._frozen = False

    @property
    def settings(self) -> dict[str, Any]:
        """What `trainable.factory.rebuild` needs to make the same architecture again, ready for JSON."""
        return {**self.arguments, "output": self.output}

    @property
    def exported_settings(self) -> dict[str, Any]:
        """The `settings` of what an exported file holds of the network: all of most networks."""
        return self.settings

    def encoder_input(self, images: Tensor) -> Tensor:
        """Return what the encoder sees of images as `forward` takes them."""
        normalized: Tensor = self.normalize(images)
        return normalized

    @abstractmethod
    def features(self, images: Tensor) -> dict[str, Tensor]:
        """Return named features between input and output, from early to late, each (N, channels, h, w).

        The last is what the heads look at. `images` as `forward` takes them.
        """

    @abstractmethod
    def forward(self, images: Tensor) -> Tensor:
        """Return the logits of the maps: (N, heads, h, w).

        Parameters
        ----------
        images : (N, 3, H, W) float
            RGB, 0..255, H and W at least `smallest`.
        """

    def outputs(self, images: Tensor) -> Outputs:
        """Return all logits that can be learned from; `images` as `forward` takes them."""
        return Outputs(self(images))

    @classmethod
    def output_targets(cls, count: int) -> tuple[int, ...]:
        """Return the place of the target that each output learns from, in the order of `Outputs.joined`.

        Here each of `count` targets has a head, and the head's side outputs learn from what it learns from.

        Raises
        ------
        UsageError
            If there are more targets than the network can learn from.
        """
        return tuple(range(count)) * (1 + len(cls.side_outputs))

    def decoder_features(self, images: Tensor) -> Tensor:
        """Return the features that maps are read off, the last of `features`: (N, channels, h, w)."""
        return list(self.features(images).values())[-1]

    def decoder_readout(self, decoded: Tensor) -> Tensor:
        """Return what is read off `decoder_features`, (N, heads, h', w'), before `after_readout`.

        Raises
        ------
        UsageError
            If the network does not say how; a network of one's own does so by a method of this name.
        """
        raise UsageError(f"network '{self.name}' does not say how its maps are read off features (decoder_readout)")

    def after_readout(self, read: Tensor) -> Tensor:
        """Return the logits, given what was read off the features: what is added to maps whatever the picture shows.

        `forward` is this of `decoder_readout` of `decoder_features`.
        """
        return read

    def maps(self, images: Tensor) -> Tensor:
        """Return the maps: (N, heads, h, w); what is exported.

        Of a "score" or a "probability" the sigmoid of the logits, each pixel in 0..1; of a "log_density" the log of a
        density over the map's pixels.
        """
        return self.to_maps(self(images))

    def to_maps(self, logits: Tensor) -> Tensor:
        """Return the maps that logits stand for, as `maps` has them: (N, heads, h, w)."""
        if self.output == "log_density":
            return torch.log_softmax(logits.flatten(2), dim=2).reshape(logits.shape)
        return torch.sigmoid(logits)

    def map_size(self, height: int, width: int) -> Shape:
        """Return the (height, width) of the maps of images of so many pixels; safe in threads, nothing is computed."""
        copied = copy.deepcopy(self).to("meta").eval()
        with torch.no_grad():
            shape = copied(torch.zeros(1, 3, height, width, device="meta")).shape
        return int(shape[2]), int(shape[3])

    @classmethod
    def for_domains(cls, domains: Sequence[str]) -> dict[str, Any]:
        """Return keywords of `factory.build_network` for a network that learns from several data sets; {} for most."""
        return {}

    @property
    def needs_prior(self) -> bool:
        """Whether the network is to be given the centre bias of what it learns from, by `set_prior`."""
        return False

    def set_prior(self, log_density: FloatMap) -> None:
        """Take a centre bias, the natural log of a density over (h, w) pixels; see `needs_prior`."""
        raise UsageError(f"network '{self.name}' has no centre bias to set")

    def choose_domain(self, domain: str) -> None:  # most networks know no domains
        """Use what belongs to one data set, of networks that keep something apart for each; else nothing happens."""

    def first_weights_loaded(self) -> None:  # nothing to do for most
        """Do what depends on the encoder's first weights, which have just been loaded."""

    def encoder_modules(self) -> tuple[nn.Module, ...]:
        """Return the parts that first weights are known for."""
        return (self.encoder,)

    def encoder_parameters(self) -> Iterator[nn.Parameter]:
        """Yield the encoder's parameters."""
        for module in self.encoder_modules():
            yield from module.parameters()

    def decoder_parameters(self) -> Iterator[nn.Parameter]:
        """Yield all parameters that are not the encoder's."""
        of_encoder = {id(p) for p in self.encoder_parameters()}
        yield from (p for p in self.parameters() if id(p) not in of_encoder)

    def freeze_encoder(self, frozen: bool = True) -> None:
        """Stop the encoder's learning, the statistics of its batch norms included, or let it go on."""
        self._frozen = frozen
        for parameter in self.encoder_parameters():
            parameter.requires_grad_(not frozen)
        self.train(self.training)

    def train(self, mode: bool = True) -> Self:
        """Set training or evaluation mode; a frozen encoder stays in evaluation mode."""
        super().train(mode)
        if self._frozen:
            for module in self.encoder_modules():
                module.eval()
        return self
