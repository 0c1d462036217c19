"""What a command line means by shards, buckets and patterns of them: the files, each with the key of its outputs."""

from __future__ import annotations

import fnmatch
import glob
import os
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path, PurePosixPath

from ..errors import UsageError
from ..imaging.inputs import find_images
from ..imaging.opening import SUFFIXES
from ..paths import user_path
from .arrow import arrow
from .keys import safe_key
from .parquet_rows import count_groups
from .places import Folder, is_bucket, split_address
from .units import SHARDS, Source, Unit, of_images, suffix_of

_HERE = Folder(Path("/"))


def is_of_shards(text: str) -> bool:
    """Return whether an input is read by rows: a bucket's address, or the name or pattern of shards.

    Raises
    ------
    UsageError
        For an address that no bucket has.
    """
    return is_bucket(text) or (suffix_of(text) in SHARDS and not user_path(text).is_dir())


def find_sources(inputs: Sequence[str], *, recursive: bool = False, exclude: Sequence[Path] = ()) -> list[Source]:
    """Return the images and shards that inputs stand for, each once, in a stable order.

    Parameters
    ----------
    inputs : texts
        Shards, addresses in buckets, and patterns of both; images, folders and patterns of this machine as
        `find_images` takes them.
    recursive : bool
        Whether folders are searched with all that lies below them.
    exclude : sequence of Path
        Folders of this machine to leave out: where the outputs go.

    Raises
    ------
    UsageError
        If something does not exist, nothing is found, or two would share a key.
    """
    local = [text for text in inputs if not is_of_shards(text)]
    found = list(_images(local, recursive, exclude)) if local else []
    for text in inputs:
        if is_bucket(text):
            found += _in_bucket(text, recursive)
        elif is_of_shards(text):
            found += _shards(text)
    return _apart(found)


def units_of(sources: Sequence[Source], rows: int, workers: int) -> list[Unit]:
    """Return what is handed to workers: shards, Parquet files in groups of rows where there are few, images in lists.

    However they are handed out, what is made of them has the same names.

    Raises
    ------
    MissingExtraError
        For Parquet files, if pyarrow is not installed.
    """
    if any(suffix_of(source.path) == ".parquet" for source in sources):
        arrow("parquet")
    images = [source for source in sources if not source.is_shard]
    shards = [source for source in sources if source.is_shard]
    units = [unit for source in shards for unit in _of_shard(source, split=len(shards) < 4 * workers)]
    return units + of_images(images, rows)


def _of_shard(source: Source, *, split: bool) -> list[Unit]:
    if SHARDS[suffix_of(source.path)] == "tar":
        return [Unit("tar", (source,))]
    groups = count_groups(source) if split else 1
    return (
        [Unit("parquet", (source,), group) for group in range(groups)] if groups > 1 else [Unit("parquet", (source,))]
    )


def _images(inputs: Sequence[str], recursive: bool, exclude: Sequence[Path]) -> Iterator[Source]:
    for image in find_images(inputs, recursive=recursive, exclude=exclude):
        yield _of_here(image.path, str(image.output))


def _shards(text: str) -> list[Source]:
    """Return the shards of this machine that a name or a pattern stands for."""
    path = user_path(text)
    if os.path.lexists(path) or not glob.has_magic(text):
        if not path.is_file():
            raise UsageError(f"{text}: no such file")
        return [_of_here(path, path.stem)]
    base = PurePosixPath(*_fixed(path.as_posix()))
    found = [Path(name) for name in sorted(glob.glob(str(path), recursive=True))]  # noqa: PTH207
    files = [each for each in found if each.is_file() and suffix_of(each.name) in SHARDS]
    if not files:
        raise UsageError(f"{text}: no shard matches")
    return [_of_here(each, str(PurePosixPath(each.as_posix()).relative_to(base).with_suffix(""))) for each in files]


def _of_here(path: Path, key: str) -> Source:
    where = str(path.absolute()).removeprefix("/")
    found = _HERE.find(where)
    if found is None:
        raise UsageError(f"{path}: no such file")
    return Source(_HERE, where, safe_key(key), found.size, found.state)


def _in_bucket(text: str, recursive: bool) -> list[Source]:
    """Return the shards and images that an address, or a pattern of addresses, stands for."""
    bucket, path = split_address(text)
    if not glob.has_magic(path) and path and (one := bucket.find(path)) is not None:
        return [Source(bucket, path, _key(PurePosixPath(path).name), one.size, one.state)]
    parts = PurePosixPath(path).parts
    fixed = _fixed(path) if glob.has_magic(path) else parts
    wanted = parts[len(fixed) :]
    base = "/".join(fixed)
    deep = recursive if not wanted else len(wanted) > 1
    sources = [
        Source(bucket, found.path, _key(str(PurePosixPath(found.path).relative_to(base))), found.size, found.state)
        for found in sorted(bucket.walk(base, recursive=deep), key=lambda found: found.path)
        if _is_input(found.path) and (not wanted or _matches(PurePosixPath(found.path).parts[len(fixed) :], wanted))
    ]
    if not sources:
        raise UsageError(f"{text}: no image or shard there{'' if deep else ' (below it is searched with -r)'}")
    return sources


def _is_input(path: str) -> bool:
    return not PurePosixPath(path).name.startswith(".") and (suffix_of(path) in SHARDS or suffix_of(path) in SUFFIXES)


def _key(path: str) -> str:
    """Return the key of an object by its path below what was named; an image keeps its suffix, a shard does not."""
    return safe_key(str(PurePosixPath(path).with_suffix("")) if suffix_of(path) in SHARDS else path)


def _fixed(pattern: str) -> tuple[str, ...]:
    """Return the parts of a pattern before its first wild card, without the last."""
    parts = PurePosixPath(pattern).parts[:-1]
    return parts[: next((place for place, part in enumerate(parts) if glob.has_magic(part)), len(parts))]


def _matches(parts: Sequence[str], wanted: Sequence[str]) -> bool:
    """Return whether the parts of a path are those of a pattern; `**` is any number of folders."""
    if not wanted:
        return not parts
    if wanted[0] == "**":
        rest = wanted[1:] or ("*",)
        return any(_matches(parts[start:], rest) for start in range(len(parts)))
    return bool(parts) and fnmatch.fnmatchcase(parts[0], wanted[0]) and _matches(parts[1:], wanted[1:])


def _apart(sources: Iterable[Source]) -> list[Source]:
    """Return sources, each once, under the key that it is first named by.

    Raises
    ------
    UsageError
        If two would share a key.
    """
    found: dict[str, Source] = {}
    for source in sources:
        found.setdefault(source.uri, source)
    taken: dict[str, Source] = {}
    for source in found.values():
        other = taken.setdefault(source.key, source)
        if other is not source:
            raise UsageError(f"{other.uri} and {source.uri} would both be called '{source.key}'; run them apart")
    return list(taken.values())
