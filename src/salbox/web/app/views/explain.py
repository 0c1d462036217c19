"""Explain: browse what `salbox explain` found out about a network."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import streamlit as st

from ....explain.explanation import Explanation
from ..messages import errors_shown, plain
from ..settings import current

if TYPE_CHECKING:
    import pandas as pd

SHOWN = 15  # concepts of each sign
COMMAND = "salbox app --explain why/gaze"

_HEADINGS = {
    "scaled": "contribution", "low": "from", "high": "to", "basis": "pattern", "iou": "IoU", "is_named": "has a name",
}  # fmt: skip


def page() -> None:
    """Draw the page."""
    st.title("Explain")
    st.markdown(
        "What a network has learned to look at: the patterns of its features, their names, what they do to maps."
    )
    folders = current().explanations
    if not folders:
        st.info(f"Name the folder of an explanation when you start the app: `{COMMAND}`.")
        st.markdown("`salbox explain gaze --no-train --concepts masks:DIR -o why/gaze` makes one.")
        return
    place = st.selectbox(
        "Explanation", range(len(folders)), format_func=lambda i: folders[i].name, key="explain-of", bind="query-params"
    )
    with errors_shown():
        _tables(Explanation(folders[place]))
    for report in sorted(folders[place].glob("*.html")):
        _report(report)


def _tables(found: Explanation) -> None:
    """Draw an explanation as far as its steps have come."""
    has = {name: (found.folder / f"{name}.parquet").is_file() for name in ("contributions", "categories", "bases")}
    if not any(has.values()):
        st.info("The steps have not come to named patterns yet: run the same 'salbox explain' command again.")
        return
    if has["contributions"]:
        table = found.contributions.sort_values("scaled", ascending=False)
        left, right = st.columns(2)
        for column, title, rows in (
            (left, "Makes salient", table[table["scaled"] > 0].head(SHOWN)),
            (right, "Takes saliency away", table[table["scaled"] < 0].tail(SHOWN).iloc[::-1]),
        ):
            column.subheader(title)
            shown = rows[["concept", "scaled", "low", "high"]]
            column.dataframe(shown, hide_index=True, column_config=_columns(shown), alt=title)
        st.caption("The strongest contribution is 1; from, to: 95 %, by the bootstrap over photos.")
    if has["categories"]:
        st.subheader("Categories")
        st.bar_chart(
            found.categories, x="category", y="scaled", horizontal=True, x_label="contribution", y_label="",
            alt="Contribution of categories",
        )  # fmt: skip
    if has["bases"]:
        _bases(found)


def _bases(found: Explanation) -> None:
    bases = found.bases
    named = int(bases["is_named"].sum())
    st.subheader(f"{named} of {len(bases)} patterns have a name")
    st.dataframe(bases, hide_index=True, column_config=_columns(bases), alt="Every pattern with its best concept")
    number = st.number_input("Pattern", 0, len(bases) - 1, key="explain-basis", bind="query-params")
    known = found.basis(int(number))
    st.markdown(f"Active above {known['threshold']:.4g}; its best concept is **{plain(str(known['concept']))}**.")
    concepts = known["concepts"].drop(columns="basis", errors="ignore")
    st.dataframe(
        concepts, hide_index=True, column_config=_columns(concepts), alt="Concepts that the pattern covers best"
    )
    st.caption("Most active on: " + plain(", ".join(f"{name} ({peak:.3f})" for name, peak in known["photos"])))


def _columns(table: pd.DataFrame) -> dict[str, Any]:
    """Return how columns are headed, numbers with two digits behind the point."""
    kinds = {str(name): str(kind) for name, kind in table.dtypes.items()}
    return {
        name: st.column_config.NumberColumn(_HEADINGS.get(name, name), format="%.2f")
        if kind.startswith("float")
        else st.column_config.Column(_HEADINGS.get(name, name))
        for name, kind in kinds.items()
    }


def _report(report: Path) -> None:
    with st.expander(f"Report: {plain(report.name)}"):
        text = report.read_bytes()
        st.download_button("The report (HTML)", text, report.name, "text/html", on_click="ignore", key=str(report))
        st.iframe(report, height=800)
