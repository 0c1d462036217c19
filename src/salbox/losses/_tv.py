"""Total variation distance of densities, the loss of DINet."""

from __future__ import annotations

from torch import Tensor

from ..types import Output
from ._sim import sim


def tv(logits: Tensor, target: Tensor, valid: Tensor, *, output: Output = "score") -> Tensor:
    """Return the mean of sum |s - t| / 2, s and t the maps divided by their sums: a scalar in 0..1.

    It is the same number as "sim", one minus what the densities share.

    Parameters
    ----------
    logits : (N, K, h, w) float
    target : (N, K, h, w) float
        Not negative, on any scale; a map that is 0 everywhere counts as uniform.
    valid : (N, K) bool
        Which targets exist.
    output : {"score", "log_density", "probability"}
        What the logits are.

    Raises
    ------
    UsageError
        If logits and target differ in shape.

    References
    ----------
    Yang, Lin, Jiang, Lin: A dilated inception network for visual saliency prediction. IEEE Transactions on Multimedia
    22, arXiv:1904.03571, 2019.

    Examples
    --------
    The map is even, the target one half of it: each of four pixels is off by 1/4.

    >>> import torch
    >>> from salbox.losses import tv
    >>> target, valid = torch.tensor([[[[0.0, 0.0, 1.0, 1.0]]]]), torch.tensor([[True]])
    >>> tv(torch.zeros(1, 1, 1, 4), target, valid).item()
    0.5
    """
    return sim(logits, target, valid, output=output)
