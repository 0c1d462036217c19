"""Charts as inline SVG: figures with their intervals, coloured by the page's style sheet."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from ..evaluation.bootstrap import Estimate
from ._html import Html, fragment, number, tag

_WIDTH, _LABELS, _RIGHT = 388, 132, 14
_ROW, _TOP, _BOTTOM = 21, 6, 26
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
