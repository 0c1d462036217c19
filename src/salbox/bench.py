"""What models cost: parameters, arithmetic, size, time and memory.

Every figure is taken in a fresh process that is held to a stated number of threads:

- parameters: learned numbers that a map is computed with; none for a classical model
- MACs: multiply-adds in convolutions and matrix products, for one photo
- FLOPs: two for each multiply-add and one for each number that any other operator of the network gives
- file: the size of the file with the weights
- load: `salbox.load`, with the libraries that it imports
- latency: one photo, from pixels to the map at the photo's size, all steps in between; median and 95th percentile
- images per second: of a batch given at once where the model has a network that takes one, else one after another
- peak memory: the largest resident memory while maps are computed, less what Python and salbox took before loading
- GPU memory: the most that PyTorch held on GPUs at once, weights included
- difference: of a network run in half precision or another layout, the largest from its map without, as a share of the
  range of that map
"""

from __future__ import annotations

import csv
import gc
import importlib.resources
import statistics
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from dataclasses import asdict, dataclass
from functools import cache, partial
from multiprocessing import get_context
from pathlib import Path
from typing import Any, ParamSpec, TypeVar

import numpy as np

from .errors import SalboxError, UsageError
from .models.loading import load
from .models.model import Model
from .system.memory import gpu_memory, peak_memory, resident_memory
from .system.threads import available_threads, children_use
from .system.workers import NOT_BEGUN, check_can_begin, preparations, prepare
from .types import Pixels, SaliencyMap

REPEAT = 20
BATCH = 8  # images given at once, for images per second
WARM_UP = 2  # runs before the clock starts: caches fill, memory is taken
MAX_SIDE = 16384
SPEEDS = "data/bench_speeds.csv"  # of this package, written by benchmarks/speeds.py

P = ParamSpec("P")
R = TypeVar("R")


@dataclass(frozen=True)
class Timing:
    """Seconds that the runs of a model took."""

    seconds: tuple[float, ...]

    @property
    def median(self) -> float:
        """The middle one."""
        return statistics.median(self.seconds)

    @property
    def p95(self) -> float:
        """The 95th percentile: one run in twenty takes longer."""
        return float(np.percentile(self.seconds, 95))


@dataclass(frozen=True)
class Cost:
    """What one model costs at one size; numbers that it does not have are None. The module says what each means."""

    model: str
    width: int
    height: int
    threads: int
    parameters: int | None
    macs: int | None
    flops: int | None
    file_bytes: int | None
    load_seconds: float
    latency_median: float
    latency_p95: float
    images_per_second: float
    peak_memory_bytes: int | None
    gpu_memory_bytes: int | None
    precision: str
    channels_last: bool
    difference: float | None

    def to_dict(self) -> dict[str, Any]:
        """Return it as a plain dictionary, ready for JSON."""
        return asdict(self)


@cache
def known_speeds() -> dict[str, float]:
    """Return {model: seconds} that a photo of 640x480 took on one core when salbox was made; not of every model."""
    file = importlib.resources.files(__package__) / SPEEDS
    if not file.is_file():
        return {}
    rows = csv.DictReader(file.read_text(encoding="utf-8").splitlines())
    return {row["model"]: float(row["seconds"]) for row in rows}


def bench(
    models: Mapping[str, Mapping[str, Any]],
    sizes: Sequence[tuple[int, int]] = ((640, 480),),
    *,
    threads: int | None = None,
    repeat: int = REPEAT,
    precision: str = "float32",
    channels_last: bool = False,
) -> list[Cost]:
    """Return what models cost, size by size.

    Models are timed in turn, run by run, so that whatever else the machine does meets all of them alike.

    Parameters
    ----------
    models : mapping
        Name -> keywords of `salbox.load`.
    sizes : sequence of (width, height)
        Of the photo, in pixels.
    threads : int, optional
        By default all that this process may use.
    repeat : int
        Timed runs a model and size.
    precision, channels_last : str and bool
        How the networks run; see `Model.run_as`.

    Raises
    ------
    UsageError
        If there is nothing to measure, or a number out of range.
    SalboxError
        If a model cannot be loaded or run.
    """
    count = available_threads() if threads is None else threads
    for name, value in (("threads", count), ("repeat", repeat)):
        if value < 1:
            raise UsageError(f"{name}={value}: expected at least 1")
    for width, height in sizes:
        if not (1 <= width <= MAX_SIDE and 1 <= height <= MAX_SIDE):
            raise UsageError(f"size {width}x{height}: expected sides of 1 to {MAX_SIDE} pixels")
    if not models or not sizes:
        raise UsageError("no model or no size to measure")
    costs = []
    way = {"precision": precision, "channels_last": channels_last}
    for width, height in sizes:
        alone = {name: in_fresh_process(count, _alone, name, dict(k), width, height, way) for name, k in models.items()}
        plain = {name: dict(keywords) for name, keywords in models.items()}
        timed = in_fresh_process(count, _timed, plain, width, height, repeat, way)
        for name, figures in alone.items():
            timing, rate = timed[name]
            costs.append(
                Cost(
                    model=name,
                    width=width,
                    height=height,
                    threads=count,
                    latency_median=timing.median,
                    latency_p95=timing.p95,
                    images_per_second=rate,
                    precision=precision,
                    channels_last=channels_last,
                    **figures,
                )
            )
    return costs


