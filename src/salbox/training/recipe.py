"""Recipes: everything that decides a training, as a small YAML file."""

from __future__ import annotations

import math
import typing
from collections.abc import Iterable
from importlib import resources
from pathlib import Path
from typing import Annotated, Any, Literal

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator

from ..errors import UsageError, nearest, one_line

MAX_EPOCH_IMAGES = 500
_MAX_BYTES = 1_000_000

Positive = Annotated[float, Field(gt=0, allow_inf_nan=False)]
NotNegative = Annotated[float, Field(ge=0, allow_inf_nan=False)]
Count = Annotated[int, Field(ge=1)]


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Optimizer(_Part):
    """How weights are changed.

    Attributes
    ----------
    name : {"adam", "adamw", "sgd"}
    learning_rate : float
        The highest of the schedule.
    encoder_factor : float
        The encoder's learning rate over the decoder's.
    """

    name: Literal["adam", "adamw", "sgd"] = "adamw"
    learning_rate: Positive = 1e-3
    weight_decay: NotNegative = 0.0
    momentum: Annotated[float, Field(ge=0, lt=1)] = 0.9
    encoder_factor: Positive = 1.0


class Schedule(_Part):
    """How the learning rate goes over a training.

    Attributes
    ----------
    name : {"constant", "step", "one-cycle"}
    milestones : list of float
        Of "step": the epochs that are over when the rate is multiplied by `factor`.
    warm_up : float
        Of "one-cycle": the share of the training in which the rate rises.
    """

    name: Literal["constant", "step", "one-cycle"] = "constant"
    milestones: list[Positive] = []
    factor: Positive = 0.1
    warm_up: Annotated[float, Field(gt=0, lt=1)] = 0.3


class Hint(_Part):
    """Which feature of the student learns to predict which of the teacher's, and the weight of that in the loss.

    `student` and `teacher` are names in their `features`; None is the last. A weight of 0 is no hint.
    """

    weight: NotNegative = 0.0
    student: str | None = None
    teacher: str | None = None


