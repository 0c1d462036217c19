"""A run folder: what lies where, and whose it is."""

from __future__ import annotations

import json
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..errors import UsageError
from ..saved import STUDENT_FILE
from ..version import __version__
from ..writing import atomic

_FORMAT = 1
_RECORD = "run.json"


@dataclass(frozen=True)
class RunFolder:
    """The files of a run; all lie in `path`."""

    path: Path

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

    def claim(self, identity: Mapping[str, Any]) -> dict[str, Any]:
        """Return what was noted of this run so far; begin it if the folder is new.

        Raises
        ------
        UsageError
            If the folder belongs to another run; the message says where they differ.
        """
        record = self.read()
        if record is None:
            if self.student.exists():
                raise UsageError(f"{self.path}: holds a student and no note of its run; choose another folder")
            return self.note({}, identity=dict(identity))
        difference = _difference(record.get("identity", {}), identity)
        if difference:
            raise UsageError(f"{self.path}: holds another run ({difference}); choose another folder or remove it")
        return record

    def note(self, record: Mapping[str, Any], **more: Any) -> dict[str, Any]:
        """Write what is known of the run, and return it."""
        known = {"format": _FORMAT, "salbox": __version__, **record, **more}
        with atomic(self.path / _RECORD) as temporary:
            temporary.write_text(json.dumps(known, indent=1) + "\n", encoding="utf-8")
        return known

    def read(self) -> dict[str, Any] | None:
        """Return what was noted of the run, None if nothing was.

        Raises
        ------
        UsageError
            If the note is broken.
        """
        path = self.path / _RECORD
        try:
            record = json.loads(path.read_text(encoding="utf-8"))
        except (FileNotFoundError, NotADirectoryError):
            return None
        except (OSError, ValueError, RecursionError) as error:
            raise UsageError(f"{path}: cannot be read ({' '.join(str(error).split())}); remove the run") from None
        if not isinstance(record, dict) or record.get("format") != _FORMAT:
            raise UsageError(f"{path}: not a note of this version of salbox; remove the run or choose another folder")
        return record

    def finish(self, record: Mapping[str, Any]) -> None:
        """Note that the run is finished, and remove what only an unfinished one needs."""
        self.note(record, finished=True)
        shutil.rmtree(self.work, ignore_errors=True)


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
