"""A run folder: what lies where, whose it is, and how far the run is."""

from __future__ import annotations

import json
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ..errors import UsageError, one_line
from ..imaging.writing import atomic
from ..models.exported import STUDENT_FILE
from ..training.recipe import Recipe, check_recipe
from ..types import Flip
from ..version import __version__

_FORMAT = 1
_RECORD = "run.json"
_LOGS = ("log.csv", "tensorboard")  # that `training.trainer` writes


class RunFolder:
    """The files of a run, and the record of it in run.json.

    The record is read once, when it is first asked for; what is noted is written at once, as a whole.

    Parameters
    ----------
    path : Path
        Where all of it lies; it need not be there.

    Raises
    ------
    UsageError
        When the record is asked for and is broken.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._known: dict[str, Any] | None = None

    @property
    def student(self) -> Path:
        """The student, as ONNX."""
        return self.path / STUDENT_FILE

    @property
    def weights(self) -> Path:
        """The student's weights as PyTorch calls them."""
        return self.path / "student.safetensors"

    @property
    def split(self) -> Path:
        """Which photo was in which part."""
        return self.path / "split.csv"

    @property
    def maps(self) -> Path:
        """The teachers' maps."""
        return self.path / "maps"

    @property
    def work(self) -> Path:
        """Checkpoints and pictures at working size; gone when the run is finished."""
        return self.path / "work"

    @property
    def cards(self) -> Path:
        """The heads' cards."""
        return self.path / "card.json"

    @property
    def identity(self) -> dict[str, Any]:
        """What the run's result depends on, see `Plan.identity`; {} of a folder that is no run's."""
        return dict(self._record.get("identity", {}))

    @property
    def finished(self) -> bool:
        """Whether the run is."""
        return bool(self._record.get("finished"))

    @property
    def heads(self) -> tuple[str, ...]:
        """The names of the student's heads, () before there is a student."""
        return tuple(self._record.get("heads", ()))

    @property
    def recipe(self) -> Recipe | None:
        """The recipe as it is run, None before that is known."""
        values = self._record.get("recipe")
        return None if values is None else check_recipe(values, str(self.path))

    @property
    def flip_cc(self) -> dict[str, dict[Flip, float]]:
        """Head -> what was measured of its teacher's flips, see `measure_flip_cc`."""
        return dict(self._record.get("flip_cc", {}))

    def claim(self, identity: Mapping[str, Any]) -> None:
        """Begin a run in a new folder, or make sure that the folder holds this run.

        Raises
        ------
        UsageError
            If the folder belongs to another run; the message says where they differ.
        """
        if not self._record:
            if self.student.exists():
                raise UsageError(f"{self.path}: holds a student and no note of its run; choose another folder")
            self.note(identity=dict(identity))
            return
        # A recipe of an earlier release lacks the keys that came since; these then have their defaults.
        there = self.identity
        if "recipe" in there:
            there["recipe"] = check_recipe(there["recipe"], str(self.path)).model_dump(mode="json")
        difference = _difference(there, identity)
        if difference:
            raise UsageError(f"{self.path}: holds another run ({difference}); choose another folder or remove it")

    def note(self, **facts: Any) -> None:
        """Add facts, ready for JSON, to the record."""
        known = {"format": _FORMAT, "salbox": __version__, **self._record, **facts}
        with atomic(self.path / _RECORD) as temporary:
            temporary.write_text(json.dumps(known, indent=1) + "\n", encoding="utf-8")
        self._known = known

    def note_recipe(self, recipe: Recipe) -> None:
        """Note the recipe as it is run, and write it as one that can be run again."""
        self.note(recipe=recipe.model_dump(mode="json"))
        with atomic(self.path / "recipe.yaml") as temporary:
            temporary.write_text(recipe.to_yaml(), encoding="utf-8")

    def keep_logs(self) -> None:
        """Move the logs out of the folder that is removed when the run is finished."""
        for name in _LOGS:
            source, target = self.work / name, self.path / name
            if source.exists():
                shutil.rmtree(target, ignore_errors=True)
                target.unlink(missing_ok=True)
                source.rename(target)

    def finish(self) -> None:
        """Note that the run is finished, and remove what only an unfinished one needs."""
        self.note(finished=True)
        shutil.rmtree(self.work, ignore_errors=True)

    @property
    def _record(self) -> dict[str, Any]:
        """All that was noted, {} if nothing was."""
        if self._known is None:
            self._known = _read(self.path / _RECORD)
        return self._known


def _read(path: Path) -> dict[str, Any]:
    try:
        record = json.loads(path.read_text(encoding="utf-8"))
    except (FileNotFoundError, NotADirectoryError):
        return {}
    except (OSError, ValueError, RecursionError) as error:
        raise UsageError(f"{path}: cannot be read ({one_line(error)}); remove the run") from None
    if not isinstance(record, dict) or record.get("format") != _FORMAT:
        raise UsageError(f"{path}: not a note of this version of salbox; remove the run or choose another folder")
    return record


def _difference(there: Any, wanted: Any, where: str = "") -> str:
    """Return the first thing in which two identities differ, in words; empty if they do not."""
    if isinstance(there, dict) and isinstance(wanted, dict):
        for key in [*wanted, *(key for key in there if key not in wanted)]:
            found = _difference(there.get(key), wanted.get(key), f"{where}.{key}" if where else str(key))
            if found:
                return found
        return ""
    if there == wanted:
        return ""
    return f"{where}: {_short(there)} there, {_short(wanted)} now"


def _short(value: Any) -> str:
    text = json.dumps(value)
    return text if len(text) <= 80 else f"{text[:77]}..."
