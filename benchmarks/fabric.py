"""The training loop on Lightning Fabric beside the one inside Lightning's Trainer that it replaced.

    python benchmarks/fabric.py

Trains the same small networks with the same seeds on crops of scikit-image's photos, and compares the curves, epoch by
epoch, with those that the loop before drew; docs/results/fabric/before.json keeps them, recorded by `--record` with
that loop's source. Writes docs/results/fabric.md.
"""

from __future__ import annotations

import argparse
import json
import os
import tempfile
import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

os.environ["OMP_NUM_THREADS"] = "1"  # more add up in another order each time

import numpy as np
import torch
from _tables import RESULTS, markdown_table, provenance, write_page

import salbox
from salbox import training
from salbox.imaging.scaling import min_max
from salbox.networks.encoders import WeightsWarning
from salbox.networks.trainable.factory import build_network
from salbox.prediction.demo import PHOTOS, sample_photo
from salbox.training.cache import Pictures, Sample, prepare
from salbox.training.recipe import read_recipe
from salbox.training.trainer import EpochReport, Job, fit

BEFORE = RESULTS / "fabric" / "before.json"
SIZE = (64, 96)  # that networks look at
CROP = (128, 192)
TRAINING, VALIDATION = 40, 8  # crops
EPOCHS = 5
GROUPS = {
    "the loop": ("trainer", "module", "job", "logs", "checkpoints", "interrupts", "optimizer"),
    "several devices, which there were none of": ("devices",),
    "recipes": ("recipe", "recipe_parts", "schedule"),
    "validation": ("validation",),
    "pictures, teachers beside the student, time": ("batches", "cache", "online_teacher", "clock", "speed"),
}
FIGURES = ("loss", "validation_cc", "learning_rate")


@dataclass(frozen=True)
class Setting:
    """A training: what it is called on the page, its recipe and what that is told beside."""

    title: str
    recipe: str
    settings: tuple[str, ...] = ()


SETTINGS = {
    "box": Setting("box: AdamW, one cycle", "box"),
    "sgd": Setting(
        "box: momentum SGD in steps, the encoder frozen first and then slower, gradients clipped",
        "box",
        (
            "optimizer={name: sgd, learning_rate: 0.05, weight_decay: 0.0001, encoder_factor: 0.1}",
            "schedule={name: step, milestones: [3, 4], factor: 0.3}",
            "freeze_encoder_epochs=1.5",
            "clip_gradient=0.5",
        ),
    ),
    "bf16": Setting("box: mixed precision, bfloat16", "box", ("precision=bf16-mixed",)),
    "resnet18-b": Setting("resnet18-b: Adam, side outputs learn too, KL", "resnet18-kd"),
}


def crops() -> list[Sample]:
    """Return crops of photos with imsig's maps, always the same ones, those that validate last."""
    random = np.random.default_rng(0)
    imsig = salbox.load("imsig")
    photos = [sample_photo(name) for name in PHOTOS]
    samples = []
    for i in range(TRAINING + VALIDATION):
        photo = photos[i % len(photos)]
        top, left = (int(random.integers(side - part)) for side, part in zip(photo.shape[:2], CROP, strict=True))
        crop = np.ascontiguousarray(photo[top : top + CROP[0], left : left + CROP[1]])
        saliency = min_max(imsig(crop)).astype(np.float32)
        samples.append(Sample(f"crop {i}", lambda crop=crop: crop, (lambda saliency=saliency: saliency,), ("h",)))
    return samples


def train(setting: Setting, samples: Sequence[Sample], folder: Path) -> dict[str, list[float]]:
    """Return the curve of a training: figure -> one value an epoch."""
    settings = (f"size={list(SIZE)}", f"epochs={EPOCHS}", "batch_size=8", *setting.settings)
    recipe = read_recipe(setting.recipe, settings)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", WeightsWarning)
        network = build_network(recipe.student, ("imsig",), size=SIZE, seed=1, **recipe.network)
    with torch.no_grad():
        shape = network.eval().outputs(torch.zeros(1, 3, *SIZE)).joined.shape
    samples = [Sample(s.key, s.picture, s.maps * shape[1], s.flips * shape[1]) for s in samples]

    def ready(part: Sequence[Sample], name: str) -> Pictures:
        return prepare(
            part,
            folder / name,
            resize=network.preprocessing.prepare,
            map_size=lambda height, width: (shape[2], shape[3]),
            heads=shape[1],
        )

    reports: list[EpochReport] = []
    torch.manual_seed(0)
    fit(
        Job(
            network=network.train(),
            recipe=recipe,
            training=ready(samples[:TRAINING], "training"),
            validation=ready(samples[TRAINING:], "validation"),
            folder=folder,
            names=tuple(f"output {i}" for i in range(shape[1])),
        ),
        on_epoch=reports.append,
    )
    return {
        "loss": [report.loss for report in reports],
        "validation_cc": [report.validation.score for report in reports if report.validation is not None],
        "learning_rate": [report.learning_rate for report in reports],
    }


