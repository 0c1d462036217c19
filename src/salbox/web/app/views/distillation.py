"""Distillation check: how closely each student follows the algorithm that it learned from."""

from __future__ import annotations

import streamlit as st

from ....evaluation.one_image import COMPARED, score_maps
from ....imaging.scaling import REFERENCE_SIZE
from ....metrics import get_metric
from ....models.registry import CLASSICAL, STUDENTS
from ..controls import need
from ..inputs import map_cache, pictures, show_notes
from ..maps import output_of, outputs_of
from ..messages import errors_shown
from ..pictures import difference_bar, draw, draw_difference, jpeg
from ..uploads import Picture, at_longest_side

TEACHERS = tuple(name for name in STUDENTS if name in CLASSICAL)


def page() -> None:
    """Draw the page."""
    st.title("Distillation check")
    st.markdown(
        "A student is a small network that imitates an algorithm. Here both see your picture, at a longest side of "
        f"{REFERENCE_SIZE} pixels, at which students learned."
    )
    given = pictures("distillation", 1)
    with st.sidebar, errors_shown():
        names = st.pills(
            "Algorithms", TEACHERS, selection_mode="multi", default=["gbvs", "imsig"], key="distillation-models",
            bind="query-params",
        )  # fmt: skip
        st.caption("Most take under a second, sun some seconds.")
    if not given:
        st.info("Drop a picture, paste one, or take a sample.")
        return
    show_notes(given)
    with errors_shown():
        need(bool(names), "Choose at least one algorithm.")
        picture = at_longest_side(given[0], REFERENCE_SIZE)
        for name in names:
            with st.spinner(f"{name} and its student …", show_time=True):
                _pair(picture, name)


def _pair(picture: Picture, name: str) -> None:
    """Draw an algorithm's map beside its student's, their difference, and figures."""
    student = f"{name}.student"
    maps, outputs = map_cache().of(picture, [name, student]), outputs_of([name, student])
    st.subheader(name)
    columns = st.columns(3)
    for column, each in zip(columns, maps, strict=False):
        drawn = draw(picture.pixels, maps[each], outputs[each], "map")
        column.image(jpeg(drawn), caption=each, width="stretch", alt=f"map of {each}")
    difference = draw_difference(maps[student], maps[name], (output_of(student), output_of(name)))
    columns[2].image(
        jpeg(difference), caption="student minus original", width="stretch", alt=f"where {student} and {name} differ"
    )
    columns[2].image(jpeg(difference_bar()), caption="purple: lower, orange: higher", width="stretch", alt="legend")
    table = score_maps({student: maps[student]}, outputs, {"teacher": maps[name]}, COMPARED)
    figures = table.loc[student].to_numpy(float)
    for cell, metric, figure in zip(st.columns(len(COMPARED)), COMPARED, figures, strict=True):
        cell.metric(get_metric(metric).title, f"{figure:.3f}")
