"""Train new heads for the shipped network, on its trunk as it is.

    python scripts/add_heads.py RUN unisal=TEACHER [sam=TEACHER ...] [--minutes 8] [--photos 3000] [--trunk shipped|RUN]

TEACHER is a model's name, a run folder or an ONNX file. Trunk and old heads stay, bit for bit. Photos, their parts and
their changes are those of scripts/distil_students.py. A run goes on where it was stopped; ship it with
scripts/ship_students.py.
"""

from __future__ import annotations

import argparse
from pathlib import Path

from distil_students import COMMON, VALIDATES, Printer, number, photos

from salbox.distillation.distill import distill
from salbox.distillation.plan import SHIPPED_TRUNK, HeadTarget, Plan
from salbox.distillation.teachers.teacher import Teacher
from salbox.training.recipe import read_recipe

RECIPE = (
    *COMMON,
    "validate_every=4",
    "loss.kl=1",
    "optimizer.learning_rate=0.004",
    "schedule.warm_up=0.1",
    "flips=false",  # mirrored photos would need a teacher's maps of their own
)


def main() -> None:
    """Run the command line."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n\n")[0])
    parser.add_argument("run", type=Path)
    parser.add_argument("heads", nargs="+", metavar="HEAD=TEACHER")
    parser.add_argument("--minutes", type=float, default=8.0, help="of training, of the processor")
    parser.add_argument("--photos", type=int, default=3000, help="so many of those that may be learned from")
    parser.add_argument("--trunk", default=SHIPPED_TRUNK)
    parser.add_argument("--set", action="append", default=[], metavar="KEY=VALUE", help="a key of the recipe")
    given = parser.parse_args()
    images = sorted(sorted(photos(), key=lambda p: number(p, "limit"))[: given.photos], key=lambda p: p.output)
    named = [each.partition("=") for each in given.heads]
    plan = Plan(
        photos=tuple(images),
        run=given.run,
        targets=tuple(HeadTarget(head, Teacher(teacher or head)) for head, _, teacher in named),
        recipe=read_recipe("box", [*RECIPE, *given.set]),
        add_to=given.trunk,
        domains=0.5,
        keep_plain=False,
        chosen={
            p.output.as_posix(): "validation" if number(p, "part") % VALIDATES == 0 else "training" for p in images
        },
        max_seconds=60 * given.minutes,
        compress=True,
        clock="processor",
    )
    distill(plan, Printer())


if __name__ == "__main__":
    main()
