"""Put a trained network into the package: weights in 8 bits, cards finished.

    python scripts/ship_students.py [RUN] [--to src/salbox/runtime/data/box.onnx]

RUN is what scripts/distil_students.py made; by default its third training. The cards state the fidelity that
benchmarks/fidelity.py measured, if it measured this very network: so ship, measure, and ship again. What is shipped
twice has the same weights. Then come the histogram curves: scripts/fit_histogram_curves.py. They stay where the weights
do.
"""

from __future__ import annotations

import argparse
import json
from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from salbox.distillation.fidelity.measure import CONSTANT
from salbox.distillation.teachers.augmentations import plan_views
from salbox.distillation.teachers.maps_folder import TeacherMaps
from salbox.distillation.teachers.teacher import map_folder
from salbox.imaging.inputs import ImageFile
from salbox.imaging.writing import atomic
from salbox.models.cards import License, ModelCard
from salbox.models.loading import card
from salbox.networks.export.cards import put_cards
from salbox.networks.export.histogram_curves import put_curves
from salbox.networks.export.models import shrink_exported
from salbox.runtime.fingerprint import weights_fingerprint
from salbox.runtime.metadata import Head, Metadata, resolution
from salbox.runtime.network import open_network
from salbox.training.run_folder import RunFolder
from salbox.training.splitting import read_split

ROOT = Path(__file__).resolve().parents[1]
TARGET = ROOT / "src" / "salbox" / "runtime" / "data" / "box.onnx"
FIGURES = ROOT / "docs" / "results" / "fidelity" / "figures.json"
UNMEASURED = "not measured yet"

# What the photos may be used for; named as scripts/distil_students.py names the folders of its maps.
TERMS = {
    "DUTS-TR": "Wang et al. 2017: research use",
    "OSIE": "Xu et al. 2014: MIT",
    "EyeCrowd": "Jiang et al. 2014: MIT",
    "coco-semantic": "COCO, photos under the terms of their Flickr authors",
}
ENCODER = "ImageNet weights of a MobileNetV2 (Apache-2.0)"  # that the training began with

Figures = Mapping[str, Any]


def ship(run: Path, target: Path = TARGET, figures: Path = FIGURES) -> dict[str, ModelCard]:
    """Write a run's network to `target`, and return the cards that it now carries.

    Parameters
    ----------
    run : Path
        A finished run folder: student.onnx, split.csv and the teachers' maps.
    target : Path
    figures : Path
        What benchmarks/fidelity.py wrote; of another network, or not there, cards say that nothing is measured.

    Raises
    ------
    SalboxError
        If the run is not finished, or the network would lose much by 8 bits.
    """
    folder = RunFolder(run)
    with atomic(target) as temporary:
        shrink_exported(folder.student, temporary, "int8")
        metadata = open_network(temporary, threads=1).metadata
        fingerprint = weights_fingerprint(temporary)
        found = measured_figures(figures, fingerprint)
        curves = open_network(target, threads=1).histogram_curves if target.is_file() else None
        if curves is not None and curves.weights == fingerprint:
            put_curves(temporary, curves)
        for _ in range(2):  # the cards state the size of the file that they are in
            size = temporary.stat().st_size
            cards = {head.name: finished(head, metadata, folder, size, found) for head in metadata.heads}
            put_cards(temporary, cards)
    return cards


def measured_figures(path: Path, fingerprint: str) -> Figures | None:
    """Return what was measured, if it was measured on the network of this fingerprint."""
    if not path.is_file():
        return None
    figures: Figures = json.loads(path.read_text(encoding="utf-8"))
    return figures if figures["weights"] == fingerprint else None


def finished(head: Head, metadata: Metadata, folder: RunFolder, size: int, figures: Figures | None) -> ModelCard:
    """Return the card of a head as it ships."""
    teacher = card(head.teacher)
    photos, changed = learned_from(head, folder)
    total = photos.total()
    sets = "; ".join(f"{count} of {name} ({TERMS.get(name, 'terms not stated')})" for name, count in photos.items())
    return ModelCard(
        name=f"{head.name}.student",
        title=f"Student of {teacher.title}",
        task=teacher.task,
        output=metadata.output,
        summary=f"Draws the maps of {head.teacher} in one pass of a small network that all students share. "
        f"The teacher: {teacher.summary}",
        paper=teacher.paper,
        origin=f"student of {head.teacher} trained on {total} photos, {changed} of them changed into other kinds of "
        f"pictures; the teacher: {teacher.origin}",
        license=License(
            code="Apache-2.0",
            weights="Apache-2.0: trained by salbox, within the terms of the photos that it saw"
            + _of_teacher(teacher.license.weights),
            training_data=f"{sets}; no mask and no fixation was learned from; the encoder began with {ENCODER}"
            + _of_teacher(teacher.license.training_data),
        ),
        size=size_line(metadata, size),
        agreement=UNMEASURED if figures is None else agreement(figures["osie"][head.name]),
        limits=limits(head, metadata, figures),
    )


