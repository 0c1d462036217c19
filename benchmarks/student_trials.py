"""What makes a better network of students? Short trainings that differ in one thing each, on the validation photos.

Needs the data (`shared` beside the checkout, or SALBOX_SHARED) and the teachers' maps that scripts/distil_students.py
keeps in runs/students. Each training sees as many pictures and is kept in runs/trials: what is there is not repeated.
Writes docs/results/student-trials.md.

    python benchmarks/student_trials.py [--only contrast 'loss-*'] [--page-only]
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import time
from collections.abc import Mapping
from statistics import mean, median
from typing import Any

from _distilling import RUNS, chosen, read_csv, read_json, write_json
from _tables import ROOT, markdown_table, provenance, write_page

from salbox.bench import photo
from salbox.distillation.teachers.augmentations import View, plan_views
from salbox.distillation.teachers.maps_folder import TeacherMaps
from salbox.distillation.teachers.teacher import map_folder
from salbox.metrics.fidelity import fidelity_cc, fidelity_kl
from salbox.runtime.network import ExportedNetwork, open_network

STUDENTS = RUNS / "students"
TRIALS = RUNS / "trials"
HEADS = ("ikn", "gbvs", "bms", "imsig")  # whose teachers are quick: maps of all photos are there first
FINE = ("sun",)  # whose teacher sees single pixels: details are for it
SHARE, SEED = 0.5, 0  # of the run whose maps these are

EPOCHS = 10

# What all have in common unless they say otherwise.
COMMON = (
    "network.context=none",
    "network.deepest=32",
    "precision=bf16-mixed",
    f"epochs={EPOCHS}",
    f"validate_every={EPOCHS}",
)

# Of a network for SUN alone: of fewer photos.
FINE_COMMON = ("network.context=contrast", "network.deepest=16", "epochs=7", "validate_every=7")

# Name -> what it is, and what it changes.
SETTINGS: Mapping[str, tuple[str, tuple[str, ...]]] = {
    "plain": ("separable convolutions alone, 192x256, (1 - CC) + 5 MSE, half of the photos changed", ()),
    "contrast": ("decoder: how far features stand out, beside them", ("--set", "network.context=contrast")),
    "attention": (
        "decoder: the same, and attention at strides 16 and 32",
        ("--set", "network.context=attention"),
    ),
    "deepest-16": (
        "`contrast`, and an encoder that ends at stride 16",
        ("--set", "network.context=contrast", "--set", "network.deepest=16"),
    ),
    "loss-kl": ("loss: KL added, weight 1", ("--set", "loss.kl=1")),
    "loss-cc": ("loss: 1 - CC alone", ("--set", "loss.mse=0")),
    "size-144x192": ("looks at 144x192", ("--set", "size=[144, 192]")),
    "size-240x320": ("looks at 240x320", ("--set", "size=[240, 320]")),
    "share-25": ("a quarter of the photos changed", ("--share", "0.25")),
    "share-0": ("no photo changed", ("--share", "0")),
    "sun-plain": ("SUN alone, 192x256", ()),
    "sun-detail": ("SUN alone, details at 384x512 beside", ("--set", "network.detail=16")),
}


def heads_of(name: str) -> tuple[str, ...]:
    """Return the heads of a trial's network."""
    return FINE if name.startswith("sun-") else HEADS


def train(name: str) -> None:
    """Train one network, on one core; it is not repeated."""
    run = TRIALS / name
    run.mkdir(parents=True, exist_ok=True)
    if not (run / "maps").exists():
        (run / "maps").symlink_to(STUDENTS / "maps")
    command = [sys.executable, str(ROOT / "scripts" / "distil_students.py"), "--out", str(run)]
    command += ["--heads", *heads_of(name), "--minutes", "0", "--further", "0", "--fine", "0"]
    common = COMMON if heads_of(name) == HEADS else (*COMMON, *FINE_COMMON)
    command += [text for setting in common for text in ("--set", setting)] + [*SETTINGS[name][1]]
    one = {"SALBOX_THREADS": "1", "OMP_NUM_THREADS": "1", "OMP_WAIT_POLICY": "PASSIVE"}
    subprocess.run(command, check=True, env={**os.environ, **one})  # this interpreter and script


def validation_views() -> list[View]:
    """Return the pictures that all trials are measured on: the validation views of the run whose maps these are."""
    sys.path.insert(0, str(ROOT / "scripts"))
    from distil_students import VALIDATES, number, photos

    validating = [p for p in sorted(photos(), key=lambda p: p.output) if number(p, "part") % VALIDATES == 0]
    return plan_views(validating, share=SHARE, seed=SEED)


