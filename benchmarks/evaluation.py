"""Time and memory of `salbox evaluate` on 1,000 images, three models and eight metrics, and of its second run.

Needs OSIE and EyeCrowd (`shared/data` beside the checkout, or SALBOX_SHARED). Run it while nothing else runs. Writes
docs/results/evaluation.md.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
from _tables import SHARED, markdown_table, provenance, write_page

from salbox.datasets import open_dataset

IMAGES = 1000
MODELS = "gaussian,bms,imsig"
METRICS = "nss,auc,auc_judd,auc_borji,sauc,cc,sim,kl_mit"
WORKERS = 2
SAMPLED_EVERY = 0.5  # seconds


def build(folder: Path) -> int:
    """Link 1,000 photos, some twice, with their fixations as CSV; return how many fixations there are."""
    (folder / "images").mkdir(parents=True)
    (folder / "fixations").mkdir()
    sets = [open_dataset(f"{name.lower()}:{SHARED / 'data' / name}", "all") for name in ("OSIE", "EyeCrowd")]
    sources = [(data, i) for data in sets for i in range(len(data))]
    total = 0
    for number in range(IMAGES):
        data, index = sources[number % len(sources)]
        item, fixations = data.items[index], data.fixations(index)
        (folder / "images" / f"{number:04}{item.image.suffix}").symlink_to(item.image.resolve())
        table = np.c_[fixations.x, fixations.y, fixations.subject]
        np.savetxt(folder / "fixations" / f"{number:04}.csv", table, delimiter=",", fmt="%.3f")
        total += len(fixations)
    return total


def run(data: Path, kept: Path) -> tuple[float, float]:
    """Return the seconds of a run, and the peak of the memory of all its processes together in MiB."""
    command = [sys.executable, "-c", "from salbox.cli.main import run; run()", "evaluate", "-m", MODELS]
    command += ["--dataset", f"folder:{data}", "--metrics", METRICS, "--workers", str(WORKERS), "-o", str(kept)]
    start, peak = time.perf_counter(), 0.0
    with subprocess.Popen(command, stdout=subprocess.DEVNULL) as process:
        while process.poll() is None:
            peak = max(peak, sum(map(memory, family(process.pid))))
            time.sleep(SAMPLED_EVERY)
    if process.returncode:
        raise SystemExit(f"salbox evaluate failed with {process.returncode}")
    return time.perf_counter() - start, peak


def family(pid: int) -> list[int]:
    """Return a process and all below it."""
    try:
        children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    except OSError:
        return []
    return [pid, *(below for child in children for below in family(int(child)))]


def memory(pid: int) -> float:
    """Return the memory of a process in MiB, shared pages counted in part (PSS)."""
    try:
        text = Path(f"/proc/{pid}/smaps_rollup").read_text()
    except OSError:
        return 0.0
    return sum(int(line.split()[1]) for line in text.splitlines() if line.startswith("Pss:")) / 1024


def main() -> Path:
    with tempfile.TemporaryDirectory() as temporary:
        data, kept = Path(temporary, "data"), Path(temporary, "kept")
        fixations = build(data)
        first, second = run(data, kept), run(data, kept)
    rows = [[name, f"{s:.0f}", f"{m:.0f}"] for name, (s, m) in (("first run", first), ("second run", second))]
    text = (
        f"# Evaluating 1,000 images\n\n{provenance()} Written by `benchmarks/evaluation.py`.\n\n"
        f"{IMAGES} photos of OSIE (800x600) and EyeCrowd (512x384), {fixations:,} fixations; models {MODELS}; metrics "
        f"{METRICS}; {WORKERS} workers. Memory is that of all processes together. The second run finds all results "
        "and draws the intervals.\n\n" + markdown_table(["", "seconds", "peak memory, MiB"], rows)
    )
    return write_page("evaluation.md", text)


if __name__ == "__main__":
    main()
