"""An explanation of the world of coloured shapes by bases of which is known what they stand for; needs no network."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from shapes_world import COLORS

from salbox.explain.concept_sets import Photos
from salbox.explain.contributions import by_category, contributions
from salbox.explain.dissection import dissect, mean_ious
from salbox.explain.explanation import Explanation
from salbox.explain.files import write_json, write_table
from salbox.explain.thresholds import thresholds
from salbox.explain.vocabulary import build_vocabulary

WEIGHTS = (2.0, -1.0, -0.5)  # of red, green and blue


class Colors:
    """Three bases, the pixels of one colour each, and what they add to saliency."""

    name, count = "colours", len(COLORS)

    def __init__(self, weights: tuple[float, ...] = WEIGHTS) -> None:
        self.weights = np.array(weights, np.float32)
        self.kernel = self.weights[:, None, None]

    def look(self, image: np.ndarray) -> np.ndarray:
        found = [np.linalg.norm(image - np.array(color, float), axis=2) for color in COLORS.values()]
        return np.stack([np.exp(-distance / 60) for distance in found]).astype(np.float32)

    def look_and_read(self, image: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        active = self.look(image)
        return active, active * self.weights[:, None, None]


def write_explanation(folder: Path, photos: Photos, subject: Colors, *, weighted: bool = True) -> Explanation:
    """Write the tables of an explanation as the steps write them, and return it."""
    vocabulary = build_vocabulary((photos.concepts(i) for i in range(len(photos))), 2)
    limits = thresholds(subject, [photos.pixels(i) for i in range(len(photos))], len(photos), kept=0.05)
    parts = dissect(subject, photos, vocabulary, limits["threshold"].to_numpy(), folder / "dissection")
    table = mean_ious(parts, vocabulary, subject.count)
    bases = table.groupby("basis").head(1).drop(columns="photos").reset_index(drop=True)
    bases["is_named"] = bases["iou"] > 0.04
    write_json({"model": subject.name}, folder / "explain.json")
    write_json({"photos": [photos.name(i) for i in range(len(photos))]}, folder / "photos.json")
    write_table(limits, folder / "thresholds.parquet")
    write_table(vocabulary.table(), folder / "vocabulary.parquet")
    write_table(table, folder / "dissection.parquet")
    if weighted:
        bases["weight"] = subject.weights
        shares = contributions(parts, vocabulary, subject.weights, replicates=20)
        write_table(shares, folder / "contributions.parquet")
        write_table(
            by_category(shares, {name: name.split()[0] for name in vocabulary.concepts}), folder / "categories.parquet"
        )
        write_json({"explained_by_named": 1.0}, folder / "summary.json")
    write_table(bases, folder / "bases.parquet")
    return Explanation(folder)
