"""One new head on a network that is trained already: 1,000 photos, a few minutes.

    python benchmarks/new_head.py [--trunk shipped] [--teacher rare2012] [--minutes 4]

The trunk and the old heads stay as they are; only the new head learns. Photos are DUTS-TR's; those that the report is
about no network of salbox has learned from. Minutes of training are the processor's, divided by the threads; those of
all stages together are the clock's on the wall. Writes docs/results/new-head.md.
"""

from __future__ import annotations

import argparse
import time
from pathlib import Path
from typing import Any

import numpy as np
from _distilling import RUNS, Printer, read_csv, read_json
from _tables import SHARED, markdown_table, provenance, write_page

import salbox
from salbox.distillation.distill import distill
from salbox.distillation.fidelity.measure import CONSTANT, PHOTOS, STUDENT
from salbox.distillation.plan import HeadTarget, Plan
from salbox.distillation.teachers.teacher import Teacher
from salbox.imaging.inputs import ImageFile, find_images
from salbox.models.exported import packaged
from salbox.models.registry import SHIPPED
from salbox.runtime.network import ExportedNetwork, open_network
from salbox.training.recipe import read_recipe

COUNT = 1000
PROBES = 20  # photos on which the old heads are looked at before and after


def photos(count: int) -> list[ImageFile]:
    found = find_images([str(SHARED / "data" / "DUTS-TR" / "DUTS-TR-Image")])
    return found[:: max(1, len(found) // count)][:count]


def old_heads_moved(before: ExportedNetwork, after: ExportedNetwork, images: list[ImageFile]) -> float:
    """Return by how much maps of the old heads differ at most, as a share of a map's range."""
    worst = 0.0
    for image in images[:PROBES]:
        pixels = salbox.read_image(image.path)
        (old,), (new,) = (student.maps([pixels], before.heads) for student in (before, after))
        worst = max(worst, *(float(np.abs(old[h] - new[h]).max() / np.ptp(old[h])) for h in before.heads))
    return worst


def page(head: str, trunk: str, run: Path, before: ExportedNetwork, moved: float, wall: float, minutes: float) -> str:
    rows: list[dict[str, Any]] = read_json(run / "fidelity.json")["rows"]
    of_photos = {row["maps"]: row for row in rows if (row["head"], row["domain"]) == (head, PHOTOS)}
    log = read_csv(run / "log.csv")
    parts = [line["part"] for line in read_csv(run / "split.csv")]
    images, seconds = sum(int(line["images"]) for line in log), float(log[-1]["seconds"])
    figures = [
        [maps, *(f"{of_photos[maps][k]:.3f} ± {of_photos[maps][f'{k}_std']:.3f}" for k in ("cc", "kl"))]
        for maps in (STUDENT, CONSTANT)
    ]
    packages = ("salbox", "torch", "lightning", "onnxruntime", "numpy")
    return "\n\n".join(
        [
            "# A new head on a trained trunk",
            f"{provenance(packages)} Written by `benchmarks/new_head.py`.",
            f"`{head}` learned as a further head of a box with {len(before.heads)} "
            f"({', '.join(before.heads)}), whose trunk is frozen: `salbox distill --teacher {head} --add-to {trunk}`. "
            f"{len(parts)} photos of DUTS-TR: {parts.count('training')} train, {parts.count('validation')} choose the "
            f"checkpoint, {parts.count('test')} are measured once.",
            f"Training took {seconds / 60:.1f} minutes (of {minutes:g}) for {images:,} pictures, processor time "
            "divided by the threads; teachers' maps, training, export and report together "
            f"{wall / 60:.1f} minutes by the wall clock.",
            markdown_table(["maps", "CC ↑", "KL ↓"], figures),
            f"The old heads' maps of {PROBES} photos moved by at most {moved:.1e} of their range.",
        ]
    )


def main() -> Path | None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n\n")[0])
    parser.add_argument("--trunk", default="shipped", help="shipped, or a run folder")
    parser.add_argument("--teacher", default="rare2012")
    parser.add_argument("--minutes", type=float, default=4.0, help="of training")
    parser.add_argument("--photos", type=int, default=COUNT)
    parser.add_argument("--out", type=Path, default=RUNS / "new-head")
    given = parser.parse_args()
    images = photos(given.photos)
    plan = Plan(
        photos=tuple(images),
        run=given.out,
        targets=(HeadTarget(given.teacher, Teacher(given.teacher)),),
        recipe=read_recipe("box", ()),
        add_to=given.trunk,
        max_seconds=60 * given.minutes,
        compress=True,
        clock="processor",
    )
    began = time.monotonic()
    distill(plan, Printer())
    wall = time.monotonic() - began
    before = open_network(packaged(SHIPPED) if given.trunk == "shipped" else Path(given.trunk) / "student.onnx")
    moved = old_heads_moved(before, open_network(given.out / "student.onnx"), images)
    text = page(given.teacher, Path(given.trunk).name, given.out, before, moved, wall, given.minutes)
    if given.photos != COUNT:  # a trial
        print(text)
        return None
    return write_page("new-head.md", text)


if __name__ == "__main__":
    main()
