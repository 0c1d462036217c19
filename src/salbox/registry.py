"""The models by name.

Names and import paths are strings: listing the models imports none of them. To add a model write its file, with a
card and a function, and add one entry here.
"""

from __future__ import annotations

import importlib
import os
import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from .cards import ModelCard, Task
from .errors import UsageError, nearest

if TYPE_CHECKING:
    from .model import Model
    from .postprocess import PostProcess

WeightsSource = str | os.PathLike[str]

_DEVICE = re.compile(r"cpu|mps|cuda(:[0-9]+)?")


@dataclass(frozen=True)
class Entry:
    """Where a model is found; each text is "module:attribute".

    Attributes
    ----------
    task : {"fixation", "object"}
    card : str
        In a module that imports neither torch nor the model. Of a model that comes with its weights it is left out.
    function : str
        Of a model without weights: takes an image, (H, W, 3) uint8, and the parameters as keywords; returns its map.
    network : str
        Of a model with weights: takes the weights' path and a device, and returns such a function.
    packaged : str
        Of a model that comes with its weights: `FILE#head`, the file one of this package (see `saved.packaged`). The
        card is in it and a student opens it, unless a card and a `network` are named.
    """

    task: Task
    card: str = ""
    function: str = ""
    network: str = ""
    packaged: str = ""

    @property
    def needs_weights(self) -> bool:
        """Whether the model needs weights which this package does not bring."""
        return bool(self.network) and not self.packaged


def _classical(name: str) -> Entry:
    module = f"salbox.classical.{name}"
    return Entry(task="fixation", card=f"{module}:CARD", function=f"{module}:{name}")


def _network(module: str, opener: str) -> Entry:
    return Entry(task="fixation", card=f"salbox.networks.cards.{module}:CARD", network=f"salbox.networks.{opener}")


def _kdsalbox(teacher: str) -> Entry:
    card = f"salbox.networks.cards.kdsalbox:{teacher.upper()}"
    return Entry(task="fixation", card=card, network="salbox.networks.kdsalbox:open_kdsalbox")


def _student(teacher: str) -> Entry:
    return Entry(task="fixation", packaged=f"{SHIPPED}#{teacher}")


# The networks that come with this package; see `saved.packaged`.
SHIPPED = "box.onnx"  # of all students
GAZE = "gaze.onnx"
CLASSICAL = ("aim", "ikn", "gbvs", "bms", "imsig", "rare2012", "sun", "gaussian")
DEEP = ("unisal", "sam", "dgii", "deepgaze2e", "salicon", "msinet", "dinet", "transalnet")
STUDENTS = ("aim", "ikn", "gbvs", "bms", "imsig", "rare2012", "sun", "fastgaze")
KDSALBOX = ("aim", "ikn", "gbvs", "bms", "imsig", "rare2012", "sun", "unisal", "sam", "dgii")

MODELS: dict[str, Entry] = {
    **{name: _classical(name) for name in CLASSICAL},
    "gaze": Entry(
        "fixation", card="salbox.students.gaze:CARD", network="salbox.students.gaze:open_gaze", packaged=GAZE
    ),
    **{f"{teacher}.student": _student(teacher) for teacher in STUDENTS},
    "fastgaze": _network("fastgaze", "fastgaze:open_fastgaze"),
    "attention-center": _network("attention_center", "attention_center:open_attention_center"),
    "glimpse": Entry("fixation", "salbox.students.glimpse:CARD", network="salbox.students.glimpse:open_glimpse"),
    **{name: _network(name, f"{name}:open_{name}") for name in DEEP},
    **{f"{name}.kdsalbox": _kdsalbox(name) for name in KDSALBOX},
}


def list_models(task: Task | None = None, *, ready: bool = False) -> list[str]:
    """Return the names of all models, or of those for one task.

    Parameters
    ----------
    task : {"fixation", "object"}, optional
    ready : bool
        Leave out the models that need weights which this package does not bring.

    Examples
    --------
    >>> import salbox
    >>> "gbvs" in salbox.list_models(task="fixation")
    True
    """
    if task not in (None, "fixation", "object"):
        raise UsageError(f"unknown task '{task}'; tasks are fixation and object")
    return [name for name, e in MODELS.items() if task in (None, e.task) and not (ready and e.needs_weights)]


def card(name: str) -> ModelCard:
    """Return the card of a model: of a name, an `ensemble:` or a path.

    Raises
    ------
    UsageError
        If there is no such model; the nearest names are proposed.
    WeightsError
        If a path cannot be read as a network.
    """
    from . import ensembles, saved

    if ensembles.is_ensemble(name):
        return ensembles.ensemble_card(name)
    if name not in MODELS and saved.is_path(name):
        return saved.saved_card(name)
    entry = _entry(name)
    if entry.packaged and not entry.card:
        return _packaged_card(entry.packaged, name)
    found: ModelCard = resolve(entry.card)
    return found


