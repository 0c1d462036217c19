"""Names of files in one form, so that what looks alike is alike, whichever system packed the archive."""

from __future__ import annotations

import unicodedata
from pathlib import Path


def one_form(name: str) -> str:
    """Return a name with its accents composed (NFC): the form in which names of files are compared.

    A Mac stores "é" as an e and a combining accent (NFD), other systems as one character. Where two names of one folder
    come out alike, whoever pairs them says so.

    Examples
    --------
    >>> from salbox.system.names import one_form
    >>> one_form("cafe\\u0301") == one_form("caf\\u00e9") == "caf\\u00e9"
    True
    """
    return unicodedata.normalize("NFC", name)


def stored_file(path: Path) -> Path:
    """Return a file as it is there, if only the form of the accents in its name differs, else the path as given."""
    forms = (path, *(Path(unicodedata.normalize(form, str(path))) for form in ("NFC", "NFD")))
    return next((form for form in forms if form.exists()), path)
