"""The benchmarks by name: which images they are about, and what they call the maps."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from ..datasets import ALL, Dataset, DatasetCard, Item
from ..datasets.layout import is_junk, natural
from ..errors import UsageError, nearest
from ..types import Shape

Layout = Literal["json", "hdf5"]

_LEVELS = 2  # folders of folders that are searched for the images
_CATEGORIES = (
    "Action|Affective|Art|BlackWhite|Cartoon|Fractal|Indoor|Inverted|Jumbled|LineDrawing|LowResolution|Noisy|Object|"
    "OutdoorManMade|OutdoorNatural|Pattern|Random|Satelite|Sketch|Social"
)


@dataclass(frozen=True)
class Benchmark:
    """What a benchmark takes.

    Attributes
    ----------
    name, title : str
    layout : {"json", "hdf5"}
        SALICON's list of pictures, or the HDF5 file of the MIT/Tübingen benchmark and pysaliency.
    images : int
        How many there are.
    pattern : str
        Regular expression of an image's path below the folder that holds them all; it is the map's key.
    called : str
        The same in words.
    shape : (H, W), optional
        Of every image, where it is one.
    where : str
        Where to send the file.
    """

    name: str
    title: str
    layout: Layout
    images: int
    pattern: str
    called: str
    shape: Shape | None
    where: str


BENCHMARKS: dict[str, Benchmark] = {
    benchmark.name: benchmark
    for benchmark in (
        Benchmark(
            name="salicon",
            title="SALICON, validation or test images",
            layout="json",
            images=5000,
            pattern=r"COCO_(?:val|test)2014_\d{12}\.jpg",
            called="COCO_test2014_<12 digits>.jpg or COCO_val2014_<12 digits>.jpg",
            shape=(480, 640),
            where="http://salicon.net/upload (a zip of fixations_val2014_NAME_results.json and the same of test2014)",
        ),
        Benchmark(
            name="mit300",
            title="MIT/Tübingen benchmark, MIT300",
            layout="hdf5",
            images=300,
            pattern=r"i\d{1,3}\.jpg",
            called="i1.jpg to i300.jpg",
            shape=None,
            where="https://saliency.tuebingen.ai",
        ),
        Benchmark(
            name="cat2000",
            title="MIT/Tübingen benchmark, CAT2000's test images",
            layout="hdf5",
            images=2000,
            pattern=rf"(?:{_CATEGORIES})/\d{{3}}\.jpg",
            called="<category>/<3 digits>.jpg",
            shape=(1080, 1920),
            where="https://saliency.tuebingen.ai",
        ),
        Benchmark(
            name="coco-freeview",
            title="MIT/Tübingen benchmark, COCO-FreeView's test images",
            layout="hdf5",
            images=1000,
            pattern=r"\d{12}\.jpg",
            called="<12 digits>.jpg",
            shape=(1050, 1680),
            where="https://saliency.tuebingen.ai",
        ),
    )
}


def get_benchmark(name: str) -> Benchmark:
    """Return the benchmark of this name.

    Raises
    ------
    UsageError
        If there is none; the nearest names are proposed.
    """
    if name not in BENCHMARKS:
        raise UsageError(f"no benchmark '{name}'{nearest(name, BENCHMARKS)} (there are {', '.join(BENCHMARKS)})")
    return BENCHMARKS[name]


def benchmark_images(name: str, folder: Path, *, incomplete: bool = False) -> Dataset:
    """Return a benchmark's images: those in a folder, or in a folder below it that holds them.

    An item is called by its key without the suffix. An orientation that a file states is not followed: benchmarks
    compare with the picture as it is stored.

    Parameters
    ----------
    name : str
    folder : Path
    incomplete : bool
        Whether fewer images will do, for a trial.

    Raises
    ------
    UsageError
        If there are none, not all, or several folders of them.
    """
    benchmark = get_benchmark(name)
    if not folder.is_dir():
        raise UsageError(f"{folder}: no such folder; expected the images of {benchmark.title}")
    base, keys = _found(benchmark, folder)
    card = DatasetCard(
        name=benchmark.name,
        title=benchmark.title,
        meaning="images without ground truth",
        layout=benchmark.called,
        license="the benchmark's own",
        paper=None,
    )
    items = [Item(Path(key).with_suffix("").as_posix(), base / key, is_turned=False) for key in keys]
    if len(items) != benchmark.images and not (incomplete and len(items) < benchmark.images):
        way_out = "; --incomplete writes a file for a trial" if len(items) < benchmark.images else ""
        raise UsageError(f"{base}: {len(items)} of the {benchmark.images} images of {benchmark.title}{way_out}")
    return Dataset(card, base, ALL, items)


def key_of(item: Item) -> str:
    """Return what the map of an image is called: the item's name with the file's suffix."""
    return item.name + item.image.suffix


def _found(benchmark: Benchmark, folder: Path) -> tuple[Path, list[str]]:
    """Return the nearest folder that holds images, and their keys in natural order."""
    level = [folder]
    for _ in range(_LEVELS + 1):
        holding = {path: keys for path in level if (keys := _keys(benchmark, path))}
        if len(holding) > 1:
            raise UsageError(f"{folder}: {' and '.join(p.name for p in holding)} hold such images; name one of them")
        if holding:
            base, keys = holding.popitem()
            return base, sorted(keys, key=natural)
        level = [below for path in level for below in _folders(path)]
    raise UsageError(f"{folder}: no images called {benchmark.called}, nor in the folders below")


def _keys(benchmark: Benchmark, folder: Path) -> list[str]:
    depth = benchmark.pattern.count("/")
    holders = [folder] if not depth else _folders(folder)
    keys = (path.relative_to(folder).as_posix() for holder in holders for path in holder.iterdir())
    return [key for key in keys if re.fullmatch(benchmark.pattern, key)]


def _folders(folder: Path) -> list[Path]:
    return sorted(p for p in folder.iterdir() if p.is_dir() and not is_junk(p.name))
