"""What the page of an explanation shows, before it is HTML."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ..reporting.document import Picture

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True)
class Named:
    """A concept of a basis: its mean IoU and the ends of the interval."""

    concept: str
    iou: float
    low: float
    high: float


@dataclass(frozen=True)
class Shot:
    """A photo on which a basis is active: the photo's place, the outline of where, how active it is at most."""

    photo: int
    outline: str
    peak: float


@dataclass(frozen=True)
class BasisPart:
    """A basis: its concepts, the best first, the photos on which it is most active, and what it adds to saliency."""

    number: int
    is_named: bool
    concepts: tuple[Named, ...]
    shots: tuple[Shot, ...]
    weight: float | None = None

    @property
    def name(self) -> str:
        """Its best concept, or that it has none."""
        return self.concepts[0].concept if self.is_named and self.concepts else "no name"


@dataclass(frozen=True)
class RegionPart:
    """A salient region of a photo: its outline, where its number stands, (basis, share) of what made it so."""

    outline: str
    place: tuple[int, int]
    reasons: tuple[tuple[int, float], ...]


@dataclass(frozen=True)
class WhyPart:
    """A photo with its salient regions, and the map in colours."""

    photo: int
    map: Picture
    regions: tuple[RegionPart, ...]


@dataclass(frozen=True)
class Page:
    """All that the page of an explanation shows.

    Attributes
    ----------
    title : str
    facts : tuple of (value, label)
    contributions, categories : DataFrame, optional
        See `salbox.explain.contributions`; None where it is not known what bases add.
    concepts : DataFrame
        Of each concept the basis that covers it best: "concept", "basis", "iou", "low", "high", "photos".
    bases : tuple of BasisPart
        All, the most important first; those beyond the first have no photos.
    photos : mapping
        Place -> (name, picture).
    whys : tuple of WhyPart
    """

    title: str
    facts: tuple[tuple[str, str], ...]
    contributions: pd.DataFrame | None
    categories: pd.DataFrame | None
    concepts: pd.DataFrame
    bases: tuple[BasisPart, ...]
    photos: Mapping[int, tuple[str, Picture]]
    whys: tuple[WhyPart, ...]
