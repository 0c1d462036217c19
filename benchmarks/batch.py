"""What `salbox predict` does with many images and with a video: images a second, workers, memory.

Photos are OSIE's, EyeCrowd's and COCO's (`shared/data` beside the checkout, or SALBOX_SHARED), or else scikit-image's,
rolled about. Linux only: memory is read from /proc. Writes docs/results/batch.md.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from _tables import SHARED, markdown_table, matmul_rate, provenance, write_page
from PIL import Image

import salbox
from salbox.imaging.video import VideoReader
from salbox.imaging.video_writing import VideoWriter

SEVEN = "aim,ikn,gbvs,bms,imsig,rare2012,sun"
THREE = "imsig,gbvs,bms"
FEW, MANY, FIFTY = 60, 1000, 50
ROUNDS = 3
ONE_THREAD = ("SALBOX_THREADS", "OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "OPENCV_FOR_THREADS_NUM")
CLIP_SECONDS, CLIP_RATE = 30, 25.0
PREDICT = [sys.executable, "-c", "from salbox.cli.main import run; run()", "predict"]


@dataclass(frozen=True)
class Run:
    """How long a run took and the memory of all its processes, MiB: at its peak, and its peak up to 100 images."""

    seconds: float
    peak: float
    peak_at_100: float


def main() -> None:
    """Measure everything and write the page."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        photos = link_photos(folder / "photos", MANY)
        before = matmul_rate()
        scaling = workers_table(photos[:FEW], folder)
        seven = predict(photos[:FIFTY], SEVEN, folder / "seven")
        many = predict(photos, THREE, folder / "many", "--workers", "2")
        clip = pan(photos, folder / "clip.mp4")
        video = run([str(clip), "-m", "gbvs", "-o", str(folder / "video"), "--overlay"], 2, folder / "video")
        frames = count_frames(folder / "video" / "gbvs" / "clip.overlay.mp4")
        after = matmul_rate()
    write_page(
        "batch.md",
        f"""# Batches and videos

Written by `benchmarks/batch.py`. {provenance()} NumPy's float32 matrix product ran at {before:.0f} GFLOP/s before and
{after:.0f} after. Photos of 800x600 unless said otherwise; times include the start of Python and of the workers.

## Workers

{FEW} photos, models {THREE}; medians of {ROUNDS} rounds in turn. A worker is a process with its share of the cores.

{scaling}

## All seven classical models

{FIFTY} photos, models {SEVEN}, default workers: {FIFTY / seven.seconds:.2f} images a second (all seven maps written),
peak memory of all processes {seven.peak:.0f} MiB.

## Memory over many images

{len(photos)} photos (800x600 and smaller), models {THREE}, 2 workers: {len(photos) / many.seconds:.1f} images a
second. Peak memory of all processes up to 100 images {many.peak_at_100:.0f} MiB, up to {len(photos)} images
{many.peak:.0f} MiB.

## Video

{CLIP_SECONDS} seconds of 640x480 at {CLIP_RATE:g} frames a second, pans over photos, `-m gbvs --overlay`:
{frames} frames came back of {int(CLIP_SECONDS * CLIP_RATE)}, {frames / video.seconds:.1f} a second with both videos
written, peak memory {video.peak:.0f} MiB.
""",
    )


def workers_table(photos: list[Path], folder: Path) -> str:
    """Return the table of rates by workers and threads, rounds taken in turn."""
    settings = {
        "1 worker, 1 thread": ("1", "1"),
        "2 workers, 1 thread each": ("2", "2"),
        "1 worker, both cores": ("1", "2"),
    }
    times: dict[str, list[float]] = {name: [] for name in settings}
    for turn in range(ROUNDS):
        for number, (name, (workers, cores)) in enumerate(settings.items()):
            output = folder / f"workers{turn}{number}"
            environment = {} if cores == "2" else dict.fromkeys(ONE_THREAD, "1")
            times[name].append(predict(photos, THREE, output, "--workers", workers, **environment).seconds)
    medians = {name: float(np.median(values)) for name, values in times.items()}
    slowest = medians["1 worker, 1 thread"]
    rows = [[name, f"{len(photos) / s:.1f}", f"{slowest / s:.2f}"] for name, s in medians.items()]
    return markdown_table(["setting", "images a second", "times the first"], rows)


def predict(photos: list[Path], models: str, output: Path, *options: str, **environment: str) -> Run:
    """Run `salbox predict` on photos and return what it took."""
    arguments = [*map(str, photos), "-m", models, "-o", str(output), *options]
    return run(arguments, 100 * len(models.split(",")), output, **environment)


def run(arguments: list[str], files_at_100: int, output: Path, **environment: str) -> Run:
    """Run `salbox predict` and watch its memory; `files_at_100` outputs stand for the first 100 images."""
    start = time.perf_counter()
    process = subprocess.Popen([*PREDICT, *arguments], env={**os.environ, **environment}, stderr=subprocess.PIPE)
    peak = peak_at_100 = 0.0
    while process.poll() is None:
        peak = max(peak, resident(process.pid))
        if sum(len(files) for _, _, files in os.walk(output)) <= files_at_100:
            peak_at_100 = peak
        time.sleep(0.2)
    seconds = time.perf_counter() - start
    if process.returncode:
        sys.exit(f"predict failed: {process.stderr.read().decode() if process.stderr else ''}")
    return Run(seconds, peak, peak_at_100)


def resident(pid: int) -> float:
    """Return the resident memory, MiB, of a process and its descendants."""
    try:
        pages = int(Path(f"/proc/{pid}/statm").read_text(encoding="ascii").split()[1])
        children = Path(f"/proc/{pid}/task/{pid}/children").read_text(encoding="ascii").split()
    except OSError:  # it has just ended
        return 0.0
    return pages * os.sysconf("SC_PAGE_SIZE") / 2**20 + sum(resident(int(child)) for child in children)


def link_photos(folder: Path, count: int) -> list[Path]:
    """Return photos under names of their own in a folder."""
    folder.mkdir()
    places = ("OSIE/data/stimuli/*.jpg", "EyeCrowd/**/*.jpg", "coco-semantic/images/**/*.jpg")
    found = [p for place in places for p in sorted((SHARED / "data").glob(place))][:count]
    for i, source in enumerate(found):
        (folder / f"{i:04}.jpg").symlink_to(source.resolve())
    if not found:
        from skimage import data

        for i in range(count):
            Image.fromarray(np.roll(data.coffee(), 7 * i, axis=1)).resize((800, 600)).save(folder / f"{i:04}.jpg")
    return sorted(folder.iterdir())


def pan(photos: list[Path], path: Path) -> Path:
    """Return a video of pans over photos, five seconds each."""
    frames, each = int(CLIP_SECONDS * CLIP_RATE), int(5 * CLIP_RATE)
    with VideoWriter(path, CLIP_RATE) as writer:
        for i in range(frames):
            if i % each == 0:
                photo = salbox.read_image(photos[i // each])
            x, y = 160 * (i % each) // each, 120 * (i % each) // each
            writer.write(np.ascontiguousarray(photo[y : y + 480, x : x + 640]))
    return path


def count_frames(path: Path) -> int:
    """Return how many frames of a video play back."""
    with VideoReader(path) as reader:
        return sum(1 for _ in reader)


if __name__ == "__main__":
    main()