class Recipe(_Part):
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
    epochs : int
    epoch_images : int
        Pictures an epoch draws, at most 500: the places in a training are counted in epochs, and few pictures keep
        them close together.
    validate_every : int
        After how many epochs the student is measured on the validation part; it always is after the last.
    freeze_encoder_epochs : float
        The encoder's weights stay as they are for these first epochs.
    loss : dict
        Loss -> weight; see `salbox.losses`.
    temperature : float
        Of the loss "kl": the smoothing factor.
    hint : Hint
        Of teachers that run in the process: a feature to learn beside the map.
    flips : bool
        Whether pictures are mirrored at random, as far as their teachers' maps allow it.
    precision : {"auto", "32", "bf16-mixed", "16-mixed"}
        "auto" is mixed precision on a GPU and single precision on a CPU.
    clip_gradient : float
        Largest norm of the gradient, 0 for any.
    """

    student: str = "box"
    encoder: str | None = None
    network: dict[str, Any] = {}
    size: tuple[Annotated[int, Field(ge=32, le=4096)], Annotated[int, Field(ge=32, le=4096)]] = (192, 256)
    epochs: Count = 32
    epoch_images: Annotated[int, Field(ge=1, le=MAX_EPOCH_IMAGES)] = MAX_EPOCH_IMAGES
    validate_every: Count = 1
    batch_size: Annotated[int, Field(ge=2)] = 16  # batch norm needs several
    optimizer: Optimizer = Optimizer()
    schedule: Schedule = Schedule()
    freeze_encoder_epochs: NotNegative = 0.0
    loss: dict[str, NotNegative] = {"cc": 1.0, "mse": 5.0}
    temperature: Positive = 1.0
    hint: Hint = Hint()
    flips: bool = True
    precision: Literal["auto", "32", "bf16-mixed", "16-mixed"] = "auto"
    clip_gradient: NotNegative = 0.0

    @field_validator("precision", mode="before")
    @classmethod
    def _as_text(cls, precision: Any) -> Any:
        return str(precision) if isinstance(precision, int) else precision

    @field_validator("loss")
    @classmethod
    def _known_losses(cls, loss: dict[str, float]) -> dict[str, float]:
        known = ("bce", "kl", "cc", "mse")  # of salbox.losses, which needs PyTorch
        for name in loss:
            if name not in known:
                raise ValueError(f"no loss '{name}'{nearest(name, known)} (losses: {', '.join(known)})")
        if not any(loss.values()):
            raise ValueError("no loss has a weight above 0")
        return loss

    def to_yaml(self) -> str:
        """Return the recipe as YAML, every value stated."""
        text: str = yaml.safe_dump(self.model_dump(mode="json"), sort_keys=False)
        return text

    def compressed(self, share: float, pictures: int = MAX_EPOCH_IMAGES) -> Recipe:
        """Return a training of a share of this one's length, which may be above 1.

        Epochs, milestones and frozen epochs are scaled alike; epochs, whole ones, then draw so many fewer pictures that
        the length comes out.

        Parameters
        ----------
        share : float
        pictures : int
            How many there are to draw from.
        """
        wanted = self.epochs * share
        epochs = max(1, math.ceil(wanted - 1e-9))
        scale = epochs / self.epochs
        images = int(min(self.epoch_images, pictures) * wanted / epochs)
        schedule = self.schedule.model_copy(update={"milestones": [m * scale for m in self.schedule.milestones]})
        return self.model_copy(
            update={
                "epochs": epochs,
                "epoch_images": max(1, images),
                "freeze_encoder_epochs": self.freeze_encoder_epochs * scale,
                "schedule": schedule,
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
        raise UsageError(f"recipe '{where}': {_first(error)}") from None
    return recipe


def _folder() -> resources.abc.Traversable:
    return resources.files("salbox").joinpath("training/recipes")


def _read(name: str) -> dict[str, Any]:
    if name in recipe_names():
        text = _folder().joinpath(f"{name}.yaml").read_text(encoding="utf-8")
    else:
        path = Path(name).expanduser()
        if not path.is_file():
            known = recipe_names()
            raise UsageError(f"no recipe '{name}'{nearest(name, known)} (a YAML file, or one of {', '.join(known)})")
        try:
            if path.stat().st_size > _MAX_BYTES:
                raise UsageError(f"{path}: too large for a recipe")
            text = path.read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError) as error:
            raise UsageError(f"{path}: cannot be read ({one_line(error)})") from None
    values = _parse(text, name)
    if not isinstance(values, dict) or not all(isinstance(key, str) for key in values):
        raise UsageError(f"recipe '{name}': expected keys with values, one a line")
    return values


def _parse(text: str, where: str) -> Any:
    try:
        return yaml.safe_load(text)
    except (yaml.YAMLError, RecursionError, ValueError) as error:
        raise UsageError(f"recipe '{where}': not YAML ({one_line(error)})") from None


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
    values[keys[-1]] = _parse(value, f"--set {text}")


def _first(error: ValidationError) -> str:
    """Return the first complaint in one line; of an unknown key with the nearest one."""
    problem = error.errors(include_url=False, include_context=False)[0]
    keys = [str(key) for key in problem["loc"]]
    where = ".".join(keys)
    if problem["type"] == "extra_forbidden":
        known = _keys(keys[:-1])
        return f"no key '{where}'{nearest(keys[-1], known)} (keys: {', '.join(known)})"
    message = " ".join(problem["msg"].removeprefix("Value error, ").split())
    if problem["type"] == "value_error":
        return message
    return f"{where}={problem['input']!r}: {message[:1].lower()}{message[1:]}"


def _keys(path: list[str]) -> list[str]:
    part: type[BaseModel] = Recipe
    for key in path:
        part = typing.get_type_hints(part)[key]
    return list(part.model_fields)
