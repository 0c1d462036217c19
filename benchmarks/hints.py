"""Hints from the middle of a deep teacher: what they give a student, at an equal number of pictures.

    python benchmarks/hints.py [--teacher unisal.people] [--photos 600] [--epochs 3] [--weight 1] [--seeds 1]

A student learns beside its teacher (`salbox distill --in-process`) from the teacher's maps alone, and with a hint: a
layer of the student learns to predict a layer of the teacher (Romero et al.: FitNets, 2014, which the KDSalBox paper's
appendix proposes for its deep teachers). Photos are DUTS-TR's, four in five to train and one in six of the rest to
choose the epoch; the others are measured. Runs are kept in runs/hints, and what is there is not made again. Writes
docs/results/hints.md.
"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

import numpy as np
from _distilling import RUNS, Printer, read_csv
from _tables import SHARED, markdown_table, provenance, write_page

from salbox.distillation.distill import distill
from salbox.distillation.fidelity.measure import PHOTOS
from salbox.distillation.plan import HeadTarget, Plan
from salbox.distillation.teachers.teacher import Teacher
from salbox.evaluation.bootstrap import estimate, resampled
from salbox.imaging.inputs import ImageFile, find_images
from salbox.training.recipe import read_recipe
from salbox.training.splitting import Part, photo_key

PLAIN = "maps alone"
EPOCHS, COUNT = 3, 600
PACKAGES = ("salbox", "torch", "lightning", "onnxruntime", "numpy")


def photos(count: int) -> dict[ImageFile, Part]:
    """Return photos and their parts, evenly spaced through the data set."""
    found = find_images([str(SHARED / "data" / "DUTS-TR" / "DUTS-TR-Image")])
    chosen = found[:: max(1, len(found) // count)][:count]
    rest = [photo for i, photo in enumerate(chosen) if i % 5 == 4]
    parts: dict[ImageFile, Part] = dict.fromkeys(chosen, "training")
    parts |= {photo: "validation" if i % 6 == 0 else "test" for i, photo in enumerate(rest)}
    return parts


def trials(weight: float, middle: str) -> dict[str, tuple[str, ...]]:
    """Return what is tried: a title, and what is set in the recipe."""
    hint = f"hint.weight={weight:g}"
    return {
        PLAIN: (),
        f"hint from `{middle}`": (hint, f"hint.student={middle}", f"hint.teacher={middle}"),
        "hint from the last features": (hint,),
    }


def run(folder: Path, given: argparse.Namespace, settings: tuple[str, ...], seed: int) -> None:
    parts = photos(given.photos)
    plan = Plan(
        photos=tuple(parts),
        run=folder,
        targets=(HeadTarget("taught", Teacher(given.teacher)),),
        recipe=read_recipe("box", (f"epochs={given.epochs}", "epoch_images=all", *settings)),
        chosen={photo_key(photo): part for photo, part in parts.items()},
        in_process=True,
        seed=seed,
        clock="processor",
    )
    distill(plan, Printer())


def by_picture(folders: list[Path], *, changed: bool) -> dict[str, np.ndarray[Any, Any]]:
    """Return CC and KL of each picture of the test part, the mean of all seeds."""
    found: dict[str, dict[str, list[float]]] = {"cc": {}, "kl": {}}
    for folder in folders:
        for line in read_csv(folder / "fidelity.csv"):
            if (line["domain"] != PHOTOS) == changed:
                for name, values in found.items():
                    values.setdefault(line["key"], []).append(float(line[name]))
    return {name: np.array([np.mean(own) for _, own in sorted(values.items())]) for name, values in found.items()}


def difference(own: np.ndarray[Any, Any], plain: np.ndarray[Any, Any]) -> str:
    """Return the mean of paired differences with a 95 % interval by the bootstrap over pictures."""
    gaps = own - plain
    found = estimate(float(gaps.mean()), resampled([gaps])[0])
    return f"{found.value:+.4f} [{found.low:+.4f}, {found.high:+.4f}]"


def table(folders: dict[str, list[Path]], *, changed: bool) -> str:
    found = {title: by_picture(own, changed=changed) for title, own in folders.items()}
    plain = found[PLAIN]
    rows = []
    for title, own in found.items():
        means = [f"{own[name].mean():.3f} ± {own[name].std():.3f}" for name in ("cc", "kl")]
        gaps = ["", ""] if title == PLAIN else [difference(own[name], plain[name]) for name in ("cc", "kl")]
        seconds = sum(float(read_csv(folder / "log.csv")[-1]["seconds"]) for folder in folders[title])
        rows.append([title, *means, *gaps, f"{seconds / len(folders[title]) / 60:.1f}"])
    return markdown_table(["student learned from", "CC ↑", "KL ↓", "CC, less", "KL, less", "minutes"], rows)


def page(given: argparse.Namespace, folders: dict[str, list[Path]]) -> str:
    parts = [line["part"] for line in read_csv(folders[PLAIN][0] / "split.csv")]
    pictures = sum(int(line["images"]) for line in read_csv(folders[PLAIN][0] / "log.csv"))
    seeds = "one seed" if given.seeds == 1 else f"{given.seeds} seeds, their mean"
    return "\n\n".join(
        [
            "# Hints from a teacher's middle",
            f"{provenance(PACKAGES)} Written by `benchmarks/hints.py`.",
            "The KDSalBox paper proposes hints (Romero et al., FitNets, 2014) for students of deep teachers, and does "
            "not try them. Here a box at 192x256 that starts from the shipped network's encoder learns from "
            f"`{Path(given.teacher).name}` in the process, {pictures:,} pictures of {parts.count('training')} photos "
            f"of DUTS-TR, {seeds}: from its maps alone, or with a hint of weight {given.weight:g} beside them. A 1x1 "
            "convolution on the student's layer learns the teacher's, both divided by their length at each place. "
            f"{parts.count('validation')} photos choose the epoch, {parts.count('test')} are measured.",
            f"*Less*: the paired difference from {PLAIN}, with a 95 % bootstrap over pictures. Minutes are the "
            "processor's, of the training.",
            "## Photos",
            table(folders, changed=False),
            "## The same photos, each changed into another kind of picture",
            table(folders, changed=True),
        ]
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n\n")[0])
    parser.add_argument("--teacher", default="unisal.people", help="a PyTorch network, or a run folder")
    parser.add_argument("--photos", type=int, default=COUNT)
    parser.add_argument("--epochs", type=int, default=EPOCHS)
    parser.add_argument("--weight", type=float, default=1.0)
    parser.add_argument("--middle", default="stride16", help="a feature that student and teacher have")
    parser.add_argument("--seeds", type=int, default=1)
    parser.add_argument("--out", type=Path, default=RUNS / "hints")
    given = parser.parse_args()
    folders: dict[str, list[Path]] = {}
    for number, (title, settings) in enumerate(trials(given.weight, given.middle).items()):
        for seed in range(given.seeds):
            folder = given.out / f"trial-{number}-{seed}"
            if not (folder / "fidelity.csv").is_file():
                run(folder, given, settings, seed)
            folders.setdefault(title, []).append(folder)
    write_page("hints.md", page(given, folders))


if __name__ == "__main__":
    main()
