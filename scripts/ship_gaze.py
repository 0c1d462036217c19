"""Put the trained `gaze` or `gaze.large` into the package: calibrated, weights in 8 bits, its card finished.

    python scripts/ship_gaze.py small|large [--temperature T --center W]

The network is scripts/learn_gaze.py's. Two numbers make its density fit more than the laboratories that it learned
from: a temperature, and what is added to the weight of the centre prior. Both are the mean of two fits to people's
fixations: of the network itself on photos of the three data sets that it did not learn from, and of the one that never
saw MIT1003 on MIT1003's training photos. The card states what benchmarks/gaze.py measured, if it measured this very
network: so ship, measure, and ship again.
"""

from __future__ import annotations

import argparse
import json
import tempfile
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from calibrate_gaze import Fit, fitted
from distil_students import ROOT
from gaze_data import ANOTHER, DESIGNS, PEOPLE, Mixture, calibrating, people_photos, unlabeled, validates
from learn_gaze import SIZES, Setting, learn
from ship_students import TERMS

from salbox.imaging.writing import atomic
from salbox.models.cards import License, ModelCard
from salbox.models.exported import packaged
from salbox.models.registry import GAZE, GAZE_LARGE
from salbox.networks.export.cards import put_cards
from salbox.networks.export.models import shrink_exported
from salbox.networks.export.onnx import export_onnx
from salbox.networks.trainable.gaze import Gaze
from salbox.runtime.fingerprint import weights_fingerprint

FIGURES = ROOT / "docs" / "results" / "gaze" / "figures.json"
UNMEASURED = "not measured yet"
NAMES = {"small": "gaze", "large": "gaze.large"}
FILES = {"small": GAZE, "large": GAZE_LARGE}
ALL_TERMS = {**TERMS, "MIT1003": "Judd et al. 2009: research use"}
ENCODERS = {
    "mobilenetv2": "ImageNet weights of a MobileNetV2 (Apache-2.0)",
    "tf_efficientnet_lite2": "ImageNet weights of an EfficientNet-Lite2 (Apache-2.0)",
}


def without_another(setting: Setting) -> Setting:
    """Return the same training without the other laboratory."""
    return replace(setting, people=tuple(name for name in PEOPLE if name != ANOTHER))


def general(size: str) -> Fit:
    """Return the temperature, and what the centre prior gains, that a network is shipped with.

    The large network has no twin that never saw MIT1003: for it the small one's stands.
    """
    at_home = fitted(learn(SIZES[size]), [calibrating(name) for name in PEOPLE])
    elsewhere = fitted(learn(without_another(SIZES["small"])), [people_photos(ANOTHER, "train")[0]])
    print(f"at home {at_home}, elsewhere {elsewhere}", flush=True)
    temperature = float(np.sqrt(at_home.temperature * elsewhere.temperature))
    return Fit(temperature, (at_home.center + elsewhere.center) / 2)


def apply(network: Gaze, fit: Fit) -> None:
    """Divide the logits by the temperature, the last convolution and the centre prior, and add to the prior."""
    last = network.head_layers[0][-1]
    with torch.no_grad():
        for values in (last.weight, last.bias, network.centre):
            values /= fit.temperature
        network.centre += fit.center


