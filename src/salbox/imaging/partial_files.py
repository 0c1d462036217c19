"""Files that are being written: their temporary names, and those that killed runs left."""

from __future__ import annotations

import contextlib
import os
import re
import secrets
import time
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

fcntl: ModuleType | None
try:
    import fcntl
except ImportError:  # on Windows, where no file can be removed that is open
    fcntl = None

# Readable beside the file that is meant; 255 bytes are what file systems take.
_KEPT_BYTES = 100
_TOKEN_BYTES = 4
_OURS = re.compile(rf"\..*\.[0-9a-f]{{{2 * _TOKEN_BYTES}}}\.salbox\.part(\.\w+)?", re.DOTALL)
_SETTLED = 60.0  # seconds, where there are no locks: a file is closed just before it gets its name

_cleared: set[str] = set()  # folders, by this process


@contextlib.contextmanager
def replacing(path: Path, *, keep_suffix: bool = False) -> Iterator[Path]:
    """Yield the temporary name of a file, which gets its own if the block succeeds and is removed if it does not.

    It is there, empty, and locked by this process, so that nobody takes it for left behind; the lock ends with the
    process. What killed runs left in the folder is removed first.

    Parameters
    ----------
    path : Path
        The file's own name; its folder is there.
    keep_suffix : bool
        Whether the temporary name ends as `path` does.

    Raises
    ------
    OSError
        If the folder cannot be written to, or `path` is a folder.
    """
    clear(path.parent)
    temporary, descriptor = _claim(path, path.suffix if keep_suffix else "")
    try:
        try:
            yield temporary
            if fcntl is not None:
                temporary.replace(path)
        finally:
            os.close(descriptor)
        if fcntl is None:  # a file that is open has to keep its name
            temporary.replace(path)
    finally:
        with contextlib.suppress(OSError):
            temporary.unlink()


def clear(folder: Path) -> None:
    """Remove the temporary files in a folder that no living process writes; once a process and folder."""
    name = os.path.abspath(folder)  # noqa: PTH100  # links stay
    if name in _cleared:
        return
    _cleared.add(name)
    try:
        left = [Path(entry.path) for entry in os.scandir(folder) if _OURS.fullmatch(entry.name)]
    except OSError:
        return
    for path in left:
        with contextlib.suppress(OSError):
            _remove_if_dead(path)


def _claim(path: Path, suffix: str) -> tuple[Path, int]:
    """Return the temporary name of a file, and the descriptor that holds its lock."""
    # Names are limited in bytes, not in characters; half a character would be none. Python may take names for ASCII.
    shown = os.fsdecode(os.fsencode(path.name)[:_KEPT_BYTES].decode("utf-8", "ignore").encode())
    while True:
        temporary = path.with_name(f".{shown}.{secrets.token_hex(_TOKEN_BYTES)}.salbox.part{suffix}")
        descriptor = os.open(temporary, os.O_RDWR | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0), 0o666)
        if not _lock(descriptor) or _is_still(temporary, descriptor):
            return temporary, descriptor
        os.close(descriptor)  # somebody cleared the folder between the two calls


def _lock(descriptor: int) -> bool:
    """Return whether a file could be locked: another has it, or the file system knows no locks."""
    if fcntl is None:
        return False
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return False
    return True


def _is_still(path: Path, descriptor: int) -> bool:
    """Return whether a name is still that of an open file."""
    try:
        return os.path.samestat(path.stat(), os.fstat(descriptor))
    except OSError:
        return False


def _remove_if_dead(path: Path) -> None:
    if fcntl is None:
        if time.time() - path.stat().st_mtime > _SETTLED:
            path.unlink()
        return
    # Not through a link, and without waiting for whoever might write into a pipe.
    descriptor = os.open(path, os.O_RDWR | os.O_NOFOLLOW | os.O_NONBLOCK)
    try:
        if _lock(descriptor):
            path.unlink()
    finally:
        os.close(descriptor)
