"""Choose a model for your task: which one finds the regions that matter to you."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy.typing as npt
import streamlit as st

from ....evaluation.task_regions import rank_for_task, to_pandas
from ..components import draw_regions
from ..controls import model_names, need
from ..inputs import PICTURE_TYPES, map_cache, pictures, show_notes
from ..maps import outputs_of
from ..messages import errors_shown, plain
from ..pictures import draw, jpeg
from ..regions import mask_of
from ..uploads import MAX_MEGABYTES, Picture, read_upload_map

_HEADINGS = {"f1": "F1", "f1_at_half": "F1 at .5", "auc": "AUC", "nss": "NSS"}
MASK_LEVEL = 0.5  # of a mask's white, above it a pixel belongs to the region


def page() -> None:
    """Draw the page."""
    st.title("Choose a model for your task")
    st.markdown(
        "Mark what matters on a few pictures, the packages on a shelf or the signs on a road, and see which model "
        "finds it."
    )
    given = pictures("choose")
    with st.sidebar, errors_shown():
        names = model_names("choose")
    if not given:
        st.info("Drop a few pictures of your task, or take a sample.")
        return
    show_notes(given)
    regions = [_region(place, picture) for place, picture in enumerate(given)]
    marked = [(picture, region) for picture, region in zip(given, regions, strict=True) if region is not None]
    if not marked:
        st.info("Mark what matters on at least one picture.")
        return
    with errors_shown():
        need(bool(names), "Choose at least one model.")
        _ranking(marked, names)


def _region(place: int, picture: Picture) -> npt.NDArray[Any] | None:
    """Return which pixels of a picture matter, (h, w) bool; None if nothing is marked yet."""
    shape = picture.pixels.shape[:2]
    region = None
    with st.expander(f"{place + 1}: {plain(picture.label)}", expanded=place == 0), errors_shown():
        drawn = draw_regions(picture.pixels, [], picture.label, f"choose-regions-{picture.digest}")
        mask = st.file_uploader(
            "or drop a mask: white where it matters",
            type=PICTURE_TYPES,
            max_upload_size=MAX_MEGABYTES,
            key=f"choose-mask-{picture.digest}",
        )
        if mask is not None:
            region = read_upload_map(mask.name, mask.getvalue(), shape) > MASK_LEVEL
        elif drawn:
            region = mask_of(drawn, shape)
    return region


def _ranking(marked: Sequence[tuple[Picture, npt.NDArray[Any]]], names: list[str]) -> None:
    cache = map_cache()
    maps = [cache.of(picture, names) for picture, _ in marked]
    by_model = {name: [of_picture[name] for of_picture in maps] for name in names}
    ranked = rank_for_task(by_model, outputs_of(names), [mask for _, mask in marked])
    best = ranked[0]
    st.subheader(f"{plain(best.model)} fits best")
    st.markdown(
        f"Above a threshold of {best.threshold:.2f} (of its map scaled from 0 to 1) it marks what you marked with a "
        f"precision of {best.precision:.0%} and a recall of {best.recall:.0%}."
    )
    table = to_pandas(ranked).set_index("model")
    st.dataframe(
        table.style.format(precision=3), column_config=_HEADINGS, alt="Figures of each model, the best F1 first"
    )
    st.caption(
        "Means over pictures. F1, precision, recall and accuracy at each model's best threshold; F1 at .5 is what "
        "KDSalBox shows. AUC: how often a pixel that matters is higher than one that does not. NSS: how many standard "
        "deviations above the mean of the map your regions are."
    )
    st.download_button("Table (CSV)", table.to_csv(), "models-for-my-task.csv", "text/csv", on_click="ignore")
    picture, _ = marked[0]
    drawn = draw(picture.pixels, maps[0][best.model], outputs_of([best.model])[best.model], "overlay")
    st.image(jpeg(drawn), caption=f"{plain(best.model)} on {plain(picture.label)}", alt=f"overlay of {best.model}")
