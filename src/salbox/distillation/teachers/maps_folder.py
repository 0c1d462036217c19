"""Teachers' maps on disk: a folder that `salbox teach` wrote, or maps that were made elsewhere."""

from __future__ import annotations

import contextlib
import json
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path, PurePosixPath
from typing import Any

import numpy as np
import numpy.typing as npt

from ...errors import ImageError, SalboxError, UsageError, name_some
from ...evaluation.maps import MAP_SUFFIXES, OVERLAY, read_stored
from ...formats.npy import read_npy
from ...imaging.image import MAX_PIXELS, SUFFIXES
from ...imaging.notes import output_of, restored
from ...imaging.scaling import density, is_log_density, min_max
from ...paths import user_path
from ...system.contents import content_digest, joint_digest
from ...system.names import one_form
from ...types import FloatMap, Output
from ...writing import read_notes
from ._png import checked_notes

RECORD = "teacher.json"
TEACHER_NOTE = "teacher"  # in each map: the fingerprint of what made it
PHOTO_NOTE = "photo"  # in each map: the digest of the photo's file
SCALE = "scale"  # in the record, of maps that were stored otherwise than min-max scaled
UNSCALED = "none, 0 to 1 as 8 bits"
_UNSCALED_BEFORE = "none, 0 to 1 as 16 bits"
_FULL, _FULL_DEEP = 255, 65535  # what 1 is stored as in pictures of 8 and of 16 bits
_ROUNDING = 1e-4  # by which single precision may leave 0..1


@dataclass(frozen=True)
class Checked:
    """What a folder of maps holds for some photos.

    Attributes
    ----------
    good : tuple of keys
        In the order asked for.
    missing : tuple of keys
        Photos without a map.
    broken : dict
        Key -> what is wrong with its map, in one line.
    unmatched : tuple of names
        Maps that belong to no photo that was asked for.
    of_others : tuple of keys
        Of the good ones those that were made of a file with other contents than the photo's.
    """

    good: tuple[str, ...] = ()
    missing: tuple[str, ...] = ()
    broken: Mapping[str, str] = field(default_factory=dict)
    unmatched: tuple[str, ...] = ()
    of_others: tuple[str, ...] = ()

    def lines(self) -> list[str]:
        """Return what does not fit, one line a kind; empty if everything does."""
        found = []
        if self.missing:
            found.append(f"{_count(len(self.missing), 'photo')} without a map: {name_some(self.missing)}")
        if self.broken:
            first = next(iter(self.broken.values()))
            found.append(f"{_count(len(self.broken), 'broken map')}: {name_some(tuple(self.broken))} ({first})")
        if self.unmatched:
            found.append(f"{_count(len(self.unmatched), 'map')} without a photo: {name_some(self.unmatched)}")
        if self.of_others:
            found.append(
                f"{_count(len(self.of_others), 'map')} made of other files than these photos, of copies of them or of "
                f"what they were before: {name_some(self.of_others)}"
            )
        return found


