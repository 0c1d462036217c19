"""Networks in two: what an encoder gives, and logits from that."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Sequence

from torch import Tensor

from .base import TrainableNetwork


class SplitNetwork(TrainableNetwork):
    """A network whose encoder can be computed apart: where that does not learn, once a picture is enough.

    `forward` is `decode` of `encode`, but for rounding. `encode` depends on `encoder_modules` and on nothing else that
    learns; there are no side outputs.
    """

    @abstractmethod
    def encode(self, images: Tensor) -> tuple[Tensor, ...]:
        """Return the encoder's features that all else depends on, each (N, C, h, w); `images` as `forward` takes."""

    @abstractmethod
    def decode(self, encoded: Sequence[Tensor]) -> Tensor:
        """Return the logits of the maps, (N, heads, h, w), from what `encode` gives."""
