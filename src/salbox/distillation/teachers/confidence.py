"""How sure a teacher of objects is of a photo: what is read off its map, and the table of all photos."""

from __future__ import annotations

import csv
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from ...imaging.writing import atomic

TABLE = "confidence.csv"
IS_OBJECT = 0.5  # a pixel of more than this belongs to the object


@dataclass(frozen=True)
class Confidence:
    """How sure a teacher is of a photo, and how much of it is the object; both in 0..1.

    Attributes
    ----------
    value : float
        The overlap of the map p with its own mask m, the pixels of p > 1/2: sum of p within m over m's pixels and the
        sum of p without. 1 where every pixel is certain and some are an object; 0 where none is above 1/2, of a photo
        without an object; little where much is neither.
    object_share : float
        The share of the pixels that are above 1/2.
    """

    value: float
    object_share: float


def confidence(probabilities: npt.NDArray[np.floating]) -> Confidence:
    """Return how sure a teacher is of the object in a map, (h, w) in 0..1.

    Examples
    --------
    Half of the map is object for certain; of the rest nothing is known: 2 / (2 + .5 + .5).

    >>> import numpy as np
    >>> from salbox.distillation.teachers.confidence import confidence
    >>> found = confidence(np.array([[1.0, 1.0], [0.5, 0.5]]))
    >>> round(found.value, 3), found.object_share
    (0.667, 0.5)
    """
    p = np.asarray(probabilities, np.float64)
    mask = p > IS_OBJECT
    inside, pixels = float(p[mask].sum()), int(mask.sum())
    value = inside / (pixels + float(p[~mask].sum())) if pixels else 0.0
    return Confidence(value, pixels / p.size)


def write_table(folder: Path, found: Mapping[str, Confidence]) -> None:
    """Write the confidence of each map of a folder to `confidence.csv` in it, the least sure first."""
    with atomic(folder / TABLE) as temporary, temporary.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(("name", "confidence", "object_share"))
        for key, each in sorted(found.items(), key=lambda item: (item[1].value, item[0])):
            writer.writerow((key, f"{each.value:.4f}", f"{each.object_share:.4f}"))
