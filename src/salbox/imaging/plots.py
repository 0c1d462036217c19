"""Pictures: models and photos side by side."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import numpy.typing as npt

from ..errors import UsageError
from ..types import Pixels
from .figures import check_figure, color_table, new_figure, save_figure
from .legends import add_legend
from .overlays import OPACITY, Map, check_drawing, overlay, smooth_density, tints_on_white
from .scaling import is_log_density, min_max, visible

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

COLOR_MAP = "inferno"  # perceptually uniform, readable in grey and by the colour-blind
DIFFERENCE_COLOR_MAP = "PuOr_r"  # diverging, told apart by the colour-blind

_WIDTH = 14.0  # inches, of the whole figure
_TALLEST = 60.0  # inches; a figure of very tall photos is drawn smaller
_LABEL = 0.3  # inches above each picture
_GAP = 0.08  # inches between pictures
_DPI = 110

Row = tuple[Pixels, Mapping[str, Map]]


@dataclass(frozen=True)
class Panel:
    """One picture of a comparison: a photo (H, W, 3), a map (H, W) or a difference of two maps in -1..1 (H, W).

    Of a log density the density is drawn. `points`, (N, 2), are positions x, y in pixels to mark. `scale` says which
    values of a map are darkest and brightest, by default its own minimum and maximum. `legend` is what the two ends of
    the colours mean, of an overlay those of tints of opacity `alpha`.
    """

    label: str
    pixels: npt.NDArray[Any]
    kind: Literal["photo", "map", "difference"] = "map"
    points: npt.NDArray[Any] | None = None
    scale: tuple[float, float] | None = None
    legend: tuple[str, str] | None = None
    alpha: float = OPACITY

    def draw(self, axes: Axes) -> None:
        """Draw the picture into axes that it fills."""
        axes.set_axis_off()
        colors = DIFFERENCE_COLOR_MAP if self.kind == "difference" else COLOR_MAP
        if self.kind == "photo":
            axes.imshow(self.pixels, aspect="auto")
        elif self.kind == "map":
            scaled = _looked_at(self.pixels) if self.scale is None else _within(self.pixels, self.scale)
            axes.imshow(scaled, cmap=colors, vmin=0, vmax=1, aspect="auto")
        else:
            axes.imshow(self.pixels, cmap=colors, vmin=-1, vmax=1, aspect="auto")
        if self.points is not None:
            # Two colours, so that a point is seen on light and on dark ground.
            axes.scatter(self.points[:, 0], self.points[:, 1], s=30, c="white", edgecolors="black", linewidths=0.8)
            axes.set_xlim(-0.5, self.pixels.shape[1] - 0.5)
            axes.set_ylim(self.pixels.shape[0] - 0.5, -0.5)
        if self.legend is not None:
            table = tints_on_white(self.alpha) if self.kind == "photo" else color_table(colors)
            add_legend(axes, table, *self.legend)


@dataclass(frozen=True)
class Drawing:
    """How the maps of a comparison are drawn.

    Attributes
    ----------
    over_photo : bool
        As an overlay of the photo, see `salbox.overlay`.
    alpha : float
        The opacity of overlays.
    contours : shares of a map's mass, each in (0, 1)
        Lines in overlays.
    same_scale : bool
        The maps of one label on one scale, whichever photo they are of: a density in multiples of its mean, any other
        map in its own numbers. Else each from its minimum to its maximum.
    legend : bool
        Say in each map what its colours mean.
    """

    over_photo: bool = False
    alpha: float = OPACITY
    contours: tuple[float, ...] = ()
    same_scale: bool = False
    legend: bool = False

    def __post_init__(self) -> None:
        check_drawing(self.alpha, self.contours)
        if self.contours and not self.over_photo:
            raise UsageError("contours are drawn over the photo: ask for overlays as well")

    def panel(self, label: str, photo: Pixels, saliency: Map, scale: tuple[float, float] | None) -> Panel:
        """Return the panel of a map, `scale` from its darkest to its brightest value or None."""
        if scale is None:
            ends = "least", "most"
        elif is_log_density(saliency):
            ends = f"{scale[0]:.2g}", f"{scale[1]:.2g} times the mean"
        else:
            ends = f"{scale[0]:.3g}", f"{scale[1]:.3g}"
        legend = ends if self.legend else None
        if not self.over_photo:
            values = saliency if scale is None else _comparable(saliency)
            return Panel(label, values, scale=scale, legend=legend)
        if scale is None:
            drawn = overlay(photo, saliency, alpha=self.alpha, contours=self.contours)
        else:
            shares = _within(_comparable(saliency), scale)
            drawn = overlay(photo, shares, alpha=self.alpha, contours=self.contours, output="probability")
        return Panel(label, drawn, "photo", legend=legend, alpha=self.alpha)


AS_MAPS = Drawing()


def comparison(
    rows: Sequence[Row],
    path: str | Path | None = None,
    *,
    columns: int | None = None,
    fixations: npt.NDArray[Any] | None = None,
    differences: Sequence[tuple[str, str]] = (),
    names: Sequence[str] = (),
    drawing: Drawing = AS_MAPS,
) -> Figure:
    """Return a figure of photos with their saliency maps, labelled, and write it if asked.

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
        For each a panel with the first map minus the second, both min-max scaled, and which colour is whose.
    names : sequence of str, optional
        What to write above each photo; by default "photo".
    drawing : Drawing, optional
        Overlays, contours, one scale, legends; by default maps, each min-max scaled.

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
    scales = _scales(rows) if drawing.same_scale else {}
    titles = names or ["photo"] * len(rows)
    figure = _lay_out(
        [
            _panels(title, image, maps, fixations, differences, drawing, scales)
            for title, (image, maps) in zip(titles, rows, strict=True)
        ],
        columns,
    )
    if path is not None:
        save_figure(figure, Path(path))
    return figure


