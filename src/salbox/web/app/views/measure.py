"""Measure: every model against where people looked at one picture."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import streamlit as st

from ....datasets.points import TABLE_SUFFIXES
from ....evaluation.one_image import SIGMA_SHARE, score_maps, truth_of_fixations, truth_of_map
from ....metrics import Truth, get_metric
from ..controls import model_names, need
from ..fixations import fixations_from
from ..inputs import PICTURE_TYPES, map_cache, pictures, show_notes
from ..maps import outputs_of
from ..messages import errors_shown
from ..pictures import draw, jpeg
from ..uploads import MAX_MEGABYTES, Picture, read_upload_map


def page() -> None:
    """Draw the page."""
    st.title("Measure")
    st.markdown(
        "Give a picture and where people looked at it, as fixations or as a map, and see which model comes closest."
    )
    given = pictures("measure", 1)
    truth_file = st.file_uploader(
        "Where people looked: a table of x, y in pixels (.csv, .txt, .tsv, .npy), or a grey map",
        type=sorted({*PICTURE_TYPES, *(suffix.lstrip(".") for suffix in TABLE_SUFFIXES)}),
        max_upload_size=MAX_MEGABYTES,
        key="measure-truth",
    )
    with st.sidebar, errors_shown():
        names = model_names("measure")
    if not given or truth_file is None:
        st.info("Give a picture and where people looked at it.")
        return
    show_notes(given)
    with errors_shown():
        need(bool(names), "Choose at least one model.")
        _figures(given[0], _truth(truth_file.name, truth_file.getvalue(), given[0]), names)


def _truth(name: str, content: bytes, picture: Picture) -> Mapping[Truth, Any]:
    """Return what is known of the picture, from a table or a map."""
    shape = picture.pixels.shape[:2]
    if not name.lower().endswith(TABLE_SUFFIXES):
        return truth_of_map(read_upload_map(name, content, shape))
    sigma = st.slider(
        "Blur of the fixations for CC, SIM and KL: a share of the longer side",
        0.005, 0.1, SIGMA_SHARE, 0.005, format="%.3f", key="measure-sigma", bind="query-params",
        help="One degree of visual angle is usual; .035 in MIT1003's set-up.",
    )  # fmt: skip
    return truth_of_fixations(fixations_from(name, content, picture), shape, sigma * max(shape))


def _figures(picture: Picture, truth: Mapping[Truth, Any], names: list[str]) -> None:
    maps, outputs = map_cache().of(picture, names), outputs_of(names)
    table = score_maps(maps, outputs, truth)
    titles = {name: get_metric(name) for name in table.columns}
    shown = table.rename(columns={n: f"{m.title} {'↑' if m.direction == 'higher' else '↓'}" for n, m in titles.items()})
    st.dataframe(shown.style.format(precision=3), alt="Figures of each model, the best NSS first")
    st.caption(
        "An arrow says which way is better. Of a map the pixels above half of its range stand for fixations, as in "
        "KDSalBox. One picture says little: 'salbox evaluate' measures a whole data set, with intervals."
    )
    st.download_button("Table (CSV)", table.to_csv(index_label="model"), "figures.csv", "text/csv", on_click="ignore")
    best = str(table.index[0])
    left, right = st.columns(2)
    seen = draw(picture.pixels, truth["density"].astype("float32"), "score", "overlay")
    left.image(jpeg(seen), caption="people", width="stretch", alt="where people looked")
    drawn = draw(picture.pixels, maps[best], outputs[best], "overlay")
    right.image(jpeg(drawn), caption=best, width="stretch", alt=f"overlay of {best}")
