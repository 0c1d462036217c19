"""Which images a command line means, and what their outputs are called."""

from __future__ import annotations

import glob
import os
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from ..errors import UsageError
from .image import SUFFIXES


@dataclass(frozen=True)
class ImageFile:
    """An image to work on and the relative path, suffix not yet added, that its outputs are given."""

    path: Path
    output: Path


def find_images(inputs: Sequence[str], *, recursive: bool = False, exclude: Path | None = None) -> list[ImageFile]:
    """Return the images that files, folders and glob patterns stand for, each once, in a stable order.

    Parameters
    ----------
    inputs : texts
        A file is taken whatever its suffix; of a folder the files with an image's suffix, hidden ones left out.
    recursive : bool
        Whether folders are searched with all that lies below them; links that lead back end.
    exclude : Path, optional
        A folder to leave out: where the outputs go.

    Returns
    -------
    list of ImageFile
        Output paths are relative to the folder named; with several folders their last names go in front. An output
        keeps the source's suffix where the source's folder holds another image of that stem.

    Raises
    ------
    UsageError
        If something does not exist, nothing is found, or two sources would share an output.
    """
    paths = [Path(text).expanduser() for text in inputs]
    several_folders = sum(path.is_dir() for path in paths) > 1
    found: dict[Path, Path] = {}
    for text, path in zip(inputs, paths, strict=True):
        before = len(found)
        for source, base in _expand(text, path, recursive, exclude):
            prefix = Path(path.resolve().name) if several_folders and path.is_dir() else Path()
            found.setdefault(source, prefix / _relative(source, base))
        if len(found) == before and path.is_dir():
            hint = "" if recursive else " (folders below it are searched with -r)"
            raise UsageError(f"{text}: no images in this folder{hint}")
    folders: dict[Path, _Folder] = {}
    images = [ImageFile(source, _output_name(source, relative, folders)) for source, relative in found.items()]
    _refuse_collisions(images)
    return images


def _expand(text: str, path: Path, recursive: bool, exclude: Path | None) -> Iterator[tuple[Path, Path]]:
    """Yield (image, the folder its output path is relative to)."""
    if path.is_dir():
        for source in _walk(path, recursive, exclude):
            yield source, path
    elif path.exists() or not glob.has_magic(text):
        yield path, path.parent
    else:
        matches = [Path(m) for m in sorted(glob.glob(str(path), recursive=True))]  # noqa: PTH207 (patterns may be absolute)
        files = [m for m in matches if m.is_file() and _is_image(m)]
        if not files:
            raise UsageError(f"{text}: no image matches")
        base = _fixed_part(path)
        for source in files:
            yield source, base


def _fixed_part(pattern: Path) -> Path:
    """Return the folders of a pattern before its first wild card."""
    parts: list[str] = []
    for part in pattern.parts[:-1]:
        if glob.has_magic(part):
            break
        parts.append(part)
    return Path(*parts) if parts else Path()


def _walk(folder: Path, recursive: bool, exclude: Path | None) -> Iterator[Path]:
    skip = exclude.resolve() if exclude is not None else None
    visited: set[Path] = set()
    for root, folders, files in os.walk(folder, followlinks=True):
        real = Path(root).resolve()
        if real in visited or real == skip:
            folders.clear()
            continue
        visited.add(real)
        folders[:] = sorted(f for f in folders if not f.startswith(".")) if recursive else []
        yield from (Path(root, f) for f in sorted(files) if _is_image(Path(f)))


def _is_image(path: Path) -> bool:
    return path.suffix.lower() in SUFFIXES and not path.name.startswith(".")


def _relative(source: Path, base: Path) -> Path:
    return source.relative_to(base) if base != Path() else source


@dataclass(frozen=True)
class _Folder:
    """The names of a folder's images, and how often each stem occurs."""

    names: frozenset[str]
    stems: Counter[str]

    @classmethod
    def read(cls, folder: Path) -> _Folder:
        try:
            images = [p for p in folder.iterdir() if _is_image(p)]
        except OSError:
            images = []
        return cls(frozenset(p.name for p in images), Counter(p.stem for p in images))

    def is_alone(self, source: Path) -> bool:
        """Return whether no other image of the folder would be given the stem as its output's name."""
        others = self.stems[source.stem] - (source.name in self.names)
        return others == 0 and not (source.stem in self.names and source.stem != source.name)


def _output_name(source: Path, relative: Path, folders: dict[Path, _Folder]) -> Path:
    """Return the output's path: without suffix, unless that would be another image's of the folder too."""
    if source.parent not in folders:
        folders[source.parent] = _Folder.read(source.parent)
    alone = folders[source.parent].is_alone(source)
    return relative.with_name(source.stem if alone else source.name)


def _refuse_collisions(images: Iterable[ImageFile]) -> None:
    taken: dict[Path, Path] = {}
    for image in images:
        other = taken.setdefault(image.output, image.path)
        if other != image.path:
            raise UsageError(f"{other} and {image.path} would both be written as '{image.output}'; run them apart")
