"""The parts of a recipe: what changes the weights, how fast over the training, what is learned from."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, field_validator

Positive = Annotated[float, Field(gt=0, allow_inf_nan=False)]
NotNegative = Annotated[float, Field(ge=0, allow_inf_nan=False)]
Share = Annotated[float, Field(ge=0, lt=1)]
Count = Annotated[int, Field(ge=1)]

ROUNDING = 1e-9  # epochs: a place that rounding left just before a milestone has reached it


class Part(BaseModel):
    """Keys with values: no key but those that are known, and none that changes."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Multipliers(Part):
    """What the parameters of a prefix multiply the learning rate and the weight decay by; 1 changes nothing."""

    rate: NotNegative = 1.0
    decay: NotNegative = 1.0


class Optimizer(Part):
    """How weights are changed.

    Attributes
    ----------
    name : {"adam", "adamw", "sgd", "rmsprop"}
    learning_rate : float
        The highest of the schedule.
    momentum : float
        Of "sgd".
    smoothing : float
        Of "rmsprop": the share of the mean of squares that a step leaves; .9 in Keras, where PyTorch has .99.
    encoder_factor : float
        The encoder's learning rate over the decoder's.
    prefixes : dict
        Beginning of parameters' names -> their multipliers, as ``{"encoder.": {"rate": 0.1, "decay": 0}}``. The longest
        that fits a parameter counts, on top of `encoder_factor`.
    """

    name: Literal["adam", "adamw", "sgd", "rmsprop"] = "adamw"
    learning_rate: Positive = 1e-3
    weight_decay: NotNegative = 0.0
    momentum: Share = 0.9
    smoothing: Share = 0.9
    encoder_factor: Positive = 1.0
    prefixes: dict[str, Multipliers] = {}


class Schedule(Part):
    """How the learning rate goes over a training.

    Attributes
    ----------
    name : {"constant", "step", "exponential", "one-cycle", "warm-up-cosine"}
    milestones : list of float
        Of "step": the epochs that are over when the rate is multiplied by `factor`; once for each time it is listed.
    every : float
        Of "exponential": after how many epochs, each time, the rate is multiplied by `factor`.
    every_steps : int, optional
        The same in steps of the optimizer, of which an epoch has as many as its pictures make; it goes before `every`.
    warm_up : float
        Of "one-cycle": the share of the training in which the rate rises.
    warm_up_epochs : float
        Of "warm-up-cosine": the epochs in which the rate rises in a straight line, before it falls as a half cosine.
    start : float
        Of "warm-up-cosine": the rate at first, as a share of the highest.
    floor : float
        The lowest that the rate falls to, as a share of the highest.
    """

    name: Literal["constant", "step", "exponential", "one-cycle", "warm-up-cosine"] = "constant"
    milestones: list[Positive] = []
    factor: Positive = 0.1
    every: Positive = 1.0
    every_steps: Count | None = None
    warm_up: Annotated[float, Field(gt=0, lt=1)] = 0.3
    warm_up_epochs: NotNegative = 0.0
    start: Share = 0.01
    floor: Share = 0.0

    def in_epochs(self, steps: float) -> Schedule:
        """Return the schedule with what it counts in steps counted in epochs, of so many steps each."""
        if self.every_steps is None:
            return self
        return self.model_copy(update={"every": self.every_steps / steps, "every_steps": None})

    def stretched(self, scale: float) -> Schedule:
        """Return the schedule with all that it counts in epochs so many times as long."""
        return self.model_copy(
            update={
                "milestones": [milestone * scale for milestone in self.milestones],
                "every": self.every * scale,
                "warm_up_epochs": self.warm_up_epochs * scale,
            }
        )


class Boundary(Part):
    """How thick the boundaries are that "boundary-dice" and "structure-polishing" compare, over a training.

    Attributes
    ----------
    widths : list of int
        One after the other, in pixels of the network's map, odd; the last one stays. One alone is that throughout.
    every : float
        After how many epochs comes the next.
    """

    widths: Annotated[list[Annotated[int, Field(ge=1, le=255)]], Field(min_length=1)] = [13, 11, 9, 7, 5, 3, 1]
    every: Positive = 10.0

    @field_validator("widths")
    @classmethod
    def _odd(cls, widths: list[int]) -> list[int]:
        if even := [width for width in widths if width % 2 == 0]:
            raise ValueError(f"boundary.widths: {even[0]}: expected odd numbers of pixels")
        return widths

    def width(self, epochs_done: float) -> int:
        """Return the width after a number of epochs; fractions count."""
        return self.widths[min(int(epochs_done / self.every + ROUNDING), len(self.widths) - 1)]

    def stretched(self, scale: float) -> Boundary:
        """Return the same with all that is counted in epochs so many times as long."""
        return self.model_copy(update={"every": self.every * scale})


class Hint(Part):
    """Which feature of the student learns to predict which of the teacher's, and the weight of that in the loss.

    `student` and `teacher` are names in their `features`; None is the last. A weight of 0 is no hint.
    """

    weight: NotNegative = 0.0
    student: str | None = None
    teacher: str | None = None
