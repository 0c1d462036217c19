"""Train the network that ships: several teachers, one box, from the data sets beside this checkout.

    python scripts/distil_students.py [--out runs/students] [--minutes 60] [--further 35] [--fine 60] [--heads ikn ...]

Each stage goes on where it was stopped: teachers' maps first (the longest part), then three trainings, each of the
network that the one before left, with export and a report on the validation photos: the first; `further`, with a
Kullback-Leibler term in the loss; `fine`, with an encoder that ends earlier and a second look at twice the pixels.
Ship with scripts/ship_students.py. The test photos are left to benchmarks/fidelity.py. Photos: DUTS-TR's training part,
OSIE's and EyeCrowd's training splits, coco-semantic. Half of them are learned from as they are, the others changed into
a domain each. AIM and SUN, whose filters see single pixels and which are slow, are shown `--few` photos only (in `fine`
`--fine-few`), those of about 640 pixels and more first.
"""

from __future__ import annotations

import argparse
import hashlib
import os
from dataclasses import replace
from pathlib import Path

os.environ.setdefault("GOMP_SPINCOUNT", "10000")  # threads that wait must not take the cores from those that work

from salbox.datasets import open_dataset
from salbox.distillation.distill import distill
from salbox.distillation.plan import HeadTarget, Plan
from salbox.distillation.teachers.teacher import Teacher
from salbox.imaging.inputs import ImageFile
from salbox.system.progress import Progress
from salbox.training.recipe import read_recipe
from salbox.training.splitting import Part

ROOT = Path(__file__).resolve().parents[1]
SHARED = Path(os.environ.get("SALBOX_SHARED", ROOT.parent / "shared"))
DATA, WEIGHTS = SHARED / "data", SHARED / "weights"
IMAGENET = WEIGHTS / "mobilenet_v2" / "mobilenet_v2_imagenet_folded.npz"

HEADS = ("ikn", "gbvs", "bms", "imsig", "rare2012", "aim", "sun", "fastgaze")
# What differs from the recipe "box": see docs/results/student-trials.md. In bfloat16 a processor that knows it takes
# half the time; validation, of many pictures for eight heads, would take as long as the training after each epoch.
COMMON = ("precision=bf16-mixed", "validate_every=8")
RECIPE = (*COMMON, "network.context=contrast", "network.deepest=32")
# Of the second training. The term came late: the first had been run without it, see the trials.
FURTHER = (*RECIPE, "loss.kl=1", "optimizer.learning_rate=0.0015", "schedule.warm_up=0.1")
# Of the third: so did what follows from the trials about stride 32 and about details.
FINE = (
    *COMMON,
    "network.context=contrast",
    "network.deepest=16",
    "network.detail=16",
    "loss.kl=1",
    "optimizer.learning_rate=0.002",
    "schedule.warm_up=0.1",
)
SLOW = ("aim", "sun")
LARGE = ("OSIE", "EyeCrowd", "coco-semantic")  # whose photos have about 640 pixels and more

SAME = {"1374.jpg": "1279.jpg"}  # OSIE has this photo twice: one part for both
VALIDATES = 10  # one in so many


def photos() -> list[ImageFile]:
    """Return all photos that may be learned from, named by data set."""
    duts = open_dataset(f"duts:{DATA / 'DUTS-TR'}", "train")
    osie = open_dataset(f"osie:{DATA / 'OSIE'}", "train")
    crowd = open_dataset(f"eyecrowd:{DATA / 'EyeCrowd'}", "train")
    named = [("DUTS-TR", duts), ("OSIE", osie), ("EyeCrowd", crowd)]
    found = [ImageFile(item.image, Path(name) / item.image.stem) for name, data in named for item in data.items]
    coco = sorted((DATA / "coco-semantic" / "images").rglob("*.jpg"))
    return found + [ImageFile(path, Path("coco-semantic") / path.stem) for path in coco]


def number(photo: ImageFile, salt: str) -> int:
    """Return a number that follows from a photo's name."""
    name = SAME.get(photo.path.name, photo.path.name)
    return int(hashlib.sha1(f"{salt} {name}".encode()).hexdigest(), 16)


