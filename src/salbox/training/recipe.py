"""Recipes: everything that decides a training, as a small YAML file."""

from __future__ import annotations

import math
from collections.abc import Iterable
from importlib import resources
from typing import Annotated, Any, Literal, Self

import yaml
from pydantic import BaseModel, Field, ValidationError, field_validator, model_validator

from ..errors import UsageError, nearest, one_line
from ..formats.yaml_file import parse_keys, parse_value, read_keys
from ..losses import check_losses
from ..paths import user_path
from .augmentation import GRID, Augmentation
from .complaints import first_complaint
from .recipe_parts import Boundary, Count, Hint, NotNegative, Optimizer, Part, Positive, Schedule, Share

MAX_EPOCH_IMAGES = 500

Side = Annotated[int, Field(ge=32, le=4096)]
Size = tuple[Side, Side]


class Recipe(BaseModel):
    """A training.

    Attributes
    ----------
    student : str
        A network of `salbox.networks.trainable.factory`.
    encoder : str, optional
        Its encoder, if not its own choice.
    network : dict
        Further arguments of the student's class, as `context` of the box.
    size : (int, int)
        Height and width that pictures are brought to; "box" keeps their aspect at that area.
    sizes : list of (int, int)
        Heights and widths, multiples of 32 up to `size`: each batch is brought to one of them, drawn anew, cropped
        pictures too. Pictures are kept, validated and later looked at at `size`. Empty for that alone.
    epochs : int
    epoch_images : int or "all"
        Pictures an epoch draws, at most 500: the places in a training are counted in epochs, and few pictures keep
        them close together. Published schedules count epochs of "all".
    validate_every : int
        After how many epochs the student is measured on the validation part; it always is after the last.
    select : {"cc", "nll", "nss", "mae"}
        The figure on the validation part that keeps the best epoch; see `salbox.training.validation`.
    batch_size : int
        With 1 the batch norms stay as they are, in evaluation mode: the statistics of one picture are none.
    accumulate : int
        How many batches a step learns from: their gradients are averaged.
    freeze_encoder_epochs : float
        The encoder's weights stay as they are for these first epochs.
    cache_features : bool
        Of an encoder that is frozen in all epochs: its features of each picture are computed once and kept on disk,
        as float16, until the run is finished. The network has to split, see `networks.trainable.split`.
    freeze_encoder_norms : bool
        The encoder's batch norms keep the statistics that they came with.
    frozen_stride : int
        The layers that the encoder's features at this stride, and finer ones, depend on have a learning rate and a
        weight decay of 0; 0 for none.
    loss : dict
        Loss -> weight; see `salbox.losses.LOSSES`.
    temperature : float
        Of the loss "kl": the smoothing factor.
    boundary : Boundary
        Of the losses "boundary-dice" and "structure-polishing": how thick the boundaries are, over the training.
    side_weights : list of float
        What the loss of each side output counts beside the main ones', whose weight is 1; the loss is the sum. Empty
        for the mean over all outputs.
    hint : Hint
        Of teachers that run in the process: a feature to learn beside the map.
    flips : bool
        Whether pictures are mirrored at random, as far as their teachers' maps allow it.
    crop : float
        The share of each side that is looked at of a picture, at a random place; 1 for all of it.
    blur : float
        The largest standard deviation of a Gaussian that pictures are blurred by, in pixels of what the network sees;
        drawn evenly from 0 on for each picture. Its maps stay sharp.
    brightness : float
        By what share a picture is made darker or brighter at most, drawn evenly.
    patience : int, optional
        Epochs without a better one after which the training ends.
    precision : {"auto", "32", "bf16-mixed", "16-mixed"}
        "auto" is mixed precision on a GPU and single precision on a CPU.
    clip_gradient : float
        Largest norm of the gradient, 0 for any.
    max_minutes : float, optional
        Of training, where the command gives no time.
    """

    model_config = Part.model_config

    student: str = "box"
    encoder: str | None = None
    network: dict[str, Any] = {}
    size: Size = (192, 256)
    sizes: list[Size] = []
    epochs: Count = 32
    epoch_images: int | Literal["all"] = MAX_EPOCH_IMAGES
    validate_every: Count = 1
    select: Literal["cc", "nll", "nss", "mae"] = "cc"
    batch_size: Count = 16
    accumulate: Count = 1
    optimizer: Optimizer = Optimizer()
    schedule: Schedule = Schedule()
    freeze_encoder_epochs: NotNegative = 0.0
    cache_features: bool = False
    freeze_encoder_norms: bool = False
    frozen_stride: Literal[0, 2, 4, 8, 16, 32] = 0
    loss: dict[str, NotNegative] = {"cc": 1.0, "mse": 5.0}
    temperature: Positive = 1.0
    boundary: Boundary = Boundary()
    side_weights: list[NotNegative] = []
    hint: Hint = Hint()
    flips: bool = True
    crop: Annotated[float, Field(gt=0, le=1)] = 1.0
    blur: Annotated[float, Field(ge=0, le=100)] = 0.0
    brightness: Share = 0.0
    patience: Count | None = None
    precision: Literal["auto", "32", "bf16-mixed", "16-mixed"] = "auto"
    clip_gradient: NotNegative = 0.0
    max_minutes: Positive | None = None

    @field_validator("epoch_images", mode="before")
    @classmethod
    def _number_or_all(cls, images: Any) -> Any:
        if images != "all" and not (isinstance(images, int) and 1 <= images <= MAX_EPOCH_IMAGES):
            raise ValueError(f"epoch_images={images!r}: expected 1 to {MAX_EPOCH_IMAGES}, or all")
        return images

    @model_validator(mode="after")
    def _falls_after_the_warm_up(self) -> Self:
        if self.schedule.name == "warm-up-cosine" and self.schedule.warm_up_epochs >= self.epochs:
            raise ValueError(f"schedule.warm_up_epochs={self.schedule.warm_up_epochs:g}: expected less than epochs")
        return self

    @model_validator(mode="after")
    def _sizes_up_to_the_whole(self) -> Self:
        for height, width in self.sizes:
            if height % GRID or width % GRID:
                raise ValueError(f"sizes: {height}x{width}: expected multiples of {GRID}")
            if height > self.size[0] or width > self.size[1]:
                whole = "x".join(map(str, self.size))
                raise ValueError(f"sizes: {height}x{width} is larger than size, {whole}; change sizes too, [] for none")
        return self

    @model_validator(mode="after")
    def _features_that_stay(self) -> Self:
        if not self.cache_features:
            return self
        if self.freeze_encoder_epochs < self.epochs - 1e-9:
            frozen = f"freeze_encoder_epochs={self.freeze_encoder_epochs:g} of epochs={self.epochs}"
            raise ValueError(f"cache_features: the encoder learns ({frozen}): give cache_features=false, or freeze it")
        changed = next((key for key in ("sizes", "blur", "brightness") if getattr(self, key)), None)
        changed = "crop" if self.crop < 1 else changed
        if changed is not None:
            raise ValueError(f"cache_features: {changed} makes another picture of each: give cache_features=false")
        return self

    @field_validator("precision", mode="before")
    @classmethod
    def _as_text(cls, precision: Any) -> Any:
        return str(precision) if isinstance(precision, int) else precision

    @field_validator("loss")
    @classmethod
    def _known_losses(cls, loss: dict[str, float]) -> dict[str, float]:
        check_losses(loss)
        if "hint" in loss:
            raise ValueError("loss 'hint' has a key of its own: hint.weight")
        return loss

    def to_yaml(self) -> str:
        """Return the recipe as YAML, every value stated."""
        text: str = yaml.safe_dump(self.model_dump(mode="json"), sort_keys=False)
        return text

    @property
    def augmentation(self) -> Augmentation:
        """How pictures are varied."""
        return Augmentation(self.flips, self.crop, self.size, tuple(self.sizes), self.blur, self.brightness)

    def images(self, pictures: int) -> int:
        """Return how many pictures an epoch draws of so many."""
        return pictures if self.epoch_images == "all" else min(self.epoch_images, pictures)

    def compressed(self, share: float, pictures: int = MAX_EPOCH_IMAGES) -> Recipe:
        """Return a training of a share of this one's length, which may be above 1.

        Epochs, milestones, frozen epochs and those of a width of boundaries are scaled alike; epochs, whole ones, then
        draw so many fewer pictures that the length comes out. Of epochs that draw all of many pictures more and shorter
        ones are made.

        Parameters
        ----------
        share : float
        pictures : int
            How many there are to draw from.
        """
        drawn = self.images(pictures)
        most = min(drawn, MAX_EPOCH_IMAGES)
        wanted = self.epochs * share * (drawn / most)  # epochs of `most` pictures
        epochs = max(1, math.ceil(wanted - 1e-9))
        scale = epochs / self.epochs
        return self.model_copy(
            update={
                "epochs": epochs,
                "epoch_images": max(1, int(most * wanted / epochs)),
                "validate_every": self.validate_every * max(1, round(drawn / most)),
                "freeze_encoder_epochs": self.freeze_encoder_epochs * scale,
                "schedule": self.schedule.stretched(scale),
                "boundary": self.boundary.stretched(scale),
            }
        )


