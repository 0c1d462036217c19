"""Train published designs on people's fixations: OSIE's and EyeCrowd's training parts, and MIT1003's.

    python scripts/train_people.py ../shared unisal --minutes 40

A run lies in SALBOX_RUNS, by default runs/, and goes on where it was stopped. Its length is measured in processor time,
so that designs compare on a machine that is shared with others. With --without-mit1003 nothing is learned from MIT1003,
whose validation part then is another laboratory's.
"""

from __future__ import annotations

import argparse
import os
from pathlib import Path

from salbox.cli.progress import ConsoleProgress
from salbox.supervised.from_command_line import make_plan
from salbox.supervised.train import train

# Design -> recipe, first weights, and what is not as published: what trains on a CPU in the time.
LITE0 = "encoder=tf_efficientnet_lite0"
ONE_CYCLE = (
    "optimizer={name: adamw, learning_rate: 0.001, weight_decay: 0.01, encoder_factor: 0.3}",
    "schedule={name: one-cycle, warm_up: 0.2}",
    "clip_gradient=1",
    "epochs=12",
    "batch_size=8",
    "flips=true",
    "patience=null",
)
# A processor that knows it takes two thirds of the time.
BF16 = "precision=bf16-mixed"
DESIGNS: dict[str, tuple[str, str, tuple[str, ...]]] = {
    # All of it as published, but for the number of epochs, which the time decides.
    "unisal": (
        "unisal",
        "weights/mobilenet_v2/mobilenet_v2_imagenet_folded.npz",
        ("batch_size=16", "encoder=mobilenetv2"),
    ),
    "sam": ("sam", "imagenet", (LITE0, "network.width=128", *ONE_CYCLE)),
    "dgii": ("dgii", "imagenet", (LITE0,)),
    "msinet": ("msinet", "imagenet", (LITE0, *ONE_CYCLE, BF16)),
    "salicon": ("opensalicon", "imagenet", (LITE0, "network.shared=true", "size=[384, 512]", *ONE_CYCLE)),
    "dinet": ("dinet", "imagenet", (LITE0, *ONE_CYCLE, BF16)),
    "transalnet": ("transalnet", "imagenet", (LITE0, *ONE_CYCLE)),
}
DATA = {"osie": "OSIE", "eyecrowd": "EyeCrowd", "mit1003": "MIT1003"}


def main() -> None:
    """Train one design."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("shared", type=Path, help="the folder with data/ and weights/")
    parser.add_argument("design", choices=DESIGNS)
    parser.add_argument("--minutes", type=float, default=40, help="of processor time, for each of the threads")
    parser.add_argument("--without-mit1003", action="store_true")
    parser.add_argument("--seed", type=int, default=0)
    arguments = parser.parse_args()
    recipe, init, settings = DESIGNS[arguments.design]
    names = [name for name in DATA if name != "mit1003" or not arguments.without_mit1003]
    ending = "-without-mit1003" if arguments.without_mit1003 else ""
    run = Path(os.environ.get("SALBOX_RUNS", "runs")) / f"{arguments.design}{ending}-{arguments.seed}"
    plan = make_plan(
        recipe,
        run,
        datasets=[f"{name}:{arguments.shared / 'data' / DATA[name]}" for name in names],
        settings=settings,
        init=init if init == "imagenet" else str(arguments.shared / init),
        seed=arguments.seed,
        max_seconds=60 * arguments.minutes,
        compress=True,
        clock="processor",
    )
    with ConsoleProgress(keep=False) as progress:
        done = train(plan, progress)
    for found in done.measured:
        print(found.summary())


if __name__ == "__main__":
    main()
