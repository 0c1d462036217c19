"""The models by name, one line each. To add one write its file, with a card and a function, and its line here.

Names and import paths are texts: listing the models imports none of them.
"""

from __future__ import annotations

from ..errors import UsageError
from ..types import Task
from .entries import Checkpoint, Entry, Function, Packaged, PackagedPredictor
from .import_paths import resolve as resolve

# The networks that come with this package; see `exported.packaged`.
SHIPPED = "box.onnx"  # of all students
GAZE = "gaze.onnx"


def _classical(name: str) -> Entry:
    module = f"salbox.classical.{name}"
    return Function("fixation", f"{module}:CARD", f"{module}:{name}")


def _network(folder: str, predictor: str, card: str = "CARD") -> Entry:
    module = f"salbox.networks.{folder}"
    return Checkpoint("fixation", f"{module}.card:{card}", f"{module}.predictor:{predictor}")


STUDENTS = ("aim", "ikn", "gbvs", "bms", "imsig", "rare2012", "sun", "fastgaze")  # heads of SHIPPED, by their teachers
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
    **{f"{teacher}.student": Packaged("fixation", SHIPPED, teacher) for teacher in STUDENTS},
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
}

CLASSICAL = tuple(name for name, entry in MODELS.items() if isinstance(entry, Function))


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


def stand_in(name: str) -> str:
    """Return a model that comes with its weights and may be used in the place of one that needs some; "" if none may.

    The student of the same teacher if there is one; for a model that predicts fixations else `gaze`.
    """
    candidates = [f"{name.partition('.')[0]}.student"]
    if name in MODELS and MODELS[name].task == "fixation":
        candidates.append("gaze")
    return next((other for other in candidates if other in MODELS and not MODELS[other].needs_weights), "")