def measured(name: str, views: list[View]) -> dict[str, Any]:
    """Return what a trial's network does: CC and KL by head, on photos and on changed ones; and what it costs."""
    run, heads = TRIALS / name, heads_of(name)
    student = open_network(run / "student.onnx", threads=2)
    maps = {head: TeacherMaps(map_folder(STUDENTS / "maps", head)) for head in heads}
    known = set.intersection(*(set(each.names()) for each in maps.values()))
    found: dict[tuple[str, bool], list[tuple[float, float]]] = {}
    for view in views:
        if view.key not in known:
            continue
        drawn = student.maps([view.render()], heads)[0]
        for head in heads:
            wanted = maps[head].read(view.key)
            figures = fidelity_cc(drawn[head], wanted), fidelity_kl(drawn[head], wanted)
            found.setdefault((head, view.domain is not None), []).append(figures)
    log = read_csv(run / "log.csv")
    return {
        "figures": {
            head: {
                part: [mean(f[i] for f in found[head, changed]) for i in (0, 1)]
                for part, changed in (("photos", False), ("changed", True))
            }
            for head in heads
        },
        "pictures": sum(int(row["images"]) for row in log),
        "seconds": max(float(row["seconds"]) for row in log),
        "milliseconds": milliseconds(student),
    }


def milliseconds(student: ExportedNetwork, repeats: int = 30) -> float:
    """Return how long all maps of a 640x480 photo take: the median."""
    image, times = photo(640, 480), []
    for _ in range(repeats):
        start = time.perf_counter()
        student.maps([image])
        times.append(time.perf_counter() - start)
    return 1000 * median(times)


def table(figures: Mapping[str, Any], heads: tuple[str, ...]) -> str:
    """Return the trials of networks with these heads side by side."""
    rows = []
    for name in SETTINGS:
        if name not in figures or heads_of(name) != heads:
            continue
        own = figures[name]
        by_part = [own["figures"][head][part] for head in heads for part in ("photos", "changed")]
        cells = [
            f"{own['figures'][head]['photos'][0]:.3f} / {own['figures'][head]['changed'][0]:.3f}" for head in heads
        ]
        overall, kl = (mean(each[i] for each in by_part) for i in (0, 1))
        cost = [f"{own['pictures']:,}", f"{own['seconds'] / 60:.1f}", f"{own['milliseconds']:.1f}"]
        rows.append([f"`{name}`", SETTINGS[name][0], *cells, f"{overall:.3f}", f"{kl:.3f}", *cost])
    return markdown_table(["trial", "what", *heads, "mean CC", "mean KL", "pictures", "minutes", "ms"], rows)


def page(figures: Mapping[str, Any]) -> str:
    """Return the page."""
    return f"""# Trials on the way to the students

{" ".join(sorted({own["measured"] for own in figures.values()}))} Written by `benchmarks/student_trials.py`.

Each network trained on *pictures* from the same ImageNet weights, which is short: what differs by less than .005 may be
chance. Measured on the validation photos, of which half are changed into other kinds of pictures; no test photo has a
part in this. Cells: CC on photos / on changed ones. *minutes*: the training took, of one core; *ms*: all maps of a
640x480 photo, median. Both while other programs ran.

{table(figures, HEADS)}

Decided by it: the decoder of the network that ships sees `contrast`; KL joins the loss, in its second training; its
encoder sees 192x256, since more pixels gain less than they cost; and half of the photos are changed, though a quarter
gives a little more on photos, because students are to be trusted on other pictures too. Stride 32 adds nothing: the
third training does without.

{table(figures, FINE)}

SUN's filters are a few pixels wide: a shallow look at twice the pixels adds a hundredth of CC at equal pictures, in
more time and with no better KL after so short a training. The third training has it, and there KL fell as well
([fidelity](fidelity.md)).
"""


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n\n")[0])
    parser.add_argument("--only", nargs="+", default=[], help="names of trials, or patterns")
    parser.add_argument("--page-only", action="store_true")
    given = parser.parse_args()
    kept = ROOT / "docs" / "results" / "student-trials" / "figures.json"
    figures = read_json(kept) or {}
    if not given.page_only:
        views = validation_views()
        for name in chosen(list(SETTINGS), given.only):
            if name not in figures:
                train(name)
                figures[name] = {"measured": provenance(), **measured(name, views)}
                write_json(kept, figures)
    write_page("student-trials.md", page({name: figures[name] for name in SETTINGS if name in figures}))


if __name__ == "__main__":
    main()
