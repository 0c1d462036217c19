"""Compare layouts: two designs on one scale, what their regions get, what stands out."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import TYPE_CHECKING, Any

import streamlit as st

from ..components import draw_regions
from ..controls import one_model, opacity
from ..design_report import MEANING, report_html
from ..designs import Design, carried_over, draw_designs, examine, is_in_percent, share_table, spot_table
from ..inputs import pictures, show_notes
from ..messages import errors_shown, plain
from ..pictures import jpeg
from ..regions import Region
from ..uploads import Picture

if TYPE_CHECKING:
    import pandas as pd


def page() -> None:
    """Draw the page."""
    st.title("Compare layouts")
    st.markdown("Two versions of a page, a poster or a package, side by side: where do people look first, and at what?")
    left, right = st.columns(2)
    with left:
        first = pictures("layout-a", 1, label="A: drop a design", is_alone=True)
    with right:
        second = pictures("layout-b", 1, label="B: drop the other one", is_alone=True)
    with st.sidebar, errors_shown():
        model = one_model("layouts-model", "Model")
        alpha = opacity("layouts")
    given = [*first, *second]
    if not first:
        st.info("Drop a design as A, and if you have one another as B.")
        return
    show_notes(given)
    with errors_shown():
        regions = _regions(given)
        designs = [
            examine(letter, picture, model, of_picture)
            for letter, picture, of_picture in zip("AB", given, regions, strict=False)
        ]
        _results(designs, alpha)


def _regions(given: Sequence[Picture]) -> list[list[Region]]:
    """Return the regions of each design, drawn on A and perhaps on B."""
    with st.expander("Regions: draw what you want to know about, the logo, the price, the button", expanded=True):
        first = given[0]
        on_first = draw_regions(first.pixels, [], f"A, {first.label}", f"layouts-a-{first.digest}")
        if len(given) == 1:
            return [on_first]
        second = given[1]
        there, begun = carried_over(on_first, first, second), f"layouts-begun-{second.digest}"
        is_same = st.toggle(
            "The same places on B", value=True, key="layouts-same", bind="query-params",
            help="Switch it off where B has its logo or its button elsewhere, and move B's regions there.",
        )  # fmt: skip
        if is_same:
            st.session_state.pop(begun, None)
            return [on_first, there]
        start = st.session_state.setdefault(begun, there)  # those of A, until somebody moves them
        return [on_first, draw_regions(second.pixels, start, f"B, {second.label}", f"layouts-b-{second.digest}")]


def _results(designs: Sequence[Design], alpha: float) -> None:
    columns = st.columns(len(designs))
    for column, design, drawn in zip(columns, designs, draw_designs(designs, alpha), strict=True):
        with column:
            st.subheader(f"{design.letter}: {plain(design.picture.label)}")
            st.image(jpeg(drawn), width="stretch", alt=f"design {design.letter} under its heat")
            st.metric(
                "Clarity", f"{design.clarity:.2f}", help="0: attention is spread evenly; near 1: all on one spot."
            )
    shares = share_table(designs)
    if len(shares):
        st.subheader("What regions get")
        st.dataframe(shares, hide_index=True, column_config=_formats(shares), alt="Shares of regions")
        st.caption("Share: of all attention. Order: which region is looked at first, second, ... on average.")
        st.download_button("Table (CSV)", shares.to_csv(index=False), "regions.csv", "text/csv", on_click="ignore")
    st.subheader("Hot spots")
    for column, design in zip(st.columns(len(designs)), designs, strict=True):
        table = spot_table(design)
        column.dataframe(table, hide_index=True, column_config=_formats(table), alt=f"Spots of {design.letter}")
    with st.expander("What the numbers mean"):
        st.markdown(plain(MEANING))
    st.download_button("Report (HTML)", partial(report_html, designs), "layouts.html", "text/html", on_click="ignore")


def _formats(table: pd.DataFrame) -> dict[str, Any]:
    names = map(str, table.columns)
    return {n: st.column_config.NumberColumn(format="%.1f") for n in names if is_in_percent(n)}
