"""What training costs a processor where memory that is let go is kept for the next step, and where it is not.

    python benchmarks/training_memory.py [--rounds 5]

Ten steps of some recipes' networks on noise, as `salbox train` measures them before it begins; each time a process of
its own with one thread, kept and not in turns. Not kept is what glibc does by itself, which whoever sets
GLIBC_TUNABLES gets. Three minutes. Writes docs/results/training-memory.md.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import warnings
from dataclasses import dataclass
from statistics import median

from _tables import markdown_table, provenance, write_page

from salbox.training.recipe import read_recipe

KEPT, NOT_KEPT = "kept", "not kept"
ENVIRONMENTS: dict[str, dict[str, str]] = {KEPT: {}, NOT_KEPT: {"GLIBC_TUNABLES": ""}}


@dataclass(frozen=True)
class Training:
    """What is trained: what the page calls it, its recipe and what is set in it."""

    title: str
    recipe: str
    settings: tuple[str, ...] = ()


TRAININGS = {
    "box": Training("`box` on MobileNetV2", "box"),
    "scfnet": Training(
        "`scfnet` on EfficientNet-Lite0",
        "kd-scfnet",
        ("size=[256, 256]", "sizes=[]", "batch_size=16", "encoder=tf_efficientnet_lite0"),
    ),
    "half": Training(
        "`scfnet` on half of MobileNetV3-Large", "kd-scfnet", ("size=[192, 192]", "sizes=[]", "batch_size=16")
    ),
}


def cost(name: str) -> dict[str, float]:
    """Return what a picture costs: seconds of the processor, pages that the system cleared, and MB at most."""
    import resource

    import torch

    from salbox.networks.encoders import WeightsWarning
    from salbox.networks.trainable.factory import build_network
    from salbox.system.memory import peak_memory
    from salbox.training.batches import Batch
    from salbox.training.speed import STEPS, WARM_UP, measure

    torch.set_num_threads(1)
    torch.manual_seed(0)
    recipe = read_recipe(TRAININGS[name].recipe, TRAININGS[name].settings)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", WeightsWarning)
        network = build_network(recipe.student, ["head"], encoder=recipe.encoder, size=recipe.size, **recipe.network)
    height, width = network.preprocessing.working_size(480, 640)
    maps = torch.rand(recipe.batch_size, 1, *network.map_size(height, width))
    images = torch.randint(256, (recipe.batch_size, height, width, 3), dtype=torch.uint8).permute(0, 3, 1, 2)
    batch = Batch(images, maps, torch.ones(recipe.batch_size, 1, dtype=torch.bool))
    before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
    speed = measure(network, recipe, batch, "cpu", clock="processor")
    pages = resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before
    seen = (STEPS + WARM_UP) * recipe.batch_size
    return {"milliseconds": speed.image * 1e3, "pages": pages / seen, "megabytes": (peak_memory() or 0) / 2**20}


def measured(name: str, how: str) -> dict[str, float]:
    """Return what `cost` says in a process of its own."""
    environment = {key: value for key, value in os.environ.items() if not key.startswith(("MALLOC_", "GLIBC_"))}
    command = [sys.executable, __file__, "--one", name]
    run = subprocess.run(
        command, env=environment | ENVIRONMENTS[how], stdout=subprocess.PIPE, text=True, check=True, timeout=900
    )
    found: dict[str, float] = json.loads(run.stdout.splitlines()[-1])
    return found


def page(rounds: int) -> str:
    """Measure, and return the page."""
    lines = []
    for name, training in TRAININGS.items():
        found: dict[str, list[dict[str, float]]] = {how: [] for how in ENVIRONMENTS}
        for _ in range(rounds):
            for how in ENVIRONMENTS:
                found[how].append(measured(name, how))
                print(name, how, found[how][-1], flush=True)
        of = {
            (how, key): median(each[key] for each in found[how])
            for how in ENVIRONMENTS
            for key in ("milliseconds", "pages", "megabytes")
        }
        ratio = median(
            second["milliseconds"] / first["milliseconds"]
            for first, second in zip(found[KEPT], found[NOT_KEPT], strict=True)
        )
        lines.append(
            [training.title]
            + [f"{of[how, 'milliseconds']:.1f}" for how in (NOT_KEPT, KEPT)]
            + [f"{ratio:.2f}"]
            + [f"{of[how, 'pages']:,.0f}" for how in (NOT_KEPT, KEPT)]
            + [f"{of[how, 'megabytes']:,.0f}" for how in (NOT_KEPT, KEPT)]
        )
    head = ["", "ms, not kept", "ms, kept", "ratio", "pages, not kept", "pages, kept", "MB, not kept", "MB, kept"]
    parts = [
        "# Memory that training keeps",
        provenance(("salbox", "torch")) + " Written by `benchmarks/training_memory.py`.",
        "A step of training lets go as much memory as the next one asks for. The C library of Linux returns large "
        "parts to the system, which clears them, page by page of 4 KB, before it hands them out again; so salbox has "
        "it keep them while a network is trained on a processor (`salbox.system.memory.keep_memory`). Where "
        "GLIBC_TUNABLES or MALLOC_MMAP_THRESHOLD_ is set nothing is changed.",
        f"Medians of {rounds} trainings of ten steps, kept and not in turns, on one thread: milliseconds of the "
        "processor for a picture, those of the system for it among them; pages that were cleared for it; the most "
        "memory that the process had.",
        markdown_table(head, lines, figures=len(head) - 1),
    ]
    return "\n\n".join(parts)


def main() -> None:
    """Measure and write the page."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n\n")[0])
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--one", choices=TRAININGS, help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.one:
        print(json.dumps(cost(given.one)))
    else:
        write_page("training-memory.md", page(given.rounds))


if __name__ == "__main__":
    main()
