"""Pictures: models side by side, heat maps over photos."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import numpy.typing as npt

from ..errors import UsageError
from ..types import Output, Pixels
from .figures import check_figure, color_table, new_figure, save_figure
from .scaling import for_picture, min_max, visible

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

COLOR_MAP = "inferno"  # perceptually uniform, readable in grey and by the colour-blind
DIFFERENCE_COLOR_MAP = "PuOr_r"  # diverging, told apart by the colour-blind
MASS_SHARES = (0.5, 0.75, 0.9)  # of the contours that `salbox predict --contours` draws

_WIDTH = 14.0  # inches, of the whole figure
_TALLEST = 60.0  # inches; a figure of very tall photos is drawn smaller
_LABEL = 0.3  # inches above each picture
_GAP = 0.08  # inches between pictures
_DPI = 110

Map = npt.NDArray[np.floating[Any]]
Row = tuple[Pixels, Mapping[str, Map]]


@dataclass(frozen=True)
class Panel:
    """One picture of a comparison: a photo (H, W, 3), a map (H, W) or a difference of two maps in -1..1 (H, W).

    Of a log density the density is drawn. `points`, (N, 2), are positions x, y in pixels to mark.
    """

    label: str
    pixels: npt.NDArray[Any]
    kind: Literal["photo", "map", "difference"] = "map"
    points: npt.NDArray[Any] | None = None

    def draw(self, axes: Axes) -> None:
        """Draw the picture into axes that it fills."""
        axes.set_axis_off()
        if self.kind == "photo":
            axes.imshow(self.pixels, aspect="auto")
        elif self.kind == "map":
            axes.imshow(min_max(visible(self.pixels)), cmap=COLOR_MAP, vmin=0, vmax=1, aspect="auto")
        else:
            axes.imshow(self.pixels, cmap=DIFFERENCE_COLOR_MAP, vmin=-1, vmax=1, aspect="auto")
        if self.points is not None:
            # Two colours, so that a point is seen on light and on dark ground.
            axes.scatter(self.points[:, 0], self.points[:, 1], s=30, c="white", edgecolors="black", linewidths=0.8)
            axes.set_xlim(-0.5, self.pixels.shape[1] - 0.5)
            axes.set_ylim(self.pixels.shape[0] - 0.5, -0.5)


def comparison(
    rows: Sequence[Row],
    path: str | Path | None = None,
    *,
    columns: int | None = None,
    fixations: npt.NDArray[Any] | None = None,
    differences: Sequence[tuple[str, str]] = (),
) -> Figure:
    """Return a figure of photos with their saliency maps, labelled, each map min-max scaled, and write it if asked.

    Parameters
    ----------
    rows : sequence of (image, maps)
        Photos, (H, W, 3) uint8, each with {label: (H, W) map}; of a log density the density is drawn. One photo is laid
        out as a grid; several as a table with a row each, which carries its labels unless the one above has the same.
        Shorter rows leave places empty.
    path : path, optional
        A .png, .pdf or .svg to write.
    columns : int, optional
        Pictures side by side in the grid of one photo; by default as square a figure as fits.
    fixations : (N, 2) array, optional
        Positions x, y in pixels of where people looked, drawn on the photo; for one photo only.
    differences : pairs of labels
        For each a panel with the first map minus the second, both min-max scaled.

    Raises
    ------
    UsageError
        If there is nothing to show, a label is unknown, or the file's suffix is another.

    Examples
    --------
    >>> import salbox, skimage.data
    >>> photo = skimage.data.chelsea()[::4, ::4]
    >>> maps = salbox.predict(photo, models=["imsig", "gaussian"])
    >>> figure = salbox.comparison([(photo, maps)], differences=[("imsig", "gaussian")])
    >>> [axes.get_title() for axes in figure.axes]
    ['photo', 'imsig', 'gaussian', 'imsig − gaussian']
    """
    if path is not None:
        check_figure(Path(path))
    if not rows or not all(maps for _, maps in rows):
        raise UsageError("nothing to compare: give at least one image and one model")
    if fixations is not None and len(rows) > 1:
        raise UsageError("fixations belong to one photo: give no others")
    figure = _lay_out([_panels(image, maps, fixations, differences) for image, maps in rows], columns)
    if path is not None:
        save_figure(figure, Path(path))
    return figure


def overlay(
    image: Pixels,
    saliency: Map,
    *,
    alpha: float = 0.6,
    contours: Sequence[float] = (),
    output: Output | None = None,
) -> Pixels:
    """Return a photo with a heat map over it: (H, W, 3) uint8.

    Parameters
    ----------
    image : (H, W, 3) uint8
    saliency : (H, W) array
        Min-max scaled for the picture, unless it is a probability.
    alpha : float
        Opacity of the heat map, 0 to 1: what is not salient is darkened, what is glows.
    contours : shares of the map's mass, each in (0, 1)
        Lines around the smallest regions that hold these shares.
    output : {"score", "log_density", "probability"}, optional
        What the map's numbers are: of a log density the density is drawn. By default one is recognised, exp of which
        sums to 1.

    Raises
    ------
    UsageError
        If `alpha` or a share is out of range, or the sizes differ.

    Examples
    --------
    What is not salient is darkened to two fifths:

    >>> import numpy as np, salbox
    >>> image, saliency = np.full((48, 64, 3), 200, np.uint8), np.zeros((48, 64))
    >>> saliency[24, 32] = 1
    >>> picture = salbox.overlay(image, saliency)
    >>> picture.shape, int(picture[0, 0, 0])
    ((48, 64, 3), 80)
    """
    if saliency.shape != image.shape[:2]:
        raise UsageError(f"a map of shape {saliency.shape} does not fit over an image of shape {image.shape[:2]}")
    if not 0 <= alpha <= 1:
        raise UsageError(f"opacity {alpha}: expected 0 to 1")
    if not all(0 < share < 1 for share in contours):
        raise UsageError(f"contours {tuple(contours)}: expected shares between 0 and 1")
    import cv2

    scaled = for_picture(saliency, output)
    heat = color_table(COLOR_MAP)[np.rint(scaled * 255).astype(np.uint8)]
    blended = cv2.addWeighted(heat, alpha, image, 1 - alpha, 0)
    for share in contours:
        _draw_outline(blended, scaled >= mass_level(scaled, share))
    return blended


def mass_level(values: Map, share: float) -> float:
    """Return the level at or above which lies the smallest region that holds a share of a map's mass."""
    falling = np.sort(values, axis=None)[::-1]
    mass = np.cumsum(falling, dtype=np.float64)
    return float(falling[min(int(np.searchsorted(mass, share * mass[-1])), falling.size - 1)])


