"""Pictures and maps made ready for training once: on disk, at working size, grouped by it.

An epoch then costs no decoding and no resizing. Pictures of equal size are rows of one file, so that memory stays flat
and a batch is a gather.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass, field, fields, replace
from functools import cached_property
from itertools import islice
from pathlib import Path
from typing import Any, BinaryIO

import cv2
import numpy as np
import numpy.typing as npt

from ..errors import SalboxError, UsageError
from ..system.progress import SILENT, Progress
from ..system.threads import available_threads
from ..types import DoubleMap, FloatMap, Pixels, Shape
from .feature_files import FeatureFiles

_INDEX = "index.json"
_FULL = 65535  # the value of 1 in a stored map
_WAITING_A_THREAD = 4


@dataclass(frozen=True)
class Sample:
    """A picture to learn from.

    Attributes
    ----------
    key : str
    picture : callable
        Gives (H, W, 3) uint8 RGB.
    maps : tuple of callables or None
        One a head: gives the teacher's map, (h, w) float32 in 0..1; None where there is none.
    flips : tuple of texts
        One a head: the letters of the ways, "h" and "v", in which its map may be mirrored with the picture.
    fixations : callable, optional
        Gives where people looked: (n, 2), the shares of the width and of the height, at least 0 and below 1. Those
        learn from it who learn from the first head's map.
    """

    key: str
    picture: Callable[[], Pixels]
    maps: tuple[Callable[[], FloatMap] | None, ...]
    flips: tuple[str, ...] = ()
    fixations: Callable[[], DoubleMap] | None = None


@dataclass(frozen=True)
class Group:
    """Pictures of one working size, and their maps at the size of the student's output.

    Attributes
    ----------
    keys : list of str
    valid : (n, heads) bool
        Which maps exist.
    flips : list of lists of str
        Of each picture and head the letters of the flips that its map allows.
    has_fixations : bool
        Whether there are counts of fixations beside the maps.
    domain : str
        The data set that the pictures are of, for networks that keep data sets apart; else "".
    weight : float
        How often a picture is drawn, of 1 in the mean.
    features : FeatureFiles, optional
        What a frozen encoder makes of the pictures, in their place.
    """

    folder: Path
    size: Shape
    map_size: Shape
    heads: int
    keys: list[str] = field(default_factory=list)
    valid: list[list[bool]] = field(default_factory=list)
    flips: list[list[str]] = field(default_factory=list)
    has_fixations: bool = False
    domain: str = ""
    weight: float = 1.0
    features: FeatureFiles | None = None

    def __getstate__(self) -> dict[str, Any]:
        """Return what another process opens the same files by, not what they hold."""
        return {each.name: getattr(self, each.name) for each in fields(self)}

    @property
    def name(self) -> str:
        """What its files are called."""
        return f"{self.size[0]}x{self.size[1]}"

    @cached_property
    def images(self) -> npt.NDArray[np.uint8]:
        """(n, h, w, 3) uint8, on disk."""
        return np.memmap(self.folder / f"{self.name}.images", np.uint8, "r", shape=(len(self.keys), *self.size, 3))

    @cached_property
    def maps(self) -> npt.NDArray[np.uint16]:
        """(n, heads, h', w') uint16, 65535 for 1, on disk."""
        shape = (len(self.keys), self.heads, *self.map_size)
        return np.memmap(self.folder / f"{self.name}.maps", np.uint16, "r", shape=shape)

    @cached_property
    def counts(self) -> npt.NDArray[np.uint16]:
        """(n, h', w') uint16, how many fixations each pixel of the map got, on disk."""
        return np.memmap(self.folder / f"{self.name}.counts", np.uint16, "r", shape=(len(self.keys), *self.map_size))


@dataclass(frozen=True)
class Pictures:
    """What `prepare` made.

    Attributes
    ----------
    groups : list of Group
    failures : list of str
        A line for each picture that could not be read, and was left out, or map that could not, and is missing.
    """

    groups: list[Group]
    failures: list[str]

    def __len__(self) -> int:
        return sum(len(group.keys) for group in self.groups)

    @cached_property
    def places(self) -> list[tuple[int, int]]:
        """(group, row) of every picture."""
        return [(g, row) for g, group in enumerate(self.groups) for row in range(len(group.keys))]

    @cached_property
    def weights(self) -> npt.NDArray[np.float64] | None:
        """(n,) how often each picture is drawn, of 1 in the mean; None where all are drawn alike."""
        weights = np.array([self.groups[g].weight for g, _ in self.places])
        return None if (weights == 1).all() else weights


def prepare(
    samples: Sequence[Sample],
    folder: Path,
    *,
    resize: Callable[[Pixels], Pixels],
    map_size: Callable[[int, int], Shape],
    heads: int,
    identity: str = "",
    progress: Progress = SILENT,
    title: str = "pictures",
) -> Pictures:
    """Return pictures at their working sizes with their maps, made in `folder` or found there.

    Parameters
    ----------
    samples : sequence of Sample
    folder : Path
        It appears when all is ready. A folder of another identity is made again.
    resize : callable
        Brings a picture to its working size.
    map_size : callable
        (height, width) of a picture at working size -> that of the student's output.
    heads : int
    identity : str
        What the result depends on beside the samples' keys and which maps they have.
    progress : Progress, optional
        Takes how many pictures are done, under a title.
    title : str

    Raises
    ------
    UsageError
        If no picture with a map is left.
    """
    has_fixations = any(sample.fixations is not None for sample in samples)
    listed = [(s.key, [m is not None for m in s.maps], s.flips) for s in samples]
    identity = json.dumps([identity, heads, listed, *(["fixations"] if has_fixations else [])])
    found = _open(folder, identity)
    if found is None:
        partial = folder.with_name(f".{folder.name}.part")
        shutil.rmtree(partial, ignore_errors=True)
        shutil.rmtree(folder, ignore_errors=True)
        try:
            ready = _in_threads(lambda sample: _read(sample, resize, map_size), samples)
            _write(
                ready, partial, heads, has_fixations, identity, lambda done: progress.update(title, done, len(samples))
            )
            partial.rename(folder)
        except OSError as error:
            raise UsageError(f"{folder}: cannot be written ({error.strerror or error})") from None
        found = _open(folder, identity)
    if found is None or not len(found):
        reasons = "; ".join(found.failures[:3]) if found is not None else "the folder changed meanwhile"
        raise UsageError(f"no picture with a teacher's map to train on ({reasons or 'none was given'})")
    return found


def _write(
    samples: Iterable[_Ready],
    folder: Path,
    heads: int,
    has_fixations: bool,
    identity: str,
    on_done: Callable[[int], None],
) -> None:
    folder.mkdir(parents=True)
    groups: dict[Shape, Group] = {}
    failures: list[str] = []
    with ExitStack() as stack:
        files: dict[Shape, list[BinaryIO]] = {}
        kinds = ("images", "maps", "counts") if has_fixations else ("images", "maps")
        for done, ready in enumerate(samples, start=1):
            failures += ready.failures
            if ready.image is not None and any(ready.valid):
                size: Shape = (ready.image.shape[0], ready.image.shape[1])
                if size not in groups:
                    group = groups[size] = Group(folder, size, ready.map_size, heads, has_fixations=has_fixations)
                    paths = [folder / f"{group.name}.{kind}" for kind in kinds]
                    files[size] = [stack.enter_context(path.open("wb")) for path in paths]
                groups[size].keys.append(ready.sample.key)
                groups[size].valid.append(ready.valid)
                groups[size].flips.append(list(ready.sample.flips) or [""] * heads)
                contents = (ready.image.tobytes(), ready.maps.tobytes(), ready.counts.tobytes())
                for file, content in zip(files[size], contents, strict=False):  # counts only where there are any
                    file.write(content)
            on_done(done)
    kept = [
        {"size": g.size, "map_size": g.map_size, "keys": g.keys, "valid": g.valid, "flips": g.flips}
        for g in groups.values()
    ]
    index = {
        "identity": identity,
        "heads": heads,
        "fixations": has_fixations,
        "groups": kept,
        "failures": failures,
    }
    (folder / _INDEX).write_text(json.dumps(index), encoding="utf-8")


def _open(folder: Path, identity: str) -> Pictures | None:
    """Return what lies in a folder, None if it is not there, damaged, or was made for something else."""
    try:
        index = json.loads((folder / _INDEX).read_text(encoding="utf-8"))
        if index["identity"] != identity:
            return None
        groups = [
            Group(
                folder,
                tuple(g["size"]),
                tuple(g["map_size"]),
                index["heads"],
                g["keys"],
                g["valid"],
                g["flips"],
                bool(index.get("fixations")),
            )
            for g in index["groups"]
        ]
        # Opened here, so that files that are too short are noticed.
        if not all(len(g.images) == len(g.valid) == len(g.flips) == len(g.maps) for g in groups):
            return None
        if not all(len(g.counts) == len(g.keys) for g in groups if g.has_fixations):
            return None
        return Pictures(groups, list(index["failures"]))
    except (OSError, ValueError, LookupError, TypeError, RecursionError):
        return None


@dataclass(frozen=True)
class _Ready:
    sample: Sample
    image: Pixels | None
    maps: npt.NDArray[np.uint16]
    counts: npt.NDArray[np.uint16]
    valid: list[bool]
    failures: list[str]

    @property
    def map_size(self) -> Shape:
        return self.maps.shape[1], self.maps.shape[2]


def _read(sample: Sample, resize: Callable[[Pixels], Pixels], map_size: Callable[[int, int], Shape]) -> _Ready:
    try:
        image = np.ascontiguousarray(resize(sample.picture()))
    except SalboxError as error:
        return _Ready(sample, None, np.empty(0, np.uint16), np.empty(0, np.uint16), [], [str(error)])
    size = map_size(*image.shape[:2])
    maps, counts = np.zeros((len(sample.maps), *size), np.uint16), np.zeros(size, np.uint16)
    valid, failures = [False] * len(sample.maps), []
    for head, read in enumerate(sample.maps):
        if read is None:
            continue
        try:
            maps[head] = np.rint(_at_size(read(), size) * _FULL)
            valid[head] = True
        except SalboxError as error:
            failures.append(str(error))
    if sample.fixations is not None and valid[0]:
        try:
            columns, rows = (sample.fixations() * (size[1], size[0])).astype(np.intp).T
            np.add.at(counts, (rows, columns), 1)
        except SalboxError as error:
            failures.append(str(error))
    return _Ready(sample, image, maps, counts, valid, failures)


def joined(parts: Iterable[tuple[Pictures, str, float]]) -> Pictures:
    """Return pictures of several data sets as one: of each its pictures, its domain, and its weight."""
    parts = list(parts)
    groups = [
        replace(group, domain=domain, weight=weight) for pictures, domain, weight in parts for group in pictures.groups
    ]
    return Pictures(groups, [failure for pictures, _, _ in parts for failure in pictures.failures])


def _at_size(saliency: FloatMap, size: Shape) -> FloatMap:
    """Return a map at the student's output size: by area if it shrinks, bilinearly if it grows; in 0..1."""
    if saliency.shape == size:
        return saliency
    shrinks = size[0] < saliency.shape[0] or size[1] < saliency.shape[1]
    interpolation = cv2.INTER_AREA if shrinks else cv2.INTER_LINEAR
    return np.clip(cv2.resize(saliency, size[::-1], interpolation=interpolation), 0, 1)


def _in_threads(work: Callable[[Sample], _Ready], samples: Iterable[Sample]) -> Iterator[_Ready]:
    """Yield the results in order; decoding and resizing run outside Python's lock."""
    threads = available_threads()
    remaining = iter(samples)
    with ThreadPoolExecutor(threads) as pool:
        waiting: list[Future[_Ready]] = [pool.submit(work, s) for s in islice(remaining, threads * _WAITING_A_THREAD)]
        try:
            while waiting:
                yield waiting.pop(0).result()
                waiting.extend(pool.submit(work, s) for s in islice(remaining, 1))
        finally:
            pool.shutdown(wait=True, cancel_futures=True)
