"""Losses by name, and weighted sums of them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import cast

import torch
from torch import Tensor

from ..errors import UsageError, nearest
from ..types import Output
from .bce import bce
from .cc import cc
from .kl import kl
from .mse import mse

Loss = Callable[[Tensor, Tensor, Tensor], Tensor]


def _bce(temperature: float, output: Output) -> Loss:
    if output != "score":
        raise UsageError(f"loss 'bce' is for students that give a score, not a {output}; use kl, cc or mse")
    return bce


LOSSES: dict[str, Callable[[float, Output], Loss]] = {
    "bce": _bce,
    "kl": lambda temperature, output: partial(kl, temperature=temperature, output=output),
    "cc": lambda temperature, output: partial(cc, output=output),
    "mse": lambda temperature, output: partial(mse, output=output),
}


class WeightedLoss:
    """A weighted sum of losses.

    Parameters
    ----------
    weights : mapping
        Name in `LOSSES` -> weight, as ``{"cc": 1, "mse": 5}``.
    temperature : float
        Of "kl".
    output : {"score", "log_density"}
        What the student's logits are.

    Raises
    ------
    UsageError
        For a loss that does not exist (the nearest is proposed) or does not go with the output, or if no weight is
        above 0.

    Examples
    --------
    A constant map has a CC of 0 and a squared difference of 1/4 here: 1 (1 - 0) + 4 / 4.

    >>> import torch
    >>> from salbox.losses import WeightedLoss
    >>> target, valid = torch.tensor([[[[0.0, 1.0]]]]), torch.tensor([[True]])
    >>> round(WeightedLoss({"cc": 1, "mse": 4})(torch.zeros(1, 1, 1, 2), target, valid).item(), 3)
    2.0
    """

    def __init__(
        self, weights: Mapping[str, float], *, temperature: float = 1.0, output: Output | str = "score"
    ) -> None:
        for name in weights:
            if name not in LOSSES:
                raise UsageError(f"no loss '{name}'{nearest(name, LOSSES)} (losses: {', '.join(LOSSES)})")
        if not any(weight > 0 for weight in weights.values()):
            raise UsageError("the loss has no part with a weight above 0")
        kind = cast(Output, output)
        self._parts = {name: (weight, LOSSES[name](temperature, kind)) for name, weight in weights.items() if weight}

    def __call__(self, logits: Tensor, target: Tensor, valid: Tensor) -> Tensor:
        """Return the sum, a scalar; see `bce` for the parameters."""
        terms = [weight * loss(logits, target, valid) for weight, loss in self._parts.values()]
        return torch.stack(terms).sum()