def load(
    name: str,
    *,
    weights: WeightsSource | Mapping[str, WeightsSource] | None = None,
    sha256: str | Mapping[str, str] | None = None,
    device: str = "cpu",
    **parameters: Any,
) -> Model:
    """Return a model, ready to be called with an image.

    Parameters
    ----------
    name : str
        One of `list_models()`; `ensemble:a+b` or `ensemble:0.7*a+0.3*b`, the weighted mean of z-scored maps; or the
        path of an .onnx or a run folder that salbox wrote, with `#head` behind it if it has several heads.
    weights : path or https URL, optional
        A checkpoint, for models that need one; of an ensemble {member: checkpoint}. By default the folder that
        `SALBOX_WEIGHTS` names is searched for `<name>/*` and `<name>.*`.
    sha256 : str, optional
        What the checkpoint must hash to; a URL needs it. Of an ensemble {member: hash}.
    device : str
        Where a network computes: "cpu", "cuda" or "cuda:1" (PyTorch's also "mps"). A model that is no network computes
        on the CPU.
    **parameters
        Parameters of the model; its card lists them with their defaults.

    Raises
    ------
    UsageError
        For an unknown model or parameter (the nearest is proposed), a value that does not fit, or a device that does
        not exist or, of a network, is not here.
    WeightsError
        If the weights are missing or cannot be read.
    MissingExtraError
        If the model's network needs an optional part of salbox.

    Examples
    --------
    >>> import salbox, skimage.data
    >>> salbox.load("gbvs")(skimage.data.chelsea()).shape
    (300, 451)
    """
    from . import ensembles, saved
    from .model import Model
    from .weights import find_weights

    model_card = card(name)
    checked = model_card.check_parameters(parameters)
    _check_spelling(device)
    if ensembles.is_ensemble(name):
        members = dict(weights) if isinstance(weights, Mapping) else weights
        return ensembles.load_ensemble(name, members, sha256, device)
    if isinstance(weights, Mapping) or isinstance(sha256, Mapping):
        raise UsageError(f"model '{name}' takes one file of weights; several are for the members of an ensemble")
    if name not in MODELS:
        if weights is not None or sha256 is not None:
            raise UsageError(f"model '{name}' is a file with its weights inside; leave weights out")
        return saved.load_saved(name, model_card, device)
    entry = MODELS[name]
    if not entry.needs_weights and (weights is not None or sha256 is not None):
        has = "comes with its weights" if entry.packaged else "has no weights to load"
        raise UsageError(f"model '{name}' {has}; leave weights out")
    if entry.function:
        return Model(model_card, resolve(entry.function), checked)
    if not entry.network:
        return saved.load_saved(saved.packaged(entry.packaged), model_card, device)
    if entry.packaged:
        path = saved.model_file(saved.packaged(entry.packaged))
    else:
        path = find_weights(name, weights, sha256, model_card.weights_from, stand_in=stand_in(name))
    return Model(model_card, resolve(entry.network)(path, device), checked, weights=path)


def load_for(name: str, arguments: Mapping[str, Any], postprocess: PostProcess) -> Model:
    """Return a model, its own smoothing switched off if the post-processing replaces it (and nobody asked for it).

    Parameters
    ----------
    name : str
    arguments : mapping
        Keywords of `load`: parameters, and weights, sha256 and device.
    postprocess : PostProcess
    """
    has_smoothing = any(p.name == "do_smoothing" for p in card(name).parameters)
    if postprocess.replaces_smoothing and has_smoothing and "do_smoothing" not in arguments:
        arguments = {**arguments, "do_smoothing": "none"}
    return load(name, **arguments)


def stand_in(name: str) -> str:
    """Return a model that comes with its weights and may be used in the place of one that needs some; "" if none may.

    The student of the same teacher if there is one; for a model that predicts fixations else `gaze`.
    """
    candidates = [f"{name.partition('.')[0]}.student"]
    if MODELS[name].task == "fixation":
        candidates.append("gaze")
    return next((other for other in candidates if other in MODELS and MODELS[other].packaged), "")


def resolve(path: str) -> Any:
    """Return what "module:attribute" names.

    Raises
    ------
    MissingExtraError
        If the module needs an optional part of salbox that is not installed.
    """
    from .errors import MissingExtraError

    module, attribute = path.split(":")
    try:
        return getattr(importlib.import_module(module), attribute)
    except ModuleNotFoundError as error:
        package = (error.name or "").partition(".")[0]
        if package in ("", "salbox"):
            raise
        raise MissingExtraError(f"{module.rpartition('.')[2]} ({package})", "train") from None


def _check_spelling(device: str) -> None:
    """Raise if there is no such device anywhere; whether it is here only who computes there knows."""
    if not (isinstance(device, str) and _DEVICE.fullmatch(device)):
        raise UsageError(f"device '{device}': expected cpu, cuda, cuda:N or mps")


@lru_cache
def _packaged_card(packaged: str, name: str) -> ModelCard:
    """Return the card in a file of this package: it does not change while the program runs."""
    from . import saved

    return replace(saved.saved_card(saved.packaged(packaged)), name=name)


def _entry(name: str) -> Entry:
    try:
        return MODELS[name]
    except (KeyError, TypeError):
        hint = nearest(str(name), MODELS)
        raise UsageError(f"no model '{name}'{hint} ('salbox models' lists all)") from None