class TeacherMaps:
    """The maps of one teacher: a folder with one for each picture.

    Parameters
    ----------
    folder : path
        What `salbox teach` wrote, `MAPS/<model>`, or `MAPS` if it holds one model; or any folder of grey pictures,
        .npy or .mat files. A map belongs to the picture of the same relative path, suffixes aside (`a/1.png` and
        `a/1.jpg.png` to `a/1.jpg`), or else to the only one of the same stem.
    output : {"score", "log_density", "probability"}, optional
        What the numbers of maps made elsewhere are; by default what their files say, else a score.

    Raises
    ------
    UsageError
        If there is no such folder, it holds no map or the maps of several models, or two maps differ in their
        suffix alone.

    Examples
    --------
    >>> import tempfile, numpy as np
    >>> from pathlib import Path
    >>> from salbox.distillation.teachers.maps_folder import TeacherMaps
    >>> folder = Path(tempfile.mkdtemp())
    >>> np.save(folder / "0001.npy", np.array([[2.0, 4.0]]))
    >>> maps = TeacherMaps(folder)
    >>> maps.names(), maps.read("0001").tolist()
    (['0001'], [[0.0, 1.0]])
    """

    def __init__(self, folder: Path | str, output: Output | None = None) -> None:
        self.folder = _one_teacher(user_path(folder))
        self._output = output
        self._files = _map_files(self.folder)
        if not self._files:
            raise UsageError(f"{self.folder}: no maps in this folder (grey pictures, .npy or .mat)")

    def names(self) -> list[str]:
        """Return the maps' keys, relative paths without suffix, sorted."""
        return list(self._files)

    @cached_property
    def record(self) -> dict[str, Any]:
        """What `salbox teach` noted of the teacher (see `read_record`); empty for maps made elsewhere."""
        return read_record(self.folder) or {}

    @cached_property
    def unscaled(self) -> bool:
        """Whether the maps are probabilities, and are read as they are."""
        if self.record:
            return is_unscaled(self.record)
        if self._output is not None:
            return self._output == "probability"
        for path in self._files.values():
            with contextlib.suppress(SalboxError):  # of a broken one another says it
                return output_of(read_notes(path)) == "probability"
        return False

    def path(self, key: str) -> Path | None:
        """Return the file of a picture's map, None if there is none."""
        key = one_form(key)
        if key in self._files or self.record:
            return self._files.get(key)
        for names in (self._by_path.get(key, []), self._by_stem.get(key.rpartition("/")[2], [])):
            if len(names) == 1:
                return self._files[names[0]]
        return None

    def read(self, key: str) -> FloatMap:
        """Return the map of a picture: (h, w) float32 in 0..1.

        A probability is as it was stored; any other map is min-max scaled, a constant one 0. Of a log density that
        `salbox predict` wrote it is the density.

        Raises
        ------
        ImageError
            If there is none, it is broken, a colour picture, or was made by another teacher than the folder's.
        """
        path = self.path(key)
        if path is None:
            raise ImageError(f"{self.folder}: no map of '{key}'")
        if self.record:
            self._check_own(path)
        try:
            values = _read_npy(path) if path.suffix.lower() == ".npy" else read_stored(path)
            if self.unscaled:
                return _probabilities(path, values)
            return min_max(values if self.record else self._density(path, values))
        except UsageError as error:  # of a MAT file
            raise ImageError(str(error)) from None

    def _density(self, path: Path, values: npt.NDArray[Any]) -> npt.NDArray[Any]:
        """Return a map as a teacher's: of a log density, by what its file says or else by its numbers, the density."""
        notes = read_notes(path)
        output = self._output or output_of(notes) or ("log_density" if is_log_density(values) else None)
        return density(restored(values, notes), output) if output == "log_density" else values

    def content(self) -> str:
        """Return a text that changes with the maps' names or bytes, or with the teacher in the record."""
        files = joint_digest((key, path) for key, path in self._files.items())
        return f"{files} {self.record['fingerprint']}" if self.record else files

    def check(self, keys: Iterable[str], photos: Mapping[str, Path] | None = None) -> Checked:
        """Return which pictures have a map that can be read; nothing else may be trained on.

        Maps that `salbox teach` wrote are checked by their checksums, others are read.

        Parameters
        ----------
        keys : iterable of keys
        photos : mapping, optional
            Key -> the photo, where it is to be said if the map was made of another file.
        """
        paths = {key: self.path(key) for key in keys}
        users = Counter(paths.values())
        good, missing, broken, of_others = [], [], {}, []
        for key, path in paths.items():
            if path is None:
                missing.append(key)
                continue
            try:
                if users[path] > 1:
                    raise ImageError(f"{path}: could be the map of {users[path]} photos of that name")
                if self.record:
                    made_of = self._check_own(path).get(PHOTO_NOTE)
                    if made_of and photos and key in photos and made_of != content_digest(photos[key]):
                        of_others.append(key)
                else:
                    self.read(key)
            except ImageError as error:
                broken[key] = str(error)
            else:
                good.append(key)
        unmatched = tuple(name for name, path in self._files.items() if path not in users)
        return Checked(tuple(good), tuple(missing), broken, unmatched, tuple(of_others))

    def _check_own(self, path: Path) -> dict[str, Any]:
        """Return the notes of a map, which is whole and this teacher's."""
        notes = checked_notes(path)
        if notes.get(TEACHER_NOTE) != self.record.get("fingerprint"):
            raise ImageError(f"{path}: made by another teacher than {RECORD} beside it says; run salbox teach again")
        return notes

    @cached_property
    def _by_path(self) -> dict[str, list[str]]:
        """The maps by their relative path without a photo's suffix: `a/1.jpg.png` by `a/1`."""
        return _grouped((_without_image_suffix(name), name) for name in self._files)

    @cached_property
    def _by_stem(self) -> dict[str, list[str]]:
        return _grouped((stem.rpartition("/")[2], name) for stem, names in self._by_path.items() for name in names)


