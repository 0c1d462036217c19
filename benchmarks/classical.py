"""How long the classical models take for an 800x600 photo, beside the original programs and the machine's limit.

The original programs' times were measured elsewhere, on two cores whose float32 matrix product ran at 208 GFLOP/s.
Machines differ and are shared, so the matrix-product rate is measured just before and after every call, and the ratio
is given plain and scaled by it. Writes docs/results/classical.md.
"""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from math import log2
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from _tables import SHARED, markdown_table, matmul_rate, provenance, write_page

import salbox

RUNS = 5
REFERENCE_RATE = 208.0  # GFLOP/s of a float32 matrix product where the original programs were timed
HEIGHT, WIDTH = 600, 800


@dataclass(frozen=True)
class Case:
    """A model, what the original took, and what has to be computed.

    Attributes
    ----------
    original : key of original_seconds.json, or None
    target : float or None
        How many times faster than the original it is meant to be.
    gigaflops : float
        Arithmetic that the method cannot do without.
    because : str
        Where that number comes from.
    """

    label: str
    model: str
    parameters: dict[str, Any]
    original: str | None
    target: float | None
    gigaflops: float
    because: str


def transform(points: float) -> float:
    """Return the gigaflops of a real two-dimensional FFT (2.5 n log2 n)."""
    return 2.5 * points * log2(points) / 1e9


def correlation(filters: int, side: int) -> tuple[float, str]:
    """Return the gigaflops of correlating the photo with filters, direct or by FFT, whichever is less."""
    positions = (HEIGHT - side + 1) * (WIDTH - side + 1)
    direct = 2 * positions * filters * 3 * side**2 / 1e9
    points = HEIGHT * WIDTH
    fourier = (3 + filters) * transform(points) + filters * 3 * 8 * (points / 2) / 1e9
    if direct < fourier:
        return direct, f"{filters} filters of {side}x{side}x3 at {positions:,} places"
    return fourier, f"{3 + filters} real FFTs of the image and {filters} products (direct: {direct:.0f} GFLOP)"


def cases() -> list[Case]:
    """Return what is timed; with the originals' filters where they are at hand."""
    weights = SHARED / "weights"
    aim, aim_because = correlation(25, 21)
    own_aim, own_aim_because = correlation(24, 21)
    sun, sun_because = correlation(362, 11)
    pixels = HEIGHT * WIDTH
    nodes = 24 * 32
    walk = 24 * nodes**2 * (4 + 2 * 20) / 1e9
    pyramid = pixels * 4 * (9 / 2 + 9 / 4) / 3 * 4 / 1e9
    gabor = 8 * sum(transform((h + 26) * (w + 26)) for h, w in ((150, 200), (75, 100), (37, 50)))
    lab = pixels * 3 * 30 / 1e9 + 3 * 2 * pixels * 64 / 1e9 + 2 * pixels * 48 / 1e9
    maps = 94
    bms_because = f"{maps} boolean maps of 400x300, each two floods, two dilations and a sum (byte operations)"
    originals = []
    if weights.is_dir():
        originals += [
            Case(
                "aim, original filters",
                "aim",
                {"basis": weights / "aim" / "21jade950.mat"},
                "aim",
                30,
                aim,
                aim_because,
            ),
            Case("sun, original filters", "sun", {"stats": weights / "sun" / "stats.mat"}, "sun", 10, sun, sun_because),
        ]
    return [
        *originals,
        Case("aim, filters that ship", "aim", {}, "aim", 30, own_aim, own_aim_because),
        Case("sun, filters that ship", "sun", {}, "sun", 10, sun, sun_because),
        Case("imsig", "imsig", {}, "imsig", 10, lab, "Lab at every pixel, two passes of bicubic resizing each way"),
        Case(
            "gbvs",
            "gbvs",
            {},
            "gbvs",
            10,
            walk + gabor + pyramid,
            f"24 walks, about 20 steps over {nodes} nodes; Gabor FFTs; pyramids",
        ),
        Case("ikn", "ikn", {}, "ikn", 8, gabor + pyramid, "Gabor FFTs, pyramids"),
        Case("bms", "bms", {}, "bms", 1, maps * 120_000 * 12 / 1e9, bms_because),
        Case("rare2012", "rare2012", {}, None, None, float("nan"), "no original to time"),
    ]


def main() -> None:
    """Time everything, model after model and round after round, and write the page."""
    image = photo()
    all_cases = cases()
    models = [salbox.load(case.model, **case.parameters) for case in all_cases]
    for model in models:
        model(image)
    seconds: list[list[float]] = [[] for _ in all_cases]
    rates: list[list[float]] = [[] for _ in all_cases]
    for _ in range(RUNS):
        for i, model in enumerate(models):
            before = matmul_rate(1)
            seconds[i].append(timed(lambda model=model: model(image)))
            rates[i].append((before + matmul_rate(1)) / 2)
    originals = original_seconds()
    rows = [row(case, seconds[i], rates[i], originals) for i, case in enumerate(all_cases)]
    everything = np.median([rate for each in rates for rate in each])
    write_page("classical.md", page(rows, all_cases, float(everything)))


