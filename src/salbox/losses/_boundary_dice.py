"""Dice of two objects' boundaries, thick or thin."""

from __future__ import annotations

import torch
from torch import Tensor

from ._dice import dice_distances
from ._maps import existing, mean_of_valid
from ._square_maximum import square_maximum

THIN = 3  # pixels: the side of the square that maps are dilated and eroded by


def boundary_dice(logits: Tensor, target: Tensor, valid: Tensor, *, boundary_width: int = 1) -> Tensor:
    """Return the mean Dice distance of boundaries, dilation - erosion of each map, max-pooled: a scalar in 0..1.

    s and t of the formula of `dice` are the boundaries of the map and of its target: what a map is dilated by a square
    of 3x3 pixels, less what it is eroded by it, and of that the maximum over a square around each pixel. The wider
    that is, the less a boundary that is a little off costs.

    Parameters
    ----------
    logits : (N, K, h, w) float
    target : (N, K, h, w) float
        In 0..1.
    valid : (N, K) bool
        Which targets exist.
    boundary_width : int
        Pixels of the maps at hand, odd: the side of the square of the maximum; 1 leaves boundaries as thin as they are.

    Raises
    ------
    UsageError
        If logits and target differ in shape.

    References
    ----------
    Zhang, Liang, Shi: KD-SCFNet: towards more accurate and efficient salient object detection via knowledge
    distillation. ECCV 2022, equations 2 to 4.

    Examples
    --------
    Of the object, the last of six pixels in a row, the boundary is the last two; of a map of 1/2 everywhere there is
    none: 1 - 1 / (1 + 2).

    >>> import torch
    >>> from salbox.losses import boundary_dice
    >>> target, valid = torch.tensor([[[[0.0, 0.0, 0.0, 0.0, 0.0, 1.0]]]]), torch.tensor([[True]])
    >>> round(boundary_dice(torch.zeros(1, 1, 1, 6), target, valid).item(), 3)
    0.667
    """
    mapped = boundaries(torch.sigmoid(logits), boundary_width)
    wanted = boundaries(existing(target, valid, logits), boundary_width)
    return mean_of_valid(dice_distances(mapped, wanted), valid)


def boundaries(maps: Tensor, width: int = 1) -> Tensor:
    """Return the boundaries of maps: (N, K, h, w), at least 0; see `boundary_dice`.

    Pixels beyond the edge of the picture count for nothing: an object that the edge cuts has no boundary there.

    Parameters
    ----------
    maps : (N, K, h, w) float
    width : int
        Pixels, odd.

    Examples
    --------
    >>> import torch
    >>> from salbox.losses import boundaries
    >>> row = torch.tensor([[[[0.0, 0.0, 0.0, 0.0, 1.0, 1.0]]]])
    >>> boundaries(row).flatten().tolist(), boundaries(row, 3).flatten().tolist()
    ([0.0, 0.0, 0.0, 1.0, 1.0, 0.0], [0.0, 0.0, 1.0, 1.0, 1.0, 1.0])
    """
    # Minus the maximum of -x is the minimum of x, the erosion.
    return square_maximum(square_maximum(maps, THIN) + square_maximum(-maps, THIN), width)
