"""EMD by its two solvers side by side: the same figures, and how long they take.

Needs OSIE (`shared/data` beside the checkout, or SALBOX_SHARED), POT and SciPy. Writes docs/results/emd.md.
"""

from __future__ import annotations

import importlib
import os
import resource
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from _tables import SHARED, markdown_table, provenance, write_page

import salbox
from salbox.datasets import fixation_density, open_dataset

EVERY = 7  # of OSIE's 140 test photos
MODELS: dict[str, dict[str, float]] = {"imsig": {}, "gaussian": {"sigma": 0.25}}
CELLS = (32, 16)
SOLVERS = ("SciPy", "POT")
# A grid of 50x38 cells is beyond the linear program.
SOLVED_BY = {32: SOLVERS, 16: ("POT",)}
IMPORTS = {
    "NumPy and OpenCV alone": "import numpy, cv2",
    "first EMD with SciPy's solver": "import salbox.metrics, sys; m = sys.modules['salbox.metrics.emd']; "
    "m.solver = lambda: 'SciPy'; m.emd([[1, 0]], [[0, 1]], cell=1)",
    "first EMD with POT": "from salbox.metrics import emd; emd([[1, 0]], [[0, 1]], cell=1)",
    "POT as it imports itself": "import numpy, cv2, ot",
}
# Its own peak; that of getrusage begins with the parent's.
REPORT = (
    "import sys; peak = next(l for l in open('/proc/self/status') if l.startswith('VmHWM')); "
    "print(peak.split()[1], *({'torch', 'jax', 'tensorflow'} & set(sys.modules)))"
)
REPEATS = 3

emd_module = importlib.import_module("salbox.metrics.emd")  # the package has the function under this name


def by(solver: str, saliency: Any, density: Any, cell: int) -> tuple[float, float]:
    """Return EMD by one of the solvers, and its seconds of processor time."""
    chosen, emd_module.solver = emd_module.solver, lambda: solver
    try:
        start = time.process_time()
        value = emd_module.emd(saliency, density, cell)
        return value, time.process_time() - start
    finally:
        emd_module.solver = chosen


def solvers() -> list[list[str]]:
    """Return a line for each grid and model: medians in milliseconds, their ratio, the largest difference."""
    data = open_dataset(f"osie:{SHARED / 'data' / 'OSIE'}", "test")
    indices = range(0, len(data), EVERY)
    densities = [fixation_density(data.fixations(i), data.shape(i), data.sigma(i)) for i in indices]
    by("POT", [[1, 0]], [[0, 1]], 1), by("SciPy", [[1, 0]], [[0, 1]], 1)  # what is imported is not counted
    rows = []
    for name, parameters in MODELS.items():
        model = salbox.load(name, **parameters)
        maps = [model(data.pixels(i)) for i in indices]
        for cell in CELLS:
            found: dict[str, list[tuple[float, float]]] = {solver: [] for solver in SOLVED_BY[cell]}
            for saliency, density in zip(maps, densities, strict=True):
                for solver, values in found.items():  # in turns
                    values.append(by(solver, saliency, density, cell))
            rows.append([f"{-(-800 // cell)}x{-(-600 // cell)} cells of {cell} pixels", f"`{name}`", *cells(found)])
    return rows


def cells(found: dict[str, list[tuple[float, float]]]) -> list[str]:
    seconds = {solver: np.array([s for _, s in values]) for solver, values in found.items()}
    medians = [f"{1e3 * np.median(seconds[solver]):.1f}" if solver in seconds else "-" for solver in SOLVERS]
    if len(found) < len(SOLVERS):
        return [*medians, "-", "-"]
    first, second = (np.array([value for value, _ in found[solver]]) for solver in SOLVERS)
    ratios = seconds[SOLVERS[0]] / seconds[SOLVERS[1]]
    spread = f"{np.median(ratios):.0f} ({ratios.min():.0f} to {ratios.max():.0f})"
    return [*medians, spread, f"{np.abs(first - second).max():.0e}"]


def importing() -> list[list[str]]:
    """Return a line for each program: seconds of processor time and MiB of a fresh process, the median of several."""
    rows = []
    for name, program in IMPORTS.items():
        code = f"{program}; {REPORT}"
        seconds, sizes, loaded = [], [], ""
        for _ in range(REPEATS):
            before = resource.getrusage(resource.RUSAGE_CHILDREN)
            size, *frameworks = run(code)
            after = resource.getrusage(resource.RUSAGE_CHILDREN)
            seconds.append(after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime)
            sizes.append(int(size) / 1024)
            loaded = ", ".join(sorted(frameworks)) or "none"
        rows.append([name, f"{np.median(seconds):.1f}", f"{np.median(sizes):.0f}", loaded])
    return rows


def run(code: str) -> Sequence[str]:
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, env=environment)
    return done.stdout.split()


def main() -> Path:
    packages = ("salbox", "numpy", "scipy", "pot", "torch")
    header = ["grid", "maps", "SciPy's HiGHS, ms", "POT, ms", "ratio, median (range)", "largest difference"]
    solved = markdown_table(header, solvers())
    started = markdown_table(["a fresh process", "s", "MiB", "frameworks imported"], importing())
    text = TEXT.format(provenance=provenance(packages), every=EVERY, solved=solved, started=started)
    return write_page("emd.md", text)


TEXT = """# The earth mover's distance by two solvers

{provenance} Written by `benchmarks/emd.py`.

`emd` is the same number by either; POT (`pip install 'salbox[eval]'`) is taken where it is installed. Every {every}th
test photo of OSIE (800x600), maps against the fixations' density of sigma 24; milliseconds of processor time of
`salbox.metrics.emd` as a whole, median over photos, in turns; ratios photo by photo.

{solved}

## The first one

POT imports the frameworks for networks that are installed; for salbox it does not (those that the program has
imported already it uses).

{started}
"""


if __name__ == "__main__":
    main()
