"""The window of a photo that keeps the most attention."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from ..errors import UsageError
from ..imaging.image import MAX_PIXELS, ImageSource
from ..models.specs import AnyModel
from ._windows import Field, Places, candidates, largest_holding, middle_of, peak, spans
from .attention import Attention, attend
from .box import Box, hull
from .sizes import Size, parse_size

CUT_WEIGHT = 0.25  # of what is cut through at the edges, against what is kept
ZOOMED_KEEPS = 0.9  # of what the largest window keeps, at least, when zooming in
ZOOM_STEP = 1.05  # from one size of window to the next
THIRDS_COST = 0.05  # how much of what is kept the rule of thirds may give up
CLEARLY = 0.02  # of attention: what keeps so much less is clearly worse
_LOOKS = 64  # places along each axis at which the certainty is measured


@dataclass(frozen=True)
class Crop:
    """A window of an image.

    Attributes
    ----------
    box : Box
        Where it is, in the image's pixels.
    kept : float
        The share of attention in it by the model, 0 to 1.
    certainty : float
        The share of the other places of such a window that keep clearly less, by more than .02: 0 where any would do as
        well, near 1 where only this one does. 1 where there is no other place.
    centered : float
        What the window in the middle of the image keeps.
    size : Size
        What was asked for.
    shape : (H, W)
        Of the image.
    model : str
        The name of the model.
    """

    box: Box
    kept: float
    certainty: float
    centered: float
    size: Size
    shape: tuple[int, int]
    model: str

    def of(self, pixels: npt.NDArray[Any]) -> npt.NDArray[Any]:
        """Return the window of an image's pixels, (H, W, ...): a view, not resized."""
        if pixels.shape[:2] != self.shape:
            raise UsageError(f"the crop is of an image of shape {self.shape}, not of {pixels.shape[:2]}")
        return pixels[self.box.y : self.box.bottom, self.box.x : self.box.right]

    def to_dict(self) -> dict[str, Any]:
        """Return it as plain numbers and texts, ready for JSON."""
        x, y, width, height = self.box.as_tuple()
        place = {"x": x, "y": y, "width": width, "height": height}
        figures = {"kept": self.kept, "certainty": self.certainty, "centered": self.centered}
        return {"size": self.size.text, **place, **{name: round(value, 4) for name, value in figures.items()}}


@dataclass(frozen=True)
class CropOptions:
    """How windows are chosen.

    Attributes
    ----------
    zoom : float
        How many times smaller than the largest a window may be, at least 1: the smallest is taken that keeps nine
        tenths of what the largest keeps.
    rule_of_thirds : bool
        Of the windows that keep at most .05 less than the best, take the one that has the peak of attention nearest to
        lines at a third of its sides.
    keep : boxes
        What must be in the window.
    cut_weight : float
        What it costs to cut through attention at an edge, against what is kept; 0 counts what is kept alone.
    """

    zoom: float = 1.0
    rule_of_thirds: bool = False
    keep: tuple[Box, ...] = ()
    cut_weight: float = CUT_WEIGHT

    def __post_init__(self) -> None:
        if not (math.isfinite(self.zoom) and 1 <= self.zoom <= 100):
            raise UsageError(f"zoom {self.zoom:g}: expected 1 to 100")
        if not (math.isfinite(self.cut_weight) and self.cut_weight >= 0):
            raise UsageError(f"weight of cuts {self.cut_weight:g}: expected 0 or more")


DEFAULTS = CropOptions()


def crop(
    image: ImageSource,
    size: str,
    *,
    model: AnyModel = "gaze",
    zoom: float = 1.0,
    rule_of_thirds: bool = False,
    keep: Sequence[Box] = (),
    cut_weight: float = CUT_WEIGHT,
    max_pixels: int = MAX_PIXELS,
) -> Crop:
    """Return the window of an image, of an aspect, that keeps the most attention.

    Parameters
    ----------
    image : path, bytes, file object, PIL image or array
        Of any size: the model looks at a copy of it, the window is found to the pixel.
    size : str
        An aspect, "1:1", or a size in pixels, "1200x630", of which the aspect counts.
    model : name, path, Model or function
        A fixation or an object model. Of a score the map, min-max scaled and divided by its sum, counts as attention.
    zoom, rule_of_thirds, keep, cut_weight
        See `CropOptions`.
    max_pixels : int
        Larger images are refused before they are decoded.

    Raises
    ------
    UsageError
        If the size is none, or what must be kept does not fit into it.
    ImageError
        If the image cannot be read.

    Examples
    --------
    >>> import salbox.apps, skimage.data
    >>> photo = skimage.data.chelsea()
    >>> found = salbox.apps.crop(photo, "1:1")
    >>> found.box.width, found.box.height, found.kept > found.centered, found.of(photo).shape
    (300, 300, True, (300, 300, 3))
    """
    options = CropOptions(zoom, rule_of_thirds, tuple(keep), cut_weight)
    return best_crop(attend(image, model, max_pixels=max_pixels), parse_size(size), options)


