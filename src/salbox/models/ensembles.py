"""Ensembles: `ensemble:a+b` is the mean of the z-scored maps of models, `ensemble:0.7*a+0.3*b` a weighted one."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from ..errors import UsageError
from ..imaging.scaling import standardize
from ..types import SaliencyMap
from .cards import License, ModelCard
from .model import Model

if TYPE_CHECKING:
    from ..types import Pixels

PREFIX = "ensemble:"


def is_ensemble(name: str) -> bool:
    """Return whether a name means an ensemble."""
    return str(name).startswith(PREFIX)


def members(name: str) -> dict[str, float]:
    """Return {member: weight}; the weights sum to 1.

    Raises
    ------
    UsageError
        If a member is missing, stands twice or has a weight that is not positive.
    """
    found: dict[str, float] = {}
    for text in name.removeprefix(PREFIX).split("+"):
        factor, star, member = text.strip().rpartition("*")
        member = member.strip()
        try:
            weight = float(factor) if star else 1.0
        except ValueError:
            weight = math.nan
        if not member or not (math.isfinite(weight) and weight > 0):
            raise UsageError(f"'{name}': expected ensemble:a+b or ensemble:0.7*a+0.3*b, weights above 0")
        if member in found:
            raise UsageError(f"'{name}': '{member}' stands twice")
        if is_ensemble(member):
            raise UsageError(f"'{name}': an ensemble cannot be a member of another")
        found[member] = weight
    total = sum(found.values())
    return {member: weight / total for member, weight in found.items()}


def ensemble_card(name: str, cards: Mapping[str, ModelCard]) -> ModelCard:
    """Return the card of an ensemble, made from those of its members, {member: card}.

    Raises
    ------
    UsageError
        If members predict different things.
    """
    weights = members(name)
    tasks = {c.task for c in cards.values()}
    if len(tasks) > 1:
        raise UsageError(f"'{name}': members predict fixations and objects; an ensemble is of one kind")
    equal = len({round(w, 9) for w in weights.values()}) == 1
    names = [c.name if equal else f"{weights[m]:.3g}*{c.name}" for m, c in cards.items()]

    def each(what: Mapping[str, str]) -> str:
        return "; ".join(f"{member}: {text}" for member, text in what.items())

    return ModelCard(
        name=PREFIX + "+".join(names),
        title="Ensemble of " + ", ".join(c.title for c in cards.values()),
        task=tasks.pop(),
        output="score",
        summary="The mean of the members' maps, each brought to mean 0 and standard deviation 1 first.",
        paper=None,
        origin="combined by salbox from " + ", ".join(cards),
        license=License(
            code=each({m: c.license.code for m, c in cards.items()}),
            weights=each({m: c.license.weights for m, c in cards.items()}),
            training_data=each({m: c.license.training_data for m, c in cards.items()}),
        ),
        size=each({m: c.size for m, c in cards.items()}),
        agreement=each({m: c.agreement for m, c in cards.items()}),
        commercial_use=each({m: c.commercial_use for m, c in cards.items()}),
        limits=("Members run one after another, with their default parameters.",),
        weights_from=each({m: c.weights_from for m, c in cards.items() if c.weights_from}),
    )


class Ensemble:
    """Combines the maps of loaded models."""

    def __init__(self, models: Mapping[str, Model], shares: Mapping[str, float]) -> None:
        self.models = models
        self.shares = shares

    def __call__(self, image: Pixels) -> SaliencyMap:
        """Return the weighted mean of the members' z-scored maps, (H, W) float32."""
        return self.combine({member: model(image) for member, model in self.models.items()})

    def follow(self) -> Ensemble:
        """Return the ensemble for the frames of one clip; see `Model.follow`."""
        return Ensemble({member: model.follow() for member, model in self.models.items()}, self.shares)

    def run_as(self, *, precision: str, channels_last: bool) -> Ensemble:
        """Return the ensemble with its members' networks run another way; see `Model.run_as`."""
        changed = {
            member: model.run_as(precision=precision, channels_last=channels_last)
            for member, model in self.models.items()
        }
        return Ensemble(changed, self.shares)

    def combine(self, maps: Mapping[str, npt.NDArray[Any]]) -> SaliencyMap:
        """Return the weighted mean of maps, z-scored first; a constant map counts as 0."""
        total = sum(share * standardize(maps[member]) for member, share in self.shares.items())
        return np.asarray(total, dtype=np.float32)
