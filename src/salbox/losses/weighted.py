"""Weighted sums of losses."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import torch
from torch import Tensor

from ..types import Output
from .loss import Truth
from .table import LOSSES, check_losses


class WeightedLoss:
    """A weighted sum of losses.

    Parameters
    ----------
    weights : mapping
        Name in `LOSSES` -> weight, as ``{"cc": 1, "mse": 5}``.
    temperature : float
        Of "kl".
    boundary_width : int
        Of "boundary-dice" and "structure-polishing", in pixels.
    output : {"score", "log_density", "probability"}
        What the network's logits are.
    given : names
        What there is to compare with; see `salbox.losses.Truth`.

    Raises
    ------
    UsageError
        For a loss that does not exist (the nearest is proposed), does not go with the output or needs something else,
        or if no weight is above 0.

    Examples
    --------
    A constant map has a CC of 0 and a squared difference of 1/4 here: 1 (1 - 0) + 4 / 4.

    >>> import torch
    >>> from salbox.losses import WeightedLoss
    >>> target, valid = torch.tensor([[[[0.0, 1.0]]]]), torch.tensor([[True]])
    >>> round(WeightedLoss({"cc": 1, "mse": 4})(torch.zeros(1, 1, 1, 2), target, valid).item(), 3)
    2.0

    A density and fixations; the map is constant, so its NSS is 0:

    >>> loss = WeightedLoss({"kl": 1, "nss": 0.1}, given=("density", "fixations"))
    >>> round(loss(torch.zeros(1, 1, 1, 2), {"density": target, "fixations": 3 * target}, valid).item(), 3)
    0.693
    """

    def __init__(
        self,
        weights: Mapping[str, float],
        *,
        temperature: float = 1.0,
        boundary_width: int = 1,
        output: Output | str = "score",
        given: Sequence[Truth] = ("teacher",),
    ) -> None:
        check_losses(weights, output=output, given=given)
        self._first = given[0]
        settings = {"temperature": temperature, "boundary_width": boundary_width, "output": output}
        self._parts = [
            (weight, LOSSES[name].choose(given), LOSSES[name].bind(**settings))
            for name, weight in weights.items()
            if weight
        ]

    def __call__(self, logits: Tensor, truth: Tensor | Mapping[Truth, Tensor], valid: Tensor) -> Tensor:
        """Return the sum, a scalar.

        Parameters
        ----------
        logits : (N, K, h, w) float
            Of N pictures, one map for each of K heads.
        truth : (N, K, h, w) float, or mapping of these
            By name what was said to be given; a tensor is the first.
        valid : (N, K) bool
            Which of it exists; the rest counts for nothing.

        Raises
        ------
        UsageError
            If logits and truth differ in shape.
        """
        known = {self._first: truth} if isinstance(truth, Tensor) else truth
        terms = [weight * loss(logits, known[kind], valid) for weight, kind, loss in self._parts]
        return torch.stack(terms).sum()
