"""Put a network that learned from people, or from masks, into the package: weights in fewer bits, its card finished.

    python scripts/ship_trained.py RUN unisal.people [--stored half|int8]

RUN is what scripts/train_people.py or scripts/train_objects.py made. The card states what benchmarks/training.py or
benchmarks/objects.py measured, if it measured this very network: so ship, measure, and ship again.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from salbox.imaging.writing import atomic
from salbox.models.cards import NOT_STATED, ModelCard
from salbox.networks.export.cards import put_cards
from salbox.networks.export.models import Stored, shrink_exported
from salbox.runtime.fingerprint import weights_fingerprint
from salbox.runtime.network import open_network
from salbox.training.run_folder import RunFolder

ROOT = Path(__file__).resolve().parents[1]
DATA = ROOT / "src" / "salbox" / "runtime" / "data"
FIGURES = {
    "fixation": ROOT / "docs" / "results" / "training" / "figures.json",
    "object": ROOT / "docs" / "results" / "objects" / "figures.json",
}
SHOWN = {
    "fixation": {"nss": "NSS {:.2f}", "auc_judd": "AUC-Judd {:.3f}", "cc": "CC {:.3f}"},
    "object": {"mae": "MAE {:.3f}", "max_f": "max F {:.3f}", "s_measure": "S {:.3f}"},
}
LEARNED = {"fixation": "people's fixations", "object": "masks of objects"}
UNMEASURED = "not measured yet"
# Of students: teacher, title, and what the photos are.
TAUGHT = {
    "scfnet.kd": (
        "scfnet",
        "Student of SCFNet on EfficientNet-Lite0",
        "DUTS-TR (Wang et al. 2017: research use), OSIE and EyeCrowd (MIT), MIT1003 (Judd et al. 2009: research use) "
        "and coco-semantic (COCO, photos under the terms of their Flickr authors)",
    ),
}
# Of what learned from photos that a run knows by their folders alone, and went on from another run: what it learned
# from, terms, and the design with its first weights.
LEARNED_FROM = {
    "scfnet": (
        "masks of 3,060 photos of DUTS-TR, and U2-Net-p's and ISNet's maps of 908 photos without masks",
        "DUTS-TR (Wang et al. 2017: research use); OSIE and EyeCrowd (MIT), MIT1003 (Judd et al. 2009: research use) "
        "and coco-semantic (COCO, photos under the terms of their Flickr authors), marked by U2-Net-p (Qin et al. "
        "2020, Apache-2.0) and ISNet (Qin et al. 2022, Apache-2.0)",
        "the design 'scfnet' on tf_efficientnet_lite0, encoder from EfficientNet-Lite0's ImageNet weights "
        "(Apache-2.0).",
    ),
}


def ship(run: Path, name: str, target: Path, figures: Path | None = None, stored: Stored = "half") -> ModelCard:
    """Write a run's network to `target`, and return the card that it now carries.

    Parameters
    ----------
    run : Path
        A finished run folder.
    name : str
        The model's.
    target : Path
    figures : Path, optional
        What the benchmark wrote; of another network, or not there, the card says that nothing is measured.
    stored : {"half", "int8"}
        How the weights are.

    Raises
    ------
    SalboxError
        If the run is not finished, or the network would lose much by fewer bits.
    """
    with atomic(target) as temporary:
        shrink_exported(RunFolder(run).student, temporary, stored)
        metadata = open_network(temporary, threads=1).metadata
        (head,) = metadata.heads
        own = figures or FIGURES[head.card.task]
        agreement = measured(name, own, weights_fingerprint(temporary), SHOWN[head.card.task])
        for _ in range(2):  # the card states the size of the file that it is in
            size = temporary.stat().st_size
            shipped = finished(head.card, name, metadata.parameters, size, agreement)
            put_cards(temporary, {head.name: shipped})
    return shipped


def finished(card: ModelCard, name: str, parameters: int, size: int, agreement: str) -> ModelCard:
    """Return the card of a network as it ships, from that of its run."""
    _, _, rest = card.limits[0].partition(": ")
    learned = card.origin.partition(": ")[2]
    if name in TAUGHT:
        return taught(card, name, parameters, size, agreement)
    origin, terms, summary = f"{LEARNED[card.task]}: {learned}", card.license.training_data, card.summary
    if name in LEARNED_FROM:
        origin, terms, rest = LEARNED_FROM[name]
        design, _, mean = summary.partition(" from ")
        summary = f"{design.partition(', which')[0]}, which learned {origin}.{mean.partition('.')[2]}"
    return replace(
        card,
        name=name,
        summary=summary,
        origin=f"trained by salbox on {origin}",
        license=replace(
            card.license,
            weights="Apache-2.0: trained by salbox, within the terms of the photos that it saw",
            training_data=terms,
        ),
        size=f"{parameters / 1e6:.2f} million learned numbers, {size / 1e6:.1f} MB",
        agreement=agreement,
        commercial_use=NOT_STATED,  # `salbox.models.terms` says it
        limits=(f"Trained by salbox, not the published network: {rest}", *card.limits[1:]),
    )


def taught(card: ModelCard, name: str, parameters: int, size: int, agreement: str) -> ModelCard:
    """Return the card of a student as it ships; its run knows photos and teacher by their folders alone."""
    teacher, title, photos = TAUGHT[name]
    count = card.summary.rpartition(" from ")[2].partition(" ")[0]
    encoder, *rest = card.limits[1:]
    return replace(
        card,
        name=name,
        title=title,
        summary=f"A smaller network of {teacher}'s design that learned the maps which {teacher} made of {count} photos "
        "after its first training, and no mask.",
        origin=f"trained by salbox on the maps that `{teacher}` made of {count} photos after its first training",
        license=replace(
            card.license,
            weights="Apache-2.0: trained by salbox, within the terms of the photos that it saw",
            training_data=f"{count} photos of {photos}; its teacher learned from masks of DUTS-TR",
        ),
        size=f"{parameters / 1e6:.2f} million learned numbers, {size / 1e6:.1f} MB",
        agreement=agreement,
        commercial_use=NOT_STATED,  # `salbox.models.terms` says it
        limits=(
            f"Trained by salbox, not the published network: a student, which knows no mask but `{teacher}`'s maps.",
            encoder,
            *rest,
        ),
    )


def measured(name: str, figures: Path, fingerprint: str, shown: Mapping[str, str]) -> str:
    """Return the figures on test photos in one line, if they are of the network of this fingerprint."""
    found = json.loads(figures.read_text(encoding="utf-8")) if figures.is_file() else {"weights": {}}
    if found["weights"].get(name) != fingerprint:
        return UNMEASURED
    lines = [
        f"{own['photos']} photos of {where}: {', '.join(text.format(row[metric]) for metric, text in shown.items())}"
        for where, own in found["sets"].items()
        if (row := own["rows"].get(name))
    ]
    return "; ".join(lines)


def main() -> None:
    """Run the command line."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n\n")[0])
    parser.add_argument("run", type=Path)
    parser.add_argument("name")
    parser.add_argument("--stored", choices=("half", "int8"), default="half")
    given = parser.parse_args()
    target = DATA / f"{given.name}.onnx"
    found = ship(given.run, given.name, target, stored=given.stored)
    print(f"wrote {target}: {target.stat().st_size / 1e6:.2f} MB; {found.agreement}")


if __name__ == "__main__":
    main()