def measure(
    models: Mapping[str, Callable[[], Any]], *, repeat: int = REPEAT, warm_up: int = WARM_UP
) -> dict[str, Timing]:
    """Return how long calls take, timed side by side: in each round every one runs once.

    Parameters
    ----------
    models : mapping
        Name -> what is called, such as ``lambda: model(image)``.
    repeat : int
        Rounds that are timed.
    warm_up : int
        Rounds before.
    """
    taken: dict[str, list[float]] = {name: [] for name in models}
    gc.collect()
    for turn in range(-warm_up, repeat):
        for name, call in models.items():
            start = time.perf_counter()
            call()
            if turn >= 0:
                taken[name].append(time.perf_counter() - start)
    return {name: Timing(tuple(seconds)) for name, seconds in taken.items()}


def photo(width: int, height: int) -> Pixels:
    """Return the photo that is measured with, (height, width, 3) uint8: scikit-image's cup of coffee."""
    from skimage import data

    from .runtime.preprocessing import resize

    cup: Pixels = data.coffee()  # type: ignore[no-untyped-call,unused-ignore]
    return resize(np.ascontiguousarray(cup), height, width)


def in_fresh_process(threads: int, task: Callable[P, R], *args: P.args, **kwargs: P.kwargs) -> R:
    """Return what a function gives in a process of its own that is held to `threads` threads.

    The function, its arguments and its result can be pickled.

    Raises
    ------
    SalboxError
        If the process cannot be begun, or dies.
    """
    check_can_begin()
    fresh = ProcessPoolExecutor(1, get_context("spawn"), prepare, (preparations(),))
    with children_use(threads), fresh as pool:
        try:
            pool.submit(int).result()
        except BrokenProcessPool:
            raise SalboxError(NOT_BEGUN) from None
        try:
            return pool.submit(_with_threads, threads, partial(task, *args, **kwargs)).result()
        except BrokenProcessPool:
            raise SalboxError("the measuring process died, probably out of memory: a smaller --size may help") from None


def _with_threads(threads: int, task: Callable[[], R]) -> R:
    import cv2

    cv2.setNumThreads(threads)
    return task()


def _alone(name: str, keywords: dict[str, Any], width: int, height: int, way: dict[str, Any]) -> dict[str, Any]:
    """Return the figures of a model that do not come from a clock that runs many times."""
    image = photo(width, height)
    before = resident_memory()
    start = time.perf_counter()
    plain = load(name, **keywords)
    model = plain.run_as(**way)
    load_seconds = time.perf_counter() - start
    for _ in range(WARM_UP):
        found = model(image)
    after, on_gpu = peak_memory(), gpu_memory()
    # Last, for what these two take is not the model's. Another layout changes the network, so it is loaded again.
    parameters, macs, flops = count(model, image)
    difference = None if model is plain else largest_difference(found, load(name, **keywords)(image))
    return {
        "parameters": parameters,
        "macs": macs,
        "flops": flops,
        "file_bytes": None if model.weights is None else Path(model.weights).stat().st_size,
        "load_seconds": load_seconds,
        "peak_memory_bytes": None if before is None or after is None else max(0, after - before),
        "gpu_memory_bytes": on_gpu,
        "difference": difference,
    }


def largest_difference(found: SaliencyMap, expected: SaliencyMap) -> float:
    """Return the largest difference of a map from the expected one, as a share of the range of that one."""
    return float(np.abs(found - expected).max() / (np.ptp(expected) or 1))


def _timed(
    models: dict[str, dict[str, Any]], width: int, height: int, repeat: int, way: dict[str, Any]
) -> dict[str, tuple[Timing, float]]:
    """Return the timing of each model, and its images per second."""
    image = photo(width, height)
    loaded = {name: load(name, **keywords).run_as(**way) for name, keywords in models.items()}
    timings = measure({name: _call(model, image) for name, model in loaded.items()}, repeat=repeat)
    batched = {name: _batch_call(model, image) for name, model in loaded.items() if model.network is not None}
    rounds = max(1, repeat // BATCH)
    of_batches = measure(batched, repeat=rounds, warm_up=1)
    return {
        name: (timing, BATCH / of_batches[name].median if name in of_batches else 1 / statistics.mean(timing.seconds))
        for name, timing in timings.items()
    }


def _call(model: Model, image: Pixels) -> Callable[[], Any]:
    return lambda: model(image)


def _batch_call(model: Model, image: Pixels) -> Callable[[], Any]:
    network = model.network
    assert network is not None  # noqa: S101  # only those are timed in batches
    return lambda: network.maps([image] * BATCH, [model.head])


def count(model: Model, image: Pixels) -> tuple[int | None, int | None, int | None]:
    """Return a model's parameters, MACs and FLOPs for one image; None each for a model without a network."""
    from .runtime.counting import count_arithmetic, learned_numbers
    from .runtime.session import recorded

    parameters = macs = flops = 0
    with recorded() as runs:
        if "torch" in sys.modules:
            from .networks.counting import counting

            with counting() as counted:
                model(image)
            parameters, macs, flops = counted.parameters, counted.macs, counted.flops
        else:
            model(image)
    for file in {run[0].path: run[0] for run in runs}.values():
        parameters += learned_numbers(file)
    for file, inputs in runs:
        arithmetic = count_arithmetic(file, inputs)
        macs, flops = macs + arithmetic.macs, flops + arithmetic.flops
    return (parameters, macs, flops) if macs else (None, None, None)
