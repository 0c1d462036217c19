"""Above which value each basis counts as active: the quantile that keeps the top fifth over many photos.

The published study means it so: its program stores the accumulated share in the place of the value (Chen, Jiang and
Zhao, NeurIPS 2023; network dissection, Bau et al. 2017, keeps the top half per cent instead).
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

import numpy as np

from ..system.progress import SILENT, Progress
from ..types import Pixels
from .quantiles import StreamingQuantile
from .subject import Subject

if TYPE_CHECKING:
    import pandas as pd

KEPT = 0.2  # the share of all places at which a basis is active


def thresholds(
    subject: Subject, images: Iterable[Pixels], total: int, kept: float = KEPT, progress: Progress = SILENT
) -> pd.DataFrame:
    """Return the threshold of each basis: "basis", "threshold", "places" (how many it is of), "is_exact", "spread".

    A basis is active where it is above its threshold: at `kept` of all places, fewer where many have the quantile's
    value, more where that is the highest. Up to 33 million values the quantile is NumPy's; see `StreamingQuantile`.
    "spread" is the standard deviation over all places.

    Parameters
    ----------
    subject : Subject
    images : iterable of images
    total : int
        How many there are, for the progress.
    kept : float
        A share, above 0 and below 1.
    progress : Progress
    """
    import pandas as pd

    stream = StreamingQuantile(subject.count, 1 - kept)
    lowest, highest = np.full(subject.count, np.inf, np.float32), np.full(subject.count, -np.inf, np.float32)
    sums, squares = np.zeros(subject.count), np.zeros(subject.count)
    for done, image in enumerate(images, start=1):
        values = subject.look(image).reshape(subject.count, -1)
        lowest, highest = np.minimum(lowest, values.min(axis=1)), np.maximum(highest, values.max(axis=1))
        sums += values.sum(axis=1, dtype=np.float64)
        squares += np.square(values, dtype=np.float64).sum(axis=1)
        stream.add(values)
        progress.update("thresholds", done, total)
    found = np.minimum(stream.quantiles(), highest)
    # A probability that is 1 at more places than are to be kept is above nothing else; one that is constant stays dark.
    is_full = (found == highest) & (lowest < highest)
    found[is_full] = np.nextafter(found[is_full], np.float32(-np.inf))
    places = max(1, stream.count)
    return pd.DataFrame(
        {
            "basis": np.arange(subject.count),
            "threshold": found,
            "places": stream.count,
            "is_exact": stream.is_exact,
            "spread": np.sqrt(np.maximum(0, squares / places - np.square(sums / places))),
        }
    )