def _panels(
    image: Pixels, maps: Mapping[str, Map], fixations: npt.NDArray[Any] | None, differences: Sequence[tuple[str, str]]
) -> list[Panel]:
    panels = [Panel("photo", image, "photo")]
    if fixations is not None:
        panels.append(Panel("fixations", image, "photo", fixations))
    panels += [Panel(label, saliency) for label, saliency in maps.items()]
    for first, second in differences:
        for label in (first, second):
            if label not in maps:
                raise UsageError(f"no map of '{label}' to take a difference of; there are {', '.join(maps)}")
        difference = min_max(visible(maps[first])) - min_max(visible(maps[second]))
        panels.append(Panel(f"{first} − {second}", difference, "difference"))
    return panels


def _lay_out(rows: list[list[Panel]], columns: int | None) -> Figure:
    """Return a figure with a row of panels for each list; a single list is broken into a grid."""
    if len(rows) == 1:
        columns = columns or _best_columns(len(rows[0]), _aspect(rows[0]))
        rows = [rows[0][i : i + columns] for i in range(0, len(rows[0]), columns)]
    labels = [[panel.label for panel in row] for row in rows]
    is_labeled = [i == 0 or labels[i] != labels[i - 1] for i in range(len(rows))]
    longest = max(len(row) for row in rows)
    cell = (_WIDTH - (longest + 1) * _GAP) / longest
    heights = [cell * _aspect(row) for row in rows]
    total = sum(heights) + sum(is_labeled) * _LABEL + (len(rows) + 1) * _GAP
    shrink = min(1.0, _TALLEST / total)
    figure = new_figure(figsize=(_WIDTH * shrink, total * shrink), dpi=_DPI)
    top = total - _GAP
    for i, (row, height) in enumerate(zip(rows, heights, strict=True)):
        top -= height + (_LABEL if is_labeled[i] else 0)
        for j, panel in enumerate(row):
            left = _GAP + j * (cell + _GAP)
            axes = figure.add_axes((left / _WIDTH, top / total, cell / _WIDTH, height / total))
            panel.draw(axes)
            if is_labeled[i]:
                axes.set_title(panel.label, fontsize=11 * shrink, pad=4 * shrink)
        top -= _GAP
    return figure


def _aspect(row: Sequence[Panel]) -> float:
    """Return height over width of a row's pictures, which all have the photo's size."""
    height, width = row[0].pixels.shape[:2]
    return height / width


def _best_columns(panels: int, aspect: float) -> int:
    """Return the number of columns whose grid comes nearest to 3:2, empty places counted against it."""

    def mismatch(columns: int) -> float:
        rows = math.ceil(panels / columns)
        return abs(math.log((rows * aspect / columns) / (2 / 3))) + 0.3 * (rows * columns - panels) / panels

    return min(range(1, min(panels, 6) + 1), key=mismatch)


def _draw_outline(picture: Pixels, region: npt.NDArray[np.bool_]) -> None:
    """Draw a white line around a region into a picture."""
    import cv2

    thickness = max(1, round(max(picture.shape[:2]) / 500))
    outlines, _ = cv2.findContours(region.astype(np.uint8), cv2.RETR_LIST, cv2.CHAIN_APPROX_NONE)
    cv2.drawContours(picture, outlines, -1, (255, 255, 255), thickness, cv2.LINE_AA)
