"""A run folder: what lies where, whose it is, and how far the run is."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

from ..errors import UsageError, one_line
from ..imaging.writing import atomic
from ..models.exported import STUDENT_FILE, WEIGHTS_FILE
from ..types import Flip
from ..version import __version__
from .recipe import Recipe, check_recipe

_FORMAT = 1
_RECORD = "run.json"
_ON_THE_WAY = ("heads", "recipe", "flip_cc")  # entries of the record that a run comes to
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
        return self.path / WEIGHTS_FILE

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
    def contents(self) -> dict[str, str]:
        """Digests of the files that the run learns from, see `Plan.contents`; {} before they are known."""
        return dict(self._record.get("contents", {}))

    @property
    def finished(self) -> bool:
        """Whether the run is."""
        return bool(self._record.get("finished"))

    @property
    def command(self) -> str:
        """The command that uses the network."""
        name = f"'{self.path}'" if " " in str(self.path) else str(self.path)
        return f"salbox predict photo.jpg -m {name} -o maps"

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

    def claim(self, identity: Mapping[str, Any], contents: Mapping[str, str] | None = None) -> tuple[str, ...]:
        """Begin a run in a new folder, or make sure that the folder holds this run; return what changed meanwhile.

        An unfinished run whose files changed begins anew: what it trained is removed.

        Parameters
        ----------
        identity : mapping
            What the run is to do; see `Plan.identity`.
        contents : mapping, optional
            Digests of the files that it learns from; see `Plan.contents`.

        Raises
        ------
        UsageError
            If the folder belongs to another run, or to a finished one on files that changed since; the message says
            where they differ.
        """
        if not self._record:
            if self.student.exists():
                raise UsageError(f"{self.path}: holds a student and no note of its run; choose another folder")
            self.note(identity=dict(identity), **({} if contents is None else {"contents": dict(contents)}))
            return ()
        # A recipe of an earlier release lacks the keys that came since; these then have their defaults.
        there = self.identity
        if "recipe" in there:
            there["recipe"] = check_recipe(there["recipe"], str(self.path)).model_dump(mode="json")
        difference = _difference(there, identity)
        if difference:
            raise UsageError(f"{self.path}: holds another run ({difference}); choose another folder or remove it")
        changed = tuple(name for name, found in (contents or {}).items() if self.contents.get(name) != found)
        if not changed or (self.finished and not self.contents):  # a run that an earlier release finished
            return ()
        if self.finished:
            raise UsageError(
                f"{self.path}: holds a finished run, and its files changed since ({', '.join(changed)}); choose "
                "another folder or remove it"
            )
        self._begin_anew(contents or {})
        return changed

    def _begin_anew(self, contents: Mapping[str, str]) -> None:
        """Remove what was trained, and what was noted on the way, and note the files' contents as they are now."""
        shutil.rmtree(self.work, ignore_errors=True)
        if self.work.exists():
            raise UsageError(f"{self.work}: cannot be removed, and is of files that changed; remove it")
        self._known = {key: value for key, value in self._record.items() if key not in _ON_THE_WAY}
        self.note(contents=dict(contents))

    def note(self, **facts: Any) -> None:
        """Add facts, ready for JSON, to the record."""
        known = {"format": _FORMAT, "salbox": __version__, **self._record, **facts}
        with atomic(self.path / _RECORD) as temporary:
            temporary.write_text(json.dumps(known, indent=1) + "\n", encoding="utf-8")
        self._known = known

    def note_recipe(self, recipe: Recipe, note: str = "") -> None:
        """Note the recipe as it is run, and write it as one that can be run again, `note` as a comment above it."""
        self.note(recipe=recipe.model_dump(mode="json"))
        with atomic(self.path / "recipe.yaml") as temporary:
            comment = f"# {one_line(note, 1000)}\n" if note else ""
            temporary.write_text(comment + recipe.to_yaml(), encoding="utf-8", errors="backslashreplace")

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
    damaged = next((key for key, is_sound in _SOUND.items() if key in record and not is_sound(record[key])), None)
    if damaged is not None:
        raise UsageError(
            f"{path}: its '{damaged}' is not what salbox writes there; remove the run or choose another folder"
        )
    return record


def _are_texts(values: Iterable[Any]) -> bool:
    return all(isinstance(value, str) for value in values)


def _is_flip_cc(value: Any) -> bool:
    return isinstance(value, dict) and all(
        isinstance(found, dict) and all(isinstance(cc, (int, float)) for cc in found.values())
        for found in value.values()
    )


# Entry of the record -> whether a value can be its.
_SOUND: dict[str, Callable[[Any], bool]] = {
    "identity": lambda value: isinstance(value, dict) and isinstance(value.get("recipe", {}), dict),
    "contents": lambda value: isinstance(value, dict) and _are_texts(value.values()),
    "finished": lambda value: isinstance(value, bool),
    "heads": lambda value: isinstance(value, list) and _are_texts(value),
    "recipe": lambda value: isinstance(value, dict),
    "flip_cc": _is_flip_cc,
}


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
