"""Which images and videos a command line means, and what their outputs are called."""

from __future__ import annotations

import fnmatch
import glob
import os
import warnings
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeAlias

from ..errors import ImageWarning, UsageError, one_line
from ..paths import user_path
from .containers import SUFFIXES as VIDEO_SUFFIXES
from .image import SUFFIXES

Excluded: TypeAlias = Path | Sequence[Path] | None


@dataclass(frozen=True)
class ImageFile:
    """An image or video to work on and the relative path, suffix not yet added, that its outputs are given."""

    path: Path
    output: Path


@dataclass(frozen=True)
class _Kind:
    """What is looked for in folders, and whether overlays may lie beside its outputs."""

    name: str
    suffixes: frozenset[str]
    has_overlays: bool = False
    folders: dict[Path, _Folder] = field(default_factory=dict)

    def is_one(self, path: Path) -> bool:
        return path.suffix.lower() in self.suffixes and not path.name.startswith(".")

    def output(self, source: Path, relative: Path) -> Path:
        """Return the output's path: without suffix, unless that would be another's of the folder too."""
        if source.parent not in self.folders:
            self.folders[source.parent] = _Folder.read(source.parent, self)
        folder = self.folders[source.parent]
        alone = folder.is_alone(source) and not (self.has_overlays and f"{source.stem}.overlay" in folder.stems)
        return relative.with_name(output_name(source) if alone else source.name)


def find_images(inputs: Sequence[str], *, recursive: bool = False, exclude: Excluded = None) -> list[ImageFile]:
    """Return the images that files, folders and glob patterns stand for, each once, in a stable order.

    Parameters
    ----------
    inputs : texts
        A file is taken whatever its suffix; of a folder the files with an image's suffix, hidden ones left out.
    recursive : bool
        Whether folders are searched with all that lies below them; links that lead back end.
    exclude : Path or sequence of Path, optional
        Folders to leave out, unless they are named: where the outputs go.

    Returns
    -------
    list of ImageFile
        Output paths are relative to the folder named; with several folders their last names go in front. An output
        keeps the source's suffix where the source's folder holds another image of that stem. None leads out of the
        folder of outputs.

    Raises
    ------
    UsageError
        If something does not exist, nothing is found, or two sources would share an output.

    Warns
    -----
    ImageWarning
        If a folder below one that is named cannot be read.
    """
    images = _Kind("image", SUFFIXES)
    found = _find(inputs, [images], recursive, exclude)
    return _named(found, images)


def find_images_and_videos(
    inputs: Sequence[str], *, recursive: bool = False, exclude: Excluded = None
) -> tuple[list[ImageFile], list[ImageFile]]:
    """Return the images, and the videos, that files, folders and glob patterns stand for; see `find_images`.

    A file is a video by its suffix. An output keeps a video's suffix where the folder holds another video of that stem;
    a source's, too, where it holds one called as the source's overlay would be (`a.overlay.png` beside `a.jpg`).

    Raises
    ------
    UsageError
        If something does not exist, nothing is found, or two sources would share an output.

    Warns
    -----
    ImageWarning
        If a folder below one that is named cannot be read.
    """
    images, videos = _Kind("image", SUFFIXES, True), _Kind("video", VIDEO_SUFFIXES, True)
    found = _find(inputs, [images, videos], recursive, exclude)
    clips = {source: relative for source, relative in found.items() if source.suffix.lower() in VIDEO_SUFFIXES}
    photos = {source: relative for source, relative in found.items() if source not in clips}
    return _named(photos, images), _named(clips, videos)


def output_name(source: Path) -> str:
    """Return what the outputs of a file are called: its name without suffix, if that is a name at all ("..png")."""
    return source.stem if source.stem.strip(".") else source.name


def _find(inputs: Sequence[str], kinds: Sequence[_Kind], recursive: bool, exclude: Excluded) -> dict[Path, Path]:
    """Return the files with the paths of their outputs, suffix still on."""
    skip = {_real(folder) for folder in ([exclude] if isinstance(exclude, Path) else exclude or ())}
    if "" in inputs:
        raise UsageError("an input without a name: give a file, a folder (. is the one at hand) or a pattern")
    paths = [user_path(text) for text in inputs]
    several_folders = sum(map(_is_folder, paths)) > 1
    found: dict[tuple[Path, str], tuple[Path, Path]] = {}  # a file is known by its real folder and its name there
    for text, path in zip(inputs, paths, strict=True):
        prefix = Path(_real(path).name) if several_folders and _is_folder(path) else Path()
        is_empty = True
        for source, base in _expand(text, path, kinds, recursive, skip):
            is_empty = False
            found.setdefault((_real(source.parent), source.name), (source, prefix / _relative(source, base)))
        if is_empty and _is_folder(path):
            hint = "" if recursive else " (folders below it are searched with -r)"
            raise UsageError(f"{text}: no {' or '.join(kind.name + 's' for kind in kinds)} in this folder{hint}")
    return dict(found.values())


