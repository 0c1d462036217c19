"""Reading a submission back: is everything there, and is it what the benchmark takes?"""

from __future__ import annotations

from collections.abc import Generator, Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from ..datasets import Dataset
from ..errors import name_some
from ..types import Output
from ._part import Stored
from .benchmarks import Layout, get_benchmark, key_of
from .hdf5 import LOG_SUM_TOLERANCE, log_sum, read_hdf5
from .salicon import image_id, read_salicon


@dataclass(frozen=True)
class Checked:
    """What a file holds.

    Attributes
    ----------
    maps : int
    output : {"score", "log_density"}
        What the maps are taken for: log densities if the first one is, else saliency maps.
    problems : texts
        A line for each kind of thing that the benchmark would refuse, or that spoils the figures.
    """

    maps: int
    output: Output
    problems: tuple[str, ...]


def check_submission(benchmark: str, file: Path, images: Dataset) -> Checked:
    """Return what is in a file and what is wrong with it.

    Parameters
    ----------
    benchmark : str
    file : Path
    images : Dataset
        From `benchmark_images`.

    Raises
    ------
    UsageError
        If it cannot be read at all.
    """
    layout = get_benchmark(benchmark).layout
    places = {stored_key(layout, key_of(item)): index for index, item in enumerate(images.items)}
    found: dict[str, list[str]] = {}
    names: set[str] = set()
    output: Output | None = None
    with closing(read_submission(layout, file)) as maps:
        for stored in maps:
            name = stored.key
            for problem in ("twice" if name in names else "", "" if name in places else "unknown"):
                if problem:
                    found.setdefault(problem, []).append(name)
            is_known = name in places and name not in names
            names.add(name)
            if is_known:
                taken, problem = _problem(stored, images.shape(places[name]), output, layout)
                output = output or taken
                if problem:
                    found.setdefault(problem, []).append(name)
    if missing := [name for name in places if name not in names]:
        found["missing"] = missing
    return Checked(len(names & places.keys()), output or "score", tuple(_lines(found)))


def stored_key(layout: Layout, key: str) -> str:
    """Return what the map of an image is called in a file: by its number in SALICON's, else by its name."""
    return image_id(key) if layout == "json" else key


def read_submission(layout: Layout, file: Path) -> Generator[Stored, None, None]:
    """Yield the maps of a file in this layout."""
    return read_salicon(file) if layout == "json" else read_hdf5(file)


def _problem(
    stored: Stored, shape: tuple[int, int], expected: Output | None, layout: Layout
) -> tuple[Output | None, str]:
    """Return what a map is, and which kind of problem it has, empty for none."""
    if stored.shape != shape:
        return None, "size"
    saliency = stored.read()
    if not np.isfinite(saliency).all():
        return None, "not finite"
    is_density = layout == "hdf5" and saliency.max() < 0 and abs(log_sum(saliency)) <= LOG_SUM_TOLERANCE
    taken: Output = "log_density" if is_density else "score"
    if expected == "log_density" and not is_density:
        return taken, "not a log density"
    return taken, "constant" if saliency.min() == saliency.max() and not is_density else ""


_MEANING = {
    "missing": "no map of",
    "unknown": "maps of no image of it:",
    "twice": "several maps of",
    "size": "not of the image's size:",
    "not finite": "values that are not finite numbers:",
    "not a log density": "exp does not sum to 1, of the first map it does:",
    "constant": "one value everywhere:",
}


def _lines(found: dict[str, list[str]]) -> Iterator[str]:
    for problem, meaning in _MEANING.items():
        if problem in found:
            yield f"{meaning} {name_some(found[problem])} ({len(found[problem])})"
