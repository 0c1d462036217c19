"""Learning rates as functions of how far a training is: nothing to keep in a checkpoint, any length to compress to."""

from __future__ import annotations

import math

from .recipe import Recipe

# One-cycle begins at 1/25 of the highest rate and ends at 1e-4 of that, as in PyTorch; the momentum is left alone.
FIRST, LAST = 1 / 25, 1e-4 / 25


def rate(recipe: Recipe, epochs_done: float) -> float:
    """Return the learning rate over the recipe's own after a number of epochs (fractions count): 0..1.

    References
    ----------
    Smith, Topin: Super-convergence: very fast training of neural networks using large learning rates, 2018, section 4
    ("one-cycle"), with half cosines for its straight lines.
    """
    schedule = recipe.schedule
    if schedule.name == "constant":
        return 1.0
    if schedule.name == "step":
        return math.prod(schedule.factor for milestone in schedule.milestones if epochs_done >= milestone - 1e-9)
    share = min(1.0, epochs_done / recipe.epochs)
    if share < schedule.warm_up:
        return _half_cosine(FIRST, 1.0, share / schedule.warm_up)
    return _half_cosine(1.0, LAST, (share - schedule.warm_up) / (1 - schedule.warm_up))


def _half_cosine(start: float, end: float, share: float) -> float:
    return end + (start - end) * (1 + math.cos(math.pi * share)) / 2
