"""How long crop, cutout, compress and regions take, and how much memory, for a part of docs/results/apps.md.

Wants a quiet machine. Each figure is of a process of its own that reads a JPEG and writes what the tool writes; what is
larger than 20 megapixels is done once. Rows of other sides and steps than those named stay as they are.

    python benchmarks/apps_timings.py [--sides 4000x3000 ...] [--steps "compress, AVIF" ...] [--repeats N]
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from time import perf_counter

import numpy as np
from _parts import here, keep, kept
from _tables import SHARED
from apps import FIGURES, write
from PIL import Image

from salbox.apps import Box, CutoutOptions, attend, compress, regions
from salbox.apps.crop_files import CropPlan
from salbox.apps.crops import best_crop
from salbox.apps.cutout_photo import read_photo
from salbox.apps.cutout_writing import write_cutout
from salbox.apps.cutouts import cut_out
from salbox.apps.sizes import parse_size
from salbox.imaging.inputs import ImageFile
from salbox.models.loading import load
from salbox.prediction.images import Pipeline

SIDES = ("1200x900", "4000x3000", "10000x10000")
LARGE = 20  # megapixels
SLOW = ("compress, AVIF",)  # minutes where photos are large: measured there only if they are named
SQUARE = parse_size("1:1")


def crop_box(photo: Path, _: Path) -> Callable[[], object]:
    """Return what finds a box, the model warm."""
    model = load("gaze")
    best_crop(attend(photo, model), SQUARE)
    return lambda: best_crop(attend(photo, model), SQUARE)


def crop_file(photo: Path, folder: Path) -> Callable[[], object]:
    """Return what writes a crop."""
    cropped = CropPlan("gaze", [SQUARE], folder=folder).begin()
    return lambda: cropped(ImageFile(photo, Path(photo.stem)))


def cutout_by(refine: str) -> Callable[[Path, Path], Callable[[], object]]:
    """Return what gives what writes a cutout by a refinement."""

    def begin(photo: Path, folder: Path) -> Callable[[], object]:
        pipeline = Pipeline(load("scfnet"))

        def step() -> None:
            found = read_photo(photo)
            pixels = cut_out(found, pipeline, CutoutOptions(refine=refine))
            write_cutout(folder / "out.png", pixels, "png", {}, found.beside)

        return step

    return begin


def compressed_as(kind: str) -> Callable[[Path, Path], Callable[[], object]]:
    """Return what gives what halves a photo's bytes."""

    def begin(photo: Path, folder: Path) -> Callable[[], object]:
        model, size = load("gaze"), photo.stat().st_size // 2
        return lambda: compress(photo, target_size=size, file_format=kind, model=model)  # type: ignore[arg-type]

    return begin


def region_table(photo: Path, _: Path) -> Callable[[], object]:
    """Return what gives the shares of a region."""
    model = load("gaze")
    return lambda: regions(photo, {"corner": Box(0, 0, 300, 200)}, model=model)


STEPS: dict[str, Callable[[Path, Path], Callable[[], object]]] = {
    "crop, the box alone, warm": crop_box,
    "crop": crop_file,
    "cutout, guided": cutout_by("guided"),
    "cutout, closed-form": cutout_by("closed-form"),
    "compress, JPEG": compressed_as("jpeg"),
    "compress, WebP": compressed_as("webp"),
    "compress, AVIF": compressed_as("avif"),
    "regions": region_table,
}


def one(name: str, photo: Path) -> tuple[float, float]:
    """Return the seconds of a step and the most memory that this process took, in GB; Linux tells."""
    with tempfile.TemporaryDirectory() as folder:
        step = STEPS[name](photo, Path(folder))
        begin = perf_counter()
        step()
        seconds = perf_counter() - begin
    lines = Path("/proc/self/status").read_text(encoding="utf-8").splitlines()
    return seconds, int(next(line.split()[1] for line in lines if line.startswith("VmHWM"))) / 2**20


def photo_of(text: str, folder: Path) -> Path:
    """Return a JPEG of a size, grained as a camera's."""
    width, height = map(int, text.split("x"))
    small = Image.open(SHARED / "data" / "OSIE" / "data" / "stimuli" / "1003.jpg")
    path, noise = folder / f"{text}.jpg", np.random.default_rng(0)
    image = small.resize((width, height), Image.Resampling.BICUBIC)
    for top in range(0, height, 500):
        part = np.asarray(image.crop((0, top, width, min(height, top + 500))), np.float32)
        grained = part + noise.standard_normal((*part.shape[:2], 1), np.float32) * 6
        image.paste(Image.fromarray(grained.clip(0, 255).astype(np.uint8)), (0, top))
    image.save(path, quality=90)
    return path


def main() -> None:
    """Measure, keep the rows, and put the page together."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sides", nargs="+", default=list(SIDES))
    parser.add_argument("--steps", nargs="+", choices=list(STEPS), help="by default all; not AVIF of large photos")
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--try", action="store_true", dest="is_trial", help="print the rows, write nothing")
    parser.add_argument("--one", nargs=2, help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.one:
        print(json.dumps(one(given.one[0], Path(given.one[1]))))
        return
    rows = []
    with tempfile.TemporaryDirectory() as folder:
        for text in given.sides:
            photo = photo_of(text, Path(folder))
            pixels = np.prod([int(side) for side in text.split("x")]) / 1e6
            megapixels, repeats = f"{pixels:.3g}", 1 if pixels > LARGE else given.repeats
            for name in given.steps or [step for step in STEPS if pixels <= LARGE or step not in SLOW]:
                command = [sys.executable, __file__, "--one", name, str(photo)]
                found = [
                    json.loads(subprocess.run(command, capture_output=True, text=True, check=True).stdout)
                    for _ in range(repeats)
                ]
                seconds, memory = np.median([each[0] for each in found]), max(each[1] for each in found)
                rows.append([name, megapixels, f"{seconds:.3g}", f"{memory:.2f}"])
                print(rows[-1], flush=True)
    if not given.is_trial:
        every = with_others(rows)
        keep(FIGURES, "timings", every, measured(rows, every))
        write()


def measured(rows: list[list[str]], every: list[list[str]]) -> str:
    """Return where and when all rows were measured, of which some were now."""
    before = kept(FIGURES).get("timings", {}).get("measured", "")
    if len(rows) == len(every) or not before:
        return here()
    again = ", ".join(f"{name} of {size}" for name, size, *_ in rows)
    return f"{before} Since then, megapixels: {again}. {here()}"


def with_others(rows: list[list[str]]) -> list[list[str]]:
    """Return rows and those that were measured before, of the current steps, by size and step."""
    before = kept(FIGURES).get("timings", {"rows": []})["rows"]
    found = {(row[0], row[1]): row for row in [*before, *rows] if row[0] in STEPS}
    return sorted(found.values(), key=lambda row: (float(row[1]), list(STEPS).index(row[0])))


if __name__ == "__main__":
    main()
