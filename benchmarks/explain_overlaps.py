"""Seconds that `salbox explain` takes beside the network's own pass: 200 photos, 512 bases of 60x80, 130 concepts.

Two sets are made: photos on which all of 130 concepts are, and photos with 16 each, as people annotate them. The
network is one that returns stored maps of activation. One thread; in seconds of processor, the median of several runs.
Writes FOLDER/overlaps.json, from which `explain.py` takes them.

    OMP_NUM_THREADS=1 python benchmarks/explain_overlaps.py FOLDER
"""

from __future__ import annotations

import argparse
import json
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np
from explain_gqa import BASES, PLACES, Stored

from salbox.datasets.concepts import ConceptBox, Concepts
from salbox.explain.dissection import dissect, mean_ious
from salbox.explain.vocabulary import build_vocabulary

PHOTOS, CONCEPTS, USUAL = 200, 130, 16
RUNS = 3
SIZE = (480, 640)


class Boxes:
    """Photos of which is annotated where so many of all concepts are."""

    def __init__(self, each: int) -> None:
        rng = np.random.default_rng(0)
        self._concepts = []
        for _ in range(PHOTOS):
            chosen = rng.choice(CONCEPTS, each, replace=False)
            corners = rng.random((each, 4)) * (SIZE[1] / 2, SIZE[0] / 2, SIZE[1] / 2, SIZE[0] / 2)
            boxes = [ConceptBox(f"thing {c}", *map(float, corner)) for c, corner in zip(chosen, corners, strict=True)]
            self._concepts.append(Concepts(SIZE, tuple(boxes)))

    def __len__(self) -> int:
        return PHOTOS

    def pixels(self, index: int) -> Any:
        return None  # which stored maps do without

    def concepts(self, index: int) -> Concepts:
        return self._concepts[index]


def seconds(each: int) -> float:
    """Return what dissecting all photos takes, from maps of activation to the table of mean IoUs."""
    photos, subject = Boxes(each), Stored()
    known = build_vocabulary((photos.concepts(i) for i in range(PHOTOS)), 1)
    limits = np.full(BASES, 0.8, np.float32)
    times = []
    for _ in range(RUNS):
        with tempfile.TemporaryDirectory() as folder:
            started = time.process_time()
            parts = dissect(subject, photos, known, limits, Path(folder))
            mean_ious(parts, known, BASES)
            times.append(time.process_time() - started)
    return float(np.median(times))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path)
    chosen = parser.parse_args()
    found = {
        "photos": PHOTOS,
        "bases": BASES,
        "places": list(PLACES),
        "concepts": CONCEPTS,
        "usual": USUAL,
        "all": round(seconds(CONCEPTS), 2),
        "some": round(seconds(USUAL), 2),
    }
    print(found)
    chosen.folder.mkdir(parents=True, exist_ok=True)
    (chosen.folder / "overlaps.json").write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
