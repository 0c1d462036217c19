"""A pysaliency model as a row of an evaluation."""

from __future__ import annotations

import pickle
import secrets
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

from ..errors import UsageError
from ..evaluation.code import code_fingerprint
from ..evaluation.sources import MapScorer, Scorer
from ..evaluation.truth import ImageTruth
from ..types import Output
from .data import stimulus_names
from .models import map_of, output_of


@dataclass(frozen=True)
class PysaliencySource:
    """A pysaliency model, run on each image; give it to `salbox.evaluate` among the sources.

    Attributes
    ----------
    name : str
        What the row is called.
    model : pysaliency.SaliencyMapModel or pysaliency.Model
    stimuli : pysaliency.Stimuli, optional
        What the model is asked about, image by image, by name: for models that look their maps up by the stimulus.
        By default the model gets the image's pixels.
    version : str
        Says which model it is beyond its name: figures kept under one name and version are taken up again. By default
        something new each time, so that figures of another model are never taken for this one's.

    Raises
    ------
    UsageError
        If the model is of another kind.
    """

    name: str
    model: Any
    stimuli: Any = None
    version: str = field(default_factory=lambda: secrets.token_hex(8))

    def __post_init__(self) -> None:
        output_of(self.model, self.name)

    @property
    def output(self) -> Output:
        """What the numbers of its maps are: "log_density" of a `Model`, "score" of a `SaliencyMapModel`."""
        return output_of(self.model, self.name)

    def settings(self) -> dict[str, Any]:
        """Return the model's class and version."""
        return {
            "pysaliency": type(self.model).__name__,
            "parameters": {"version": self.version},
            "postprocess": {},
            "code": code_fingerprint(None),
        }

    def covers(self, index: int) -> bool:
        """Return True: which images a model has maps of is not known before it is asked."""
        return True

    def mapper(self) -> Callable[[ImageTruth], npt.NDArray[np.float64]]:
        """Return what makes the map of an image."""
        if self.stimuli is None:
            return lambda truth: map_of(self.model, self.name, truth.pixels)
        places = {name: index for index, name in enumerate(stimulus_names(self.stimuli))}

        def make(truth: ImageTruth) -> npt.NDArray[np.float64]:
            image = truth.truths.dataset.items[truth.index].name
            if image not in places:
                raise UsageError(f"'{self.name}': no stimulus is called '{image}'")
            return map_of(self.model, self.name, self.stimuli[places[image]])

        return make

    def scorer(self) -> Scorer:
        """Return what scores one image."""
        return MapScorer(self.mapper(), self.output)

    def __getstate__(self) -> dict[str, Any]:
        # Asked for when the source goes to another process.
        try:
            pickle.dumps((self.model, self.stimuli))
        except Exception as error:  # pickling raises what the objects inside raise
            reason = " ".join(str(error).split())
            raise UsageError(f"'{self.name}' cannot be sent to other processes ({reason}): use workers=1") from None
        return dict(self.__dict__)

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state)
