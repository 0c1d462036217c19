"""What `salbox teach` does with many photos: images a second, memory, and what a killed run costs.

Photos are OSIE's (`shared/data` beside the checkout, or SALBOX_SHARED), or else scikit-image's, rolled about. Linux
only: memory is read from /proc. Writes docs/results/teach.md.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

from _tables import markdown_table, matmul_rate, provenance, write_page
from batch import link_photos, resident

import salbox
from salbox.distillation.teachers.augmentations import FlipRule, measure_flip_cc
from salbox.distillation.teachers.teacher import Teacher, TeacherMaps
from salbox.imaging.inputs import find_images

TEACH = [sys.executable, "-c", "from salbox.cli.main import run; run()", "teach"]
MODEL, PHOTOS = "imsig", 300
RATES = {"imsig": 300, "gbvs": 120, "bms": 120}
CLASSICAL = ("aim", "ikn", "gbvs", "bms", "imsig", "rare2012", "sun")
FLIPPED = 6
WORKERS = 2


@dataclass(frozen=True)
class Run:
    """How long a run took, the memory of all its processes (MiB) at its peak and until a third of the maps."""

    seconds: float
    peak: float
    peak_at_third: float
    maps: int


def main() -> None:
    """Measure everything and write the page."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        photos = folder / "photos"
        count = len(link_photos(photos, PHOTOS))
        before = matmul_rate()
        whole = teach(MODEL, photos, folder / "whole", count)
        killed = teach(MODEL, photos, folder / "killed", count, kill_at=count // 2)
        maps = folder / "killed" / MODEL
        stamps = {path: path.stat().st_mtime_ns for path in maps.rglob("*.png")}
        left = len(list(maps.rglob("*.part")))
        good = len(TeacherMaps(maps).check([path.stem for path in stamps]).good)
        resumed = teach(MODEL, photos, folder / "killed", count)
        twice = sum(path.stat().st_mtime_ns != when for path, when in stamps.items())
        differ = sum(p.read_bytes() != (folder / "whole" / MODEL / p.name).read_bytes() for p in maps.rglob("*.png"))
        nothing = teach(MODEL, photos, folder / "killed", count)
        record = (maps / "teacher.json").stat().st_size
        size = sum(path.stat().st_size for path in maps.rglob("*.png")) / count / 1024
        rates = rate_table(photos, folder)
        flips = flip_table(photos)
        after = matmul_rate()
    rows = [
        ["one run", f"{whole.seconds:.1f}", str(whole.maps), f"{whole.peak:.0f}", f"{whole.peak_at_third:.0f}"],
        ["killed half-way", f"{killed.seconds:.1f}", str(killed.maps), f"{killed.peak:.0f}", ""],
        ["gone on", f"{resumed.seconds:.1f}", str(resumed.maps - killed.maps), f"{resumed.peak:.0f}", ""],
        ["once more", f"{nothing.seconds:.1f}", str(nothing.maps - resumed.maps), f"{nothing.peak:.0f}", ""],
    ]
    header = ["run", "seconds", "maps written", "peak MiB", f"peak MiB until {count // 3} maps"]
    write_page(
        "teach.md",
        f"""# Teachers' maps on disk

Written by `benchmarks/teach.py`. {provenance()} NumPy's float32 matrix product ran at {before:.0f} GFLOP/s before and
{after:.0f} after. Times include the start of Python and of {WORKERS} workers. Memory is the sum of the resident memory
of all processes, pages that they share counted in each.

## Killed and gone on

`salbox teach -m {MODEL}` over {count} photos of 800x600. All processes were killed (SIGKILL) when {killed.maps} maps
were there, and the same command was given again.

{markdown_table(header, rows)}

Of the {killed.maps} maps that the kill left {good} were whole; {left} temporary files lay beside them. The second run
wrote {twice} of them again. Of all {resumed.maps} maps {differ} differ from those of the run that was not killed. A
map takes {size:.0f} KiB, the record of the teacher {record} bytes.

## Images a second

{rates}

## What a flip changes

The mean CC (as fidelity is measured) of the map of a flipped photo, flipped back, with the photo's own map, over
{FLIPPED} photos. From .995 on a stored map may be flipped with its photo; below, the flipped photo gets its own.

{flips}
""",
    )


def teach(model: str, photos: Path, output: Path, count: int, *, kill_at: int | None = None) -> Run:
    """Run `salbox teach` in a process group of its own and watch it; kill it when so many maps are there."""
    start = time.perf_counter()
    arguments = ["-m", model, "--images", str(photos), "-o", str(output), "--workers", str(WORKERS)]
    process = subprocess.Popen([*TEACH, *arguments], stderr=subprocess.PIPE, start_new_session=True)
    peak = peak_at_third = 0.0
    while process.poll() is None:
        peak = max(peak, resident(process.pid))
        there = maps_in(output / model)
        if there <= count // 3:
            peak_at_third = peak
        if kill_at is not None and there >= kill_at:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()
        time.sleep(0.05)
    seconds = time.perf_counter() - start
    if process.returncode and kill_at is None:
        sys.exit(f"teach failed: {process.stderr.read().decode() if process.stderr else ''}")
    return Run(seconds, peak, peak_at_third, maps_in(output / model))


def maps_in(folder: Path) -> int:
    """Return how many maps are there."""
    return sum(path.suffix == ".png" for path in folder.iterdir()) if folder.is_dir() else 0


def rate_table(photos: Path, folder: Path) -> str:
    """Return how many maps a second each of some models makes."""
    rows = []
    for model, count in RATES.items():
        some = folder / f"photos-{model}"
        some.mkdir()
        for path in sorted(photos.iterdir())[:count]:
            (some / path.name).symlink_to(path.resolve())
        run = teach(model, some, folder / f"rate-{model}", count)
        rows.append([f"`{model}`", str(run.maps), f"{run.maps / run.seconds:.1f}", f"{run.peak:.0f}"])
    return markdown_table(["model", "photos", "images a second", "peak MiB"], rows)


def flip_table(photos: Path) -> str:
    """Return the flip CC of the classical models and what follows for training."""
    files = find_images([str(photos)])
    images = [salbox.read_image(f.path) for f in files[:: max(1, len(files) // FLIPPED)][:FLIPPED]]
    rows = []
    for model in CLASSICAL:
        found = measure_flip_cc(Teacher(model).mapper(), images)
        rule = FlipRule.of(model, found)
        free = " and ".join({"h": "sideways", "v": "upside down"}[flip] for flip in rule.free) or "never"
        rows.append([f"`{model}`", f"{found['h']:.4f}", f"{found['v']:.4f}", free])
    return markdown_table(["model", "sideways", "upside down", "a stored map may be flipped"], rows)


if __name__ == "__main__":
    main()
