"""gaze: salbox's own guess at where people look, a density over pixels with a centre prior that can be taken out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import MappingProxyType

import torch
from torch import Tensor, nn

from ...runtime.gaze import CENTER_SIGMA
from ..encoders import TENSORFLOW
from .box import HEAD_WIDTH, WIDTH, Box


class Gaze(Box):
    """A box whose maps are log densities: what the decoder sees in the picture, plus a weighted centre prior.

    People look at the centre of a picture whatever it shows, in one laboratory more than in another. The network has
    the prior beside it, so that it need not learn it: taking it out leaves what the picture itself attracts.

    Parameters
    ----------
    heads : names
        What ships has one; several share the prior.
    encoder, size, width, head_width, stride, deepest, context, detail, sees
        See `Box`. A density of fixations is smooth: it is drawn at stride 4.
    centre : float
        The first weight of the prior's log density, which is learned.

    References
    ----------
    Kümmerer, Wallis, Bethge: DeepGaze II, 2016 (a centre bias beside the network, in log densities).
    """

    def __init__(
        self,
        heads: Sequence[str] = ("gaze",),
        *,
        encoder: str = TENSORFLOW,
        size: tuple[int, int] = (192, 256),
        width: int = WIDTH,
        head_width: int = HEAD_WIDTH,
        stride: int = 4,
        deepest: int = 16,
        context: str = "contrast",
        detail: int = 0,
        sees: Mapping[str, str] = MappingProxyType({}),
        centre: float = 0.3,
    ) -> None:
        super().__init__(
            heads,
            encoder=encoder,
            size=size,
            width=width,
            head_width=head_width,
            stride=stride,
            deepest=deepest,
            context=context,
            detail=detail,
            sees=sees,
        )
        self.name = "gaze"
        self.output = "log_density"
        self.centre = nn.Parameter(torch.tensor([float(centre)]))  # files hold it under this name

    @property
    def settings(self) -> dict[str, object]:
        """See `TrainableNetwork`; the prior's weight is among them, since who runs the network wants to know it."""
        return {**super().settings, "centre": float(self.centre.detach())}

    def forward(self, images: Tensor) -> Tensor:
        """Return the logits, the prior among them: (N, 1, H / stride, W / stride)."""
        return super().forward(images)

    def after_readout(self, read: Tensor) -> Tensor:
        """Return the logits with the centre prior added to them."""
        return read + self.centre * log_center(read)


def log_center(maps: Tensor) -> Tensor:
    """Return the log of a Gaussian at the centre of maps, (N, C, h, w), up to a constant: (h, w).

    Its standard deviation is `CENTER_SIGMA` of each side, so that it has the picture's shape.
    """
    squares = []
    for side in maps.shape[-2:]:
        places = (torch.arange(side, device=maps.device) + 0.5) / side - 0.5
        squares.append(places.to(maps.dtype).square())
    return (squares[0][:, None] + squares[1]) * (-0.5 / CENTER_SIGMA**2)
