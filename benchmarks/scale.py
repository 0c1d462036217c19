"""Measure images in shards by one worker, two, and two of a Ray cluster, and what a hundred million would cost.

Run it where nothing else does: `python benchmarks/scale.py`. It takes about a quarter of an hour on two cores.
"""

from __future__ import annotations

import argparse
import math
import os
import subprocess
import sys
import tarfile
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from _scale_cost import MEGABYTE, Machine, Measured, Prices, cost
from _tables import RESULTS, markdown_table, provenance
from batch import link_photos

SHARDS = 8
SETTINGS = {
    "1 worker": ("--workers", "1"),
    "2 workers": ("--workers", "2"),
    "Ray, 2 workers": ("--workers", "2", "--engine", "ray"),
}
ONE_THREAD = ("SALBOX_THREADS", "OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "OPENCV_FOR_THREADS_NUM")
MODEL = "gaze"
COSTED = ("gaze", "*.student", "imsig", "gbvs")


@dataclass(frozen=True)
class Run:
    """What a run took: seconds on the clock and of the cores, the peak of its memory, MiB, and bytes that it wrote."""

    seconds: float
    cpu: float
    peak: float
    written: int


def main() -> None:
    """Measure everything and write the page."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--photos", type=int, default=600)
    parser.add_argument("--few", type=int, default=100, help="a second number: what starting takes cancels out")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--page", type=Path, default=RESULTS / "scale.md")
    parser.add_argument("--without-ray", action="store_true", help="where no cluster can be begun")
    given = parser.parse_args()
    before = os.getloadavg()[0]
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        photos = link_photos(folder / "photos", given.photos)
        inputs = {count: _inputs(folder / str(count), photos[:count]) for count in (given.few, len(photos))}
        read = sum(photo.stat().st_size for photo in photos) / len(photos)
        roads = {
            "photos in a folder, maps in files": (0, ()),
            "photos in tar shards, maps in Parquet files": (1, ("--results", "parquet")),
        }
        tables = []
        for road, (which, options) in roads.items():
            rows = _rates({n: given_[which] for n, given_ in inputs.items()}, options, folder, given)
            tables.append(f"### {road[0].upper()}{road[1:]}\n\n{markdown_table(_HEADER, rows)}")
        measured = {models: _each(inputs, models, folder, read) for models in COSTED}
    peaks = ", ".join(f"{run.peak:.0f} after {count} photos" for count, run in sorted(measured[MODEL][1].items()))
    text = _page(given, before, tables, {models: each for models, (each, _) in measured.items()}, read, peaks)
    given.page.write_text(text, encoding="utf-8")
    print(text, f"\nwrote {given.page}", sep="\n")


_HEADER = ["setting", "images a second", "times 1 worker", "whole run, seconds"]


def _inputs(folder: Path, photos: Sequence[Path]) -> tuple[str, str]:
    """Return photos as a folder, and as the pattern of tar shards of them."""
    plain, shards = folder / "photos", folder / "shards"
    for each in (plain, shards):
        each.mkdir(parents=True)
    for photo in photos:
        (plain / photo.name).symlink_to(photo.resolve())
    for number in range(SHARDS):
        with tarfile.open(shards / f"{number}.tar", "w", dereference=True) as tar:
            for photo in photos[number::SHARDS]:
                tar.add(photo, arcname=photo.name)
    return str(plain), str(shards / "*.tar")


def _rates(inputs: dict[int, str], options: Sequence[str], folder: Path, given: argparse.Namespace) -> list[list[str]]:
    """Return the rows of a table: rates of each setting, rounds taken in turn; what starting takes is not in them."""
    few, many = sorted(inputs)
    settings = {name: setting for name, setting in SETTINGS.items() if "ray" not in setting or not given.without_ray}
    times: dict[str, dict[int, list[float]]] = {name: {few: [], many: []} for name in settings}
    for turn in range(given.rounds):
        for name, setting in settings.items():
            for count in (few, many):
                output = folder / f"out{turn}{count}{name}{len(options)}"
                run = predict(inputs[count], MODEL, output, *options, *setting)
                times[name][count].append(run.seconds)
    median = {name: {count: float(np.median(each)) for count, each in found.items()} for name, found in times.items()}
    # Where other work disturbs, more photos may take less time than few: that says nothing.
    rates = {
        name: (many - few) / (each[many] - each[few]) if each[many] > each[few] else math.nan
        for name, each in median.items()
    }
    one = rates["1 worker"]
    return [
        [name, _figure(rate, 1), _figure(rate / one, 2), f"{median[name][many]:.1f}"] for name, rate in rates.items()
    ]


def _figure(value: float, digits: int) -> str:
    return "n/a" if math.isnan(value) else f"{value:.{digits}f}"


def _each(
    inputs: dict[int, tuple[str, str]], models: str, folder: Path, read: float
) -> tuple[Measured, dict[int, Run]]:
    """Return what one image takes by some models, and the two runs that say so.

    One worker with one thread; what starting takes is left out.
    """
    few, many = sorted(inputs)
    runs = {
        count: predict(
            inputs[count][1],
            models,
            folder / f"cost{count}{models.replace('*', 'x')}",
            *("--results", "parquet", "--workers", "1"),
            one_thread=True,
        )
        for count in (few, many)
    }
    each = many - few
    cpu, written = (runs[many].cpu - runs[few].cpu) / each, (runs[many].written - runs[few].written) / each
    return Measured(cpu, read, written), runs


def predict(inputs: str, models: str, output: Path, *options: str, one_thread: bool = False) -> Run:
    """Run `salbox predict` and return what it took."""
    command = [sys.executable, "-m", "salbox", "predict", inputs, "-m", models, "-o", str(output), *options]
    environment = {**os.environ, **(dict.fromkeys(ONE_THREAD, "1") if one_thread else {})}
    if not one_thread:
        environment = {name: value for name, value in environment.items() if name not in ONE_THREAD}
    with tempfile.TemporaryFile("w+") as said:
        start = time.perf_counter()
        process = subprocess.Popen(command, env=environment, stdout=said, stderr=said)
        _, status, used = os.wait4(process.pid, 0)
        seconds = time.perf_counter() - start
        process.returncode = os.waitstatus_to_exitcode(status)
        said.seek(0)
        if status:
            sys.exit(f"predict failed: {said.read()}")
    written = sum(path.stat().st_size for path in output.rglob("*") if path.is_file())
    return Run(seconds, used.ru_utime + used.ru_stime, used.ru_maxrss / 1024, written)


def _page(
    given: argparse.Namespace,
    before: float,
    tables: Sequence[str],
    measured: dict[str, Measured],
    read: float,
    peaks: str,
) -> str:
    """Return the page."""
    prices, machine = Prices(), Machine()
    costs = {models: cost(each) for models, each in measured.items()}
    rows = [
        [
            f"`{models}`",
            f"{measured[models].cpu_seconds:.3f}",
            f"{measured[models].bytes_out / 1e3:.0f}",
            f"{each.core_hours:,.0f}",
            f"{each.machines:.1f}",
            f"{each.terabytes_out:.1f}",
            f"{each.computing:,.0f}",
            f"{each.storing:,.0f}",
            f"{each.requests:.0f}",
            f"{each.network_share:.1%}",
            each.bottleneck,
        ]
        for models, each in costs.items()
    ]
    header = ["models", "core seconds an image", "KB written", "core hours", "machines for a day", "TB written"]
    header += ["$ cores", "$ a month's storage", "$ requests", "of the network", "runs out first"]
    first = next(iter(costs.values()))
    is_busy = before > (os.cpu_count() or 1)
    busy = " **Other work ran on the machine meanwhile: the speeds are no measure of salbox.**" if is_busy else ""
    return f"""# Scale

Written by `benchmarks/scale.py --photos {given.photos} --few {given.few} --rounds {given.rounds}`. \
{provenance(("salbox", "numpy", "onnxruntime", "ray"))} Load of the machine when it ended: \
{os.getloadavg()[2]:.1f} (mean of fifteen minutes, its own among it).{busy}

## One worker, two, and Ray

`{MODEL}`, {given.photos} photos of {read / 1e3:.0f} KB; medians of {given.rounds} rounds in turn. Images a second are
those of {given.photos} photos less those of {given.few}, so that starting Python, processes or a cluster is not in it;
that is in the last column. A worker is a process, or an actor of a Ray cluster that is begun on this machine, with
its share of the cores.

{(chr(10) * 2).join(tables)}

Memory of one worker at its peak, MiB: {peaks}, all of them from tar shards into Parquet files.

## A hundred million images

Computed by `benchmarks/_scale_cost.py` of what one image took here, by one worker with one thread, photos in tar shards
and maps in Parquet files (8-bit PNG): {first.terabytes_in:.1f} TB in {first.shards_in:,.0f} shards of 1 GB are read and
{first.shards_out:,.0f} files of 256 images written. Prices are assumptions: ${prices.core_hour:g} a core hour,
${prices.terabyte_month:g} a terabyte and month, ${prices.million_reads:g} a million reads and
${prices.million_writes:g} a million writes. A machine has {machine.cores} cores and a network of
{machine.network / MEGABYTE:,.0f} MB a second.

{markdown_table(header, rows)}

No GPU was there to measure.
"""


if __name__ == "__main__":
    main()
