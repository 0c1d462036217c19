"""The losses by name, one line each; none needs PyTorch.

To add one write its file, `_NAME.py`, and its line here; a dash in its name is an underscore in the file's and the
function's.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from types import MappingProxyType

from ..errors import UsageError, nearest
from ..types import Output
from .loss import ANY, Loss, Truth

_PIXELWISE: tuple[Output, ...] = ("score", "probability")
_MAPS: tuple[Truth, ...] = ("teacher", "density")
_OBJECTS: tuple[Truth, ...] = (*_MAPS, "mask")


def _loss(name: str, needs: tuple[Truth, ...], accepts: tuple[Output, ...], *parameters: str) -> Loss:
    written = name.replace("-", "_")
    return Loss(name, needs, accepts, parameters, f"salbox.losses._{written}:{written}")


LOSSES: Mapping[str, Loss] = MappingProxyType(
    {
        loss.name: loss
        for loss in (
            _loss("bce", _OBJECTS, _PIXELWISE),
            _loss("kl", _MAPS, ANY, "temperature", "output"),
            _loss("cc", _MAPS, ANY, "output"),
            _loss("mse", _OBJECTS, ANY, "output"),
            _loss("nss", ("fixations",), ANY, "output"),
            _loss("sim", _MAPS, ANY, "output"),
            _loss("nll", ("fixations",), ("log_density",)),
            _loss("tv", _MAPS, ANY, "output"),
            _loss("dice", _OBJECTS, _PIXELWISE),
            _loss("boundary-dice", _OBJECTS, _PIXELWISE, "boundary_width"),
            _loss("structure-polishing", _OBJECTS, _PIXELWISE, "boundary_width"),
            _loss("soft-iou", _OBJECTS, _PIXELWISE),
            _loss("hint", ("features",), ANY),
        )
    }
)


def check_losses(
    weights: Mapping[str, float], *, output: Output | str | None = None, given: Collection[Truth] | None = None
) -> None:
    """Raise UsageError unless a weighted sum of losses can be computed.

    Parameters
    ----------
    weights : mapping
        Name in `LOSSES` -> weight. One of 0 takes its loss out.
    output : {"score", "log_density", "probability"}, optional
        What the network gives, where that is known.
    given : names, optional
        What there is to compare with, where that is known.

    Raises
    ------
    UsageError
        For a loss that does not exist (the nearest is proposed), is not for this output or needs something else, or if
        no weight is above 0.

    Examples
    --------
    >>> from salbox.losses import check_losses
    >>> check_losses({"kl": 1, "nss": 0.1}, output="score", given=("density", "fixations"))
    >>> check_losses({"nss": 1}, given=("teacher",))
    Traceback (most recent call last):
        ...
    salbox.errors.UsageError: loss 'nss' needs fixations; there is only teacher
    """
    for name in weights:
        if name not in LOSSES:
            raise UsageError(f"no loss '{name}'{nearest(name, LOSSES)} (losses: {', '.join(LOSSES)})")
    if not any(weight > 0 for weight in weights.values()):
        raise UsageError("no loss has a weight above 0")
    for loss in (LOSSES[name] for name, weight in weights.items() if weight):
        if output is not None and output not in loss.accepts:
            others = [n for n, other in LOSSES.items() if output in other.accepts and set(loss.needs) & {*other.needs}]
            kinds = " or a ".join(loss.accepts)
            use = f"; use {', '.join(others)}" if others else ""
            raise UsageError(f"loss '{loss.name}' is for networks that give a {kinds}, not a {output}{use}")
        if given is not None:
            loss.choose(given)
