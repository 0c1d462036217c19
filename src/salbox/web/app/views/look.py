"""Look: pictures in, the maps of all quick models out."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

import streamlit as st

from ....evaluation.one_image import score_maps
from ....imaging.postprocess import NOTHING, PostProcess
from ....imaging.writing import suffix
from ..components import before_and_after
from ..controls import gallery, model_names, post_processing, style
from ..inputs import map_cache, pictures, show_notes
from ..maps import comparison_file, in_turns, map_file, maps_zip, output_of, outputs_of
from ..messages import errors_shown, plain
from ..pictures import column_copy, difference_bar, draw, draw_difference, draw_on, jpeg
from ..uploads import Picture

FORMATS = ("png", "png16", "npy", "tiff")


def page() -> None:
    """Draw the page."""
    st.title("Look")
    st.markdown(
        "Where people look in a picture, as each model sees it. Pictures stay on the machine that runs this app."
    )
    names, process = list[str](), NOTHING  # where something is wrong with a model, which is said
    with st.sidebar, errors_shown():
        names = model_names("look")
        process = post_processing("look")
    _pictures_and_maps(names, process)


@st.fragment
def _pictures_and_maps(names: list[str], process: PostProcess) -> None:
    """Draw what a picture that is dropped changes: no more than this is drawn anew, and maps are there sooner."""
    given = pictures("look")
    if not given:
        st.info("Drop a picture, paste one, or take a sample.")
        return
    show_notes(given)
    picture = _chosen(given)
    if not names:
        st.info("Choose at least one model.")
        return
    shown_as, opacity = style("look")
    with errors_shown():
        _maps(picture, names, process, shown_as, opacity)
        _difference(picture, names, process)
        _downloads(given, picture, names, process)


def _chosen(given: Sequence[Picture]) -> Picture:
    """Return the picture that is looked at."""
    if len(given) == 1:
        return given[0]
    place = st.selectbox(
        "Picture", range(len(given)), format_func=lambda i: f"{i + 1}: {given[i].label}", key="look-picture"
    )
    return given[place]


def _maps(picture: Picture, names: list[str], process: PostProcess, shown_as: str, opacity: float) -> None:
    if shown_as == "slider":
        name = st.segmented_control("Model", names, default=names[0], required=True, key="look-slider-model")
        saliency = map_cache().of(picture, [name], process)[name]
        above = draw(picture.pixels, saliency, output_of(name, process), shown_as, opacity)
        before_and_after(picture.pixels, above, f"{name} over {picture.label}", "look-slider")
        return
    small = column_copy(picture.pixels)
    with gallery():
        st.image(jpeg(small), caption="photo", width="stretch", alt=picture.label)
        for group in in_turns(names):
            maps = map_cache().of(picture, group, process)
            for name in group:
                drawn = draw_on(small, maps[name], output_of(name, process), shown_as, opacity)
                st.image(jpeg(drawn), caption=plain(name), width="stretch", alt=f"{shown_as} of {name}")


def _difference(picture: Picture, names: list[str], process: PostProcess) -> None:
    if len(names) < 2:
        return
    panel = st.expander("Difference of two models", key="look-difference", on_change="rerun", bind="query-params")
    if not panel.open:  # nobody sees it: maps are there sooner
        return
    with panel:
        left, right = st.columns(2)
        first = left.selectbox("First", names, key="look-first")
        second = right.selectbox("Second", names, index=1, key="look-second")
        maps = map_cache().of(picture, [first, second], process)
        outputs = output_of(first, process), output_of(second, process)
        st.image(
            jpeg(draw_difference(maps[first], maps[second], outputs)),
            width="stretch",
            alt=f"where {first} and {second} differ",
        )
        legend = st.columns([1, 2, 1])
        legend[0].caption(f"purple: {plain(second)} is higher")
        legend[1].image(jpeg(difference_bar()), width="stretch", alt="from purple over white to orange")
        legend[2].caption(f"orange: {plain(first)} is higher")
        table = score_maps(maps, outputs_of(maps, process), {"teacher": maps[second]}, ["fidelity_cc"])
        st.caption(f"Both scaled from 0 to 1. Correlation of the two: {table.loc[first, 'fidelity_cc']:.3f}")


def _downloads(given: Sequence[Picture], picture: Picture, names: list[str], process: PostProcess) -> None:
    panel = st.expander("Download", key="look-download", on_change="rerun", bind="query-params")
    if not panel.open:
        return
    with panel:
        height, width = picture.shape
        st.caption(f"Maps in the picture's own size, {width}x{height}, computed when you ask for them.")
        left, right = st.columns(2)
        name = left.selectbox("Model", names, key="look-download-model")
        file_format = right.selectbox("Format", FORMATS, key="look-format", bind="query-params")
        with st.container(horizontal=True):
            st.download_button(
                "This map",
                partial(map_file, picture, name, file_format, process),
                f"{picture.stem}-{name.rpartition('/')[2]}{suffix(file_format)}",
                "application/octet-stream",
                on_click="ignore",
            )
            st.download_button(
                "All maps (ZIP)",
                partial(maps_zip, list(given), names, file_format, process),
                "maps.zip",
                "application/zip",
                on_click="ignore",
            )
            st.download_button(
                "All in one picture",
                partial(comparison_file, picture, names, process),
                f"{picture.stem}-comparison.png",
                "image/png",
                on_click="ignore",
            )
