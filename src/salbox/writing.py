"""Maps on disk: writing them, and what a file says of the map in it, whatever its format."""

from __future__ import annotations

from pathlib import Path

from .errors import ImageError, SalboxError
from .formats.mat import has_variable, load_variable
from .imaging.notes import Notes, notes_behind, notes_of_picture, parse
from .imaging.writing import write_map

__all__ = ["read_notes", "write_map"]

_MAT_VARIABLE = "notes"
_MOST = 1 << 20  # characters


def read_notes(path: Path) -> Notes:
    """Return what a file that salbox wrote says of the map in it; empty if somebody else wrote it.

    Parameters
    ----------
    path : Path
        A map in any of the formats that `salbox predict` writes.

    Returns
    -------
    dict
        The model, its parameters and weights, the version, and of the map: `output` ("score", "log_density",
        "probability"), `minimum` and `maximum` of its numbers; in a picture `white`, the value that stands for the
        maximum, `black`, the mean number in pixels of value 0, and `shown` if what it shows is the density.

    Raises
    ------
    ImageError
        If it cannot be read.
    """
    if path.suffix.lower() != ".mat":
        return notes_behind(path) or notes_of_picture(path)
    try:
        return parse(_text_of(path)) if has_variable(path, _MAT_VARIABLE) else {}
    except OSError as error:
        raise ImageError(f"{path}: cannot be read ({error.strerror or error})") from None
    except SalboxError as error:
        raise ImageError(str(error)) from None


def _text_of(path: Path) -> str:
    held = load_variable(path, (_MAT_VARIABLE,), most=_MOST)
    return str(held.flat[0]) if held.size == 1 else ""