def recipe_names() -> list[str]:
    """Return the names of the recipes that come with salbox."""
    return sorted(file.name.removesuffix(".yaml") for file in _folder().iterdir() if file.name.endswith(".yaml"))


def read_recipe(name: str, settings: Iterable[str] = (), **changes: Any) -> Recipe:
    """Return a recipe.

    Parameters
    ----------
    name : str
        One of `recipe_names()`, or a YAML file.
    settings : texts
        "key=value", of parts "part.key=value"; the value is read as YAML.
    **changes
        Top-level keys with their values; None changes nothing.

    Raises
    ------
    UsageError
        For a recipe or key that does not exist (the nearest is proposed), or a value that does not fit.
    """
    values = _read(name)
    values.update({key: value for key, value in changes.items() if value is not None})
    for text in settings:
        _set(values, text)
    return check_recipe(values, name)


def check_recipe(values: Any, where: str) -> Recipe:
    """Return plain values as a recipe; `where` begins the message of a `UsageError`."""
    try:
        recipe: Recipe = Recipe.model_validate(values)
    except ValidationError as error:
        raise UsageError(f"recipe '{where}': {first_complaint(error, Recipe)}") from None
    return recipe


def _folder() -> resources.abc.Traversable:
    return resources.files("salbox").joinpath("training/recipes")


def _read(name: str) -> dict[str, Any]:
    if name in recipe_names():
        text = _folder().joinpath(f"{name}.yaml").read_text(encoding="utf-8")
    else:
        path = user_path(name)
        if not path.is_file():
            known = recipe_names()
            raise UsageError(f"no recipe '{name}'{nearest(name, known)} (a YAML file, or one of {', '.join(known)})")
        return read_keys(path)
    return parse_keys(text)


def _set(values: dict[str, Any], text: str) -> None:
    """Put "part.key=value" into nested dictionaries; what they know is checked later."""
    path, equals, value = text.partition("=")
    keys = [key.strip().replace("-", "_") for key in path.split(".")]
    if not equals or not all(keys):
        raise UsageError(f"--set {text}: expected KEY=VALUE, such as epochs=8 or optimizer.learning_rate=0.001")
    for key in keys[:-1]:
        part = values.setdefault(key, {})
        if not isinstance(part, dict):
            raise UsageError(f"--set {text}: '{key}' has no parts")
        values[key] = part = dict(part)
        values = part
    try:
        values[keys[-1]] = parse_value(value)
    except ValueError as error:
        raise UsageError(f"--set {one_line(text, 80)}: {error}") from None
