"""What one photo costs each model, for the table that `salbox models` prints.

Seconds of one processor core, which another program's load hardly changes: the least of a few runs on one thread, each
model in a process of its own. The published deep networks run with generated weights of their authors' layouts, which
cost what learned ones do (`shared/architectures` beside the checkout, or SALBOX_SHARED). Names of models as arguments
measure those and leave the others' rows. Writes src/salbox/data/bench_speeds.csv.
"""

from __future__ import annotations

import csv
import os
import sys
import tempfile
import time
from pathlib import Path

from _tables import ROOT, SHARED

import salbox
from salbox.bench import SPEEDS, in_fresh_process, known_speeds, photo

WIDTH, HEIGHT = 640, 480
RUNS = 4
ENOUGH = 8.0  # seconds after which no further run begins
TOO_LARGE = ("salicon",)  # 1.7 GB: measured only if it is named


def seconds(name: str, weights: Path | None) -> float:
    model, image = salbox.load(name, **({} if weights is None else {"weights": weights})), photo(WIDTH, HEIGHT)
    model(image)
    found: list[float] = []
    while len(found) < RUNS and sum(found) < ENOUGH:
        begun = time.process_time()
        model(image)
        found.append(time.process_time() - begun)
    return min(found)


def measured(name: str) -> float | None:
    """Return the seconds that a model takes; None where no weights are at hand."""
    if name in salbox.list_models(ready=True) or (SHARED / "weights" / name).exists():
        return in_fresh_process(1, seconds, name, None)
    from networks import NETWORKS

    official = next((o for o in NETWORKS.values() if o.model == name), None)
    if official is None:
        return None
    with tempfile.TemporaryDirectory() as folder:
        return in_fresh_process(1, seconds, name, official.write(SHARED, Path(folder)))


def write(found: dict[str, float]) -> None:
    with (ROOT / "src" / "salbox" / SPEEDS).open("w", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(("model", "seconds"))
        writer.writerows((name, f"{found[name]:.3g}") for name in salbox.list_models() if name in found)


def main() -> None:
    os.environ.setdefault("SALBOX_WEIGHTS", str(SHARED / "weights"))
    chosen = sys.argv[1:] or [name for name in salbox.list_models() if name not in TOO_LARGE]
    found = dict(known_speeds())
    for name in chosen:
        if (value := measured(name)) is not None:
            found[name] = value
            print(f"{name} {value:.4f}", flush=True)
            write(found)


if __name__ == "__main__":
    main()
