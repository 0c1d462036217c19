"""Pages whose parts are measured one at a time: the rows of each are kept beside the page, as JSON."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from _tables import provenance


def kept(path: Path) -> dict[str, dict[str, Any]]:
    """Return what was measured so far, by part: its `rows`, and when and where they were `measured`."""
    return json.loads(path.read_text(encoding="utf-8")) if path.is_file() else {}


def here() -> str:
    """Return a line with the machine, the date and the versions that figures of the tools depend on."""
    return provenance(("salbox", "pillow", "numpy"))


def keep(path: Path, part: str, rows: list[list[str]], measured: str | None = None) -> None:
    """Keep the rows of a part, with when and where they were measured."""
    found = kept(path) | {part: {"rows": rows, "measured": measured or here()}}
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")