def read_record(folder: Path) -> dict[str, Any] | None:
    """Return what `salbox teach` noted of the teacher beside its maps, None if it did not write the folder.

    Raises
    ------
    UsageError
        If the file is there and broken.
    """
    path = folder / RECORD
    try:
        record = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return None
    except (OSError, ValueError, RecursionError) as error:
        raise UsageError(f"{path}: cannot be read ({' '.join(str(error).split())}); remove it or its folder") from None
    if not _is_record(record):
        raise UsageError(f"{path}: not what salbox teach writes; remove it or its folder")
    return record


def _is_record(record: Any) -> bool:
    """Return whether a record is what is written here."""
    if not isinstance(record, dict):
        return False
    teacher, versions = record.get("teacher"), record.get("versions", [])
    return (
        isinstance(teacher, dict)
        and isinstance(teacher.get("model", ""), str)
        and isinstance(record.get("fingerprint"), str)
        and isinstance(versions, list)
    )


def is_unscaled(record: Mapping[str, Any]) -> bool:
    """Return whether a record says that maps were stored as they are; one that is empty does not."""
    return record.get("teacher", {}).get(SCALE) in (UNSCALED, _UNSCALED_BEFORE)


def _one_teacher(folder: Path) -> Path:
    """Return the folder itself, or the only folder of a model in it."""
    if not folder.is_dir():
        raise UsageError(f"{folder}: no such folder of maps")
    if (folder / RECORD).is_file():
        return folder
    teachers = sorted(path.parent for path in folder.glob(f"*/{RECORD}"))
    if len(teachers) > 1:
        names = [path.name for path in teachers]
        raise UsageError(f"{folder}: holds the maps of {name_some(names)}; name one, as {teachers[0]}")
    return teachers[0] if teachers else folder


def _map_files(folder: Path) -> dict[str, Path]:
    """Return {relative path without suffix: file}, sorted."""
    found: dict[str, Path] = {}
    for path in sorted(folder.rglob("*")):
        inside = path.relative_to(folder)
        if path.suffix.lower() not in MAP_SUFFIXES or path.stem.endswith(OVERLAY):
            continue
        if any(part.startswith(".") for part in inside.parts):
            continue
        key = one_form(inside.with_suffix("").as_posix())
        if key in found:
            raise UsageError(f"{folder}: both {found[key].name} and {path.name} are there; which one is meant?")
        found[key] = path
    return found


def _without_image_suffix(name: str) -> str:
    path = PurePosixPath(name)
    return path.with_suffix("").as_posix() if path.suffix.lower() in SUFFIXES else name


def _grouped(pairs: Iterable[tuple[str, str]]) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for name, member in pairs:
        found.setdefault(name, []).append(member)
    return found


def _probabilities(path: Path, values: npt.NDArray[Any]) -> FloatMap:
    """Return a map of probabilities as they are, (h, w) float32 in 0..1: white is 1 where its file says nothing else.

    Raises
    ------
    ImageError
        If they are none.
    """
    notes = read_notes(path)
    if notes.get("white") is not None:
        found = restored(values, notes)
    elif values.dtype == np.uint8:
        found = values / _FULL
    else:  # 16 bits, unless they are the numbers themselves
        found = values / (_FULL_DEEP if path.suffix.lower() in SUFFIXES and values.max() > 1 else 1)
    low, high = float(found.min()), float(found.max())
    if low < -_ROUNDING or high > 1 + _ROUNDING:
        raise ImageError(f"{path}: values in {low:g}..{high:g}, which are no probabilities")
    return np.clip(found, 0, 1).astype(np.float32)


def _read_npy(path: Path) -> npt.NDArray[Any]:
    """Return the map of a .npy file, (H, W)."""
    values = read_npy(path, error=ImageError)
    if values.ndim == 3 and values.shape[2] == 1:
        values = values[:, :, 0]
    if values.ndim != 2 or not values.size or values.dtype.kind not in "fiub":
        raise ImageError(f"{path}: expected an array of numbers of shape (H, W), got {values.dtype} {values.shape}")
    if values.size > MAX_PIXELS:
        raise ImageError(f"{path}: {values.size} values, more than {MAX_PIXELS}")
    if not np.isfinite(values).all():
        raise ImageError(f"{path}: the map holds values that are not finite numbers")
    return values


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def ensure_matching(checked: Checked, maps: TeacherMaps, keys: Sequence[str]) -> None:
    """Raise a UsageError if no picture has a map that can be used: the folders do not belong together."""
    if checked.good:
        return
    if checked.broken:
        raise UsageError(f"{maps.folder}: no map can be used; the first: {next(iter(checked.broken.values()))}")
    raise UsageError(
        f"{maps.folder}: no map of any photo (photos {name_some(keys, 3)}; maps {name_some(maps.names(), 3)})"
    )
