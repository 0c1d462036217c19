"""Put a branch's heads into the shipped network, whose other heads stay as they are: weights in 8 bits, cards finished.

    python scripts/ship_branch.py RUN [--to src/salbox/runtime/data/box.onnx]

RUN is what scripts/add_branch.py made. The cards state the fidelity that benchmarks/fidelity.py measured, if it
measured this very network: so ship, measure (benchmarks/fidelity.py --branch RUN), and ship again. Then come the
histogram curves: scripts/fit_histogram_curves.py. They stay where the weights do.
"""

from __future__ import annotations

import argparse
from collections import Counter
from collections.abc import Collection
from dataclasses import replace
from pathlib import Path

import numpy as np
from add_branch import FIRST, NAMES, TEACHERS, WEIGHTS, learned
from gaze_data import PEOPLE, TRAINED
from ship_students import (
    FIGURES,
    TARGET,
    TERMS,
    UNMEASURED,
    Figures,
    agreement,
    kinds_line,
    measured_figures,
    size_line,
)

from salbox.imaging.writing import atomic
from salbox.models.cards import License, ModelCard
from salbox.models.loading import card
from salbox.networks.export.cards import put_cards
from salbox.networks.export.histogram_curves import put_curves
from salbox.networks.export.models import shrink_exported
from salbox.networks.export.onnx import export_onnx, pictures
from salbox.networks.trainable.branched_box import BranchedBox
from salbox.networks.trainable.growing import with_branch
from salbox.networks.trainable.reload import read_exported
from salbox.networks.trainable.saved import read_weights
from salbox.runtime.fingerprint import weights_fingerprint
from salbox.runtime.metadata import INPUT, OUTPUT, Metadata
from salbox.runtime.network import ExportedNetwork, open_network
from salbox.training.run_folder import RunFolder

SAME = 1e-6  # by how much a map, of 0 to 1, may be another one for float32's sake
LEARNED = "OSIE (Xu et al. 2014: MIT), EyeCrowd (Jiang et al. 2014: MIT) and MIT1003 (none stated; research use)"
ALL_TERMS = {**TERMS, "MIT1003": "Judd et al. 2009: none stated; research use"}


def ship(run: Path, target: Path = TARGET, figures: Path = FIGURES) -> dict[str, ModelCard]:
    """Write `target` anew with the heads of a run's branch, and return the cards that it now carries.

    The run's folder gets the whole network in float32 beside it.

    Raises
    ------
    SalboxError
        If the run is not finished, or the network would lose much by 8 bits.
    """
    old = open_network(target, threads=1)
    network = with_branch(read_exported(target), _branch(run))
    teachers = {head.name: head.teacher for head in old.metadata.heads}
    teachers |= NAMES
    whole = RunFolder(run).student
    export_onnx(network, whole, {**dict.fromkeys(TEACHERS, _any_card(old)), **old.cards}, teachers)
    with atomic(target) as temporary:
        shrink_exported(whole, temporary, "int8")
        ensure_same(old, open_network(temporary, threads=1))
        fingerprint = weights_fingerprint(temporary)
        found = measured_figures(figures, fingerprint)
        metadata = open_network(temporary, threads=1).metadata
        if old.histogram_curves is not None and old.histogram_curves.weights == fingerprint:
            put_curves(temporary, old.histogram_curves)
        for _ in range(2):  # the cards state the size of the file that they are in
            size = size_line(metadata, temporary.stat().st_size)
            cards = {head: replace(own, size=size) for head, own in old.cards.items() if head not in TEACHERS}
            cards |= {head: finished(head, metadata, size, found) for head in TEACHERS}
            put_cards(temporary, cards)
    return cards


