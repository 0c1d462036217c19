"""Finding the files of a dataset, and saying what was expected where nothing is."""

from __future__ import annotations

import os
from collections.abc import Collection, Sequence
from pathlib import Path

from ..errors import UsageError
from ..system.names import one_form


def files_by_name(folder: Path, suffixes: Collection[str]) -> dict[str, Path]:
    """Return {path relative to the folder, without suffix: file}, with folders below, in the order of the names.

    Names are in one form whichever system packed the files (`salbox.system.names`), suffixes in small or large letters.
    Hidden files and folders, such as `.svn` and `.DS_Store`, and `__MACOSX` are left out.

    Raises
    ------
    UsageError
        If two files differ in their suffix alone, or in how accents are stored.
    """
    found: dict[str, Path] = {}
    for root, folders, files in os.walk(folder):
        folders[:] = sorted(f for f in folders if not f.startswith(".") and f != "__MACOSX")
        for file in sorted(files):
            path = Path(root, file)
            if file.startswith(".") or path.suffix.lower() not in suffixes:
                continue
            name = one_form(path.relative_to(folder).with_suffix("").as_posix())
            if name in found:
                raise UsageError(f"{folder}: both {found[name].name} and {path.name} are there; which one is meant?")
            found[name] = path
    return dict(sorted(found.items()))


def base_folder(path: Path, expected: Sequence[str], dataset: str, inside: Sequence[str] = ("",)) -> Path:
    """Return the first of the folders `path / inside` that holds all that is expected.

    Raises
    ------
    UsageError
        If none does: the message says what was expected, and where.
    """
    if not path.is_dir():
        wanted = f"; expected one that holds {' and '.join(expected)}" if expected else ""
        raise UsageError(f"{dataset}:{path}: no such folder{wanted}")
    for folder in (path / name for name in inside):
        if all((folder / name).exists() for name in expected):
            return folder
    nearest = path / inside[0]
    missing = [name for name in expected if not (nearest / name).exists()]
    raise UsageError(f"{dataset}:{path}: expected {' and '.join(missing)} in {nearest}")