def _expand(
    text: str, path: Path, kinds: Sequence[_Kind], recursive: bool, skip: set[Path]
) -> Iterator[tuple[Path, Path]]:
    """Yield (file, the folder its output path is relative to)."""
    if _is_folder(path):
        for folder, files in _walk(path, recursive, skip):
            for source in (folder / name for name in files):
                if any(kind.is_one(source) for kind in kinds):
                    yield source, path
    elif os.path.lexists(path) or not glob.has_magic(text):
        yield path, path.parent
    else:
        base = _fixed_part(path)
        below = {folder for folder in skip if folder not in (_real(base), *_real(base).parents)}
        matches = sorted(set(_matches(base, path.parts[len(base.parts) :], below)), key=str)
        wanted = [m for m in matches if not _is_folder(m) and any(kind.is_one(m) for kind in kinds)]
        if not wanted:
            raise UsageError(f"{text}: no {' or '.join(kind.name for kind in kinds)} matches")
        for match in wanted:
            yield match, base


def _fixed_part(pattern: Path) -> Path:
    """Return the folders of a pattern before its first wild card."""
    parts: list[str] = []
    for part in pattern.parts[:-1]:
        if glob.has_magic(part):
            break
        parts.append(part)
    return Path(*parts) if parts else Path()


def _matches(folder: Path, parts: Sequence[str], skip: set[Path]) -> Iterator[Path]:
    """Yield what the parts of a pattern stand for below a folder, as `glob` does; links that lead back end."""
    part, rest = parts[0], parts[1:]
    if part == "**":
        for below, _ in _walk(folder, True, skip):
            yield from _matches(below, rest or ("*",), skip)
        return
    for path in [folder / name for name in _names(folder, part)]:
        if not rest and os.path.lexists(path):
            yield path
        elif rest and _is_folder(path) and _real(path) not in skip:
            yield from _matches(path, rest, skip)


def _names(folder: Path, pattern: str) -> list[str]:
    """Return the names in a folder that a part of a pattern stands for, hidden ones if it begins as they do."""
    if not glob.has_magic(pattern):
        return [pattern]
    try:
        names = sorted(fnmatch.filter((entry.name for entry in folder.iterdir()), pattern))
    except OSError:
        return []
    return [name for name in names if pattern.startswith(".") or not name.startswith(".")]


def _walk(top: Path, recursive: bool, skip: set[Path]) -> Iterator[tuple[Path, list[str]]]:
    """Yield each folder with the names of its files; those to skip are left out, the one at the top is not."""

    def complain(error: OSError) -> None:
        reason = f"{one_line(error.filename)}: cannot be read ({error.strerror or error})"
        if Path(error.filename) == top:
            raise UsageError(reason)
        warnings.warn(f"{reason}; what is in it is left out", ImageWarning, stacklevel=2)

    visited: set[Path] = set()
    for root, folders, files in os.walk(top, followlinks=True, onerror=complain):
        real = _real(Path(root))
        if real in visited or (real in skip and Path(root) != top):
            folders.clear()
            continue
        visited.add(real)
        folders[:] = sorted(f for f in folders if not f.startswith(".")) if recursive else []
        yield Path(root), sorted(files)


def _relative(source: Path, base: Path) -> Path:
    """Return a file's path below a folder; one that leads out of it and in elsewhere begins where it is in again."""
    relative = source.relative_to(base) if base != Path() else source
    parts = Path(os.path.normpath(relative)).parts
    return Path(*(part for part in parts if part != os.pardir))


# These never fail, as those of `Path` do on names that are too long and on links to themselves.


def _real(path: Path) -> Path:
    return Path(os.path.realpath(path))


def _is_folder(path: Path) -> bool:
    return os.path.isdir(path)  # noqa: PTH112


@dataclass(frozen=True)
class _Folder:
    """The names of a folder's images, or videos, and how often each stem occurs."""

    names: frozenset[str]
    stems: Counter[str]

    @classmethod
    def read(cls, folder: Path, kind: _Kind) -> _Folder:
        try:
            files = [p for p in folder.iterdir() if kind.is_one(p)]
        except OSError:
            files = []
        return cls(frozenset(p.name for p in files), Counter(p.stem for p in files))

    def is_alone(self, source: Path) -> bool:
        """Return whether no other file of the folder would be given the stem as its output's name."""
        others = self.stems[source.stem] - (source.name in self.names)
        return others == 0 and not (source.stem in self.names and source.stem != source.name)


def _named(found: dict[Path, Path], kind: _Kind) -> list[ImageFile]:
    """Return the files with the names of their outputs, a file under two names in one place once.

    Raises
    ------
    UsageError
        If two would share an output.
    """
    taken: dict[Path, ImageFile] = {}
    for source, relative in found.items():
        image = ImageFile(source, kind.output(source, relative))
        other = taken.setdefault(image.output, image)
        if other is not image and _real(other.path) != _real(source):
            raise UsageError(f"{other.path} and {source} would both be written as '{image.output}'; run them apart")
    return list(taken.values())
