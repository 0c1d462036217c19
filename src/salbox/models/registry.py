"""The models by name, one line each. To add one write its file, with a card and a function, and its line here.

Names and import paths are texts: listing the models imports none of them. Models of users' own stand beside them: those
that `register` was given, and those of installed packages.
"""

from __future__ import annotations

import pickle
import re
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any, TypeVar, overload

from ..errors import UsageError
from ..types import Task
from .cards import ModelCard
from .entries import Checkpoint, Entry, Function, Packaged, PackagedCheckpoint, PackagedPredictor
from .import_paths import resolve as resolve
from .own import REGISTERED, OwnModel, check_name, is_name, make_own_model
from .plugins import plugin, plugin_names, working_plugins
from .rembg import REMBG

Target = TypeVar("Target")

# The networks that come with this package; see `exported.packaged`.
SHIPPED = "box.onnx"  # of all students
GAZE = "gaze.onnx"
GAZE_LARGE = "gaze.large.onnx"
PEOPLE = ("unisal.people",)  # published designs that salbox trained on people; each in a file of its name


def _classical(name: str) -> Entry:
    module = f"salbox.classical.{name}"
    return Function("fixation", f"{module}:CARD", f"{module}:{name}")


def _network(folder: str, predictor: str, card: str = "CARD", task: Task = "fixation") -> Entry:
    module = f"salbox.networks.{folder}"
    return Checkpoint(task, f"{module}.card:{card}", f"{module}.predictor:{predictor}")


# Heads of SHIPPED, by their teachers: the last three by the designs of these, which salbox trained on people.
STUDENTS = ("aim", "ikn", "gbvs", "bms", "imsig", "rare2012", "sun", "fastgaze", "unisal", "sam", "dgii")
KDSALBOX = ("aim", "ikn", "gbvs", "bms", "imsig", "rare2012", "sun", "unisal", "sam", "dgii")

MODELS: dict[str, Entry] = {
    "aim": _classical("aim"),
    "ikn": _classical("ikn"),
    "gbvs": _classical("gbvs"),
    "bms": _classical("bms"),
    "imsig": _classical("imsig"),
    "rare2012": _classical("rare2012"),
    "sun": _classical("sun"),
    "gaussian": _classical("gaussian"),
    "gaze": PackagedPredictor("fixation", "salbox.runtime.gaze:CARD", "salbox.runtime.gaze:GazePredictor", GAZE),
    "gaze.large": PackagedPredictor(
        "fixation", "salbox.runtime.gaze:LARGE_CARD", "salbox.runtime.gaze:LargeGazePredictor", GAZE_LARGE
    ),
    **{f"{teacher}.student": Packaged("fixation", SHIPPED, teacher) for teacher in STUDENTS},
    **{name: Packaged("fixation", f"{name}.onnx", "people") for name in PEOPLE},
    "fastgaze": _network("fastgaze", "FastGazePredictor"),
    "attention-center": _network("attention_center", "AttentionCenterPredictor"),
    "glimpse": Checkpoint("fixation", "salbox.runtime.glimpse:CARD", "salbox.runtime.glimpse:GlimpsePredictor"),
    "unisal": _network("unisal", "UniSalPredictor"),
    "sam": _network("sam", "SamPredictor"),
    "dgii": _network("dgii", "DeepGazeIIPredictor"),
    "deepgaze2e": _network("deepgaze2e", "DeepGazeIIEPredictor"),
    "salicon": _network("salicon", "SaliconPredictor"),
    "msinet": _network("msinet", "MSINetPredictor"),
    "dinet": _network("dinet", "DINetPredictor"),
    "transalnet": _network("transalnet", "TranSalNetPredictor"),
    **{f"{teacher}.kdsalbox": _network("kdsalbox", "KDSalBoxPredictor", teacher.upper()) for teacher in KDSALBOX},
    "scfnet": PackagedCheckpoint(
        "object",
        "salbox.networks.scfnet.card:CARD",
        "salbox.networks.scfnet.predictor:SCFNetPredictor",
        "scfnet.onnx",
        "people",
    ),
    "scfnet.kd": Packaged("object", "scfnet.kd.onnx", "scfnet-lite0"),
    "scfnet.r50": _network("scfnet", "SCFNetR50Predictor", "R50", "object"),
    "scfnet.v16": _network("scfnet", "SCFNetV16Predictor", "V16", "object"),
    "scfnet.swinb": _network("scfnet", "SCFNetSwinBPredictor", "SWINB", "object"),
    **REMBG,
    "samnet": _network("samnet", "SAMNetPredictor", task="object"),
    "gcpanet": _network("gcpanet", "GCPANetPredictor", task="object"),
}

CLASSICAL = tuple(name for name, entry in MODELS.items() if isinstance(entry, Function))