def finished(size: str, network: Gaze, fit: Fit, file_size: int, figures: Mapping[str, Any] | None) -> ModelCard:
    """Return the card."""
    setting = SIZES[size]
    people = {name: len(people_photos(name, "train")[1]) - len(calibrating(name).items) for name in PEOPLE}
    learned = [photo for photo in unlabeled() if not validates(photo)]
    photos = {name: sum(p.output.parts[0] == name for p in learned) for name in ("DUTS-TR", "coco-semantic")}
    sets = "; ".join(f"{count} of {name} ({ALL_TERMS[name]})" for name, count in {**people, **photos}.items())
    teachers = " and ".join(f"`{name}`" for name in DESIGNS)
    share = Mixture().people
    what = "a density over pixels, small, open and offline" if size == "small" else "the larger network of the two"
    return ModelCard(
        name=NAMES[size],
        title=NAMES[size],
        task="fixation",
        output="log_density",
        summary=f"salbox's own guess at where people look: {what}.",
        paper=None,
        origin=f"trained by salbox on {sum(people.values())} photos that people looked at "
        f"({', '.join(f'{count} of {name}' for name, count in people.items())}), where {share:.0%} of the density that "
        f"is learned is theirs, and on the maps of {teachers}, published designs that salbox trained on the same "
        f"people, of these and of {sum(photos.values())} other photos",
        license=License(
            code="Apache-2.0",
            weights="Apache-2.0: trained by salbox, within the terms of the photos that it saw",
            training_data=f"{sets}; the encoder began with {ENCODERS[setting.encoder]}, its teachers' with those of a "
            "MobileNetV2 and an EfficientNet-Lite0 (Apache-2.0).",
        ),
        size=f"{sum(p.numel() for p in network.parameters()) / 1e6:.2f} million learned numbers, "
        f"{file_size / 1e6:.1f} MB",
        agreement=UNMEASURED if figures is None else agreement(figures, NAMES[size]),
        limits=(
            "It learned from people of two laboratories who looked freely at photos on a screen for some seconds; your "
            "people's centre bias and scatter need not be theirs (`salbox adapt` fits them; center_prior=0 takes the "
            "prior out, though not all of the bias: photos have much in their middle).",
            f"Its logits are divided by {fit.temperature:.2f} and its centre prior is raised by {fit.center:.2f}, so "
            "that it fits another laboratory's people better and those that it learned from a little less; "
            "profile=osie or mit1003 fits one of these.",
            f"It looks at a photo at about {network.preprocessing.height}x{network.preprocessing.width} pixels"
            f"{'' if size == 'small' else ', and at three quarters and one and a half times that'}; small faces and "
            "text it cannot see.",
        ),
    )


def agreement(figures: Mapping[str, Any], name: str) -> str:
    """Return the measured figures in one line."""
    lines = []
    for where, own in figures["test"].items():
        row = own["rows"][name]
        texts = [f"NSS {row['nss'][0]:.2f}", f"AUC-Judd {row['auc_judd'][0]:.3f}", f"CC {row['cc'][0]:.3f}"]
        lines.append(f"{where}, {own['photos']} photos: {', '.join(texts)}; IG {row['ig'][0]:.2f} bits a fixation")
    return "; ".join(lines)


def ship(size: str, target: Path, fit: Fit) -> ModelCard:
    """Write the network to `target`, and return the card that it carries."""
    network = learn(SIZES[size])
    assert isinstance(network, Gaze)
    apply(network, fit)
    first = finished(size, network, fit, 0, None)
    with tempfile.TemporaryDirectory() as folder, atomic(target) as temporary:
        whole = Path(folder) / "gaze.onnx"
        export_onnx(network, whole, {"gaze": first}, {"gaze": "people"})
        shrink_exported(whole, temporary, "int8")
        figures = None
        if FIGURES.is_file():
            kept = json.loads(FIGURES.read_text(encoding="utf-8"))
            if kept.get("weights", {}).get(NAMES[size]) == weights_fingerprint(temporary):
                figures = kept
        for _ in range(2):  # the card states the size of the file that it is in
            shipped = finished(size, network, fit, temporary.stat().st_size, figures)
            put_cards(temporary, {"gaze": shipped})
    return shipped


def main() -> None:
    """Run the command line."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n\n")[0])
    parser.add_argument("size", choices=NAMES)
    parser.add_argument("--temperature", type=float, help="by default fitted, as --center")
    parser.add_argument("--center", type=float)
    given = parser.parse_args()
    if (given.temperature is None) != (given.center is None):
        raise SystemExit("--temperature and --center go together")
    fit = general(given.size) if given.temperature is None else Fit(given.temperature, given.center)
    target = Path(packaged(FILES[given.size]))
    shipped = ship(given.size, target, fit)
    print(f"wrote {target}: {target.stat().st_size / 1e6:.2f} MB, {fit}\n{shipped.agreement}")


if __name__ == "__main__":
    main()
