"""Two explanations side by side: which concepts count for more in the second, and which for less."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from ..errors import UsageError
from .contributions import REPLICATES, TOP, Ious, mean_over_photos, resampled_means, shared_out
from .dissection import read_parts
from .explanation import Explanation
from .files import read_json, read_table

if TYPE_CHECKING:
    import pandas as pd

Values = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Comparison:
    """Two explanations side by side.

    Attributes
    ----------
    names : (str, str)
        Of the two.
    table : DataFrame
        "concept", "first", "second", "difference" (second minus first), "low" and "high" (95 %, by the bootstrap over
        photos), "photos" (that show it in both sets); the largest difference first.
    by_weight : bool
        Whether the figures are contributions, over their root mean square; else the best IoU that any channel has with
        the concept.
    same_photos : bool
        Whether both were dissected on the same photos; then these are drawn together.
    """

    names: tuple[str, str]
    table: pd.DataFrame
    by_weight: bool
    same_photos: bool

    @property
    def certain(self) -> pd.DataFrame:
        """The concepts whose interval lies on one side of zero."""
        return self.table[(self.table["low"] > 0) | (self.table["high"] < 0)]


def compare(first: Path | str, second: Path | str, *, replicates: int = REPLICATES, seed: int = 0) -> Comparison:
    """Return two explanations side by side, over the concepts that both have.

    Contributions of two networks have no common scale: they are divided by the root of their mean square over these
    concepts. A concept that shares in no basis stays at 0. Where one of the two does not say what its channels add to
    saliency, the best IoU of each concept is compared.

    Parameters
    ----------
    first, second : Path
        Folders that `explain` wrote.
    replicates : int
        Of the bootstrap.
    seed : int

    Raises
    ------
    UsageError
        If one holds no dissected photos, or they have fewer than three concepts in common.
    """
    import pandas as pd

    sides = [_Side(Path(folder)) for folder in (first, second)]
    common = sorted(set(sides[0].concepts) & set(sides[1].concepts))
    if len(common) < 3:
        raise UsageError(
            f"{second}: {len(common)} concepts in common with {first}; dissect both on the same photos (--concepts)"
        )
    by_weight = all(side.weights is not None for side in sides)
    same_photos = sides[0].photos == sides[1].photos
    whole = [side.measured(side.means(), common, by_weight) for side in sides]
    draws = [
        np.array([side.measured(means, common, by_weight) for means in side.drawn(replicates, seed + own)])
        for side, own in zip(sides, (0, 0 if same_photos else 1), strict=True)
    ]
    difference = whole[1] - whole[0]
    low, high = np.quantile(draws[1] - draws[0], (0.025, 0.975), axis=0) if replicates else (difference, difference)
    table = pd.DataFrame(
        {
            "concept": common,
            "first": whole[0],
            "second": whole[1],
            "difference": difference,
            "low": low,
            "high": high,
            "photos": [min(side.photos_of[concept] for side in sides) for concept in common],
        }
    )
    table = table.sort_values(["difference", "concept"], ascending=[False, True], ignore_index=True)
    return Comparison(_names(sides), table, by_weight, same_photos)


class _Side:
    """One of the two explanations."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        found = Explanation(folder)
        if not (folder / "bases.parquet").exists():
            raise UsageError(f"{folder}: holds no explanation with dissected photos; salbox explain makes one")
        self._parts = found.parts
        names = read_table(folder / "vocabulary.parquet").drop_duplicates("concept").sort_values("concept")
        self.concepts = [str(name) for name in names["concept"]]
        self.photos_of = dict(zip(self.concepts, map(int, names["photos"]), strict=True))
        self.photos: list[str] = read_json(folder / "photos.json").get("photos", [])
        bases = found.bases
        self._count = len(bases)
        is_known = found.has_contributions and "weight" in bases
        self.weights = bases["weight"].to_numpy(np.float32) if is_known else None

    def means(self) -> Ious:
        photos = sum(len(part.peak) for part in read_parts(self._parts))
        return mean_over_photos(self._parts, len(self.concepts), self._count, np.ones((1, photos), np.float32))[0][0]

    def drawn(self, replicates: int, seed: int) -> Iterator[Ious]:
        return resampled_means(self._parts, len(self.concepts), self._count, len(self.photos), replicates, seed)

    def measured(self, means: Ious, common: list[str], by_weight: bool) -> Values:
        """Return the figure of each of the common concepts."""
        places = np.searchsorted(self.concepts, common)
        if not by_weight:
            return means.max(axis=1)[places].astype(np.float64)
        assert self.weights is not None  # noqa: S101  # both have them
        found = shared_out(means, self.weights, TOP)[places]
        size = float(np.sqrt(np.mean(np.square(found))))
        return found / size if size > 0 else found


def _names(sides: list[_Side]) -> tuple[str, str]:
    """Return what the two are called: their models, or their folders where these have one name."""
    models = [Path(Explanation(side.folder).model).name for side in sides]
    folders = [side.folder.resolve().name for side in sides]
    first, second = models if len(set(models)) == 2 and all(models) else folders
    return (first, second) if first != second else (f"{first} (first)", f"{second} (second)")