def list_models(task: Task | None = None, *, ready: bool = False) -> list[str]:
    """Return the names of all models, or of those for one task; those of users' own, and of installed packages, last.

    A package that cannot be imported is left out, with a warning.

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
    every: dict[str, Entry | OwnModel] = {**MODELS, **working_plugins(MODELS), **REGISTERED}
    return [name for name, e in every.items() if task in (None, e.task) and not (ready and e.needs_weights)]


def known_names() -> list[str]:
    """Return the names of all models; nothing is imported."""
    return list(dict.fromkeys([*MODELS, *REGISTERED, *plugin_names()]))


def find_entry(name: str) -> Entry | OwnModel | None:
    """Return what stands for a name: a line above, what was registered, or the model of an installed package.

    Raises
    ------
    UsageError
        If the package is broken.
    """
    found = MODELS.get(name) or REGISTERED.get(name)
    return plugin(name) if found is None and is_name(name) else found


@overload
def register(name: str, target: Target, *, card: ModelCard | Mapping[str, Any]) -> Target: ...


@overload
def register(name: str, *, card: ModelCard | Mapping[str, Any]) -> Callable[[Target], Target]: ...


def register(name: str, target: Any = None, *, card: ModelCard | Mapping[str, Any]) -> Any:
    """Make a function a model, which every verb and function of salbox then takes by its name.

    Processes that share the work find it if it lies in a module, or in a script that has one
    `if __name__ == "__main__":`; else this process does the work alone.

    Parameters
    ----------
    name : str
        Letters, digits, "_", "-" and "."; none of salbox's own models. One that was registered before is replaced.
    target : callable, or class with `load`
        Takes an image, (H, W, 3) uint8 RGB, and parameters as keywords, and returns its map, (H, W), finite. A class
        takes a file of weights and a device first: its `load(weights, device)` returns such a callable. Without it
        this returns a decorator.
    card : ModelCard, or mapping
        At least `task` and `output`; all else is 'not stated'. Unless it states parameters, they are those that the
        function has numbers, texts or truth values as defaults of.

    Returns
    -------
    callable or class
        The target as it is, or a decorator.

    Raises
    ------
    UsageError
        If the name is salbox's own or cannot be one, the card is none, or the function does not take what it states.

    Examples
    --------
    >>> import salbox, skimage.data
    >>> @salbox.register("contrast", card={"task": "fixation", "output": "score"})
    ... def contrast(image, power=2.0):
    ...     return abs(image.mean(axis=2) - image.mean()) ** power
    >>> salbox.load("contrast", power=1)(skimage.data.chelsea()).shape
    (300, 451)
    >>> salbox.card("contrast").license.code
    'not stated'
    """
    check_name(name)
    if name in MODELS:
        raise UsageError(f"'{name}' is one of salbox's own models and cannot be replaced; choose another name")
    if target is None:
        return partial(_registered, name, card)
    return _registered(name, card, target)


def _registered(name: str, card: ModelCard | Mapping[str, Any], target: Target) -> Target:
    from ..system.workers import pass_on

    REGISTERED[name] = make_own_model(name, target, card)
    pass_on(_inherited)
    return target


def _inherited() -> tuple[Callable[[], None], bool]:
    """Return what registers in another process what is registered here, and whether that is all of it."""
    found = [(entry.card, entry.code) for entry in REGISTERED.values()]
    return partial(_register_again, found), all(code for _, code in found)


def _register_again(found: list[tuple[ModelCard, str]]) -> None:
    for card, code in found:
        # Imported when it is asked for. Without a path `resolve_own` says what is the matter.
        REGISTERED[card.name] = OwnModel(card, path=code)


def brought_along(name: str) -> Callable[[], None] | None:
    """Return what registers in another process the models, registered here, that a name means; None if there are none.

    Raises
    ------
    pickle.PicklingError
        If another process could not find one of them.
    """
    parts = {name, *re.split(r"[:+*]", name)}  # the members of an ensemble
    found = [(entry.card, entry.code) for part, entry in REGISTERED.items() if part in parts]
    for card, code in found:
        if not code:
            raise pickle.PicklingError(f"model '{card.name}' lies in no module that another process can import")
    return partial(_register_missing, found) if found else None


def _register_missing(found: list[tuple[ModelCard, str]]) -> None:
    _register_again([(card, code) for card, code in found if card.name not in REGISTERED])


def stand_in(name: str) -> str:
    """Return a model that comes with its weights and may be used in the place of one that needs some; "" if none may.

    The same design trained by salbox, the student of the same teacher, for a model that predicts fixations else `gaze`.
    """
    candidates = [f"{name}.people", f"{name.partition('.')[0]}.student"]
    if name in MODELS and MODELS[name].task == "fixation":
        candidates.append("gaze")
    return next((other for other in candidates if other in MODELS and not MODELS[other].needs_weights), "")
