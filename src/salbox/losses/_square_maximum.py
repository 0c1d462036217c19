"""The maximum over a square around each pixel, many times faster on a processor than PyTorch's pooling.

A window of n pixels is covered by two of half its width, so that few comparisons of whole maps do for any width.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, cast

import torch
from torch import Tensor
from torch.nn import functional

ROWS, COLUMNS = -2, -1  # the dimensions that a maximum goes along


def square_maximum(maps: Tensor, side: int) -> Tensor:
    """Return the maximum over a square around each pixel, of the same shape; beyond the edge there is nothing.

    Of equal values the first one, in reading order along columns and then along rows, takes the gradient, as in
    `torch.nn.functional.max_pool2d`.

    Parameters
    ----------
    maps : (..., h, w) float
    side : int
        Pixels, odd.
    """
    if side == 1:
        return maps
    return _maximum(_maximum(maps, side, COLUMNS), side, ROWS)


def _maximum(maps: Tensor, side: int, dimension: int) -> Tensor:
    return cast(Tensor, _Maximum.apply(maps, side, dimension))


def _steps(side: int) -> Sequence[int]:
    """Return how far apart the windows are that each comparison makes a wider one of: of 13 pixels 1, 2, 4, 5."""
    steps, width = [], 1
    while width < side:
        steps.append(min(width, side - width))
        width += steps[-1]
    return steps


class _Maximum(torch.autograd.Function):
    """The maximum along one dimension; comparisons are kept for the gradient, which goes back the way it came."""

    @staticmethod
    def forward(ctx: Any, maps: Tensor, side: int, dimension: int) -> Tensor:
        ctx.dimension, ctx.steps = dimension, _steps(side)
        half = side // 2
        found = functional.pad(maps, (half, half) if dimension == COLUMNS else (0, 0, half, half), value=-torch.inf)
        comparisons = []
        for step in ctx.steps:
            count = found.shape[dimension] - step
            first, second = found.narrow(dimension, 0, count), found.narrow(dimension, step, count)
            if ctx.needs_input_grad[0]:
                comparisons.append(second > first)
            found = torch.maximum(first, second)
        ctx.save_for_backward(*comparisons)
        return found

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor, None, None]:
        (gradient,) = gradients
        length = gradient.shape[ctx.dimension]
        for step, is_second in zip(reversed(ctx.steps), reversed(ctx.saved_tensors), strict=True):
            shape, count = list(gradient.shape), gradient.shape[ctx.dimension]
            shape[ctx.dimension] += step
            of_second = gradient * is_second
            wider = gradient.new_zeros(shape)
            wider.narrow(ctx.dimension, 0, count).copy_(gradient).sub_(of_second)
            wider.narrow(ctx.dimension, step, count).add_(of_second)
            gradient = wider
        padding = (gradient.shape[ctx.dimension] - length) // 2
        return gradient.narrow(ctx.dimension, padding, length), None, None
