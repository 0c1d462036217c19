"""Per-image results on disk: lines are appended as results come, and a second run goes on where the first ended."""

from __future__ import annotations

import errno
import hashlib
import json
import os
import re
import zlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from ..errors import UsageError
from ..imaging.writing import atomic
from ..metrics import Result
from ..models.weights import home

_SUM = "crc32"  # the last entry of each line, over what stands before it
_LINE = re.compile(rf'(\{{.*), "{_SUM}": "([0-9a-f]{{8}})"\}}', re.ASCII)
_NAME_BYTES = 120  # of a row's name in the name of its file


def default_folder() -> Path:
    """Return where results go unless one says where: evaluations/ in salbox's cache (`SALBOX_HOME`)."""
    return home() / "evaluations"


class Store:
    """The results of one row of a table, image by image, in one file of JSON lines, or in memory alone.

    The first line holds the settings, all that the figures depend on; each further one an image with its metrics. Each
    ends in a checksum. A line that a kill left unfinished, or that was damaged otherwise, is taken out of the file:
    its figures are computed again. Several processes may write at once: each line is written in one piece, and what
    one of them loses is computed again later.

    Parameters
    ----------
    folder : Path or None
        None: they are not kept.
    name : str
        Of the row; the file's name begins with it and ends with a digest of the settings.
    settings : mapping
        Ready for JSON.

    Attributes
    ----------
    damaged : int
        How many lines were taken out of the file when it was opened.

    Raises
    ------
    UsageError
        If the folder cannot be written to.
    """

    def __init__(self, folder: Path | None, name: str, settings: Mapping[str, Any]) -> None:
        head = _line({"settings": settings})
        digest = hashlib.sha256(json.dumps({"settings": settings}, sort_keys=True).encode()).hexdigest()[:12]
        self.results: dict[str, dict[str, Result]] = {}
        self.damaged = 0
        self.path = None if folder is None else folder / f"{_readable(name)}-{digest}.jsonl"
        if folder is None or self.path is None:
            return
        try:
            folder.mkdir(parents=True, exist_ok=True)
            lines = self.path.read_bytes().split(b"\n") if self.path.exists() else []
            whole = [line for line in lines if line == head or self._take(line)]
            self.damaged = sum(line != b"" for line in lines) - len(whole)
            if lines and (self.damaged or lines[-1]):
                self._rewrite([head, *(line for line in whole if line != head)])
            elif not whole:
                self._append(head)
        except OSError as error:
            raise UsageError(f"{folder}: results cannot be kept there ({error.strerror or error})") from None

    def add(self, image: str, results: Mapping[str, Result]) -> None:
        """Keep the metrics of an image, here and on disk."""
        self.results.setdefault(image, {}).update(results)
        if self.path is None:
            return
        values = {k: v.tolist() if isinstance(v, np.ndarray) else float(v) for k, v in results.items()}
        try:
            self._append(_line({"image": image, "metrics": values}))
        except OSError as error:
            raise UsageError(f"{self.path}: cannot be written ({error.strerror or error})") from None

    def _append(self, line: bytes) -> None:
        if self.path is None:
            return
        # In one piece and unbuffered, so that two runs at once do not tear each other's lines.
        with self.path.open("ab", buffering=0) as file:
            if file.write(line + b"\n") != len(line) + 1:
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    def _rewrite(self, lines: list[bytes]) -> None:
        if self.path is not None:
            with atomic(self.path) as temporary:
                temporary.write_bytes(b"".join(line + b"\n" for line in lines))

    def _take(self, line: bytes) -> bool:
        """Take over the results that a line holds and return True; False if it is damaged or empty."""
        entry = _parsed(line)
        if entry is None:
            return False
        try:
            image, values = entry["image"], entry["metrics"]
            results = {str(k): _result(v) for k, v in values.items()}
        except (ValueError, TypeError, KeyError, AttributeError, OverflowError):
            return False
        if not isinstance(image, str):
            return False
        self.results.setdefault(image, {}).update(results)
        return True


def _readable(name: str) -> str:
    """Return a row's name as part of a file's name."""
    text = re.sub(r"[^\w.+-]+", "-", name)[:60]
    return text.encode("utf-8", "replace")[:_NAME_BYTES].decode("utf-8", "ignore")


def _line(entry: Mapping[str, Any]) -> bytes:
    """Return an entry as one line with its checksum."""
    text = json.dumps(entry, sort_keys=True)[:-1]
    return f'{text}, "{_SUM}": "{zlib.crc32(text.encode()):08x}"}}'.encode()


def _parsed(line: bytes) -> dict[str, Any] | None:
    """Return the entry of a line, None if it is not as it was written."""
    found = _LINE.fullmatch(line.decode("ascii", "replace"))
    if found is None or zlib.crc32(found[1].encode()) != int(found[2], 16):
        return None
    try:
        entry = json.loads(f"{found[1]}}}")
    except (ValueError, RecursionError):
        return None
    return entry if isinstance(entry, dict) else None


def _result(value: Any) -> Result:
    """Return a metric's result: a number, or a curve, (N,)."""
    if not isinstance(value, list):
        return float(value)
    curve = np.array(value, np.float64)
    if curve.ndim != 1:
        raise ValueError("a curve is a list of numbers")
    return curve