def ensure_same(old: ExportedNetwork, new: ExportedNetwork, but: Collection[str] = tuple(TEACHERS)) -> None:
    """Stop unless the heads that were there before, `but` for some, give the maps that they gave."""
    height, width = old.metadata.preprocessing.working_size(192, 256)
    for size in ((height, width), (width, height), old.metadata.preprocessing.working_size(77, 101)):
        images = pictures(2, *size)
        (before,), (after,) = (each.session.run({INPUT: images}, [OUTPUT]) for each in (old, new))
        kept = [head for head in old.heads if head not in but]
        pairs = [(before[:, old.heads.index(head)], after[:, new.heads.index(head)]) for head in kept]
        worst = max(float(np.abs(one - other).max()) for one, other in pairs)
        print(f"maps of {len(kept)} older heads of {size[0]}x{size[1]} moved by at most {worst:.1g}")
        if not worst <= SAME:
            raise SystemExit(f"the older heads' maps have moved by {worst:.2g}: nothing was written")


def finished(head: str, metadata: Metadata, size: str, figures: Figures | None) -> ModelCard:
    """Return the card of a head of the branch as it ships."""
    published, taught_by = card(head), card(str(TRAINED / TEACHERS[head]))
    photos = learned(head)
    by_set = Counter(photo.output.parts[0] for photo in photos)
    sets = "; ".join(f"{count} of {name} ({ALL_TERMS[name]})" for name, count in by_set.most_common())
    limits = [
        "Its teacher is not the published network, whose weights cannot be had: salbox trained the design on "
        f"{LEARNED}. The KDSalBox paper's student of {head} had its authors' network as teacher.",
        f"It imitates {NAMES[head]}, also where that errs.",
        f"It looks at a photo at about {'x'.join(map(str, metadata.settings['size']))} pixels; what is finer it cannot "
        "see.",
        "It learned from photos alone, from no drawing, page or pattern.",
        f"Photos of {', '.join(PEOPLE)} that it learned from are those that its teacher learned from too.",
    ]
    if figures is not None:
        limits.append(kinds_line(head, figures))
    return ModelCard(
        name=f"{head}.student",
        title=f"Student of {taught_by.title}",
        task="fixation",
        output=metadata.output,
        summary=f"Draws the maps of {NAMES[head]} in one pass of a small network with all students in it. The "
        f"teacher: {taught_by.summary}",
        paper=published.paper,
        origin=f"student of {NAMES[head]} trained on {len(photos)} photos; its layers are its own and those of "
        f"{joined_names(head)}; the teacher: {taught_by.origin}",
        license=License(
            code="Apache-2.0",
            weights="Apache-2.0: trained by salbox, within the terms of the photos that it saw. The teacher's: "
            f"trained by salbox on {LEARNED}",
            training_data=f"{sets}; the teacher learned people's fixations on photos of {LEARNED}; its layers "
            f"began with those of {NAMES[FIRST]}, which began with ImageNet weights of a MobileNetV2 (Apache-2.0)",
        ),
        size=size,
        agreement=UNMEASURED if figures is None else agreement(figures["osie"][head]),
        limits=tuple(limits),
    )


def joined_names(head: str) -> str:
    """Return the names of the other students of the branch."""
    return " and ".join(f"{other}.student" for other in TEACHERS if other != head)


def _branch(run: Path) -> BranchedBox:
    network = read_weights(run / WEIGHTS)
    assert isinstance(network, BranchedBox)
    return network


def _any_card(network: ExportedNetwork) -> ModelCard:
    """Return a card to export with; `finished` makes the one that stays."""
    return next(iter(network.cards.values()))


def main() -> None:
    """Run the command line."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n\n")[0])
    parser.add_argument("run", type=Path)
    parser.add_argument("--to", type=Path, default=TARGET)
    given = parser.parse_args()
    cards = ship(given.run, given.to)
    print(f"wrote {given.to}: {given.to.stat().st_size / 1e6:.2f} MB")
    for head in TEACHERS:
        print(f"{cards[head].name}: {cards[head].agreement}")


if __name__ == "__main__":
    main()