def curves() -> dict[str, dict[str, list[float]]]:
    """Return the curves of all settings."""
    samples = crops()
    found = {}
    for name, setting in SETTINGS.items():
        with tempfile.TemporaryDirectory() as folder:
            found[name] = train(setting, samples, Path(folder))
            print(setting.title, found[name]["validation_cc"], flush=True)
    return found


def lines() -> dict[str, int]:
    """Return how many lines each file of the training room has, empty ones not counted."""
    (folder,) = training.__path__
    return {
        path.name: sum(bool(line.strip()) for line in path.read_text(encoding="utf-8").splitlines())
        for path in sorted(Path(folder).glob("*.py"))
    }


def largest_difference(before: dict[str, list[float]], after: dict[str, list[float]], figure: str) -> float:
    """Return by how much a figure of two curves differs at most."""
    return max(abs(a - b) for a, b in zip(before[figure], after[figure], strict=True))


def page(before: dict[str, Any], after: dict[str, dict[str, list[float]]]) -> str:
    """Return the page."""
    rows, curve_rows = [], []
    for name, setting in SETTINGS.items():
        old, new = before["curves"][name], after[name]
        rows.append([setting.title, *(f"{largest_difference(old, new, figure):.1e}" for figure in FIGURES)])
        curve_rows += [
            [f"{name}, {which}", *(f"{value:.6f}" for value in curve["validation_cc"])]
            for which, curve in (("before", old), ("now", new))
        ]
    worst = max(largest_difference(before["curves"][n], after[n], figure) for n in SETTINGS for figure in FIGURES)
    verdict = (
        "The curves are equal to the last bit."
        if worst == 0
        else f"The curves differ by at most {worst:.1e}: a processor of another kind than that of those before "
        "adds up in another order, and a training carries such rounding on."
    )
    return "\n\n".join(
        [
            "# The training loop on Fabric",
            f"{provenance(('salbox', 'torch', 'lightning', 'numpy'))} Written by `benchmarks/fabric.py`.",
            "salbox trained inside Lightning's `Trainer`, most of which was switched off; now the loop is an explicit "
            "one on Lightning Fabric. The same networks are trained with the same seeds and one thread: "
            f"{TRAINING} crops of scikit-image's photos with `imsig`'s maps, {VALIDATION} to validate on, "
            f"{EPOCHS} epochs. The curves of the loop before lie in `docs/results/fabric/before.json`: "
            f"{before['provenance'].removeprefix('Measured ')}",
            "Largest difference of any epoch:",
            markdown_table(["training", "loss", "validation CC", "learning rate"], rows),
            verdict,
            "Validation CC after each epoch:",
            markdown_table(["training", *map(str, range(1, EPOCHS + 1))], curve_rows),
            "## Lines",
            "Of the files of `src/salbox/training`, empty ones not counted. What recipes take now and did not before "
            "(accumulation, prefixes, schedules, what selects the epoch), SIGTERM and several devices are among them.",
            _lines(before["lines"], lines()),
        ]
    )


def _lines(before: dict[str, int], after: dict[str, int]) -> str:
    rows = []
    for title, names in GROUPS.items():
        files = ", ".join(f"`{name}`" for name in names)
        rows.append([title, files, *(sum(counts.get(f"{name}.py", 0) for name in names) for counts in (before, after))])
    rows.append(["together", "", sum(before.values()), sum(after.values())])
    return markdown_table(["", "files", "before", "now"], [[str(cell) for cell in row] for row in rows])


def main() -> Path | None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n\n")[0])
    parser.add_argument("--record", type=Path, metavar="FILE", help="write this loop's curves there and leave")
    given = parser.parse_args()
    torch.set_num_threads(1)
    found = curves()
    if given.record is not None:
        source = provenance(("salbox", "torch", "lightning", "numpy"))
        record = {"provenance": source, "lines": lines(), "curves": found}
        given.record.write_text(json.dumps(record, indent=1) + "\n", encoding="utf-8")
        return given.record
    return write_page("fabric.md", page(json.loads(BEFORE.read_text(encoding="utf-8")), found))


if __name__ == "__main__":
    main()
