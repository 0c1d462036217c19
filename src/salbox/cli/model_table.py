"""The table that `salbox models` prints: a line a model, or for several whose names differ in a part."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

from ..bench import known_speeds
from ..errors import SalboxError
from ..models.cards import NOT_STATED, ModelCard
from ..models.entries import Checkpoint
from ..models.registry import find_entry
from ..models.rembg import RembgFile

HEADER = ("name", "what it is", "ready or needs", "speed", "fidelity")
WHAT = 1  # the column that a narrow terminal cuts off
NONE = "-"
READY = "ready"

_MOST_ALIKE = 3  # models whose names differ in one part stand in a line of their own up to here
_TORCH_ROOM = "salbox.networks."
_FIGURE = re.compile(r"\b(CC|NSS|MAE) 0?(\d*\.\d+)")
_STUDENT = "Student of "


@dataclass(frozen=True)
class Readiness:
    """Whether a model runs here, in a word or two, and in a sentence.

    Attributes
    ----------
    short : str
        "ready", or what is missing.
    label, text : str
        The same in full: "ready" or "needs", and where from.
    """

    short: str
    label: str
    text: str


def readiness(card: ModelCard) -> Readiness:
    """Return whether a model runs here, or what it needs."""
    entry = find_entry(card.name)
    found = None
    if card.weights_from and isinstance(entry, Checkpoint):
        try:
            found = entry.weights_at(card.name)
        except SalboxError as error:
            return Readiness("which weights", "needs", str(error))
    missing = []
    if card.weights_from and found is None:
        missing.append(f"weights: {card.weights_from}")
    if isinstance(entry, Checkpoint) and _needs_torch(entry, found) and find_spec("torch") is None:
        missing.append("torch: pip install 'salbox[train]'")
    if missing:
        short = ", ".join(each.partition(":")[0] for each in missing)
        return Readiness(short, "needs", "; ".join(missing))
    return Readiness(READY, READY, "comes with all it needs" if found is None else f"weights: {found}")


def _needs_torch(entry: Checkpoint, weights: Path | None) -> bool:
    """Return whether PyTorch runs a network; of some models an .onnx, which ONNX Runtime runs, will do."""
    if isinstance(entry, RembgFile) and (weights is None or weights.is_dir() or weights.suffix == ".onnx"):
        return False
    return entry.predictor.startswith(_TORCH_ROOM) and bool(entry.needs_weights)


def fidelity(card: ModelCard) -> str:
    """Return how near a model is to what it stands for, in a few words; by default the first figure of its card."""
    if card.fidelity != NOT_STATED:
        return card.fidelity
    figure = _FIGURE.search(card.agreement)
    return f"{figure[1]} {figure[2]}" if figure else NONE


def speed(card: ModelCard) -> str:
    """Return how long a photo of 640x480 takes on one core, to two digits."""
    seconds = known_speeds().get(card.name)
    if seconds is None:
        return NONE
    return f"{float(f'{seconds:.2g}'):g} s" if seconds >= 1 else f"{float(f'{seconds * 1000:.2g}'):g} ms"


def rows(cards: Sequence[ModelCard]) -> list[tuple[str, ...]]:
    """Return a line for each model: those that run here first, of the others those with alike names together."""
    found = {card.name: readiness(card) for card in cards}
    ready: list[tuple[str, ...]] = [
        (c.name, _title(c), READY, speed(c), fidelity(c)) for c in cards if found[c.name].short == READY
    ]
    families: dict[str, list[ModelCard]] = {}
    for card in cards:
        if found[card.name].short != READY:
            families.setdefault(_family(card.name, [c.name for c in cards]), []).append(card)
    waiting: list[tuple[str, ...]] = []
    for family, members in families.items():
        state = " or ".join(dict.fromkeys(found[c.name].short for c in members))
        if len(members) == 1:
            (card,) = members
            waiting.append((card.name, _title(card), state, speed(card), fidelity(card)))
        else:
            names = ", ".join(c.name.removeprefix(family[:-1]).removesuffix(family[1:]) for c in members)
            speeds, nearness = ({measure(c) for c in members} for measure in (speed, fidelity))
            waiting.append((family, f"{len(members)} models: {names}", state, _common(speeds), _common(nearness)))
    return ready + waiting


def _title(card: ModelCard) -> str:
    """Return what a model is in a few words: its title, or the summary where the title is but the name."""
    is_name = card.title.casefold() == card.name and card.summary != NOT_STATED
    return card.summary.rstrip(".") if is_name else card.title.replace(_STUDENT, "student: ")


def _common(texts: set[str]) -> str:
    return texts.pop() if len(texts) == 1 else "varies"


def _family(name: str, every: Sequence[str]) -> str:
    """Return the pattern of a model and others with an alike name, "*.kdsalbox"; the name itself if there are few."""
    suffix = name.rpartition(".")[2] if "." in name else ""
    if suffix and sum(other.endswith(f".{suffix}") for other in every) > _MOST_ALIKE:
        return f"*.{suffix}"
    for mark in ".-":
        prefix = name.partition(mark)[0] + mark
        if mark in name and sum(other.startswith(prefix) for other in every) >= _MOST_ALIKE:
            return f"{prefix}*"
    return name
