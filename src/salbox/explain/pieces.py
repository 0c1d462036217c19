"""Small pieces of the pages of explanations: cells and ends of sortable tables, links to bases."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from ..reporting.document import Html, fragment, number, tag
from .content import Page

if TYPE_CHECKING:
    import pandas as pd


def head_cell(text: str, first: str, is_first: bool = False) -> Html:
    """Return the head of a column; a click sorts by it, "ascending" or "descending" at first."""
    button = tag("button", text, type="button")
    return tag("th", button, scope="col", data_first=first, aria_sort=first if is_first else None)


def concept_cell(concept: str) -> Html:
    """Return the head of a concept's row, whose whole name shows where it is cut off."""
    return tag("th", concept, scope="row", title=concept, data_value=concept)


def count_cell(count: int) -> Html:
    """Return a whole number."""
    return tag("td", f"{count:,}", data_value=int(count))


def value_cell(value: float, interval: tuple[float, float] | None = None, digits: int = 3) -> Html:
    """Return a figure, with its interval under it."""
    below = None
    if interval is not None and all(map(math.isfinite, interval)):
        below = tag("span", f"[{number(interval[0], digits)}, {number(interval[1], digits)}]", class_="interval")
    return tag("td", number(value, digits), below, data_value=repr(float(value)))


def basis_link(basis: int, page: Page) -> Html:
    """Return a basis's number, leading to its photos where the page has any."""
    is_shown = any(each.number == basis and each.shots for each in page.bases)
    return tag("a", str(basis), href=f"#basis-{basis}") if is_shown else fragment(str(basis))


def both_ends(table: pd.DataFrame, rows: int) -> pd.DataFrame:
    """Return as many rows of a table, half of them from each of its ends; all where it has no more."""
    half = rows // 2
    return table if len(table) <= rows else table.iloc[[*range(half), *range(-half, 0)]]
