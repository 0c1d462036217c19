"""What salbox raises: one clear line each, so that the command line can print it as it is."""

from __future__ import annotations

import difflib
import re
import traceback
from collections.abc import Iterable
from pathlib import Path


class SalboxError(Exception):
    """Base of every error that is meant for the user: what, where, and what to do, in one line."""


class UsageError(SalboxError, ValueError):
    """A model, parameter or option that does not exist or does not fit."""


class ImageError(SalboxError, ValueError):
    """An input that cannot be read as an image."""


class ImageWarning(UserWarning):
    """Something about an image that a user should know, such as frames that are left out."""


class ModelWarning(UserWarning):
    """Something about a model of somebody's own that a user should know, such as that it cannot be loaded."""


class WeightsError(SalboxError, ValueError):
    """Filters or weights that are missing or malformed."""


class MissingExtraError(SalboxError, ImportError):
    """A feature whose optional dependencies are not installed."""

    def __init__(self, feature: str, extra: str) -> None:
        super().__init__(f"{feature} needs an optional part of salbox: pip install 'salbox[{extra}]'")


def nearest(word: str, known: Iterable[str]) -> str:
    """Return "; did you mean 'x'?" for the closest known words, or an empty string."""
    matches = difflib.get_close_matches(word.lower(), list(known), n=3, cutoff=0.5)
    return f"; did you mean {' or '.join(repr(m) for m in matches)}?" if matches else ""


def name_some(names: Iterable[str], most: int = 5, *, quoted: bool = False) -> str:
    """Return the first few names, and how many more there are.

    Parameters
    ----------
    names : texts
    most : int
        How many to name.
    quoted : bool
        Whether to put each in quotes and to cut what is long: for names out of a file that nobody vouches for.
    """
    every = list(names)
    more = f" and {len(every) - most} more" if len(every) > most else ""
    return ", ".join(f"'{one_line(name, 80)}'" if quoted else name for name in every[:most]) + more


# What a terminal takes for a command: control characters (C0 but tab and line feed, C1), what turns the direction of
# writing, other ends of lines, and halves of characters that stand for bytes which are no text.
_UNPRINTABLE = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ud800-\udfff]")
# Colours and the like, as libraries put them into what they say.
_ESCAPES = re.compile("(?:\x1b\\[|\x9b)[0-?]*[ -/]*[@-~]|\x1b\\][^\x07\x1b]*(?:\x07|\x1b\\\\)?")


def printable(text: str) -> str:
    r"""Return a text as it can be shown in a terminal: what would be a command to it as an escape, such as \x1b.

    Line feeds and tabs stay.
    """
    return _UNPRINTABLE.sub(_escaped, text)


def _escaped(found: re.Match[str]) -> str:
    code = ord(found.group())
    if 0xDC80 <= code <= 0xDCFF:  # a byte of a file's name
        code -= 0xDC00
    return f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}"


def one_line(text: object, most: int = 200) -> str:
    """Return a text out of a file, or what a library's error says, fit for a message: one line, printable, not long."""
    line = " ".join(_ESCAPES.sub("", str(text)).split())
    if not line and isinstance(text, BaseException):
        return type(text).__name__
    return "".join(c if c.isprintable() else "?" for c in line[:most])


def located(error: BaseException) -> str:
    """Return what code of somebody's own raised, in one line: its kind, what it says, and in which file and line."""
    said = one_line(error)
    text = type(error).__name__ if said in ("", type(error).__name__) else f"{type(error).__name__}: {said}"
    if isinstance(error, SyntaxError):  # says itself where
        return text
    files = [(Path(frame.filename), frame.lineno) for frame in traceback.extract_tb(error.__traceback__)]
    theirs = [(file, line) for file, line in files if not _is_ours(file)]
    # Where their code called a library, not where the library noticed.
    chosen = [(file, line) for file, line in theirs if not _is_installed(file)] or theirs
    return f"{text} ({chosen[-1][0].name}, line {chosen[-1][1]})" if chosen else text


def _is_installed(file: Path) -> bool:
    return bool({"site-packages", "dist-packages"} & {*file.parts})


def _is_ours(file: Path) -> bool:
    """Return whether a file is salbox's or Python's own."""
    python = not file.is_absolute() or Path(traceback.__file__).parent in file.parents
    return Path(__file__).parent in file.parents or (python and not _is_installed(file))
