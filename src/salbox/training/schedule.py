"""Learning rates as functions of how far a training is: nothing to keep in a checkpoint, any length to compress to."""

from __future__ import annotations

import math

from .recipe import Recipe
from .recipe_parts import ROUNDING

# One-cycle begins at 1/25 of the highest rate and ends at 1e-4 of that, as in PyTorch; the momentum is left alone.
FIRST, LAST = 1 / 25, 1e-4 / 25


def rate(recipe: Recipe, epochs_done: float) -> float:
    """Return the learning rate over the recipe's own after a number of epochs (fractions count): 0..1.

    References
    ----------
    Smith, Topin: Super-convergence: very fast training of neural networks using large learning rates, 2018, section 4
    ("one-cycle"), with half cosines for its straight lines.

    Loshchilov, Hutter: SGDR: stochastic gradient descent with warm restarts, 2017, equation 5, without restarts
    ("warm-up-cosine"), after the linear warm-up of Goyal et al.: Accurate, large minibatch SGD, 2017, section 2.2.
    """
    schedule = recipe.schedule
    share = min(1.0, epochs_done / recipe.epochs)
    match schedule.name:
        case "constant":
            return 1.0
        case "step":
            falls = (schedule.factor for milestone in schedule.milestones if epochs_done >= milestone - ROUNDING)
            return max(schedule.floor, math.prod(falls))
        case "exponential":
            return max(schedule.floor, schedule.factor ** math.floor(epochs_done / schedule.every + ROUNDING))
        case "one-cycle":
            return _two_arcs(FIRST, max(LAST, schedule.floor), share, schedule.warm_up)
        case "warm-up-cosine":
            if epochs_done < schedule.warm_up_epochs:
                return schedule.start + (1 - schedule.start) * epochs_done / schedule.warm_up_epochs
            falling = recipe.epochs - schedule.warm_up_epochs
            return _half_cosine(1.0, schedule.floor, min(1.0, (epochs_done - schedule.warm_up_epochs) / falling))


def _two_arcs(first: float, last: float, share: float, top: float) -> float:
    """Return a curve from the first value to 1, at share `top`, and to the last."""
    if share < top:
        return _half_cosine(first, 1.0, share / top)
    return _half_cosine(1.0, last, (share - top) / (1 - top))


def _half_cosine(start: float, end: float, share: float) -> float:
    return end + (start - end) * (1 + math.cos(math.pi * share)) / 2