def memory_table() -> str:
    """Return the peak memory of each model on a 12-megapixel photo, measured in a process of its own."""
    rows = [[name, f"{peak_memory(name):.0f}"] for name in salbox.list_models("fixation")]
    return markdown_table(["model", "peak, MiB"], rows)


def peak_memory(name: str) -> float:
    """Return the peak resident memory, MiB, of a process that computes one map of 4000x3000 pixels."""
    code = (
        "import sys, resource, numpy, salbox;"
        "from skimage import data;"
        "image = numpy.ascontiguousarray(numpy.tile(data.astronaut(), (6, 8, 1))[:3000, :4000]);"
        "salbox.load(sys.argv[1])(image);"
        "print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)"
    )
    done = subprocess.run([sys.executable, "-c", code, name], capture_output=True, text=True, check=True)
    return int(done.stdout) / 1024


def row(case: Case, seconds: list[float], rates: list[float], originals: dict[str, float]) -> list[str]:
    """Return a row of the table."""
    median = float(np.median(seconds))
    scaled_times = [s * rate / REFERENCE_RATE for s, rate in zip(seconds, rates, strict=True)]
    limit = case.gigaflops / float(np.median(rates))
    start = [
        case.label,
        f"{median * 1e3:.0f}",
        f"{min(seconds) * 1e3:.0f}..{max(seconds) * 1e3:.0f}",
        f"{np.median(rates):.0f}",
    ]
    work = [f"{case.gigaflops:.2f}", f"{limit * 1e3:.1f}"] if case.gigaflops == case.gigaflops else ["", ""]
    if case.original is None or case.original not in originals:
        return [*start, "", "", "", "", "", *work]
    original = originals[case.original]
    plain, scaled = original / median, original / float(np.median(scaled_times))
    met = [name for name, ratio in (("plain", plain), ("scaled", scaled)) if case.target and ratio >= case.target]
    verdict = f"met ({' and '.join(met)})" if met else "missed"
    return [*start, f"{original:.3f}", f"{plain:.1f}", f"{scaled:.1f}", f"{case.target:g}", verdict, *work]


def page(rows: list[list[str]], all_cases: list[Case], rate: float) -> str:
    """Return the page's text."""
    header = [
        "model",
        "ms, median",
        "ms, range",
        "GFLOP/s",
        "original, s",
        "times faster",
        "scaled",
        "target",
        "",
        "GFLOP",
        "ms at that rate",
    ]
    reasons = "\n".join(f"- {case.label}: {case.because}." for case in all_cases)
    return f"""# Speed of the classical models

How exact they are is on [a page of its own](conformance.md).

One {WIDTH}x{HEIGHT} photo, one process, both cores; medians of {RUNS} rounds through all models. *GFLOP/s*: NumPy's
float32 matrix product (2048 cubed), measured just before and after each call. *Original*: the authors' program (C++
for BMS, Matlab code under GNU Octave otherwise) on two cores at {REFERENCE_RATE:.0f} GFLOP/s; *times faster* is the
plain ratio, *scaled* the one with salbox's time scaled to that rate. A target is met by either. *GFLOP* is the
arithmetic the method cannot do without and the last column what it would take at the measured rate, so that one sees
how near the limit a model is (AIM computes in double precision, at half that rate; BMS in bytes). Written by
`benchmarks/classical.py`.

{provenance()} Median rate {rate:.0f} GFLOP/s.

{markdown_table(header, rows)}

Where the arithmetic comes from:

{reasons}

## Memory

Peak resident memory of a process that imports the package, holds a 12-megapixel photo (4000x3000) and computes its map.

{memory_table()}
"""


def photo() -> np.ndarray:
    """Return an 800x600 photo: one of the oracle's, or one that scikit-image ships."""
    path = SHARED / "data" / "OSIE" / "data" / "stimuli" / "1001.jpg"
    if path.exists():
        return salbox.read_image(path)
    from skimage import data

    return cv2.resize(data.coffee(), (WIDTH, HEIGHT), interpolation=cv2.INTER_CUBIC)


def original_seconds() -> dict[str, float]:
    """Return the original programs' times, where they are at hand."""
    path: Path = SHARED / "oracle" / "original_seconds.json"
    return json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}


def timed(call: Callable[[], object]) -> float:
    """Return how many seconds a call takes."""
    start = time.perf_counter()
    call()
    return time.perf_counter() - start


if __name__ == "__main__":
    main()