def _panels(
    title: str,
    image: Pixels,
    maps: Mapping[str, Map],
    fixations: npt.NDArray[Any] | None,
    differences: Sequence[tuple[str, str]],
    drawing: Drawing,
    scales: Mapping[str, tuple[float, float]],
) -> list[Panel]:
    panels = [Panel(title, image, "photo")]
    if fixations is not None:
        panels.append(Panel("fixations", image, "photo", fixations))
    panels += [drawing.panel(label, image, saliency, scales.get(label)) for label, saliency in maps.items()]
    for first, second in differences:
        for label in (first, second):
            if label not in maps:
                raise UsageError(f"no map of '{label}' to take a difference of; there are {', '.join(maps)}")
        difference = _looked_at(maps[first]) - _looked_at(maps[second])
        legend = second, first  # whose map is larger there
        panels.append(Panel(f"{first} − {second}", difference, "difference", legend=legend))
    return panels


def _looked_at(saliency: Map) -> Map:
    """Return a map as a picture of it shows it, in 0..1."""
    return min_max(visible(smooth_density(saliency)))


def _comparable(saliency: Map) -> Map:
    """Return a map in numbers that mean the same of every photo: a density in multiples of its mean."""
    if not is_log_density(saliency):
        return saliency
    return np.exp(smooth_density(saliency).astype(np.float64)) * saliency.size


def _scales(rows: Sequence[Row]) -> dict[str, tuple[float, float]]:
    """Return the smallest and the largest value of each label's maps, in `_comparable` numbers."""
    scales: dict[str, tuple[float, float]] = {}
    for _, maps in rows:
        for label, saliency in maps.items():
            values = _comparable(saliency)
            low, high = scales.get(label, (np.inf, -np.inf))
            scales[label] = min(low, float(values.min())), max(high, float(values.max()))
    return scales


def _within(values: Map, scale: tuple[float, float]) -> Map:
    """Return values from the ends of a scale as shares of it, float32; of a scale without length zeros."""
    low, high = scale
    shares: Map = ((values - low) / ((high - low) or 1)).clip(0, 1).astype(np.float32)
    return shares


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
