"""Predicts thousands of images of mixed sizes in one process, and says whether its memory stays flat; writes JSON.

Flat: the median of the last tenth is at most 5 % above that of the tenth after the warm-up, which is the first tenth
and sees the largest size. Linux only.
"""

from __future__ import annotations

import argparse
import io
import json
import sys
import time
from pathlib import Path

import numpy as np
from PIL import Image

import salbox
from salbox.system.memory import peak_memory, resident_memory

ROOT = Path(__file__).resolve().parents[1]
MODELS = ("gaze", "gbvs.student", "imsig")
SIDES = (16, 1280)  # pixels, of the shorter and longer side of the smallest and largest image
FLAT = 1.05
FORMATS = ("PNG", "JPEG", "WEBP", "TIFF")
SAMPLES = 100  # of memory that are kept


def main() -> None:
    """Predict, and write what memory was taken."""
    options = _options()
    random = np.random.default_rng(options.seed)
    models = [salbox.load(name) for name in MODELS]
    largest = _file(random, SIDES[1], SIDES[1], "PNG")
    for model in models:
        model(largest)
    mebibytes, pixels, began = [], 0, time.monotonic()
    for number in range(options.count):
        sides = np.exp(random.uniform(np.log(SIDES[0]), np.log(SIDES[1]), 2)).astype(int)
        content = _file(random, *map(int, sides), FORMATS[number % len(FORMATS)])
        found = models[number % len(models)](content)
        if found.shape != tuple(sides[::-1]) or not np.isfinite(found).all():
            raise SystemExit(f"image {number}: a map of {found.shape}, or not finite, of {sides}")
        pixels += found.size
        mebibytes.append(_mebibytes(resident_memory()))
    report = {
        "seed": options.seed,
        "predictions": options.count,
        "models": MODELS,
        "sides": SIDES,
        "megapixels": round(pixels / 1e6, 1),
        "seconds": round(time.monotonic() - began, 1),
        **flatness(mebibytes),
        "peak_mebibytes": round(_mebibytes(peak_memory())),
        "mebibytes": [round(m) for m in mebibytes[:: max(1, options.count // SAMPLES)]],
    }
    options.report.parent.mkdir(parents=True, exist_ok=True)
    options.report.write_text(json.dumps(report, indent=1) + "\n")
    print({key: value for key, value in report.items() if key != "mebibytes"})
    sys.exit(0 if report["ratio"] <= FLAT else 1)


def flatness(mebibytes: list[float]) -> dict[str, float]:
    """Return medians of the tenth after the warm-up and of the last tenth, and their ratio."""
    tenth = max(1, len(mebibytes) // 10)
    first, last = (float(np.median(part)) for part in (mebibytes[tenth : 2 * tenth], mebibytes[-tenth:]))
    return {"after_warm_up": round(first, 1), "at_the_end": round(last, 1), "ratio": round(last / first, 4)}


def _file(random: np.random.Generator, width: int, height: int, kind: str) -> bytes:
    """Return a picture's file: noise, coarse, so that it is quickly packed."""
    coarse = random.integers(0, 256, (5, 7, 3), dtype=np.uint8)
    file = io.BytesIO()
    Image.fromarray(coarse).resize((width, height), Image.Resampling.BILINEAR).save(file, kind)
    return file.getvalue()


def _mebibytes(size: int | None) -> float:
    if size is None:
        raise SystemExit("the system does not say what memory a process holds: Linux only")
    return size / 2**20


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--count", type=int, default=10_000, metavar="N")
    parser.add_argument("--seed", type=int, default=0, metavar="N")
    parser.add_argument("--report", type=Path, default=ROOT / "docs" / "results" / "robustness" / "soak.json")
    return parser.parse_args()


if __name__ == "__main__":
    main()
