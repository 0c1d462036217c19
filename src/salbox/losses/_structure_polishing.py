"""Structure polishing: Dice of the object and of its boundary."""

from __future__ import annotations

from torch import Tensor

from ._boundary_dice import boundary_dice
from ._dice import dice


def structure_polishing(logits: Tensor, target: Tensor, valid: Tensor, *, boundary_width: int = 1) -> Tensor:
    """Return `dice` + `boundary_dice`: a scalar in 0..2.

    The paper's weight λ of the second is 1. For another name the two: ``{dice: 1, boundary-dice: 0.5}``.

    Parameters
    ----------
    logits : (N, K, h, w) float
    target : (N, K, h, w) float
        In 0..1.
    valid : (N, K) bool
        Which targets exist.
    boundary_width : int
        Of `boundary_dice`.

    Raises
    ------
    UsageError
        If logits and target differ in shape.

    References
    ----------
    Zhang, Liang, Shi: KD-SCFNet: towards more accurate and efficient salient object detection via knowledge
    distillation. ECCV 2022, equation 5.

    Examples
    --------
    The first half of the row is the object, the map 1/2 everywhere and so without a boundary: 1 - (1 + 2) / (1 + 4) and
    1 - 1 / (1 + 2).

    >>> import torch
    >>> from salbox.losses import structure_polishing
    >>> target, valid = torch.tensor([[[[1.0, 1.0, 0.0, 0.0]]]]), torch.tensor([[True]])
    >>> round(structure_polishing(torch.zeros(1, 1, 1, 4), target, valid).item(), 3)
    1.067
    """
    return dice(logits, target, valid) + boundary_dice(logits, target, valid, boundary_width=boundary_width)
