"""Train one head of the shipped network anew, on its trunk as it is, and put it in the place of the old one.

    python scripts/renew_head.py HEAD RUN [--minutes 4] [--photos 2000] [--to src/salbox/runtime/data/box.onnx]

For a teacher whose maps have changed. The head begins with the old head's weights; trunk and other heads stay, bit for
bit. Photos, their parts and their changes are those of scripts/distil_students.py. A run goes on where it was stopped.
The card states the fidelity once it is measured: so renew, measure (benchmarks/fidelity.py --only HEAD --run RUN), and
renew again, which takes seconds. The histogram curves are of the older weights then: fit them anew with
scripts/fit_histogram_curves.py.
"""

from __future__ import annotations

import argparse
from dataclasses import replace
from pathlib import Path
from unittest.mock import patch

import onnx
from distil_students import COMMON, VALIDATES, Printer, number, photos
from onnx import numpy_helper
from ship_students import FIGURES, TARGET, agreement, finished, limits, measured_figures

from salbox.distillation import initial_network
from salbox.distillation.distill import distill
from salbox.distillation.heads import Trunk, with_new_heads
from salbox.distillation.package import put_cards
from salbox.distillation.plan import SHIPPED_TRUNK, HeadTarget, Plan
from salbox.distillation.teachers.teacher import Teacher
from salbox.imaging.writing import atomic
from salbox.models.cards import ModelCard
from salbox.networks.trainable.box import Box
from salbox.networks.trainable.reload import HEADS as LAYERS
from salbox.runtime.fingerprint import weights_fingerprint
from salbox.runtime.network import open_network
from salbox.training.recipe import read_recipe
from salbox.training.run_folder import RunFolder

# Mirrored photos would need a teacher's maps of their own; a thousand numbers learn enough from the photos as they are.
RECIPE = (
    *COMMON,
    "validate_every=4",
    "loss.kl=1",
    "optimizer.learning_rate=0.002",
    "schedule.warm_up=0.1",
    "flips=false",
)


def new_head(head: str) -> str:
    """Return what the head is called in its run, where the old one has its name."""
    return f"{head}-new"


def train(head: str, run: Path, minutes: float, count: int) -> None:
    """Train the head beside the old one, from whose weights it starts."""
    images = sorted(sorted(photos(), key=lambda p: number(p, "limit"))[:count], key=lambda p: p.output)
    plan = Plan(
        photos=tuple(images),
        run=run,
        targets=(HeadTarget(new_head(head), Teacher(head)),),
        recipe=read_recipe("box", list(RECIPE)),
        add_to=SHIPPED_TRUNK,
        domains=0.5,
        keep_plain=False,
        chosen={
            p.output.as_posix(): "validation" if number(p, "part") % VALIDATES == 0 else "training" for p in images
        },
        max_seconds=60 * minutes,
        compress=True,
        clock="processor",
    )

    def warm(source: str, heads: tuple[str, ...], seed: int = 0) -> Trunk:
        trunk = with_new_heads(source, heads, seed)
        network = trunk.network
        assert isinstance(network, Box)
        old = network.head_layers[network.heads.index(head)]
        network.head_layers[trunk.old].load_state_dict(old.state_dict())
        return trunk

    with patch.object(initial_network, "with_new_heads", warm):
        distill(plan, Printer())


def put(head: str, run: Path, target: Path = TARGET, figures: Path = FIGURES) -> ModelCard:
    """Write the run's head over the old one in `target`, and return its card."""
    folder = RunFolder(run)
    names = [each.name for each in open_network(folder.student, threads=1).metadata.heads]
    shipped = open_network(target, threads=1)
    old, new = (f"{LAYERS}{place}." for place in (shipped.heads.index(head), names.index(new_head(head))))
    learned = {t.name: numpy_helper.to_array(t) for t in onnx.load(folder.student).graph.initializer}
    model = onnx.load(target)
    for tensor in model.graph.initializer:
        if tensor.name.startswith(old):
            before = numpy_helper.to_array(tensor)
            values = learned[new + tensor.name.removeprefix(old)].astype(before.dtype)
            assert values.shape == before.shape
            tensor.CopyFrom(numpy_helper.from_array(values, tensor.name))
    with atomic(target) as temporary:
        temporary.write_bytes(model.SerializeToString(deterministic=True))
        cards = dict(shipped.cards)
        cards[head] = _card(head, folder, temporary, figures, cards[head])
        put_cards(temporary, cards)
    return cards[head]


def _card(head: str, folder: RunFolder, network: Path, figures: Path, before: ModelCard) -> ModelCard:
    """Return the head's card: its own training, the whole network's photos, what was measured."""
    metadata = open_network(network, threads=1).metadata
    own = next(each for each in metadata.heads if each.name == head)
    found = measured_figures(figures, weights_fingerprint(network))
    card = finished(own, metadata, folder, network.stat().st_size, None)
    return replace(
        card,
        origin=card.origin.replace("; the teacher:", "; the layers below the head are older; the teacher:", 1),
        license=before.license,
        agreement=card.agreement if found is None else agreement(found["osie"][head]),
        limits=limits(own, metadata, found),
    )


def main() -> None:
    """Run the command line."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n\n")[0])
    parser.add_argument("head")
    parser.add_argument("run", type=Path)
    parser.add_argument("--minutes", type=float, default=4.0, help="of training, of the processor")
    parser.add_argument("--photos", type=int, default=2000, help="so many of those that may be learned from")
    parser.add_argument("--to", type=Path, default=TARGET)
    given = parser.parse_args()
    if not RunFolder(given.run).student.is_file():
        train(given.head, given.run, given.minutes, given.photos)
    found = put(given.head, given.run, given.to)
    print(f"{found.name}: {found.agreement}")


if __name__ == "__main__":
    main()
