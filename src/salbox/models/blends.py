"""Blends: several models' maps made one density, or one probability, by a file that `salbox blend` wrote."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import numpy.typing as npt

from ..errors import UsageError, one_line
from ..paths import user_path
from ..types import DoubleMap, Output, SaliencyMap, Task
from .calibrated import Calibrated
from .cards import License, ModelCard
from .curves import Curve, on_common_scale
from .ensembles import is_ensemble
from .import_paths import is_import_path, resolve
from .model import Model
from .profile_files import (
    SUFFIX,
    TAIL_KEYS,
    check_keys,
    curve_of,
    curve_to_json,
    facts_of,
    number_of,
    output_of,
    read_described,
    tail_of,
    tail_to_json,
    text_of,
    write_described,
)
from .profiles import WORKING_SIDE, Tail, working_copy
from .weights import WeightsSource

BLEND = "salbox blend"
MAX_MEMBERS = 64
MAX_WEIGHT = 1000.0


@dataclass(frozen=True)
class Member:
    """One model of a blend.

    Attributes
    ----------
    model : str
        A name that `salbox.load` takes, or the path of a network, relative to the blend's folder.
    reads : {"score", "log_density", "probability"}
        What the numbers of its maps are.
    weight : float
        How much it counts: what its curve, which goes from 0 to 1, is multiplied by.
    curve : Curve
        Over the map's numbers; see `on_common_scale`.
    parameters : mapping
        Those of the model that differ from their defaults.
    """

    model: str
    reads: Output
    weight: float
    curve: Curve
    parameters: Mapping[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if not 0 <= self.weight <= MAX_WEIGHT:
            raise UsageError(f"member '{self.model}': a weight of {self.weight:g}, expected 0 to {MAX_WEIGHT:g}")

    def says(self, saliency: npt.NDArray[Any]) -> DoubleMap:
        """Return what it adds to the sum for a map, (h, w)."""
        return self.weight * self.curve(on_common_scale(saliency, self.reads))


@dataclass(frozen=True)
class Blend:
    """What several models' maps are made one map by.

    For fixations the sum of weight * curve is a priority in nats, which `Tail` makes a log density. For objects it is,
    with `bias`, the logit of the probability that a pixel belongs to the object.

    Attributes
    ----------
    task : {"fixation", "object"}
    members : tuple of Member
    tail : Tail
        Of fixations.
    bias : float
        Of objects.
    about : mapping
        What it was fitted on, ready for JSON.
    """

    task: Task
    members: tuple[Member, ...]
    tail: Tail = field(default_factory=Tail)
    bias: float = 0.0
    about: Mapping[str, Any] = field(default_factory=dict, compare=False)

    def __post_init__(self) -> None:
        names = [member.model for member in self.members]
        if not 1 <= len(names) <= MAX_MEMBERS or len(set(names)) < len(names):
            raise UsageError(f"a blend of 1 to {MAX_MEMBERS} different models is expected")

    @property
    def output(self) -> Output:
        """What the numbers of its maps are."""
        return "log_density" if self.task == "fixation" else "probability"

    def __call__(self, maps: Mapping[str, npt.NDArray[Any]], degrees: float | None = None) -> SaliencyMap:
        """Return the map that {model: map}, (H, W) each, become: (H, W) float32."""
        shape = next(iter(maps.values())).shape
        if self.task == "fixation":
            priorities = np.sum([m.says(working_copy(maps[m.model], m.reads)) for m in self.members], axis=0)
            return self.tail.log_density(priorities, shape, degrees)
        logits = self.bias + np.sum([m.says(maps[m.model]) for m in self.members], axis=0)
        return sigmoid(logits).astype(np.float32)


def sigmoid(logits: npt.NDArray[Any]) -> DoubleMap:
    """Return the probabilities of logits, however large: float64, of the shape given."""
    return np.asarray((1 + np.tanh(np.asarray(logits, np.float64) / 2)) / 2)


def is_blend(name: object) -> bool:
    """Return whether a name means the file of a blend, by its suffix."""
    return isinstance(name, str) and name.lower().endswith(SUFFIX)


def read_blend(path: Path) -> Blend:
    """Return the blend in a file.

    Raises
    ------
    UsageError
        If it cannot be read, is another file, or holds something that a blend may not.
    """
    return read_described(path, BLEND, _blend_of)


def write_blend(path: Path, blend: Blend) -> None:
    """Write a blend as JSON, under a temporary name first."""
    members = [
        {
            "model": member.model,
            "reads": member.reads,
            "weight": member.weight,
            "curve": curve_to_json(member.curve),
            "parameters": dict(member.parameters),
        }
        for member in blend.members
    ]
    tail = tail_to_json(blend.tail) if blend.task == "fixation" else {"bias": blend.bias}
    write_described(path, BLEND, {"task": blend.task, "members": members, **tail, "about": dict(blend.about)})


def member_names(path: Path, blend: Blend) -> dict[str, str]:
    """Return {member's model: what `salbox.load` takes for it}: paths are relative to the blend's folder."""
    return {
        member.model: os.path.normpath(path.absolute().parent / member.model)
        if _is_path(member.model)
        else member.model
        for member in blend.members
    }


@dataclass(frozen=True)
class BlendFile:
    """A file that `salbox blend` wrote: no line of the registry, but opened like one."""

    path: str
    max_model_size: float | None = None

    code: ClassVar[str] = "salbox.models.blends:Blend"

    @property
    def file(self) -> Path:
        """The file."""
        return user_path(self.path)

    def read(self) -> Blend:
        """Return what it holds."""
        return read_blend(self.file)

    def names(self) -> dict[str, str]:
        """Return {member's model: what `salbox.load` takes for it}."""
        return member_names(self.file, self.read())

    def read_card(self, name: str) -> ModelCard:
        """Return the card, made of what the file tells and of its members' cards."""
        blend = self.read()
        card = resolve("salbox.models.loading:card")  # which opens blends, too
        cards: dict[str, ModelCard] = {
            model: card(own, max_model_size=self.max_model_size)
            for model, own in member_names(self.file, blend).items()
        }
        for member in blend.members:
            if cards[member.model].output != member.reads:
                raise UsageError(
                    f"{self.path}: the blend reads a {member.reads} of '{member.model}', which gives a "
                    f"{cards[member.model].output}"
                )
            # Among them is nothing that says where weights come from, or on which device: it is no parameter.
            cards[member.model].check_parameters(dict(member.parameters))
        return blend_card(self.file.name.removesuffix(SUFFIX), blend, cards)

    def weights_path(
        self, name: str, weights: WeightsSource | None, sha256: str | None, stand_in: str = ""
    ) -> Path | None:
        """Return the file itself; weights are given for its members alone."""
        return self.file

    def open(self, card: ModelCard, parameters: Mapping[str, Any], weights: Path | None, device: str) -> Model:
        """Return the model, its members' networks on a device."""
        return self.load(card, {}, {}, device)

    def load(self, card: ModelCard, weights: Mapping[str, Any], sha256: Mapping[str, Any], device: str) -> Model:
        """Return the model, its members loaded with {member: checkpoint} where one is given.

        Raises
        ------
        UsageError
            If something is given for what is no member.
        """
        blend = self.read()
        names = member_names(self.file, blend)
        load = resolve("salbox.models.loading:load")
        if unknown := (set(weights) | set(sha256)) - set(names):
            raise UsageError(f"'{self.path}' has no member {', '.join(sorted(map(str, unknown)))}")
        parameters = {member.model: member.parameters for member in blend.members}
        models = {
            model: load(
                own,
                weights=weights.get(model),
                sha256=sha256.get(model),
                device=device,
                max_model_size=self.max_model_size,
                **parameters[model],
            )
            for model, own in names.items()
        }
        return Model(card, Calibrated(models, blend), {}, weights=self.file)


def blend_card(name: str, blend: Blend, cards: Mapping[str, ModelCard]) -> ModelCard:
    """Return the card of a blend, made of those of its members, {model: card}."""

    def each(what: Mapping[str, str]) -> str:
        return "; ".join(f"{model}: {text}" for model, text in what.items())

    shares = ", ".join(f"{member.model} {member.weight:.3g}" for member in blend.members)
    fitted = blend.about.get("fitted_on")
    return ModelCard(
        name=name,
        title="Blend of " + ", ".join(card.title for card in cards.values()),
        task=blend.task,
        output=blend.output,
        summary=f"Weights in nats: {shares}; each model's map is read by a monotone curve.",
        origin=f"fitted by salbox on {one_line(fitted)}" if fitted else "fitted by salbox",
        license=License(
            code=each({model: card.license.code for model, card in cards.items()}),
            weights=each({model: card.license.weights for model, card in cards.items()}),
            training_data=each({model: card.license.training_data for model, card in cards.items()}),
        ),
        commercial_use=each({model: card.commercial_use for model, card in cards.items()}),
        limits=() if blend.task == "object" else (f"Maps are read at a size of at most {WORKING_SIDE} pixels.",),
        weights_from=each({model: card.weights_from for model, card in cards.items() if card.weights_from}),
    )


def _is_path(model: str) -> bool:
    return model.partition("#")[0].endswith(".onnx") or "/" in model or os.sep in model


def _blend_of(values: Mapping[str, Any]) -> Blend:
    task = values.get("task")
    if task not in ("fixation", "object"):
        raise UsageError(f"task '{one_line(task, 40)}': expected fixation or object")
    check_keys(values, ("task", "members", *(TAIL_KEYS if task == "fixation" else ("bias",)), "about"))
    members = values.get("members")
    if not isinstance(members, list) or len(members) > MAX_MEMBERS:
        raise UsageError(f"members: expected a list of at most {MAX_MEMBERS}")
    return Blend(
        task=task,
        members=tuple(_member_of(member) for member in members),
        tail=tail_of(values) if task == "fixation" else Tail(),
        bias=number_of(values.get("bias", 0.0), "bias"),
        about=facts_of(values.get("about", {})),
    )


def _member_of(values: Any) -> Member:
    if not isinstance(values, dict):
        raise UsageError("members: expected keys with values")
    check_keys(values, ("model", "reads", "weight", "curve", "parameters"))
    model = text_of(values.get("model"), "model")
    ensure_member(model)
    curve = curve_of(values.get("curve"))
    if curve is None:
        raise UsageError(f"member '{model}': its curve is missing")
    return Member(
        model=model,
        reads=output_of(values.get("reads")),
        weight=number_of(values.get("weight"), f"weight of '{model}'"),
        curve=curve,
        parameters=facts_of(values.get("parameters", {}), f"parameters of '{model}'"),
    )


def ensure_member(model: str) -> None:
    """Raise a UsageError if a model cannot be a member of a blend.

    What is imported would run somebody's code where a file of numbers is read, and blends and ensembles are no members.
    """
    if is_ensemble(model) or is_blend(model):
        raise UsageError(f"'{model}': ensembles and blends cannot be members of a blend; name their models")
    if is_import_path(model):
        raise UsageError(f"'{model}': a blend takes no functions of your own; register it, or make a package of it")
