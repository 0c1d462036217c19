"""A trained box made into another one: its encoder cut short, a second look at details or a branch added."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor

from ...errors import UsageError
from ..encoders import STRIDES
from .box import Box
from .branched_box import BranchedBox
from .reload import HEADS

_OF_BRANCH = ("branch", "rows", "leaves", "branch_decoder", "branch_width", "branch_head_width")


def can_become(key: str, own: Any, wanted: Any) -> bool:
    """Return whether a trained box with a setting can be made into one of another: of `deepest` and `detail`."""
    if key == "detail":
        return not own and bool(wanted)
    return key == "deepest" and wanted in STRIDES and wanted < own


def regrown(trained: Box, changes: Mapping[str, Any]) -> Box:
    """Return a box that begins where a trained one ended.

    Layers of strides that both look at keep their weights. Where details are new, its maps are those of the trained
    one, at first; what an encoder that ends earlier does not see any more, the decoder has to learn to do without.

    Parameters
    ----------
    trained : Box
        It is left as it is.
    changes : mapping
        Settings of `Box` that `can_become` allows.
    """
    arguments = {**trained.arguments, "size": tuple(trained.arguments["size"]), **changes}
    grown = type(trained)(trained.heads, **arguments)
    grown.output = trained.output
    before = trained.state_dict()
    moved = {
        f"{kind}.{grown.levels.index(level)}.": f"{kind}.{trained.levels.index(level)}."
        for kind in ("lateral", "context", "mix")
        for level in grown.levels
    }
    weights = {}
    for name in grown.state_dict():
        place = next((place for place in moved if name.startswith(place)), "")
        source = moved.get(place, "") + name.removeprefix(place)
        if source in before:
            weights[name] = before[source]
    grown.load_state_dict(weights, strict=False)
    return grown.train(trained.training)


def with_branch(trained: Box, branch: BranchedBox) -> BranchedBox:
    """Return a box with the heads of another one's branch behind its own; its own maps stay as they are.

    Parameters
    ----------
    trained : Box
        It is left as it is. A branch that it has already gives way.
    branch : BranchedBox
        All its heads look at its branch, which learned on the trunk of `trained`.

    Raises
    ------
    UsageError
        If the branch continues another trunk, or both have a head of the same name.
    """
    if isinstance(trained, BranchedBox):
        kept = [head for head in trained.heads if head not in trained.arguments["branch"]]
    else:
        kept = list(trained.heads)
    if taken := [head for head in branch.heads if head in kept]:
        raise UsageError(f"the box has a head '{taken[0]}' already (it has {', '.join(kept)})")
    before, new = trained.state_dict(), branch.state_dict()
    encoder = {name: values for name, values in new.items() if name.startswith("encoder.")}
    if not all(name in before and _is_same(before[name], values) for name, values in encoder.items()):
        raise UsageError("the branch was trained on another trunk than the box has")
    arguments = {**trained.arguments, **{key: branch.arguments[key] for key in _OF_BRANCH}}
    grown = BranchedBox([*kept, *branch.heads], **{**arguments, "size": tuple(arguments["size"])})
    grown.output = trained.output
    weights = {name: values for name, values in before.items() if not name.startswith(("branch.", HEADS))}
    weights |= {name: values for name, values in new.items() if name.startswith("branch.")}
    for network, heads in ((trained, kept), (branch, branch.heads)):
        for head in heads:
            own = network.head_layers[network.heads.index(head)].state_dict()
            weights |= {f"{HEADS}{grown.heads.index(head)}.{name}": values for name, values in own.items()}
    grown.load_state_dict(weights)
    return grown.train(trained.training)


def _is_same(one: Tensor, other: Tensor) -> bool:
    """Return whether weights are the same but for what storing them in 8 bits again changes of float32's last digit."""
    return one.shape == other.shape and torch.allclose(one.float(), other.float(), rtol=1e-5, atol=1e-8)
