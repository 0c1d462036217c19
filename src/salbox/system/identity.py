"""Which code a result was computed by: a text that changes with it, found by following imports."""

from __future__ import annotations

import ast
import hashlib
from collections.abc import Iterator
from functools import cache
from pathlib import Path

_ROOT = Path(__file__).resolve().parents[1]
_PACKAGE = __name__.partition(".")[0]
_DIGITS = 16
_DATA = "data"  # the folder of a package that holds what its code reads


@cache
def code_identity(*modules: str) -> str:
    """Return a text that changes with the code of modules and with all that it imports of this package.

    Imports within functions count, those for type checking alone do not. Of the data beside the code every file
    counts but those named after a module beside it that is not imported, as `sun_filters.npz` is after `sun`. The
    version alone would let results of an older state of a checkout pass for new ones.

    Parameters
    ----------
    *modules : str
        Dotted names within this package.

    Raises
    ------
    ValueError
        If there is no such module.
    """
    files = module_files(*modules)
    digest = hashlib.sha256()
    for file in sorted({*files, *_data_beside(files)}):
        digest.update(file.relative_to(_ROOT).as_posix().encode())
        digest.update(hashlib.sha256(file.read_bytes()).digest())
    return digest.hexdigest()[:_DIGITS]


@cache
def package_identity() -> str:
    """Return a text that changes with any code of this package."""
    digest = hashlib.sha256()
    for file in sorted(_ROOT.rglob("*.py")):
        digest.update(file.relative_to(_ROOT).as_posix().encode())
        digest.update(file.read_bytes())
    return digest.hexdigest()[:_DIGITS]


def module_files(*modules: str) -> set[Path]:
    """Return the files of modules and of all modules of this package that they import, by whatever way."""
    found: set[Path] = set()
    waiting = list(modules)
    for module in modules:
        if _file_of(module) is None:
            raise ValueError(f"no module {module} in this package")
    while waiting:
        module = waiting.pop()
        file = _file_of(module)
        if file is not None and file not in found:
            found.add(file)
            waiting.extend(_imported_by(file))
            waiting.append(module.rpartition(".")[0])  # a package is run before what is in it
    return found


def _file_of(module: str) -> Path | None:
    """Return the file of a module of this package; None of anything else."""
    first, *rest = module.split(".")
    if first != _PACKAGE:
        return None
    place = _ROOT.joinpath(*rest)
    candidates = (place / "__init__.py", place.with_suffix(".py")) if rest else (_ROOT / "__init__.py",)
    return next((path for path in candidates if path.is_file()), None)


@cache
def _imported_by(file: Path) -> tuple[str, ...]:
    return imported_names(file.read_bytes(), (_PACKAGE, *file.relative_to(_ROOT).with_suffix("").parts)[:-1])


def imported_names(source: bytes, place: tuple[str, ...]) -> tuple[str, ...]:
    """Return what a file imports, as dotted names: modules, and names that may be modules.

    Parameters
    ----------
    source : bytes
        What is in it.
    place : tuple of str
        The package that it lies in, part by part.
    """
    found: list[str] = []
    for node in _run(ast.parse(source)):
        if isinstance(node, ast.Import):
            found += [name.name for name in node.names]
        elif isinstance(node, ast.ImportFrom):
            above = place[: len(place) - node.level + 1] if node.level else ()
            module = ".".join([*above, *([node.module] if node.module else [])])
            found += [module, *(f"{module}.{name.name}" for name in node.names)]
    return tuple(found)


def _run(tree: ast.AST) -> Iterator[ast.AST]:
    """Yield the nodes of a tree but those that are there for type checking alone."""
    waiting = [tree]
    while waiting:
        node = waiting.pop()
        yield node
        if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test):
            waiting.extend(node.orelse)
        else:
            waiting.extend(ast.iter_child_nodes(node))


def _data_beside(files: set[Path]) -> Iterator[Path]:
    """Yield the data that files may read."""
    for folder in {file.parent for file in files}:
        if (folder / _DATA).is_dir():
            others = {file.stem for file in folder.glob("*.py") if file not in files}
            for path in (folder / _DATA).iterdir():
                if path.is_file() and not any(f"{path.stem}_".startswith(f"{other}_") for other in others):
                    yield path
