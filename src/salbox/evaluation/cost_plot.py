"""How good models are over what they cost: a panel each for parameters, multiply-adds and images a second."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..errors import UsageError
from ..formats.tables import number, read_table
from ..imaging.figures import check_figure, new_figure, save_figure
from ..metrics import Metric, get_metric
from .bootstrap import Estimate, interval_text
from .published import SOURCE, Published

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_OURS, _THEIRS = "#c0392b", "#7f8c8d"
_SIZE = (13.5, 4.8)  # inches
_AROUND = 1.6  # what an axis reaches beyond its first and last point, as a factor
_AREA, _MOST_AREA = 36, 260  # of a circle, in square points: the least, and what the fastest has besides
_POINT = 5  # half of the side of the square, in pixels, that no name covers around a point
# Where a name may stand: points away from its own, and which of its ends is there.
_BESIDE: tuple[tuple[tuple[int, int], Any, Any], ...] = (
    ((7, 3), "left", "bottom"), ((7, -3), "left", "top"), ((-7, 3), "right", "bottom"), ((-7, -3), "right", "top"),
    ((0, 9), "center", "bottom"), ((0, -9), "center", "top"), ((0, 18), "center", "bottom"),
    ((0, -18), "center", "top"),
)  # fmt: skip
_COLUMNS = ("model", "metric", "value")

# A cost, in words, and whether less of it is better.
_PANELS = (("parameters", "parameters"), ("macs", "multiply-adds"), ("images_per_second", "images a second"))


@dataclass(frozen=True)
class Measured:
    """A model with its figure, and what it costs; None where it has no such cost."""

    name: str
    found: Estimate
    parameters: float | None = None
    macs: float | None = None
    images_per_second: float | None = None


def read_figures(path: Path, metric: str | None) -> tuple[Metric, dict[str, Estimate]]:
    """Return the metric and {model: figure} of a CSV that `salbox evaluate --csv` printed.

    Parameters
    ----------
    path : Path
    metric : str, optional
        By default the F-measure's maximum if it is there, else the first.

    Raises
    ------
    UsageError
        If it is no such file, or lacks the metric.
    """
    table = read_table(path, _COLUMNS)
    places = {name: place for place, name in enumerate(table.header or ())}
    if not places.keys() >= set(_COLUMNS) or not table.rows:
        raise UsageError(f"{path}: expected columns {', '.join(_COLUMNS)}, as 'salbox evaluate --csv' prints them")
    names = list(dict.fromkeys(table.column(places["metric"])))
    wanted = metric or ("max_f" if "max_f" in names else names[0])
    if wanted not in names:
        raise UsageError(f"{path}: no metric '{wanted}' there (there are {', '.join(names)})")
    chosen = get_metric(wanted)
    found = {}
    for row in table.rows:
        if row[places["metric"]] == wanted:
            try:
                ends = [number(row[places[name]]) for name in ("value", "low", "high") if name in places]
            except ValueError:
                raise UsageError(f"{path}: the figures of '{row[places['model']]}' are no numbers") from None
            found[row[places["model"]]] = Estimate(*ends) if len(ends) == 3 else Estimate(ends[0], ends[0], ends[0])
    return chosen, found


def cost_plot(
    metric: Metric,
    models: Sequence[Measured],
    published: Sequence[Published] = (),
    path: Path | None = None,
    *,
    title: str = "",
) -> Figure:
    """Return a figure of a metric over costs, on logarithmic axes, and write it if asked.

    Parameters
    ----------
    metric : Metric
    models : sequence of Measured
        In the panel of parameters the area of a circle grows with the images a second.
    published : sequence of Published
        Drawn beside them, hollow; without a speed, for papers measure it on a GPU.
    path : Path, optional
        A .png, .pdf or .svg.
    title : str

    Raises
    ------
    UsageError
        If there is no model, or the file's suffix is another.
    """
    if path is not None:
        check_figure(path)
    if not models:
        raise UsageError("no model with a figure to draw")
    figure = new_figure(figsize=_SIZE, layout="constrained", dpi=130)
    others = [(each, value) for each in published if (value := each.value(metric.name)) is not None]
    panels = [_Panel(axes, cost) for axes, (cost, _) in zip(figure.subplots(1, 3, sharey=True), _PANELS, strict=True)]
    for panel, (cost, label) in zip(panels, _PANELS, strict=True):
        for model in models:
            panel.add_model(model, _fastest(models))
        for each, value in others if cost != "images_per_second" else ():
            panel.add_published(each, value)
        panel.finish(label)
    better = "higher" if metric.direction == "higher" else "lower"
    figure.axes[0].set_ylabel(f"{metric.title} ({better} is better)")
    remarks = [f"lines: {interval_text()}; at the left the larger a circle, the more images a second"]
    if others:
        remarks.append(f"hollow: published ({SOURCE}), whose photos and threshold of F and E may be others")
    figure.suptitle(title, fontsize=10)
    figure.supxlabel("\n".join(remarks), fontsize=7)
    figure.draw_without_rendering()  # lays it out
    for panel in panels:
        panel.write_names()
    if path is not None:
        save_figure(figure, path)
    return figure


class _Panel:
    """One pair of axes: points, whose names are put where there is room once the figure has its layout."""

    def __init__(self, axes: Axes, cost: str) -> None:
        self._axes, self._cost = axes, cost
        self._names: list[tuple[str, float, float, str]] = []

    def add_model(self, model: Measured, fastest: float) -> None:
        """Draw a model and its interval, unless it has no such cost."""
        if (x := getattr(model, self._cost)) is None:
            return
        found, speed = model.found, model.images_per_second or 0
        area = _AREA + _MOST_AREA * speed / fastest if self._cost == "parameters" else _AREA
        self._axes.plot([x, x], [found.low, found.high], color=_OURS, linewidth=1.2)
        self._axes.scatter(x, found.value, s=area, color=_OURS, alpha=0.85, zorder=3)
        self._names.append((model.name, x, found.value, _OURS))

    def add_published(self, each: Published, value: float) -> None:
        """Draw a published figure."""
        x = getattr(each, self._cost)
        self._axes.scatter(x, value, s=26, facecolors="none", edgecolors=_THEIRS, linewidths=1.2)
        self._names.append((each.method, x, value, _THEIRS))

    def finish(self, label: str) -> None:
        """Draw the axes."""
        axes, places = self._axes, [x for _, x, _, _ in self._names]
        axes.set_xscale("log")
        if places:
            axes.set_xlim(min(places) / _AROUND, max(places) * _AROUND**2)
        axes.set_xlabel(label)
        axes.grid(alpha=0.25)
        for side in ("top", "right"):
            axes.spines[side].set_visible(False)

    def write_names(self) -> None:
        """Write each name beside its point where it covers no other and no point; else it is left out."""
        from matplotlib.transforms import Bbox

        points = self._axes.transData.transform([(x, y) for _, x, y, _ in self._names] or [(1, 1)])
        taken: list[Any] = [Bbox.from_extents(x - _POINT, y - _POINT, x + _POINT, y + _POINT) for x, y in points]
        for text, x, y, color in self._names:
            for away, across, up in _BESIDE:
                # A name may hold what Matplotlib would take for mathematics.
                name = self._axes.annotate(
                    text.replace("$", r"\$"), (x, y), away, textcoords="offset points", fontsize=7, color=color,
                    ha=across, va=up,
                )  # fmt: skip
                name.set_in_layout(False)
                box = name.get_window_extent()
                if not any(box.overlaps(other) for other in taken):
                    taken.append(box)
                    break
                name.remove()


def _fastest(models: Sequence[Measured]) -> float:
    return max((model.images_per_second or 0 for model in models), default=0) or 1
