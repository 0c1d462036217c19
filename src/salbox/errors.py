"""What salbox raises: one clear line each, so that the command line can print it as it is."""

from __future__ import annotations

import difflib
from collections.abc import Iterable


class SalboxError(Exception):
    """Base of every error that is meant for the user: what, where, and what to do, in one line."""


class UsageError(SalboxError, ValueError):
    """A model, parameter or option that does not exist or does not fit."""


class ImageError(SalboxError, ValueError):
    """An input that cannot be read as an image."""


class ImageWarning(UserWarning):
    """Something about an image that a user should know, such as frames that are left out."""


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
