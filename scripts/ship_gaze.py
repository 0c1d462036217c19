"""Put the trained `gaze` into the package: calibrated, weights in 8 bits, its card finished.

    python scripts/ship_gaze.py [--temperature T]

The network is scripts/learn_gaze.py's. Its density is sharpened or softened by the temperature that a network of the
same setting needs on a fifth of people's photos that it was trained without. The card states what benchmarks/gaze.py
measured, if it measured this very network: so ship, measure, and ship again.
"""

from __future__ import annotations

import argparse
import json
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import torch
from distil_students import ROOT
from gaze_data import PEOPLE, TEACHERS, fold, people_photos, unlabeled, validates
from learn_gaze import FOLDS, Setting, learn
from ship_students import ENCODER, TERMS
from temperature import best_temperature

from salbox.imaging.writing import atomic
from salbox.models.cards import License, ModelCard
from salbox.models.exported import packaged
from salbox.models.loading import card
from salbox.models.registry import GAZE
from salbox.networks.export.cards import put_cards
from salbox.networks.export.models import shrink_exported
from salbox.networks.export.onnx import export_onnx
from salbox.networks.trainable.base import TrainableNetwork
from salbox.networks.trainable.gaze import Gaze
from salbox.runtime.fingerprint import weights_fingerprint
from salbox.types import Pixels

FIGURES = ROOT / "docs" / "results" / "gaze" / "figures.json"
UNMEASURED = "not measured yet"


def looking(network: TrainableNetwork) -> Any:
    """Return what gives a network's log density of an image, at the network's own size."""

    def look(image: Pixels) -> Any:
        pixels = np.ascontiguousarray(network.preprocessing.prepare(image))
        with torch.no_grad():
            return network.maps(torch.from_numpy(pixels).permute(2, 0, 1)[None].float())[0, 0].numpy()

    return look


def held_out_temperature() -> float:
    """Return the temperature that a network of the same setting needs on photos that it was trained without."""
    network = learn(Setting(held_out=0))
    found = []
    for name in PEOPLE:
        data, images = people_photos(name, "train")
        kept = [i for i, image in enumerate(images) if fold(image, FOLDS) == 0]
        found.append(best_temperature(looking(network), data.subset(kept, "held out")))
    return float(np.exp(np.mean(np.log(found))))


def soften(network: Gaze, temperature: float) -> None:
    """Divide the logits by a temperature: the last convolution and the centre prior."""
    last = network.head_layers[0][-1]
    with torch.no_grad():
        for values in (last.weight, last.bias, network.centre):
            values /= temperature


def finished(network: Gaze, temperature: float, size: int, figures: Mapping[str, Any] | None) -> ModelCard:
    """Return the card."""
    people = {name: len(people_photos(name, "train")[1]) for name in PEOPLE}
    learned = [photo for photo in unlabeled() if not validates(photo)]
    photos = {name: sum(p.output.parts[0] == name for p in learned) for name in ("DUTS-TR", "coco-semantic")}
    sets = "; ".join(f"{count} of {name} ({TERMS[name]})" for name, count in {**people, **photos}.items())
    teachers = ", ".join(TEACHERS)
    terms = " ".join(f"{name}: {card(name).license.training_data}." for name in TEACHERS)
    return ModelCard(
        name="gaze",
        title="gaze",
        task="fixation",
        output="log_density",
        summary="salbox's own guess at where people look: a density over pixels, small, open and offline.",
        paper=None,
        origin=f"trained by salbox on the fixations of people on {sum(people.values())} photos ("
        f"{', '.join(f'{count} of {name}' for name, count in people.items())}) and on the maps of {teachers} on "
        f"{sum(photos.values())} others",
        license=License(
            code="Apache-2.0",
            weights="Apache-2.0: trained by salbox, within the terms of the photos that it saw; its teachers' weights "
            "are Apache-2.0",
            training_data=f"{sets}; the encoder began with {ENCODER}. What its teachers learned from: {terms}",
        ),
        size=f"{sum(p.numel() for p in network.parameters()) / 1e6:.2f} million learned numbers, {size / 1e6:.1f} MB",
        agreement=UNMEASURED if figures is None else agreement(figures["test"]),
        limits=(
            "It learned from people of one laboratory who looked freely at photos on a screen for some seconds; their "
            "centre bias and scatter need not be yours (center_prior=0 takes the prior out, though not all of the "
            "bias: photos have much in their middle, and the network learned from photos).",
            f"Its logits are divided by {temperature:.2f}: what a network trained in the same way on four fifths of "
            "people's photos needed to be calibrated on the last one.",
            f"It looks at a photo at about {network.preprocessing.height}x{network.preprocessing.width} pixels; small "
            "faces and text it cannot see.",
            "Of what one of its teachers, glimpse, was trained on nothing is known.",
        ),
    )


def agreement(test: Mapping[str, Any]) -> str:
    """Return the figures on test photos in one line."""
    lines = []
    for name, own in test.items():
        nss, auc, cc, gain = (own["rows"]["gaze"][metric][0] for metric in ("nss", "auc_judd", "cc", "ig"))
        lines.append(
            f"{own['photos']} test photos of {name}: NSS {nss:.2f}, AUC-Judd {auc:.3f}, CC {cc:.3f}, information gain "
            f"over the centre bias {gain:.2f} bits a fixation"
        )
    return "; ".join(lines)


def ship(target: Path, temperature: float) -> ModelCard:
    """Write the network to `target`, and return the card that it carries."""
    network = learn(Setting())
    assert isinstance(network, Gaze)
    soften(network, temperature)
    first = finished(network, temperature, 0, None)
    with tempfile.TemporaryDirectory() as folder, atomic(target) as temporary:
        whole = Path(folder) / "gaze.onnx"
        export_onnx(network, whole, {"gaze": first}, {"gaze": "people"})
        shrink_exported(whole, temporary, "int8")
        figures = None
        if FIGURES.is_file():
            kept = json.loads(FIGURES.read_text(encoding="utf-8"))
            figures = kept if kept.get("weights") == weights_fingerprint(temporary) else None
        for _ in range(2):  # the card states the size of the file that it is in
            shipped = finished(network, temperature, temporary.stat().st_size, figures)
            put_cards(temporary, {"gaze": shipped})
    return shipped


def main() -> None:
    """Run the command line."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n\n")[0])
    parser.add_argument("--temperature", type=float, help="by default measured")
    given = parser.parse_args()
    temperature = held_out_temperature() if given.temperature is None else given.temperature
    target = Path(packaged(GAZE))
    shipped = ship(target, temperature)
    print(f"wrote {target}: {target.stat().st_size / 1e6:.2f} MB, temperature {temperature:.3f}\n{shipped.agreement}")


if __name__ == "__main__":
    main()
