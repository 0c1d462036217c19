"""How well `salbox regions` says which of nine equal fields of a photo people look at, and in which order."""

from __future__ import annotations

import numpy as np
from _apps_sheets import nine_fields
from _tables import SHARED
from scipy.stats import spearmanr

from salbox.apps import attend
from salbox.apps._looks import LOOKS
from salbox.apps.box import Box
from salbox.apps.region_shares import region_report
from salbox.datasets import Fixations, open_dataset
from salbox.models.loading import load

SETS = {"OSIE test": ("osie:OSIE", "test"), "MIT1003 validation": ("mit1003:MIT1003", "validation")}
HEAD = ("photos", "n", "share, off by", "share, rank correlation", "first look, rank correlation", "by share alone")


def region_rows(limit: int) -> list[list[str]]:
    """Return a row for each set: means over at most so many photos, evenly chosen."""
    model, rows = load("gaze"), []
    for title, (spec, split) in SETS.items():
        kind, _, folder = spec.partition(":")
        data = open_dataset(f"{kind}:{SHARED / 'data' / folder}", split)
        found = []
        for index in range(0, len(data), max(1, len(data) // limit)):
            shape, looks = data.shape(index), data.fixations(index)
            boxes = nine_fields(shape)
            report = region_report(attend(data.items[index].image, model), boxes)
            shares = np.array([region.share for region in report.regions])
            first = np.array([region.first_look for region in report.regions])
            theirs = np.array([_inside(looks, box).mean() for box in boxes.values()])
            order = np.array([_first(looks, box) for box in boxes.values()])
            found.append([np.abs(shares - theirs).mean(), spearmanr(shares, theirs).statistic,
                          spearmanr(first, order).statistic, spearmanr(-shares, order).statistic])  # fmt: skip
        means = np.nanmean(found, axis=0)
        rows.append([title, str(len(found)), f"{means[0]:.3f}", *(f"{each:.2f}" for each in means[1:])])
        print(rows[-1], flush=True)
    return rows


def _inside(looks: Fixations, box: Box) -> np.ndarray:
    return (looks.x >= box.x) & (looks.x < box.right) & (looks.y >= box.y) & (looks.y < box.bottom)


def _first(looks: Fixations, box: Box) -> float:
    """Return after how many looks people's first falls into a box, in the mean over people; `LOOKS` where none does."""
    inside, firsts = _inside(looks, box), []
    for subject in looks.subjects:
        hits = np.flatnonzero(inside[looks.subject == subject])
        firsts.append(min(int(hits[0]) + 1, LOOKS) if len(hits) else LOOKS)
    return float(np.mean(firsts))
