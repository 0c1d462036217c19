"""A box some of whose heads look at a branch of their own, which leaves the encoder early and goes deeper."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Any, ClassVar

import torch
from torch import Tensor, nn

from ...errors import UsageError
from ..encoders import TENSORFLOW, make_encoder
from ..layers import resize_like
from .box import HEAD_WIDTH, WIDTH, Box, make_head
from .branch import STRIDE, Branch
from .split import SplitNetwork

ROWS = (4, 3, 2)  # blocks at strides 16, 16 and 32
BRANCH_WIDTH = 64
BRANCH_HEAD_WIDTH = 32  # its heads are sixteen times as cheap as the others: they draw at stride 8


class BranchedBox(Box, SplitNetwork):
    """A box with a branch: what one trunk learned for some teachers stays, others get later layers of their own.

    The trunk of a box that draws classical algorithms' maps has little use for what things are. Heads of networks
    that learned from people get it from blocks that continue the trunk's early features; those are shared.

    Parameters
    ----------
    heads : names
    encoder, size, width, head_width, stride, deepest, context, detail, sees
        See `Box`.
    branch : names
        Of the heads that look at the branch. Where all do, what only others look at is left out, and maps come at
        stride 8.
    rows : sequence of int
        See `Branch`.
    leaves : {1, 2, 4, 8}
        The stride at which the branch leaves the trunk, see `Branch`. Its blocks up to stride 8 count as the encoder's
        where all heads look at it: first weights are known for them, and they stay where the encoder does not learn.
    branch_decoder : {"pyramid", "unisal"}
        See `Branch`.
    branch_width, branch_head_width : int
        Channels of the branch's pyramid, and within its heads.
    """

    small: ClassVar[Mapping[str, Any]] = MappingProxyType({"width": 16, "branch_width": 16, "rows": (1, 1, 1)})

    def __init__(
        self,
        heads: Sequence[str],
        *,
        encoder: str = TENSORFLOW,
        size: tuple[int, int] = (192, 256),
        width: int = WIDTH,
        head_width: int = HEAD_WIDTH,
        stride: int = 2,
        deepest: int = 16,
        context: str = "contrast",
        detail: int = 0,
        sees: Mapping[str, str] = MappingProxyType({}),
        branch: Sequence[str] = (),
        rows: Sequence[int] = ROWS,
        leaves: int = STRIDE,
        branch_decoder: str = "pyramid",
        branch_width: int = BRANCH_WIDTH,
        branch_head_width: int = BRANCH_HEAD_WIDTH,
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
        self.name = "branched-box"
        if isinstance(branch, str):
            raise UsageError(f"network '{self.name}': branch={branch!r}: expected names of heads")
        sizes = {"branch_width": branch_width, "branch_head_width": branch_head_width}
        for name, value in sizes.items():
            if type(value) is not int or value < 1:
                raise UsageError(f"network '{self.name}': {name}={value!r}: expected a whole number, at least 1")
        self.arguments |= {
            "branch": list(branch),
            "rows": list(rows),
            "leaves": leaves,
            "branch_decoder": branch_decoder,
        }
        self.arguments |= sizes
        self.on_branch = tuple(head in branch for head in self.heads)
        self.leaves = leaves
        self.branch: Branch | None = None
        if any(self.on_branch):
            self.branch = Branch(encoder, rows, branch_width, context, leaves, branch_decoder)
        for place, is_on_branch in enumerate(self.on_branch):
            if is_on_branch and self.branch is not None:
                self.head_layers[place] = make_head(self.branch.width, branch_head_width)
        if all(self.on_branch):
            self._leave_out_trunk(encoder)

    def encoder_modules(self) -> tuple[nn.Module, ...]:
        """See `TrainableNetwork`."""
        if self.branch is None or not all(self.on_branch):
            return super().encoder_modules()
        return (self.encoder, self.branch.stem, self.branch.early)

    @property
    def _is_mixed(self) -> bool:
        """Whether its heads look at two decoders, or at features of their own."""
        return super()._is_mixed or (any(self.on_branch) and not all(self.on_branch))

    def _leave_out_trunk(self, encoder: str) -> None:
        self.encoder = nn.Identity() if self.leaves == 1 else make_encoder(encoder, self.leaves).network
        self.lateral, self.context, self.mix, self.detail = nn.ModuleList(), nn.ModuleList(), nn.ModuleList(), None
        self.levels = []
        self.stride = self.covered = STRIDE

    def encode(self, images: Tensor) -> tuple[Tensor, ...]:
        """See `SplitNetwork`: where all heads look at the branch, what the branch has at stride 8."""
        if not all(self.on_branch):
            raise UsageError(f"network '{self.name}' splits where all its heads look at the branch")
        assert self.branch is not None  # noqa: S101  # all heads look at it
        seen = self.encoder_input(images)
        return (self.branch.begin(seen if self.leaves == 1 else self.encoder(seen)[-1]),)

    def decode(self, encoded: Sequence[Tensor]) -> Tensor:
        """See `SplitNetwork`."""
        assert self.branch is not None  # noqa: S101  # `encode` has made sure
        return self.decoder_readout(self.branch(encoded[0]))

    def features(self, images: Tensor) -> dict[str, Tensor]:
        """Return what `Box.features` does, and "branch", which the branch's heads look at."""
        if self.branch is None:
            return super().features(images)
        if all(self.on_branch):
            (early,) = self.encode(images)
            return {f"stride{STRIDE}": early, "branch": self.branch(early)}
        found = super().features(images)
        left = self.encoder_input(images) if self.leaves == 1 else found[f"stride{self.leaves}"]
        return {"branch": self.branch(self.branch.begin(left)), **found}

    def forward(self, images: Tensor) -> Tensor:
        """Return the logits, all at the size that `Box.forward` has; see `BranchedBox` where all are the branch's."""
        found = self.features(images)
        if not self._is_mixed:
            return self.decoder_readout(list(found.values())[-1])
        decoded = found["decoder"]
        mine, others = ([place for place, on in enumerate(self.on_branch) if on == which] for which in (False, True))
        heads = self._heads()
        own = self.logits([heads[place] for place in mine], images, decoded)
        branch = self.logits([heads[place] for place in others], images, found["branch"])
        logits = torch.cat([own, resize_like(branch, own)], dim=1)
        order = [*mine, *others]
        return logits if order == sorted(order) else logits[:, [order.index(place) for place in range(len(order))]]

    def decoder_readout(self, decoded: Tensor) -> Tensor:
        """See `TrainableNetwork`."""
        if any(self.on_branch) and not all(self.on_branch):
            raise UsageError(f"network '{self.name}': its heads look at two decoders; open one of them")
        return super().decoder_readout(decoded)
