"""Where attention goes in an image, as a density that can be added up over any window of it."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import cv2
import numpy as np
import numpy.typing as npt

from ..errors import UsageError
from ..imaging.image import MAX_PIXELS, ImageSource
from ..imaging.reduced import read_reduced
from ..imaging.scaling import REFERENCE_SIZE, min_max
from ..models.loading import load
from ..models.model import Model
from ..models.specs import AnyModel, as_models
from ..prediction.images import Pipeline
from ..types import DoubleMap, Output, SaliencyMap, Shape

LOOKED_AT = REFERENCE_SIZE  # longest side in pixels of the copy that models look at
CELLS = 256  # of the density, along the longest side: finer than what the networks that ship make

Positions = npt.ArrayLike


@dataclass(frozen=True, eq=False)
class Attention:
    """A density over an image, constant within each cell of a grid that is laid over it.

    Attributes
    ----------
    density : (h, w) float64
        The share of attention in each cell; sums to 1.
    shape : (H, W)
        Of the image.
    model : str
        The name of the model that it is by.
    """

    density: DoubleMap
    shape: Shape
    model: str = ""

    @cached_property
    def sums(self) -> DoubleMap:
        """The summed-area table, (h + 1, w + 1): what lies above and to the left of each corner of the grid."""
        height, width = self.density.shape
        table = np.zeros((height + 1, width + 1))
        np.cumsum(np.cumsum(self.density, axis=0), axis=1, out=table[1:, 1:])
        return table

    def share(self, x: float, y: float, width: float, height: float) -> float:
        """Return the share of attention in a rectangle of the image, in its pixels; exact for this density."""
        rows = at_edges(self.sums, np.array([y, y + height]), self.shape[0], axis=0)
        corners = at_edges(rows, np.array([x, x + width]), self.shape[1], axis=1)
        return float(np.clip(corners[1, 1] - corners[0, 1] - corners[1, 0] + corners[0, 0], 0, 1))


def at_edges(table: DoubleMap, positions: Positions, side: int, axis: int) -> DoubleMap:
    """Return a table of the corners of a grid at positions along one axis, linear between the corners.

    Parameters
    ----------
    table : (h + 1, w + 1) float64
    positions : (N,)
        In the image's pixels, 0 to `side`; those beyond are brought to the border.
    side : int
        Of the image along the axis.
    axis : {0, 1}
    """
    cells = table.shape[axis] - 1
    places = np.clip(np.asarray(positions, np.float64) * (cells / side), 0, cells)
    below = np.minimum(places.astype(np.intp), cells - 1)
    share = np.expand_dims(places - below, 1 - axis)
    before: DoubleMap = table.take(below, axis)
    return before + share * (table.take(below + 1, axis) - before)


def attend(
    image: ImageSource,
    model: AnyModel = "gaze",
    *,
    max_pixels: int = MAX_PIXELS,
) -> Attention:
    """Return where attention goes in an image, as a model sees it on a copy whose longest side is at most 640.

    Parameters
    ----------
    image : path, bytes, file object, PIL image or array
    model : name, path, Model or function
        One model. See `as_density` for what its map stands for.
    max_pixels : int
        Larger images are refused before they are decoded.

    Raises
    ------
    UsageError
        If there is no such model, or several are meant.
    ImageError
        If the image cannot be read.

    Examples
    --------
    >>> import skimage.data
    >>> from salbox.apps import attend
    >>> seen = attend(skimage.data.chelsea(), "gbvs.student")
    >>> round(seen.share(0, 0, 451, 300), 6), seen.share(0, 0, 200, 300) < seen.share(100, 0, 200, 300)
    (1.0, True)
    """
    return seen_by(one_model(model), *read_reduced(image, LOOKED_AT, max_pixels=max_pixels))


def seen_by(model: Model, pixels: npt.NDArray[np.uint8], shape: Shape) -> Attention:
    """Return where attention goes in an image of shape (H, W), of a copy of it, (h, w, 3) uint8."""
    pipeline = Pipeline(model)
    return Attention(on_grid(as_density(pipeline(pixels), pipeline.output)), shape, model.name)


def one_model(model: AnyModel) -> Model:
    """Return a model, loaded; raise a UsageError if something stands for none or several."""
    found = as_models(model)
    if len(found) != 1:
        raise UsageError(f"'{model}' stands for {len(found)} models: give one")
    return load(found[0]) if isinstance(found[0], str) else found[0]


def as_density(saliency: SaliencyMap, output: Output) -> DoubleMap:
    """Return a map as shares of attention: (H, W) float64, sums to 1.

    Of a log density it is exp of it. A score has no such meaning: it is min-max scaled and divided by its sum, so that
    the least salient pixel gets nothing. A probability is divided by its sum. What is constant is spread evenly.
    """
    if output == "log_density":
        values = np.exp(saliency.astype(np.float64) - float(saliency.max()))
    elif output == "probability":
        values = saliency.astype(np.float64)
    else:
        values = min_max(saliency).astype(np.float64)
    total = float(values.sum())
    return values / total if total > 0 else np.full(values.shape, 1 / values.size)


def on_grid(density: DoubleMap) -> DoubleMap:
    """Return a density on a grid of at most `CELLS` along the longest side, what a cell covers added up."""
    height, width = density.shape
    scale = CELLS / max(height, width)
    if scale >= 1:
        return density
    size = (max(1, round(width * scale)), max(1, round(height * scale)))
    coarse: DoubleMap = cv2.resize(density, size, interpolation=cv2.INTER_AREA).astype(np.float64)
    return coarse / coarse.sum()