def few(images: list[ImageFile], count: int) -> frozenset[str]:
    """Return the names of the photos for slow teachers: large ones first, in an order that follows from the names."""
    ordered = sorted(images, key=lambda p: (p.output.parts[0] not in LARGE, number(p, "few")))
    return frozenset(photo.output.as_posix() for photo in ordered[:count])


class Printer(Progress):
    """Prints lines, and every so often how far a stage is."""

    def __init__(self) -> None:
        self._last = ""

    def say(self, text: str) -> None:
        """Print a line."""
        print(text, flush=True)

    def update(self, title: str, done: int, total: int | None) -> None:
        """Print how far a stage is, in steps of a twentieth."""
        line = f"{title}: {100 * done // max(1, total or done) // 5 * 5} %"
        if line != self._last:
            self._last = line
            self.say(line)


def main() -> None:
    """Run the command line."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n\n")[0])
    parser.add_argument(
        "--minutes", type=float, default=60.0, help="of training, of the processor; 0: as long as the recipe"
    )
    parser.add_argument("--further", type=float, default=35.0, help="minutes of the second training, 0 for none")
    parser.add_argument("--fine", type=float, default=60.0, help="minutes of the third training, 0 for none")
    parser.add_argument("--few", type=int, default=900, help="training photos for AIM and SUN")
    parser.add_argument("--fine-few", type=int, default=1200, help="the same in the third training")
    parser.add_argument("--heads", nargs="+", choices=HEADS, default=HEADS, help="whom to learn from")
    parser.add_argument(
        "--share", type=float, default=0.5, help="of the photos are changed into other kinds of pictures"
    )
    parser.add_argument("--limit", type=int, help="photos in all, to try the script out")
    parser.add_argument("--set", action="append", default=[], metavar="KEY=VALUE", help="a key of the recipe")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--out", type=Path, default=ROOT / "runs" / "students")
    given = parser.parse_args()

    images = sorted(photos(), key=lambda photo: photo.output)
    if given.limit:
        images = sorted(sorted(images, key=lambda p: number(p, "limit"))[: given.limit], key=lambda p: p.output)
    parts: dict[str, Part] = {
        photo.output.as_posix(): "validation" if number(photo, "part") % VALIDATES == 0 else "training"
        for photo in images
    }
    by_part = {part: [p for p in images if parts[p.output.as_posix()] == part] for part in ("training", "validation")}
    weights = {"fastgaze": {"weights": str(WEIGHTS / "fastgaze" / "fastgaze_fp32.npz")}}

    def targets(count: int) -> tuple[HeadTarget, ...]:
        slow = few(by_part["training"], count) | few(by_part["validation"], count // VALIDATES)
        return tuple(
            HeadTarget(name, Teacher(name, weights.get(name, {})), photos=slow if name in SLOW else None)
            for name in HEADS
            if name in given.heads
        )

    first = Plan(
        photos=tuple(images),
        run=given.out,
        targets=targets(given.few),
        recipe=read_recipe("box", [*RECIPE, *given.set]),
        init=str(IMAGENET),
        domains=given.share,
        keep_plain=False,
        chosen=parts,
        seed=given.seed,
        max_seconds=60 * given.minutes or None,
        compress=given.minutes > 0,
        clock="processor",
        device=given.device,
    )
    distill(first, Printer())
    before = first
    for name, minutes, changes, count in (
        ("further", given.further, FURTHER, given.few),
        ("fine", given.fine, FINE, given.fine_few),
    ):
        if not minutes:
            continue
        run = given.out / name
        run.mkdir(exist_ok=True)
        if not (run / "maps").exists():
            (run / "maps").symlink_to(Path("..") / "maps")
        plan = replace(
            before,
            run=run,
            targets=targets(count),
            recipe=read_recipe("box", [*changes, *given.set]),
            init=str(before.run),
            max_seconds=60 * minutes,
            compress=True,
        )
        distill(plan, Printer())
        before = plan


if __name__ == "__main__":
    main()
