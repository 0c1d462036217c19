"""A recipe made as long as a time."""

from __future__ import annotations

from collections.abc import Callable

from ..system.progress import Progress
from .recipe import Recipe
from .run_folder import RunFolder
from .speed import Speed

_MARGIN = 0.95  # of the time; what measuring the speed misses takes the rest


def compress(recipe: Recipe, speed: Speed, pictures: int, validation: int, seconds: float) -> Recipe:
    """Return a recipe that trains for about so many seconds; so many pictures train and validate."""
    return recipe.compressed(speed.share(recipe, pictures, validation, _MARGIN * seconds), pictures)


def describe(before: Recipe, after: Recipe, speed: Speed) -> str:
    """Return in a line what compressing made of a schedule."""
    lines = [
        f"{1 / speed.image:.1f} pictures a second: {after.epochs} epochs of {after.epoch_images} pictures "
        f"(recipe: {before.epochs} of {before.epoch_images})"
    ]
    if after.schedule.name == "step":
        lines.append(f"milestones {', '.join(f'{m:.3g}' for m in after.schedule.milestones)}")
    if after.freeze_encoder_epochs:
        lines.append(f"encoder frozen for {after.freeze_encoder_epochs:.3g}")
    return "; ".join(lines)


def recipe_as_run(
    folder: RunFolder,
    recipe: Recipe,
    measure: Callable[[], Speed],
    pictures: int,
    validation: int,
    seconds: float | None,
    progress: Progress,
    note: str = "",
) -> Recipe:
    """Return a recipe as a run has it: as given, or compressed once; the run folder keeps it.

    Parameters
    ----------
    folder : RunFolder
    recipe : Recipe
    measure : callable
        Returns the speed, if it is asked for.
    pictures, validation : int
        How many train and validate.
    seconds : float, optional
        What to compress it to.
    progress : Progress
    note : str
        What the recipe's file says in its first line beside the recipe.
    """
    if folder.recipe is not None:
        return folder.recipe
    whole = recipe
    if seconds is not None:
        speed = measure()
        recipe = compress(whole, speed, pictures, validation, seconds)
        progress.say(describe(whole, recipe, speed))
    folder.note_recipe(recipe, note)
    return recipe
