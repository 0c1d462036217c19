"""What the students that ship cost: all heads in one call, beside the network of the KDSalBox paper.

From a photo of 640x480 in memory to all maps at its size, and to the one map of a `kdsalbox` student that sees
480x640, timed in turn in one run; the same at equal input size, and each head alone. What a kdsalbox student has
learned does not matter to its speed: it is exported from first weights. Two minutes on a quiet machine. Writes
docs/results/students.md.
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from _distilling import IMAGENET
from _tables import markdown_table, matmul_rate, provenance, write_page

import salbox
from salbox.bench import Timing, count, in_fresh_process, measure, peak_memory, photo, resident_memory
from salbox.models.cards import ModelCard
from salbox.models.exported import packaged
from salbox.models.registry import STUDENTS
from salbox.runtime.network import open_network

THREADS = 2
WIDTH, HEIGHT = 640, 480
REPEAT = 30
TARGET = 27  # times faster than a kdsalbox student at 480x640: 20 ms where that takes .55 s
LARGEST = 6_000_000  # bytes
NAMES = [f"{head}.student" for head in STUDENTS]
ALL = "all heads"
PAPER = "kdsalbox, 480x640"
EQUAL = "kdsalbox, 192x256"

Models = dict[str, list[str]]  # what it is called in the tables -> names that `salbox.predict` takes


@dataclass(frozen=True)
class Size:
    """What networks cost whatever the machine: bytes of the file, learned numbers, multiply-adds; and memory."""

    file_bytes: int
    parameters: int
    macs: int
    memory: int


def export_kdsalbox(folder: Path) -> Models:
    """Write KDSalBox's student at the paper's input size and at the box's, as ONNX."""
    from salbox.networks.export.onnx import export_onnx
    from salbox.networks.trainable.factory import build_network

    found = {}
    for what, size in ((PAPER, (HEIGHT, WIDTH)), (EQUAL, (192, 256))):
        path = folder / f"{size[0]}.onnx"
        network = build_network("kdsalbox", ["map"], init=IMAGENET, size=size)
        export_onnx(network, path, {"map": _card()}, {"map": "nobody"})
        found[what] = [str(path)]
    return found


def _card() -> ModelCard:
    values = salbox.card("gaussian").to_dict()
    return ModelCard.from_dict({**values, "name": "kdsalbox", "parameters": [], "origin": "first weights"})


def timed(models: Models) -> dict[str, Timing]:
    """Return how long each call of `salbox.predict` took, all in turn."""
    image = photo(WIDTH, HEIGHT)
    calls: dict[str, Callable[[], Any]] = {
        what: lambda names=names: salbox.predict(image, models=names) for what, names in models.items()
    }
    return measure(calls, repeat=REPEAT)


def network_alone() -> Timing:
    """Return how long the network itself takes, opened before, without what `salbox.predict` does around it."""
    image, student = photo(WIDTH, HEIGHT), open_network(packaged("box.onnx"))
    return measure({"": lambda: student.maps([image])}, repeat=REPEAT)[""]


def size_of(names: list[str]) -> Size:
    """Return the size of a network and the memory that one call takes, Python and salbox left out."""
    image = photo(WIDTH, HEIGHT)
    before = resident_memory()
    for _ in range(2):
        salbox.predict(image, models=names)
    after = peak_memory()
    model = salbox.load(names[0])
    parameters, macs, _ = count(model, image)  # last: counting takes memory itself
    if None in (before, after, parameters, macs) or model.weights is None:
        raise SystemExit("this machine does not say how much memory a process takes")
    return Size(Path(model.weights).stat().st_size, parameters, macs, max(0, after - before))


def time_table(found: dict[str, Timing]) -> str:
    fast = found[ALL].median
    rows = [
        [what, _ms(t.median), _ms(min(t.seconds)), _ms(t.p95), f"{t.median / fast:.1f}"]
        for what, t in found.items()
        if what in (ALL, PAPER, EQUAL)
    ]
    return markdown_table(["network", "ms, median", "ms, fastest", "ms, 95 %", "times all heads"], rows)


def head_table(found: dict[str, Timing], network: Timing) -> str:
    rows = [[f"`{name}`", _ms(found[name].median), _ms(found[name].p95)] for name in NAMES]
    rows.append([ALL, _ms(found[ALL].median), _ms(found[ALL].p95)])
    rows.append([f"{ALL}, the network opened once", _ms(network.median), _ms(network.p95)])
    return markdown_table(["what is asked for", "ms, median", "ms, 95 %"], rows)


def size_table(sizes: dict[str, Size]) -> str:
    rows = [
        [what, f"{s.file_bytes / 1e6:.2f}", f"{s.parameters:,}", f"{s.macs / 1e9:.2f}", f"{s.memory / 2**20:.0f}"]
        for what, s in sizes.items()
    ]
    return markdown_table(["network", "file, MB", "parameters", "GMAC", "peak memory, MiB"], rows)


def target_line(found: dict[str, Timing], size: Size) -> str:
    """Return the two targets and what was reached."""
    ratio = found[PAPER].median / found[ALL].median
    equal = found[EQUAL].median / found[ALL].median
    speed = "met" if ratio >= TARGET else f"missed by {TARGET - ratio:.1f}"
    small = "met" if size.file_bytes <= LARGEST else "missed"
    return (
        f"Ratio of medians: **{ratio:.1f}** (target {TARGET}: {speed}); at equal input size {equal:.1f}, where "
        f"all maps come out instead of one. All heads together {size.file_bytes / 1e6:.2f} MB (target "
        f"{LARGEST / 1e6:g}: {small})."
    )


def _ms(seconds: float) -> str:
    return f"{seconds * 1e3:.1f}"


def main() -> Path:
    load = os.getloadavg()[0]  # of other programs: nothing was done yet
    before = matmul_rate()
    with tempfile.TemporaryDirectory() as name:
        theirs = export_kdsalbox(Path(name))
        models = {ALL: NAMES, **theirs, **{one: [one] for one in NAMES}}
        found = in_fresh_process(THREADS, timed, models)
        network = in_fresh_process(THREADS, network_alone)
        sizes = {what: in_fresh_process(THREADS, size_of, models[what]) for what in (ALL, PAPER, EQUAL)}
    after = matmul_rate()
    parts = [
        "# Students that ship: speed and size",
        f"{provenance(('salbox', 'numpy', 'onnxruntime'))} Written by `benchmarks/students.py`.",
        f"A photo of {WIDTH}x{HEIGHT} in memory, `salbox.predict(photo, models=[...])`, to maps at the photo's size; "
        f"ONNX Runtime on {THREADS} threads; {REPEAT} rounds in which each call is made once, so that whatever else "
        f"the machine does meets all alike. The machine's load average before was {load:.1f}; NumPy's float32 matrix "
        f"product ran at {before:.0f} GFLOP/s before and {after:.0f} after.",
        "## Beside the paper's network",
        "`kdsalbox` is the network of the KDSalBox paper as salbox builds it, one head, at the size that the paper "
        "runs it at and at the box's.",
        time_table(found),
        target_line(found, sizes[ALL]),
        "## Each head alone",
        "One pass gives all maps, so that a single head costs nearly as much. The last row leaves out what "
        "`salbox.predict` does around the network: finding models and cards.",
        head_table(found, network),
        "## Size",
        "Multiply-adds of one photo; memory that two calls take at most, without what Python and salbox took before.",
        size_table(sizes),
    ]
    return write_page("students.md", "\n\n".join(parts))


if __name__ == "__main__":
    main()
