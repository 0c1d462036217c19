"""What each concept contributes to saliency: the shares of the concepts in each basis, times what the basis does.

Chen, Jiang and Zhao: What do deep saliency models learn about visual attention? NeurIPS 2023. A basis is shared out
among its five best concepts in proportion to their IoUs; its weight is the sum of its 3x3 kernel in the second phase.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from ..types import FloatMap, Pixels
from .dissection import read_parts
from .subject import Subject
from .vocabulary import Vocabulary

if TYPE_CHECKING:
    import pandas as pd

TOP = 5  # concepts of a basis
REPLICATES = 200
_NUMBERS = 1 << 26  # in a block of replicates of all mean IoUs: 256 MB

Ious = npt.NDArray[np.floating]


def shared_out(mean_iou: Ious, weights: FloatMap, top: int = TOP) -> npt.NDArray[np.float64]:
    """Return the contribution of each concept: (concepts,), the sum over bases of weight times share.

    Parameters
    ----------
    mean_iou : (concepts, bases)
        0 of a concept that is on no photo.
    weights : (bases,)
        What each basis adds to saliency.
    top : int
        Concepts that share a basis.

    Examples
    --------
    The first basis is three quarters sky and a quarter sea, and takes saliency away:

    >>> import numpy as np
    >>> from salbox.explain.contributions import shared_out
    >>> shared_out(np.array([[0.3, 0.0], [0.1, 0.0], [0.0, 0.2]]), np.array([-4.0, 1.0]), top=2)
    array([-3., -1.,  1.])
    """
    best = np.argsort(-mean_iou, axis=0, kind="stable")[:top]
    values = np.take_along_axis(mean_iou, best, axis=0)
    total = values.sum(axis=0)
    shares = np.divide(values, total, out=np.zeros_like(values), where=total > 0)
    found: npt.NDArray[np.float64] = np.zeros(len(mean_iou))
    np.add.at(found, best.ravel(), (shares * weights).ravel())
    return found


def contributions(
    paths: Sequence[Path],
    vocabulary: Vocabulary,
    weights: FloatMap,
    *,
    top: int = TOP,
    replicates: int = REPLICATES,
    seed: int = 0,
) -> pd.DataFrame:
    """Return what each concept contributes, the highest first.

    Columns: "concept", "contribution" (in units of logits), "scaled" (positive ones over the largest, negative ones
    over the size of the lowest), "low" and "high" (95 % of "scaled", by the bootstrap over photos), "photos".

    Parameters
    ----------
    paths : sequence of Path
        What `dissect` wrote.
    vocabulary : Vocabulary
    weights : (bases,)
        What each basis adds to saliency, see `Subject.weights`.
    top : int
        Concepts that share a basis.
    replicates : int
        Of the bootstrap.
    seed : int
    """
    import pandas as pd

    photos = sum(len(part.peak) for part in read_parts(paths))
    whole, counts = mean_over_photos(paths, len(vocabulary), len(weights), np.ones((1, photos), np.float32))
    found = shared_out(whole[0], weights, top)
    drawn = resampled_means(paths, len(vocabulary), len(weights), photos, replicates, seed)
    spread = np.array([shared_out(means, weights, top) for means in drawn])
    highest, lowest = found.max(initial=0.0), -found.min(initial=0.0)
    scale = np.where(found >= 0, highest or 1.0, lowest or 1.0)
    low, high = np.quantile(spread, (0.025, 0.975), axis=0) if len(spread) else (found, found)
    table = pd.DataFrame(
        {
            "concept": vocabulary.concepts,
            "contribution": found,
            "scaled": found / scale,
            "low": low / scale,
            "high": high / scale,
            "photos": counts[0].astype(np.int64),
        }
    )
    return table.sort_values(["contribution", "concept"], ascending=[False, True], ignore_index=True)


def by_category(table: pd.DataFrame, category_of: Mapping[str, str]) -> pd.DataFrame:
    """Return the contributions of categories, the highest first: sums over their concepts, scaled as those.

    Columns: "category", "contribution", "scaled", "concepts" (how many).

    Parameters
    ----------
    table : DataFrame
        Of `contributions`.
    category_of : mapping
        Concept -> category; a concept that is not in it counts as what stands before its hyphen, as "wall" of
        "wall-brick", else as "other".
    """
    named = table.assign(
        category=[
            category_of.get(concept) or category_of.get(concept.partition("-")[0], "other")
            for concept in table["concept"]
        ]
    )
    sums = named.groupby("category")["contribution"].agg(["sum", "size"]).reset_index()
    sums.columns = ["category", "contribution", "concepts"]
    found = sums["contribution"].to_numpy()
    scale = np.where(found >= 0, found.max(initial=0.0) or 1.0, -found.min(initial=0.0) or 1.0)
    sums.insert(2, "scaled", found / scale)
    return sums.sort_values("contribution", ascending=False, ignore_index=True)


def explained_share(subject: Subject, images: Iterable[Pixels], named: npt.NDArray[np.bool_]) -> float:
    """Return how much of the saliency some bases explain, a share of the variance over an image's places.

    1 - var(s - p) / var(s), s what is read off all bases and p off these alone, averaged over the images; below 0 where
    the bases that are left out take away what these put in. NaN without images of which saliency varies.

    Parameters
    ----------
    subject : Subject
        Of the second phase.
    images : iterable of images
    named : (bases,) bool
        The bases.
    """
    shares = []
    for image in images:
        whole, part = subject.read(image, named)
        variance = float(whole.var())
        if variance > 0:
            shares.append(1 - float((whole - part).var()) / variance)
    return float(np.mean(shares)) if shares else float("nan")


def resampled_means(
    paths: Sequence[Path], concepts: int, bases: int, photos: int, replicates: int, seed: int
) -> Iterator[Ious]:
    """Yield mean IoUs, (concepts, bases), on photos drawn with replacement, as many as there are.

    Of the same number of photos and the same seed the same photos are drawn, whatever was dissected on them.
    """
    rng = np.random.default_rng(seed)
    block = max(1, _NUMBERS // max(1, concepts * bases))
    for start in range(0, replicates, block):
        size = min(block, replicates - start)
        times = rng.multinomial(photos, np.full(photos, 1 / photos), size=size).astype(np.float32)
        yield from mean_over_photos(paths, concepts, bases, times)[0]


def mean_over_photos(
    paths: Sequence[Path], concepts: int, bases: int, times: npt.NDArray[np.float32]
) -> tuple[Ious, npt.NDArray[np.float32]]:
    """Return mean IoUs over photos of which each counts so many times: (R, concepts, bases), and how many show each.

    Parameters
    ----------
    times : (R, photos) float32
    """
    sums = np.zeros((len(times), concepts, bases), np.float32)
    counts = np.zeros((len(times), concepts), np.float32)
    for part in read_parts(paths):
        for concept in np.unique(part.concept):
            rows = part.concept == concept
            own = times[:, part.photo[rows]]
            sums[:, concept] += own @ part.iou[rows]
            counts[:, concept] += own.sum(axis=1)
    sums /= np.maximum(1, counts)[:, :, None]
    return sums, counts
