"""Paths as people write them: `~` means a home folder, and what no file can be called is one line."""

from __future__ import annotations

import errno
import os
from pathlib import Path

from .errors import UsageError

_IMPOSSIBLE = {errno.ENAMETOOLONG: "too long for a file's name", errno.ELOOP: "symbolic links lead in a circle"}
_SHOWN = 120  # characters of a path that is too long


def user_path(text: str | os.PathLike[str]) -> Path:
    """Return the path that somebody wrote, `~` and `~user` replaced; nothing need be there.

    Raises
    ------
    UsageError
        If nothing can be there: an unknown user's home, a name that is too long or holds a zero byte, symbolic links
        that lead in a circle.
    """
    shown = str(text) if len(str(text)) <= _SHOWN else f"{str(text)[:_SHOWN]}..."
    try:
        path = Path(text).expanduser()
    except RuntimeError:  # pathlib's, of a user that there is not
        raise UsageError(f"{shown}: whose home folder this is, the system does not know") from None
    try:
        path.stat()
    except ValueError:
        raise UsageError(f"{shown}: no file's name holds a zero byte") from None
    except OSError as error:  # most often nothing is there yet
        if error.errno in _IMPOSSIBLE:
            raise UsageError(f"{shown}: {_IMPOSSIBLE[error.errno]}") from None
    return path
