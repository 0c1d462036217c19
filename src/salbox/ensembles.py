"""Ensembles: `ensemble:a+b` is the mean of the z-scored maps of models, `ensemble:0.7*a+0.3*b` a weighted one."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from .cards import Licence, ModelCard
from .errors import UsageError
from .model import Model, SaliencyMap
from .scaling import standardize

if TYPE_CHECKING:
    from .image import Pixels

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


def ensemble_card(name: str) -> ModelCard:
    """Return the card of an ensemble, made from those of its members.

    Raises
    ------
    UsageError
        If a member is unknown, or members predict different things.
    """
    from .registry import card

    weights = members(name)
    cards = {member: card(member) for member in weights}
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
        licence=Licence(
            code=each({m: c.licence.code for m, c in cards.items()}),
            weights=each({m: c.licence.weights for m, c in cards.items()}),
            training_data=each({m: c.licence.training_data for m, c in cards.items()}),
        ),
        size=each({m: c.size for m, c in cards.items()}),
        agreement=each({m: c.agreement for m, c in cards.items()}),
        limits=("Members run one after another, with their default parameters.",),
        weights_from=each({m: c.weights_from for m, c in cards.items() if c.weights_from}),
    )


def load_ensemble(name: str, weights: Any, sha256: Any, device: str) -> Model:
    """Return an ensemble, its members loaded.

    Parameters
    ----------
    name : str
    weights, sha256 : {member: text}, optional
    device : str

    Raises
    ------
    UsageError
        If weights are given for something that is no member, or without saying for which.
    """
    from .registry import load

    shares = members(name)
    for what in (weights, sha256):
        if what is not None and not isinstance(what, Mapping):
            raise UsageError(f"'{name}': say whose weights they are, as {{member: path}} (or --weights MEMBER=PATH)")
        if unknown := set(what or {}) - set(shares):
            raise UsageError(f"'{name}' has no member {', '.join(sorted(map(str, unknown)))}")
    loaded = {
        member: load(member, weights=(weights or {}).get(member), sha256=(sha256 or {}).get(member), device=device)
        for member in shares
    }
    return Model(ensemble_card(name), Ensemble(loaded, shares), {})


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
