"""Which state of somebody's own code a result was computed by: a text that changes with its files.

What was kept of one run is taken up by another only if the code that runs is what lies on disk. So nothing is said of
code that has no file, or whose files changed after this program began: what is in memory may be older than they are.
"""

from __future__ import annotations

import ast
import hashlib
import importlib.util
import os
import sys
import sysconfig
import time
from collections.abc import Iterator
from functools import cache, lru_cache
from pathlib import Path
from typing import TypeAlias

from .identity import imported_names, package_identity

_DIGITS = 16
_INSTALLED = ("site-packages", "dist-packages")
_TICKS = 2  # in which the system counts when a program began; no module is read so soon
# Of files that code names and reads.
_DATA = {".npz", ".npy", ".mat", ".h5", ".hdf5", ".pkl", ".onnx", ".pth", ".pt", ".tar", ".safetensors", ".ckpt"}
_DATA |= {".caffemodel", ".pdparams", ".pb", ".tflite", ".bin", ".json", ".yaml", ".yml", ".toml"}
_LONGEST_NAME = 200

State: TypeAlias = tuple[int, int]
"""Size and time of a file: what is read of it is kept while they stay, for a batch asks again with every image."""


class UnknownSource(Exception):
    """There is no saying which state of code it is that runs; the text says why."""


def source_identity(module: str) -> str:
    """Return a text that changes with the code of a module outside this package, and with what it needs.

    That are the modules that it imports which are not installed packages, those of its own package in any case; files
    of data that one of them names as a text, relative to itself or the current folder; and all code of this package.

    Parameters
    ----------
    module : str
        Its dotted name, imported or not.

    Raises
    ------
    UnknownSource
        If it has no source file, or one of the files changed after this program began.
    """
    if module.partition(".")[0] == __name__.partition(".")[0]:
        return package_identity()
    if module == "__main__":
        raise UnknownSource("it lies in the script that runs, not in a module")
    files = source_files(module)
    counted = files | {data for file in files for data in _data_named_in(file, _state(file))}
    for file in sorted(counted):
        state = file.stat()
        if max(state.st_mtime, state.st_ctime) > _began():
            raise UnknownSource(f"{file.name} changed after this program began")
    digest = hashlib.sha256(package_identity().encode())
    for file in sorted(counted, key=lambda path: (path.name, path)):
        digest.update(file.name.encode("utf-8", "surrogatepass"))
        digest.update(_file_hash(file, _state(file)))
    return digest.hexdigest()[:_DIGITS]


def source_files(module: str) -> set[Path]:
    """Return the files of a module and of all that it imports which are not installed packages.

    Raises
    ------
    UnknownSource
        If it has no source file.
    """
    own = module.partition(".")[0]
    if _file_of(module, own) is None:
        raise UnknownSource(f"the module {module} has no source file")
    found: set[Path] = set()
    waiting = [module]
    while waiting:
        name = waiting.pop()
        file = _file_of(name, own)
        if file is None or file in found:
            continue
        found.add(file)
        package = name if file.name == "__init__.py" else name.rpartition(".")[0]
        try:
            waiting.extend(_names_in(file, package, _state(file)))
        except (SyntaxError, ValueError):
            raise UnknownSource(f"{file.name} cannot be read as Python") from None
        waiting.append(name.rpartition(".")[0])  # a package is run before what is in it
    return found


def _file_of(module: str, own: str) -> Path | None:
    """Return the source file of a module; None of what is installed and not in the package `own`, or is no module."""
    top, *rest = module.split(".")
    if not top or top == __name__.partition(".")[0]:
        return None
    for place in _places_of(top):
        if top != own and _is_installed(place):
            continue
        if place.suffix == ".py":
            candidates = () if rest else (place,)
        else:
            inside = place.joinpath(*rest)
            candidates = (inside / "__init__.py", *((inside.with_suffix(".py"),) if rest else ()))
        for path in candidates:
            if path.is_file():
                return path.resolve()
    return None


def _places_of(top: str) -> list[Path]:
    """Return where a module without a dot lies: its file, or the folders of a package."""
    loaded = sys.modules.get(top)
    if loaded is not None:
        folders, file = list(getattr(loaded, "__path__", ())), getattr(loaded, "__file__", None)
    else:
        try:
            spec = importlib.util.find_spec(top)
        except (ImportError, AttributeError, ValueError):
            return []
        if spec is None:
            return []
        folders, file = list(spec.submodule_search_locations or ()), spec.origin if spec.has_location else None
    return [Path(folder) for folder in folders] or ([Path(file)] if file else [])


def _is_installed(place: Path) -> bool:
    return any(part in _INSTALLED for part in place.parts) or any(root in place.parents for root in _library_roots())


@cache
def _library_roots() -> tuple[Path, ...]:
    paths = sysconfig.get_paths()
    return tuple(Path(paths[name]) for name in ("stdlib", "platstdlib"))


def _data_named_in(file: Path, state: State) -> Iterator[Path]:
    """Yield the files of data that a source file names as a text."""
    for text in _data_names_in(file, state):
        for path in (file.parent / text, Path(text)):
            if path.is_file():
                yield path.resolve()


def _state(file: Path) -> State:
    state = file.stat()
    return state.st_size, state.st_mtime_ns


@lru_cache(maxsize=1024)
def _names_in(file: Path, package: str, state: State) -> tuple[str, ...]:
    return imported_names(file.read_bytes(), tuple(package.split(".")) if package else ())


@lru_cache(maxsize=1024)
def _data_names_in(file: Path, state: State) -> tuple[str, ...]:
    texts = (node.value for node in ast.walk(ast.parse(file.read_bytes())) if isinstance(node, ast.Constant))
    short = (text for text in texts if isinstance(text, str) and len(text) <= _LONGEST_NAME and "\0" not in text)
    return tuple(text for text in short if Path(text).suffix.lower() in _DATA)


@lru_cache(maxsize=1024)
def _file_hash(file: Path, state: State) -> bytes:
    with file.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").digest()


@cache
def _began() -> float:
    """Return when this program began, in seconds since 1970: every module of it was read after that."""
    try:
        stat = Path("/proc/self/stat").read_text()
        ticks = int(stat.rpartition(")")[2].split()[19]) + _TICKS
        running = time.clock_gettime(time.CLOCK_BOOTTIME) - ticks / os.sysconf("SC_CLK_TCK")
    except (OSError, ValueError, AttributeError, IndexError):
        return _IMPORTED
    return time.time() - running


_IMPORTED = time.time()  # where the system does not say, what this module was imported before is not known
