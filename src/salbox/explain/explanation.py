"""An explanation's folder, read."""

from __future__ import annotations

from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..errors import UsageError
from .contributions import TOP
from .dissection import best_photos
from .files import read_json, read_table

if TYPE_CHECKING:
    import pandas as pd


class Explanation:
    """An explanation's folder: its tables, as far as the steps have come.

    Parameters
    ----------
    folder : Path
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    @property
    def model(self) -> str:
        """What is explained, as it was given; of a file or a folder its whole path, and the head behind it."""
        known = read_json(self.folder / "explain.json").get("model", "")
        return str(known[0] if isinstance(known, list) and known else known)

    @cached_property
    def thresholds(self) -> pd.DataFrame:
        """Of each basis; see `salbox.explain.thresholds`."""
        return read_table(self.folder / "thresholds.parquet")

    @cached_property
    def dissection(self) -> pd.DataFrame:
        """The mean IoU of each basis with each concept; see `salbox.explain.dissection.mean_ious`."""
        return read_table(self.folder / "dissection.parquet")

    @cached_property
    def bases(self) -> pd.DataFrame:
        """Of each basis its best concept, "iou", "chance", "is_named", "threshold" and, where it is known, "weight".

        "chance" is the IoU of the concept with as many places picked at random; a basis has a name where its IoU is
        above 0.04, and with the lower end of its interval above that.
        """
        return read_table(self.folder / "bases.parquet")

    @cached_property
    def contributions(self) -> pd.DataFrame:
        """What each concept contributes; see `salbox.explain.contributions`."""
        return read_table(self.folder / "contributions.parquet")

    @cached_property
    def categories(self) -> pd.DataFrame:
        """What each category contributes; see `salbox.explain.contributions.by_category`."""
        return read_table(self.folder / "categories.parquet")

    @cached_property
    def summary(self) -> dict[str, Any]:
        """What the last step says in a few numbers."""
        return read_json(self.folder / "summary.json")

    @property
    def has_contributions(self) -> bool:
        """Whether it is known what each concept contributes."""
        return (self.folder / "contributions.parquet").exists()

    @property
    def parts(self) -> list[Path]:
        """The files of IoUs, photo by photo."""
        return sorted((self.folder / "dissection").glob("photos-*.safetensors"))

    def basis(self, number: int, photos: int = 8) -> dict[str, Any]:
        """Return what is known of a basis: its row of `bases`, its concepts, the photos on which it is most active.

        Raises
        ------
        UsageError
            If there is no such basis, or the photos have not been dissected.
        """
        if not 0 <= number < len(self.bases):
            raise UsageError(f"no basis {number}: there are {len(self.bases)}, counted from 0")
        names = read_json(self.folder / "photos.json")["photos"]
        return {
            **{str(key): value for key, value in self.bases.iloc[number].items()},
            "concepts": self.dissection[self.dissection["basis"] == number].head(TOP).reset_index(drop=True),
            "photos": [(names[i], peak) for i, peak in best_photos(self.parts, number, photos)],
        }
