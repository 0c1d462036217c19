"""Charts as inline SVG: figures with their intervals, and curves, coloured by the page's style sheet."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from ..evaluation.bootstrap import Estimate
from ._html import Html, fragment, number, tag

_WIDTH, _LABELS, _RIGHT = 388, 132, 14
_ROW, _TOP, _BOTTOM = 21, 6, 26
_HEIGHT, _AXIS = 230, 48  # of a plot of curves, and where its vertical axis stands
COLORS = 8  # of curves; the style sheet has so many
_LETTERS = 15  # of a name, before its middle is left out
_TICKS = 6  # at most
_MARGIN = 0.06  # of the range, on either side


@dataclass(frozen=True)
class Bar:
    """One row of a chart; `reference` sets the baseline and the ceiling apart from models."""

    name: str
    found: Estimate | None
    reference: bool = False


def interval_chart(label: str, bars: Sequence[Bar]) -> Html:
    """Return a chart of figures, a dot each, with their intervals as lines.

    Parameters
    ----------
    label : str
        What it shows, for people who do not see it.
    bars : sequence of Bar
        From the top down; one whose figure is not defined has its name alone.
    """
    ends = [(bar.found.low, bar.found.high, bar.found.value) for bar in bars if bar.found is not None]
    low, high = min(map(min, ends), default=0.0), max(map(max, ends), default=1.0)
    span = (high - low) or abs(high) or 1.0
    low, high = low - _MARGIN * span, high + _MARGIN * span
    bottom = _TOP + _ROW * len(bars)

    def across(value: float) -> float:
        return round(_LABELS + (value - low) / (high - low) * (_WIDTH - _LABELS - _RIGHT), 2)

    parts = [_tick(across(value), bottom, text) for value, text in ticks(low, high)]
    for place, bar in enumerate(bars):
        parts.append(_bar(bar, across, _TOP + _ROW * (place + 0.5)))
    return tag("svg", parts, viewBox=f"0 0 {_WIDTH} {bottom + _BOTTOM}", role="img", aria_label=label)


@dataclass(frozen=True)
class Line:
    """A curve: its name, and the places of its points, (N,) each."""

    name: str
    x: npt.NDArray[np.float64]
    y: npt.NDArray[np.float64]


def line_chart(label: str, lines: Sequence[Line], across: str, up: str) -> Html:
    """Return curves in one pair of axes, coloured by their order.

    Parameters
    ----------
    label : str
        What it shows, for people who do not see it.
    lines : sequence of Line
    across, up : str
        What the axes are.
    """
    ends = [_ends([line.x for line in lines]), _ends([line.y for line in lines])]
    (left, right), (low, high) = ends
    bottom = _TOP + _HEIGHT

    def place(x: float, y: float) -> tuple[float, float]:
        return (
            round(_AXIS + (x - left) / (right - left) * (_WIDTH - _AXIS - _RIGHT), 2),
            round(bottom - (y - low) / (high - low) * _HEIGHT, 2),
        )

    parts = [_tick(place(value, low)[0], bottom, text) for value, text in ticks(left, right)]
    parts += [_level(place(left, value)[1], text) for value, text in ticks(low, high)]
    for number_, line in enumerate(lines):
        points = " ".join(f"{a},{b}" for a, b in (place(x, y) for x, y in zip(line.x, line.y, strict=True)))
        drawn = tag("polyline", tag("title", line.name), points=points, class_=f"line line-{number_ % COLORS}")
        parts.append(drawn)
    parts.append(tag("text", across, class_="tick", x=(_AXIS + _WIDTH) / 2, y=bottom + 31, text_anchor="middle"))
    parts.append(tag("text", up, class_="tick", x=2, y=_TOP + 8))
    return tag("svg", parts, viewBox=f"0 0 {_WIDTH} {bottom + _BOTTOM + 10}", role="img", aria_label=label)


def _ends(values: Sequence[npt.NDArray[np.float64]]) -> tuple[float, float]:
    """Return the least and the largest of all values; two different numbers."""
    every = np.concatenate([np.zeros(0), *values])
    low, high = (float(every.min()), float(every.max())) if every.size else (0.0, 1.0)
    return (low, high) if high > low else (low - 0.5, high + 0.5)


def _level(y: float, text: str) -> Html:
    line = tag("line", class_="grid", x1=_AXIS, x2=_WIDTH - _RIGHT, y1=y, y2=y)
    return fragment(line, tag("text", text, class_="tick", x=_AXIS - 6, y=y + 4, text_anchor="end"))


def ticks(low: float, high: float) -> list[tuple[float, str]]:
    """Return some three to six round numbers within a range, with their texts."""
    rough = (high - low) / _TICKS
    magnitude = 10.0 ** math.floor(math.log10(rough))
    step = next(factor * magnitude for factor in (1, 2, 2.5, 5, 10) if factor * magnitude >= rough * 0.999)
    digits = max(0, -math.floor(math.log10(step) + 1e-9) + (1 if round(step / magnitude, 6) == 2.5 else 0))
    first, last = math.ceil(low / step - 1e-9), math.floor(high / step + 1e-9)
    return [(k * step, f"{k * step:.{digits}f}".replace("-", "\N{MINUS SIGN}")) for k in range(first, last + 1)]


def _tick(x: float, bottom: float, text: str) -> Html:
    line = tag("line", class_="grid", x1=x, x2=x, y1=_TOP, y2=bottom)
    return fragment(line, tag("text", text, class_="tick", x=x, y=bottom + 16, text_anchor="middle"))


def _shortened(name: str) -> str:
    """Return a name that fits; long ones, as of ensembles, often differ at their ends."""
    return name if len(name) <= _LETTERS else f"{name[: _LETTERS - 7]}…{name[-6:]}"


def _bar(bar: Bar, across: Callable[[float], float], y: float) -> Html:
    parts = [tag("text", _shortened(bar.name), x=_LABELS - 10, y=y + 4, text_anchor="end")]
    title = f"{bar.name}: not defined"
    if bar.found is not None:
        found = bar.found
        title = f"{bar.name}: {number(found.value)} [{number(found.low)}, {number(found.high)}]"
        parts.append(tag("line", class_="ci", x1=across(found.low), x2=across(found.high), y1=y, y2=y))
        parts.append(tag("circle", class_="dot", cx=across(found.value), cy=y, r=4.5))
    return tag("g", tag("title", title), parts, class_="reference" if bar.reference else None)
