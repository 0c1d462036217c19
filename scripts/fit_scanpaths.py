"""Fit how people's fixations follow each other, and write src/salbox/data/scanpaths.json.

The density is that of `gaze`; photos are of the training parts of OSIE and MIT1003 (`shared` beside the checkout, or
SALBOX_SHARED), the same number of each; `gaze` learned from most of them too. "general" is fitted to both, each
laboratory with half of the weight.

    python scripts/fit_scanpaths.py [--photos 60] [--workers 1] [-o FILE]
"""

from __future__ import annotations

import argparse
import json
import os
from dataclasses import replace
from pathlib import Path

from salbox.calibration.scanpaths import Looked, fit_saccades, look, pooled
from salbox.datasets import open_dataset
from salbox.evaluation import ModelSource
from salbox.imaging.writing import atomic
from salbox.models.scanpaths import Saccades, saccades_to_json

ROOT = Path(__file__).resolve().parents[1]
DATA = Path(os.environ.get("SALBOX_SHARED", ROOT.parent / "shared")) / "data"
FILE = ROOT / "src" / "salbox" / "data" / "scanpaths.json"
DATASETS = {"osie": "OSIE", "mit1003": "MIT1003"}


def fit(photos: int, workers: int) -> dict[str, Saccades]:
    """Return the saccades of both data sets together and of each, by name."""
    source, seen = ModelSource("gaze"), {}
    for name, folder in DATASETS.items():
        data = open_dataset(f"{name}:{DATA / folder}", "train")
        seen[name] = look(source, data, photos=min(photos, len(data)), workers=workers)
        print(f"{name}: {len(seen[name])} photos", flush=True)
    together, weights = pooled(list(seen.values()))
    parts: dict[str, tuple[list[Looked], list[float] | None]] = {"general": (together, weights)}
    parts |= {name: (own, None) for name, own in seen.items()}
    return {name: _named(fit_saccades(own, shares), name) for name, (own, shares) in parts.items()}


def _named(saccades: Saccades, name: str) -> Saccades:
    """Return saccades that say what they were fitted to."""
    fitted_on = ", ".join(f"{n} train" for n in DATASETS) if name == "general" else f"{name} train"
    print(f"{name}: {json.dumps(saccades_to_json(saccades))}", flush=True)
    return replace(saccades, about={"model": "gaze", "fitted_on": fitted_on, **saccades.about})


def main() -> None:
    """Fit, and write the file."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--photos", type=int, default=60, help="of each data set")
    parser.add_argument("--workers", type=int, default=1)
    parser.add_argument("-o", "--output", type=Path, default=FILE)
    arguments = parser.parse_args()
    found = fit(arguments.photos, arguments.workers)
    text = json.dumps({name: saccades_to_json(own) for name, own in found.items()}, indent=1)
    with atomic(arguments.output) as temporary:
        temporary.write_text(text + "\n", encoding="utf-8")
    print(f"wrote {arguments.output}")


if __name__ == "__main__":
    main()
