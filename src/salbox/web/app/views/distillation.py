"""Distillation check: how closely each student follows what it learned from."""

from __future__ import annotations

import streamlit as st

from ....evaluation.one_image import COMPARED, score_maps
from ....imaging.scaling import REFERENCE_SIZE
from ....metrics import get_metric
from ....models.registry import CLASSICAL, PEOPLE, STUDENTS
from ..controls import need
from ..inputs import map_cache, pictures, show_notes
from ..maps import output_of, outputs_of
from ..messages import errors_shown, plain
from ..pictures import difference_bar, draw, draw_difference, jpeg
from ..uploads import Picture, at_longest_side

# Students by the name of what they learned from, where that runs without further files.
LEARNED_FROM = {
    teacher: f"{name}.student"
    for name in STUDENTS
    for teacher in (name, f"{name}.people")
    if teacher in (*CLASSICAL, *PEOPLE)
}


def page() -> None:
    """Draw the page."""
    st.title("Distillation check")
    st.markdown(
        "A student is a small network that imitates its teacher, an algorithm or a larger network. Here both see your "
        f"picture, at a longest side of {REFERENCE_SIZE} pixels, at which students learned."
    )
    given = pictures("distillation", 1)
    with st.sidebar, errors_shown():
        names = st.pills(
            "Teachers",
            tuple(LEARNED_FROM),
            selection_mode="multi",
            default=["gbvs", "imsig"],
            key="distillation-models",
            bind="query-params",
        )
        st.caption("Most take under a second, sun some seconds.")
    if not given:
        st.info("Drop a picture, paste one, or take a sample.")
        return
    show_notes(given)
    with errors_shown():
        need(bool(names), "Choose at least one teacher.")
        picture = at_longest_side(given[0], REFERENCE_SIZE)
        for name in names:
            with st.spinner(f"{name} and its student …", show_time=True):
                _pair(picture, name)


def _pair(picture: Picture, name: str) -> None:
    """Draw a teacher's map beside its student's, their difference, and figures."""
    student = LEARNED_FROM[name]
    maps, outputs = map_cache().of(picture, [name, student]), outputs_of([name, student])
    st.subheader(plain(name))
    columns = st.columns(3)
    for column, each in zip(columns, maps, strict=False):
        drawn = draw(picture.pixels, maps[each], outputs[each], "map")
        column.image(jpeg(drawn), caption=each, width="stretch", alt=f"map of {each}")
    difference = draw_difference(maps[student], maps[name], (output_of(student), output_of(name)))
    columns[2].image(
        jpeg(difference), caption="student minus teacher", width="stretch", alt=f"where {student} and {name} differ"
    )
    columns[2].image(jpeg(difference_bar()), caption="purple: lower, orange: higher", width="stretch", alt="legend")
    table = score_maps({student: maps[student]}, outputs, {"teacher": maps[name]}, COMPARED)
    figures = table.loc[student].to_numpy(float)
    with st.container(horizontal=True, gap="large"):
        for metric, figure in zip(COMPARED, figures, strict=True):
            st.metric(get_metric(metric).title, f"{figure:.3f}", width="content")
