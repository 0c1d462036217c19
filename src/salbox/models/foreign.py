"""ONNX files of other programs: what the card beside a file says of how its network looks at an image."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from ..types import Output, Task
from .cards import NOT_STATED, License, ModelCard, Paper

Layout = Literal["NCHW", "NHWC"]
Channels = Literal["RGB", "BGR"]
Activation = Literal["none", "sigmoid", "min-max"]
Resampling = Literal["nearest", "box", "bilinear", "bicubic", "lanczos"]
Rule = Literal["stretch", "letterbox", "multiple", "native"]
Triple = tuple[float, float, float]


@dataclass(frozen=True)
class SizeRule:
    """The size at which a network looks at an image.

    Attributes
    ----------
    rule : {"stretch", "letterbox", "multiple", "native"}
        "stretch": `height` x `width`, whatever the image's shape; "letterbox": within `height` x `width`, in its own
        shape, with bars of grey `fill` around it; "multiple": its own size, with a longest side of at most `longest` if
        that is not 0, each side rounded to a multiple of `of`; "native": its own size.
    """

    rule: Rule
    height: int = 0
    width: int = 0
    of: int = 1
    longest: int = 0
    fill: int = 0

    def working_size(self, height: int, width: int) -> tuple[int, int]:
        """Return the (height, width) to which an image is brought, without the bars around it."""
        if self.rule == "stretch":
            return self.height, self.width
        if self.rule == "letterbox":
            scale = min(self.height / height, self.width / width)
        else:
            scale = min(1.0, self.longest / max(height, width)) if self.longest else 1.0
        sides = (int(side * scale / self.of + 0.5) * self.of for side in (height, width))
        return max(self.of, next(sides)), max(self.of, next(sides))

    def describe(self) -> str:
        """Return the rule in words, for the limits of a card."""
        pixels = f"{self.height}x{self.width} pixels (height and width)"
        if self.rule == "stretch":
            return f"Sees every image at {pixels}, whatever its shape."
        if self.rule == "letterbox":
            return f"Sees every image within {pixels}, with bars around it."
        if self.rule == "multiple":
            most = f", at most {self.longest} pixels long" if self.longest else ""
            return f"Sees an image at its own size{most}, sides rounded to multiples of {self.of}."
        return "Sees an image at its own size."


@dataclass(frozen=True)
class ForeignCard:
    """What the card beside a file says.

    Attributes
    ----------
    task, output
        As of a `ModelCard`.
    input_name, output_name : str
        Of the graph; empty for the only one.
    layout, channels
        Of the input.
    range : (low, high) or None
        What 0 and 255 become, before the mean is taken off; None: pixels are divided by the image's largest.
    mean, std : three numbers each
        In the order in which the network takes the channels.
    size : SizeRule or None
        None: the size that the file states.
    resize : str
        How an image is brought to that size: Pillow's name of it.
    activation : {"none", "sigmoid", "min-max"}
        What is done to the network's numbers.
    """

    task: Task
    output: Output
    input_name: str = ""
    output_name: str = ""
    layout: Layout = "NCHW"
    channels: Channels = "RGB"
    range: tuple[float, float] | None = (0.0, 1.0)
    mean: Triple = (0.0, 0.0, 0.0)
    std: Triple = (1.0, 1.0, 1.0)
    size: SizeRule | None = None
    resize: Resampling = "bilinear"
    activation: Activation = "none"
    title: str = ""
    summary: str = ""
    licence: str = NOT_STATED
    training_data: str = NOT_STATED
    paper: Paper | None = None

    def model_card(self, name: str, model: Path, card: Path) -> ModelCard:
        """Return the card of the model that a file is.

        Parameters
        ----------
        name : str
            What outputs are called.
        model, card : path
            The .onnx file, and the card beside it.
        """
        return ModelCard(
            name=name,
            title=self.title or name,
            task=self.task,
            output=self.output,
            summary=self.summary or "A network that another program wrote.",
            paper=self.paper,
            origin=f"another program's file ({model.name}), run as {card.name} says",
            license=License(code=NOT_STATED, weights=self.licence, training_data=self.training_data),
            size=f"{model.stat().st_size / 1e6:.3g} MB",
            agreement=NOT_STATED,
            limits=(self.size.describe() if self.size else "Sees every image at the size that its file states.",),
        )