def size_line(metadata: Metadata, size: int) -> str:
    """Return what cards say of a network whose file has `size` bytes."""
    heads = len(metadata.heads)
    return f"{metadata.parameters / 1e6:.2f} million learned numbers, {size / 1e6:.1f} MB, all {heads} heads together"


def learned_from(head: Head, folder: RunFolder) -> tuple[Counter[str], int]:
    """Return how many photos of each data set a head was trained on, and how many of them in a changed form.

    A folder of maps may serve several trainings: what counts is the pictures that this run planned.
    """
    run = folder.identity
    names = [name for name, part in read_split(folder.split).items() if part == "training"]
    photos = [ImageFile(Path(name), Path(name)) for name in names]
    views = plan_views(photos, share=run["domains"], keep_plain=run["keep_plain"], seed=run["seed"])
    has_map = set(TeacherMaps(map_folder(folder.maps, card(head.teacher).name)).names())
    views = [view for view in views if view.key in has_map]
    by_set = Counter(name.partition("/")[0] for name in {view.photo_key for view in views})
    return Counter(dict(by_set.most_common())), len({view.photo_key for view in views if view.domain})


def agreement(own: Mapping[str, float]) -> str:
    """Return the fidelity on plain photos in one line."""
    return (
        f"CC {own['cc']:.3f} ± {own['cc_std']:.3f}, KL {own['kl']:.3f} ± {own['kl_std']:.3f} with its teacher on "
        f"{own['pictures']} test photos of OSIE (the {CONSTANT}: CC {own['constant_cc']:.3f}, "
        f"KL {own['constant_kl']:.3f})"
    )


def limits(head: Head, metadata: Metadata, figures: Figures | None) -> tuple[str, ...]:
    """Return what a student does not do, and how it does on other kinds of pictures than photos."""
    size = resolution(metadata.preprocessing, metadata.settings)
    found = [
        f"It imitates {head.teacher} with default parameters, also where that errs.",
        f"It looks at a photo at about {size}; what is finer it cannot see.",
    ]
    if head.teacher == "rare2012":
        found.append("Its teacher is salbox's reading of the paper and not verified against the original program.")
    if head.teacher == "fastgaze":
        found.append("Its teacher was distilled from DeepGaze II by its authors: a student of a student.")
    if figures is not None:
        found.append(kinds_line(head.name, figures))
    return tuple(found)


def kinds_line(head: str, figures: Figures) -> str:
    """Return a head's CC on other kinds of pictures than photos in one line."""
    # Kinds that no training had stand behind those that it had: the order of `salbox.distillation.domains`.
    kinds = {name: by_head[head] for name, by_head in figures["domains"].items()}
    listed = ", ".join(f"{name} {own['cc']:.2f}" for name, own in kinds.items())
    return f"Mean CC by kind of picture ({_counts(kinds)} each): {listed}."


def _of_teacher(terms: str) -> str:
    """Return what follows from the teacher's own terms; nothing if it learned nothing."""
    return "" if terms.startswith("none") else f". The teacher's: {terms}"


def _counts(kinds: Mapping[str, Mapping[str, float]]) -> str:
    return " to ".join(str(count) for count in sorted({int(own["pictures"]) for own in kinds.values()}))


def main() -> None:
    """Run the command line."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n\n")[0])
    parser.add_argument("run", type=Path, nargs="?", default=ROOT / "runs" / "students" / "fine")
    parser.add_argument("--to", type=Path, default=TARGET)
    given = parser.parse_args()
    cards = ship(given.run, given.to)
    print(f"wrote {given.to}: {given.to.stat().st_size / 1e6:.2f} MB")
    for found in cards.values():
        print(f"{found.name}: {found.agreement}")


if __name__ == "__main__":
    main()
