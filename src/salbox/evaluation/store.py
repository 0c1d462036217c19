"""Per-image results on disk: lines are appended as results come, and a second run goes on where the first ended."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from ..errors import UsageError
from ..metrics import Result
from ..models.weights import home


def default_folder() -> Path:
    """Return where results go unless one says where: evaluations/ in salbox's cache (`SALBOX_HOME`)."""
    return home() / "evaluations"


class Store:
    """The results of one row of a table, image by image, in one file of JSON lines, or in memory alone.

    The first line holds the settings, all that the figures depend on; each further one an image with its metrics.
    A line that an interrupt left unfinished is ignored.

    Parameters
    ----------
    folder : Path or None
        None: they are not kept.
    name : str
        Of the row; the file's name begins with it and ends with a digest of the settings.
    settings : mapping
        Ready for JSON.

    Raises
    ------
    UsageError
        If the folder cannot be written to.
    """

    def __init__(self, folder: Path | None, name: str, settings: Mapping[str, Any]) -> None:
        head = json.dumps({"settings": settings}, sort_keys=True)
        digest = hashlib.sha256(head.encode()).hexdigest()[:12]
        readable = re.sub(r"[^\w.+-]+", "-", name)[:60]
        self.results: dict[str, dict[str, Result]] = {}
        self.path = None if folder is None else folder / f"{readable}-{digest}.jsonl"
        if folder is None or self.path is None:
            return
        try:
            folder.mkdir(parents=True, exist_ok=True)
            text = self.path.read_text(encoding="utf-8") if self.path.exists() else ""
            if not text:
                self._append(head)
            elif not text.endswith("\n"):
                self._append("")
        except OSError as error:
            raise UsageError(f"{folder}: results cannot be kept there ({error.strerror or error})") from None
        for line in text.splitlines():
            self._take(line)

    def add(self, image: str, results: Mapping[str, Result]) -> None:
        """Keep the metrics of an image, here and on disk."""
        self.results.setdefault(image, {}).update(results)
        if self.path is None:
            return
        values = {k: v.tolist() if isinstance(v, np.ndarray) else float(v) for k, v in results.items()}
        try:
            self._append(json.dumps({"image": image, "metrics": values}))
        except OSError as error:
            raise UsageError(f"{self.path}: cannot be written ({error.strerror or error})") from None

    def _append(self, line: str) -> None:
        if self.path is None:
            return
        # One write a line, so that two runs at once do not tear each other's lines.
        with self.path.open("a", encoding="utf-8") as file:
            file.write(line + "\n")

    def _take(self, line: str) -> None:
        try:
            entry = json.loads(line)
            image, values = entry["image"], entry["metrics"]
            results = {str(k): np.array(v) if isinstance(v, list) else float(v) for k, v in values.items()}
        except (ValueError, TypeError, KeyError, AttributeError):
            return  # the settings, or a line that was not finished
        self.results.setdefault(str(image), {}).update(results)
