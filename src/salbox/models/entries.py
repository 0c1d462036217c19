"""The kinds of model: each knows where its card is, which file its weights are in, and how it is opened.

Parts are named by their import paths, "module:attribute": to list models imports none of them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, TypeAlias

from ..errors import UsageError
from ..types import Task
from .cards import ModelCard
from .import_paths import resolve
from .terms import with_terms
from .weights import WeightsSource, find_weights, in_folder

if TYPE_CHECKING:
    from .model import Model

_EXPORTED = "salbox.runtime.network:ExportedNetwork"  # what runs a file that salbox wrote


@dataclass(frozen=True)
class Function:
    """A model without weights.

    Attributes
    ----------
    task : {"fixation", "object"}
    card : str
        Import path of its card.
    function : str
        Import path of what takes an image, (H, W, 3) uint8, and the parameters as keywords, and returns its map.
    """

    task: Task
    card: str
    function: str

    needs_weights: ClassVar[bool] = False  # which this package does not bring

    @property
    def code(self) -> str:
        """The import path of what computes its maps."""
        return self.function

    def read_card(self, name: str) -> ModelCard:
        """Return its card."""
        card: ModelCard = resolve(self.card)
        return card

    def weights_path(
        self, name: str, weights: WeightsSource | None, sha256: str | None, stand_in: str = ""
    ) -> Path | None:
        """Return None: there is no file; weights that are given are refused with a UsageError."""
        _refuse(f"model '{name}' has no weights to load", weights, sha256)
        return None

    def open(self, card: ModelCard, parameters: Mapping[str, Any], weights: Path | None, device: str) -> Model:
        """Return the model; it computes on the CPU."""
        from .model import Model

        return Model(card, resolve(self.function), parameters)


@dataclass(frozen=True)
class Checkpoint:
    """A network whose weights this package does not bring.

    Attributes
    ----------
    task : {"fixation", "object"}
    card : str
        Import path of its card, in a module that imports neither torch nor the network.
    predictor : str
        Import path of a class whose `load(weights: Path, device: str)` returns what `Function.function` is.
    """

    task: Task
    card: str
    predictor: str

    needs_weights: ClassVar[bool] = True

    @property
    def code(self) -> str:
        """The import path of what computes its maps."""
        return self.predictor

    def read_card(self, name: str) -> ModelCard:
        """Return its card."""
        card: ModelCard = resolve(self.card)
        return card

    def weights_path(
        self, name: str, weights: WeightsSource | None, sha256: str | None, stand_in: str = ""
    ) -> Path | None:
        """Return the file that its weights are in; see `find_weights`."""
        return find_weights(name, weights, sha256, self.read_card(name).weights_from, stand_in=stand_in)

    def weights_at(self, name: str) -> Path | None:
        """Return the file or folder that its weights are taken from where none are given; None if there is none.

        Nothing is read. A WeightsError if there are several.
        """
        return in_folder(name)

    def open(self, card: ModelCard, parameters: Mapping[str, Any], weights: Path | None, device: str) -> Model:
        """Return the model, its network on a device."""
        from .model import Model

        return Model(card, resolve(self.predictor).load(weights, device), parameters, weights=weights)


@dataclass(frozen=True)
class PackagedPredictor(Checkpoint):
    """A network with a card and a predictor of its own that comes with its weights.

    Attributes
    ----------
    task, card, predictor
        As a `Checkpoint` has them.
    file : str
        Of this package; see `exported.packaged`.
    """

    file: str

    needs_weights: ClassVar[bool] = False

    def weights_path(
        self, name: str, weights: WeightsSource | None, sha256: str | None, stand_in: str = ""
    ) -> Path | None:
        """Return the file of this package; weights that are given are refused with a UsageError."""
        return _packaged_path(name, self.file, weights, sha256)


@dataclass(frozen=True)
class PackagedCheckpoint(Checkpoint):
    """A published design that comes with weights which salbox trained, and takes its authors' where they are given.

    Attributes
    ----------
    task, card, predictor
        As a `Checkpoint` has them, for the authors' weights.
    file : str
        Of this package; see `exported.packaged`. The card of what it holds is inside.
    head : str
    """

    file: str
    head: str

    needs_weights: ClassVar[bool] = False
    packaged_code: ClassVar[str] = _EXPORTED

    def read_card(self, name: str) -> ModelCard:
        """Return the card of the network that comes with this package."""
        return _packaged_card(self.file, self.head, name)

    def weights_path(
        self, name: str, weights: WeightsSource | None, sha256: str | None, stand_in: str = ""
    ) -> Path | None:
        """Return the file that is given, else that of this package; `SALBOX_WEIGHTS` is not searched."""
        from . import exported

        if weights is None:
            _refuse(f"model '{name}' comes with its weights", None, sha256)
            return exported.packaged_file(self.file)
        return find_weights(name, weights, sha256, resolve(self.card).weights_from)

    def weights_at(self, name: str) -> Path | None:
        """Return the file of this package."""
        return self.weights_path(name, None, None)

    def open(self, card: ModelCard, parameters: Mapping[str, Any], weights: Path | None, device: str) -> Model:
        """Return the model, its network on a device: this package's, or with the authors' weights under their card."""
        from . import exported

        if weights == self.weights_at(card.name):
            name = exported.packaged(f"{self.file}#{self.head}")
            return exported.load_exported(name, card, parameters, device, file=weights)
        return super().open(resolve(self.card), parameters, weights, device)


@dataclass(frozen=True)
class Packaged:
    """A head of an exported network that comes with this package; its card is in the file.

    Attributes
    ----------
    task : {"fixation", "object"}
    file : str
        Of this package; see `exported.packaged`.
    head : str
    """

    task: Task
    file: str
    head: str

    needs_weights: ClassVar[bool] = False
    code: ClassVar[str] = _EXPORTED

    def read_card(self, name: str) -> ModelCard:
        """Return the card that the file carries for the head."""
        return _packaged_card(self.file, self.head, name)

    def weights_path(
        self, name: str, weights: WeightsSource | None, sha256: str | None, stand_in: str = ""
    ) -> Path | None:
        """Return the file of this package; weights that are given are refused with a UsageError."""
        return _packaged_path(name, self.file, weights, sha256)

    def open(self, card: ModelCard, parameters: Mapping[str, Any], weights: Path | None, device: str) -> Model:
        """Return the model, its network on a device."""
        from . import exported

        name = exported.packaged(f"{self.file}#{self.head}")
        return exported.load_exported(name, card, parameters, device, file=weights)


@dataclass(frozen=True)
class ExportedFile:
    """A file or run folder that salbox wrote, `PATH` or `PATH#head`: no line of the registry, but opened like one."""

    path: str
    max_model_size: float | None = None

    code: ClassVar[str] = _EXPORTED

    def read_card(self, name: str) -> ModelCard:
        """Return the card that the file carries for the head."""
        from . import exported

        return exported.exported_card(self.path, self.max_model_size)

    def weights_path(
        self, name: str, weights: WeightsSource | None, sha256: str | None, stand_in: str = ""
    ) -> Path | None:
        """Return the file itself; weights that are given are refused with a UsageError."""
        from . import exported

        _refuse(f"model '{name}' is a file with its weights inside", weights, sha256)
        return exported.model_file(self.path)

    def open(self, card: ModelCard, parameters: Mapping[str, Any], weights: Path | None, device: str) -> Model:
        """Return the model, its network on a device."""
        from . import exported

        return exported.load_exported(self.path, card, parameters, device, self.max_model_size)


@dataclass(frozen=True)
class ForeignFile:
    """An .onnx file of another program with a card beside it: no line of the registry, but opened like one."""

    path: str
    max_model_size: float | None = None

    code: ClassVar[str] = "salbox.runtime.foreign:ForeignPredictor"

    def read_card(self, name: str) -> ModelCard:
        """Return the card, made from what stands beside the file."""
        from . import exported

        return exported.foreign_card(self.path)

    def weights_path(
        self, name: str, weights: WeightsSource | None, sha256: str | None, stand_in: str = ""
    ) -> Path | None:
        """Return the file itself; weights that are given are refused with a UsageError."""
        from . import exported

        _refuse(f"model '{name}' is a file with its weights inside", weights, sha256)
        return exported.model_file(self.path)

    def open(self, card: ModelCard, parameters: Mapping[str, Any], weights: Path | None, device: str) -> Model:
        """Return the model, its network on a device."""
        from . import exported

        return exported.load_foreign(self.path, card, device, self.max_model_size)


Entry: TypeAlias = Function | Checkpoint | PackagedPredictor | PackagedCheckpoint | Packaged
"""A line of the registry."""


def _packaged_path(name: str, file: str, weights: WeightsSource | None, sha256: str | None) -> Path:
    """Return a file of this package, where no other weights are given."""
    from . import exported

    _refuse(f"model '{name}' comes with its weights", weights, sha256)
    return exported.packaged_file(file)


def _refuse(reason: str, weights: WeightsSource | None, sha256: str | None) -> None:
    if weights is not None or sha256 is not None:
        raise UsageError(f"{reason}; leave weights out")


@lru_cache
def _packaged_card(file: str, head: str, name: str) -> ModelCard:
    """Return the card in a file of this package: it does not change while the program runs."""
    from . import exported

    return with_terms(replace(exported.exported_card(exported.packaged(f"{file}#{head}")), name=name))