def best_crop(attention: Attention, size: Size, options: CropOptions = DEFAULTS) -> Crop:
    """Return the best window of an image whose attention is known; see `crop`."""
    search = _Search(attention, options)
    shape = attention.shape
    keep = hull(options.keep)
    width, height = largest_holding(keep, shape, size)
    found = search.best(width, height)
    for zoomed in _smaller(width, height, options.zoom, keep):
        closer = search.best(*zoomed)
        if closer.kept >= ZOOMED_KEEPS * found.kept:
            width, height, chosen = *zoomed, closer
            break
    else:
        chosen = found
    if options.rule_of_thirds:
        chosen = search.by_thirds(width, height, chosen)
    middle = attention.share((shape[1] - width) // 2, (shape[0] - height) // 2, width, height)
    certainty = search.certainty(width, height, chosen.kept)
    return Crop(Box(chosen.x, chosen.y, width, height), chosen.kept, certainty, middle, size, shape, attention.model)


class _Found(NamedTuple):
    x: int
    y: int
    kept: float
    score: float


class _Search:
    """Looks for windows in one image."""

    def __init__(self, attention: Attention, options: CropOptions) -> None:
        self._attention, self._options = attention, options
        self._field, self._keep = Field(attention), hull(options.keep)
        self._middle = middle_of(attention)

    def best(self, width: int, height: int) -> _Found:
        """Return the best place of all for a window of this size; of equal ones that with attention in its middle."""
        xs, ys = self._places(width, height)
        kept, score = self._scored(width, height, xs, ys)
        row, column = self._most_central(score >= score.max() - 1e-9, width, height, xs, ys)
        return _Found(int(xs[column]), int(ys[row]), float(kept[row, column]), float(score[row, column]))

    def by_thirds(self, width: int, height: int, best: _Found) -> _Found:
        """Return the place that has the peak nearest to lines of thirds, of those nearly as good as the best."""
        x, y = peak(self._attention)
        xs, ys = self._places(width, height, also=((x, width), (y, height)))
        kept, score = self._scored(width, height, xs, ys)
        off = [np.min([np.abs((p - place) / side - k / 3) for k in (1, 2)], axis=0)
               for p, place, side in ((x, xs, width), (y, ys, height))]  # fmt: skip
        away = off[1][:, None] ** 2 + off[0] ** 2
        away[score < best.score - THIRDS_COST] = np.inf
        row, column = np.unravel_index(int(away.argmin()), away.shape)
        return _Found(int(xs[column]), int(ys[row]), float(kept[row, column]), float(score[row, column]))

    def certainty(self, width: int, height: int, kept: float) -> float:
        """Return the share of places that keep clearly less than `kept`."""
        spans = self._spans(width, height)
        xs, ys = (np.unique(np.linspace(low, high, _LOOKS).astype(np.int64)) for low, high in spans)
        if len(xs) * len(ys) == 1:
            return 1.0
        others, _ = self._scored(width, height, xs, ys)
        return float(np.mean(others < kept - CLEARLY))

    def _scored(self, width: int, height: int, xs: Places, ys: Places) -> tuple[npt.NDArray[Any], npt.NDArray[Any]]:
        scores = self._field.scores(width, height, xs, ys)
        return scores.kept.clip(0, 1), scores.kept - self._options.cut_weight * scores.cut

    def _spans(self, width: int, height: int) -> tuple[tuple[int, int], tuple[int, int]]:
        return spans(self._attention.shape, width, height, self._keep)

    def _places(self, width: int, height: int, also: Sequence[tuple[float, int]] = ()) -> tuple[Places, Places]:
        """Return the columns and rows among which the best place is, and those that bring a point to a third."""
        cells, sides = self._attention.density.shape[::-1], self._attention.shape[::-1]
        found = []
        for axis, (low, high) in enumerate(self._spans(width, height)):
            window = (width, height)[axis]
            middle = np.rint(self._middle[axis] - window / 2).clip(low, high).astype(np.int64)
            places = np.union1d(candidates(cells[axis], sides[axis], window, low, high), middle)
            if also:
                point, side = also[axis]
                thirds = np.rint([point - side / 3, point - 2 * side / 3]).clip(low, high).astype(np.int64)
                places = np.union1d(places, thirds)
            found.append(places)
        return found[0], found[1]

    def _most_central(
        self, good: npt.NDArray[np.bool_], width: int, height: int, xs: Places, ys: Places
    ) -> tuple[int, int]:
        """Return the row and column of the place, among good ones, whose middle is nearest to that of attention."""
        rows, columns = self._attention.shape
        x, y = self._middle
        away = np.abs(ys + height / 2 - y)[:, None] / rows + np.abs(xs + width / 2 - x) / columns
        row, column = np.unravel_index(int(np.where(good, away, np.inf).argmin()), away.shape)
        return int(row), int(column)


def _smaller(width: int, height: int, zoom: float, keep: Box | None) -> list[tuple[int, int]]:
    """Return sizes of windows, the smallest first, down to `zoom` times smaller, that can hold what must be kept."""
    steps = int(math.log(zoom) / math.log(ZOOM_STEP) + 1e-9)
    scales = sorted({zoom, *(ZOOM_STEP**k for k in range(1, steps + 1))} - {1.0}, reverse=True)
    sizes = [(max(1, round(width / scale)), max(1, round(height / scale))) for scale in scales]
    return [(w, h) for w, h in sizes if keep is None or (w >= keep.width and h >= keep.height)]
