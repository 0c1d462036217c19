"""Designs as one page of HTML that needs no other file."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from ...reporting.document import Html, Part, document, facts, number, picture, scrolling, tag
from ...types import Pixels
from ...version import __version__
from .designs import Design, draw_designs, is_in_percent, share_table, spot_table

if TYPE_CHECKING:
    import pandas as pd

_STYLE = """
.designs { display: grid; grid-template-columns: repeat(auto-fit, minmax(18rem, 1fr)); gap: 1rem; }
.designs figure { margin: 0; }
.designs img { width: 100%; height: auto; }
"""

MEANING = (
    "Shares of attention are those of the model's density: they say where people are likely to look in the first "
    "seconds, not whether they like it. Both designs are drawn on one scale. Hot spots go from the highest place "
    "to the next, what lies around those before left out. The order of looks at regions is that of the mean over "
    "looks drawn from the density, which do not come back to a place for a while. Clarity is 1 - exp(H) / N, of "
    "the density's entropy H over N places: 0 where attention is spread evenly, near 1 where all of it is on one "
    "spot. Models know nothing of a task, of a brand or of what a text says: test what matters with people."
)


def report_html(designs: Sequence[Design], title: str = "Where people look") -> str:
    """Return a page with the designs, what their regions get, their hot spots and what the numbers mean."""
    figures = [
        tag("figure", _image(pixels, design), tag("figcaption", f"{design.letter}: {design.picture.label}"))
        for pixels, design in zip(draw_designs(designs), designs, strict=True)
    ]
    parts = [Part("designs", "The designs", tag("div", figures, class_="designs"))]
    shares = share_table(designs)
    if len(shares):
        parts.append(Part("regions", "What regions get", _table(shares, "Shares of regions")))
    spots = [
        tag("div", tag("h3", f"{design.letter}: {design.picture.label}"), _table(spot_table(design), "Hot spots"))
        for design in designs
    ]
    parts.append(Part("spots", "Hot spots", tag("div", spots, class_="designs")))
    parts.append(Part("meaning", "What the numbers mean", tag("p", MEANING)))
    known = [(number(design.clarity, 2), f"clarity of {design.letter}") for design in designs]
    lead = [tag("p", f"As the model {designs[0].attention.model} sees it.", class_="lead"), facts(known)]
    return document(title, parts, lead=lead, footer=f"Made by salbox {__version__}", style=_STYLE)


def _image(pixels: Pixels, design: Design) -> Html:
    shown = picture(pixels)
    alt = f"Design {design.letter} under its heat, regions and hot spots marked"
    return tag("img", src=shown.uri, width=shown.width, height=shown.height, alt=alt)


def _table(table: pd.DataFrame, label: str) -> Html:
    head = tag("tr", [tag("th", str(name), scope="col") for name in table.columns])
    rows = [
        tag("tr", [_cell(str(name), value, is_first=place == 0) for place, (name, value) in enumerate(row.items())])
        for row in table.to_dict("records")
    ]
    return scrolling(tag("table", tag("thead", head), tag("tbody", rows)), label)


def _cell(name: str, value: object, *, is_first: bool) -> Html:
    return tag("th", _text(name, value), scope="row") if is_first else tag("td", _text(name, value))


def _text(name: str, value: object) -> str:
    if value is None or value != value:  # NaN, of a region that a design lacks
        return ""
    if is_in_percent(name):
        return number(float(str(value)), 1)
    return f"{value:.0f}" if isinstance(value, float) else str(value)
