"""What files hold, as short texts: kept figures and runs are told apart by these, not by names, sizes or times."""

from __future__ import annotations

import hashlib
import os
import stat
import time
from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from .threads import available_threads

DIGEST_BYTES = 16
NOT_READ = ""  # the digest of what cannot be read: whoever needs the file says why

# A file that changed this short a time ago may change again within one tick of its file system's clock.
_SETTLED = 2_000_000_000  # nanoseconds; FAT counts in two seconds
_CHUNK = 1 << 20

State = tuple[int, ...]

# Path -> its state and its digest. Writing to a file renews its ctime, which nobody can set back.
_known: dict[str, tuple[State, str]] = {}


def content_digest(path: Path) -> str:
    """Return a text that changes with the bytes of a file, 32 hexadecimal digits; "" of what is no readable file.

    Within a process a file that has not been written to meanwhile is not read again.
    """
    name = os.path.abspath(path)  # noqa: PTH100  # links stay: where they lead is not of interest
    try:
        before = path.stat()
        if not stat.S_ISREG(before.st_mode):  # a pipe would be waited for
            return NOT_READ
        state = _state(before)
        found, digest = _known.get(name, ((), NOT_READ))
        if found == state:
            return digest
        digest = _hashed(path)
        if time.time_ns() - max(before.st_mtime_ns, before.st_ctime_ns) > _SETTLED and _state(path.stat()) == state:
            _known[name] = state, digest
    except (OSError, ValueError):  # ValueError: a name with a null character
        return NOT_READ
    return digest


def content_digests(paths: Sequence[Path]) -> list[str]:
    """Return the `content_digest` of each file, in this order; several are read at once."""
    threads = min(available_threads(), len(paths))
    if threads < 2:
        return [content_digest(path) for path in paths]
    with ThreadPoolExecutor(threads) as pool:
        return list(pool.map(content_digest, paths, chunksize=1))


def joint_digest(files: Iterable[tuple[str, Path]]) -> str:
    """Return a text that changes with the names, the order or the bytes of files, 32 hexadecimal digits.

    Parameters
    ----------
    files : iterable of (text, Path)
        Each with the name that it counts under.
    """
    named = list(files)
    contents = content_digests([path for _, path in named])
    digest = hashlib.blake2b(digest_size=DIGEST_BYTES)
    for (name, _), content in zip(named, contents, strict=True):
        digest.update(repr((name, content)).encode())
    return digest.hexdigest()


def path_digest(path: Path) -> str:
    """Return the `content_digest` of a file, of a folder the `joint_digest` of the files in it (not below it)."""
    if not path.is_dir():
        return content_digest(path)
    return joint_digest((file.name, file) for file in sorted(path.iterdir()) if file.is_file())


def _state(status: os.stat_result) -> State:
    return status.st_dev, status.st_ino, status.st_size, status.st_mtime_ns, status.st_ctime_ns


def _hashed(path: Path) -> str:
    digest = hashlib.blake2b(digest_size=DIGEST_BYTES)
    with path.open("rb") as file:
        while chunk := file.read(_CHUNK):
            digest.update(chunk)
    return digest.hexdigest()
