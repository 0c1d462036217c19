"""Keys: what a row's outputs are called, made of names that stand in somebody else's files."""

from __future__ import annotations

import re

from ..errors import SalboxError

MOST = 1000  # characters
_BETWEEN = re.compile(r"[/\\]+")
_UNFIT = re.compile(r"[\x00-\x1f\x7f:]")


def safe_key(*texts: str) -> str:
    r"""Return a relative path without a way out of the folder that it is put below.

    Parameters
    ----------
    *texts : str
        Names out of files, one below the other: `..`, `.`, empty parts, drives and control characters are dropped;
        bytes that are no text stand in it as `%udc80` does.

    Raises
    ------
    SalboxError
        If nothing remains, or it is too long.

    Examples
    --------
    >>> from salbox.scale.keys import safe_key
    >>> safe_key("shard-0", "../../etc/./passwd"), safe_key("C:\\photos\\a.jpg")
    ('shard-0/etc/passwd', 'C/photos/a.jpg')
    """
    parts = []
    for text in texts:
        for part in _BETWEEN.split(text):
            kept = _UNFIT.sub("", part).encode("utf-8", "backslashreplace").decode("utf-8").replace("\\", "%")
            if kept.strip(". "):
                parts.append(kept)
    key = "/".join(parts)
    if not key or len(key) > MOST:
        raise SalboxError("its name is empty" if not key else f"its name has more than {MOST} characters")
    return key
