"""What each basis stands for: how far the places where it is active and named regions cover one another.

Network dissection (Bau, Zhou, Khosla, Oliva and Torralba: Network dissection: quantifying interpretability of deep
visual representations, CVPR 2017) as Chen, Jiang and Zhao (NeurIPS 2023) use it: the IoU is taken photo by photo, and
averaged over the photos that show the concept.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from ..errors import ImageError
from ..system.progress import SILENT, Progress
from .concept_sets import Photos
from .files import read_arrays, write_arrays
from .overlap import ious
from .subject import Subject
from .thresholds import KEPT
from .vocabulary import Vocabulary

if TYPE_CHECKING:
    import pandas as pd

PART = 256  # photos whose figures go into a file
INTERVAL = 1.96  # standard errors on each side: 95 %
NAMED = 0.04  # IoU from which on a basis may have a name (Bau et al. 2017, section 3.2)


@dataclass(frozen=True)
class Overlaps:
    """The IoUs of some photos, a row for each concept on each photo.

    Attributes
    ----------
    photo : (rows,) int32
    concept : (rows,) int32
        Places in the vocabulary.
    iou : (rows, bases) float32
    peak : (photos, bases) float32
        The highest activation on each photo of the part, in their order.
    share : (rows,) float32
        How much of the photo the concept covers; NaN in files that do not say so.
    """

    photo: npt.NDArray[np.int32]
    concept: npt.NDArray[np.int32]
    iou: npt.NDArray[np.float32]
    peak: npt.NDArray[np.float32]
    share: npt.NDArray[np.float32]


def dissect(
    subject: Subject,
    photos: Photos,
    vocabulary: Vocabulary,
    thresholds: npt.NDArray[np.float32],
    folder: Path,
    progress: Progress = SILENT,
) -> list[Path]:
    """Write the IoUs of all photos, a file a part, and return the files; parts that are there stay as they are.

    A photo that cannot be read counts as showing nothing, and is named.

    Parameters
    ----------
    subject : Subject
    photos : Photos
    vocabulary : Vocabulary
    thresholds : (count,) float32
        See `salbox.explain.thresholds`.
    folder : Path
        Of the files.
    progress : Progress
    """
    written = []
    for start in range(0, len(photos), PART):
        path = folder / f"photos-{start:06d}.safetensors"
        stop = min(start + PART, len(photos))
        if not path.exists():
            found = _part(subject, photos, vocabulary, thresholds, range(start, stop), progress)
            write_arrays(vars(found), path)
        progress.update("dissection", stop, len(photos))
        written.append(path)
    return written


def read_parts(paths: Sequence[Path]) -> Iterator[Overlaps]:
    """Yield what `dissect` wrote, a part at a time."""
    for path in paths:
        arrays = dict(read_arrays(path))
        arrays.setdefault("share", np.full(len(arrays["photo"]), np.nan, np.float32))
        yield Overlaps(**arrays)


def mean_ious(paths: Sequence[Path], vocabulary: Vocabulary, bases: int) -> pd.DataFrame:
    """Return the mean IoU of each basis with each concept, over the photos that show it.

    Columns: "basis", "concept", "iou", "low" and "high" (95 %, of a mean over photos), "photos"; the highest first of
    each basis.
    """
    import pandas as pd

    shape = len(vocabulary), bases
    sums, squares, counts = np.zeros(shape), np.zeros(shape), np.zeros(len(vocabulary), np.int64)
    for part in read_parts(paths):
        for concept in np.unique(part.concept):
            own = part.iou[part.concept == concept].astype(np.float64)
            sums[concept] += own.sum(axis=0)
            squares[concept] += np.square(own).sum(axis=0)
            counts[concept] += len(own)
    seen = np.flatnonzero(counts)
    number = counts[seen, None]
    mean = sums[seen] / number
    variance = np.maximum(0, squares[seen] / number - mean**2) * number / np.maximum(1, number - 1)
    error = np.where(number > 1, INTERVAL * np.sqrt(variance / number), math.inf)
    table = pd.DataFrame(
        {
            "basis": np.tile(np.arange(bases), len(seen)),
            "concept": np.repeat(np.array(vocabulary.concepts, object)[seen], bases),
            "iou": mean.ravel(),
            "low": np.maximum(0, mean - error).ravel(),
            "high": np.minimum(1, mean + error).ravel(),
            "photos": np.repeat(counts[seen], bases),
        }
    )
    return table.sort_values(["basis", "iou", "concept"], ascending=[True, False, True], ignore_index=True)


def chance_ious(paths: Sequence[Path], concepts: int, kept: float) -> npt.NDArray[np.float64]:
    """Return the mean IoU of each concept with places picked at random, over the photos that show it: (concepts,).

    Of a concept that covers the share m of a photo it is about k m / (k + m - k m) with the share k of all places;
    0 of concepts that are on no photo.

    Parameters
    ----------
    paths : sequence of Path
        What `dissect` wrote.
    concepts : int
        How many there are.
    kept : float
        k, the share of all places at which a basis is active.
    """
    sums, counts = np.zeros(concepts), np.zeros(concepts)
    for part in read_parts(paths):
        common = kept * part.share.astype(np.float64)
        union = kept + part.share - common
        sums += np.bincount(part.concept, common / union, concepts)
        counts += np.bincount(part.concept, minlength=concepts)
    return sums / np.maximum(1, counts)


def best_concepts(
    table: pd.DataFrame, paths: Sequence[Path], vocabulary: Vocabulary, kept: float = KEPT
) -> pd.DataFrame:
    """Return of each basis its best concept: "basis", "concept", "iou", "low", "high", "chance", "is_named".

    Parameters
    ----------
    table : DataFrame
        What `mean_ious` returned.
    paths : sequence of Path
        What `dissect` wrote.
    vocabulary : Vocabulary
    kept : float
        The share of all places at which a basis is active.
    """
    best = table.groupby("basis").head(1).drop(columns="photos").reset_index(drop=True)
    by_chance = dict(zip(vocabulary.concepts, chance_ious(paths, len(vocabulary), kept), strict=True))
    best["chance"] = best["concept"].map(by_chance)
    # Not `low > chance`: where files do not say what concepts cover, chance is NaN, and the IoU alone decides.
    best["is_named"] = (best["iou"] > NAMED) & ~(best["low"] <= best["chance"])
    return best


def best_photos(paths: Sequence[Path], basis: int, number: int) -> list[tuple[int, float]]:
    """Return the photos on which a basis is most active: (photo, highest activation), the highest first."""
    peaks = np.concatenate([part.peak[:, basis] for part in read_parts(paths)])
    order = np.argsort(-peaks, kind="stable")[:number]
    return [(int(i), float(peaks[i])) for i in order]


def _part(
    subject: Subject,
    photos: Photos,
    vocabulary: Vocabulary,
    thresholds: npt.NDArray[np.float32],
    chosen: range,
    progress: Progress,
) -> Overlaps:
    rows: list[Any] = []
    shares: list[npt.NDArray[np.float32]] = []
    found: list[npt.NDArray[np.float32]] = []
    peaks = np.full((len(chosen), subject.count), -np.inf, np.float32)
    for index in chosen:
        try:
            image = photos.pixels(index)
        except ImageError as error:
            progress.say(f"failed: {error}")
            continue
        active = subject.look(image)
        peaks[index - chosen.start] = active.max(axis=(1, 2))
        shape = active.shape[1], active.shape[2]
        concepts, masks = vocabulary.masks(photos.concepts(index), shape)
        if concepts:
            lit = (active > thresholds[:, None, None]).reshape(subject.count, -1)
            rows += [(index, concept) for concept in concepts]
            found.append(ious(masks, lit))
            shares.append(masks.mean(axis=1, dtype=np.float32))
        progress.update("dissection", index + 1, len(photos))
    places = np.array(rows, np.int32).reshape(-1, 2)
    iou = np.concatenate(found) if found else np.zeros((0, subject.count), np.float32)
    share = np.concatenate(shares) if shares else np.zeros(0, np.float32)
    return Overlaps(places[:, 0].copy(), places[:, 1].copy(), iou, peaks, share)
