"""Mean squared difference of maps in 0..1."""

from __future__ import annotations

from torch import Tensor

from ._maps import Output, as_maps, existing, mean_of_valid


def mse(logits: Tensor, target: Tensor, valid: Tensor, *, output: Output = "score") -> Tensor:
    """Return the mean squared difference of the student's maps and its teachers': a scalar in 0..1.

    Parameters
    ----------
    logits : (N, K, h, w) float
    target : (N, K, h, w) float
        In 0..1.
    valid : (N, K) bool
        Which targets exist.
    output : {"score", "log_density"}
        What the student's logits are; a density is compared divided by its maximum.
    """
    return mean_of_valid((as_maps(logits, output) - existing(target, valid)).square().mean(dim=(2, 3)), valid)
