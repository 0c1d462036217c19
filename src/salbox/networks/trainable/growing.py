"""A trained box made into another one: its encoder cut short, or a second look at details added."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ..encoders import STRIDES
from .box import Box


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
