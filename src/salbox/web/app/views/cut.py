"""Cut out and crop: the window that keeps what people look at, and the object without its background."""

from __future__ import annotations

from functools import partial
from typing import cast

import streamlit as st

from ..components import draw_regions
from ..controls import one_model
from ..crops import ASPECTS, attention_of, crop_file, cropped, preview
from ..cuts import BEHIND, OBJECTS, cut, cut_file, object_models
from ..inputs import pictures, show_notes
from ..messages import errors_shown
from ..pictures import jpeg
from ..uploads import Picture


def page() -> None:
    """Draw the page."""
    st.title("Cut out and crop")
    st.markdown("The window of a picture that keeps what people look at, or its object without the background.")
    given = pictures("cut", 1)
    if not given:
        st.info("Drop a picture, paste one, or take a sample.")
        return
    show_notes(given)
    wanted = st.segmented_control(
        "What to do", ("crop", "cut out"), default="crop", required=True, key="cut-do", bind="query-params",
        label_visibility="collapsed", format_func=str.capitalize,
    )  # fmt: skip
    with errors_shown():
        _crop(given[0]) if wanted == "crop" else _cut_out(given[0])


def _crop(picture: Picture) -> None:
    left, right = st.columns([1, 2])
    with left:
        size = st.selectbox(
            "Aspect, or a size such as 1200x630", ASPECTS, accept_new_options=True, key="crop-size", bind="query-params"
        )
        zoom = st.slider("Zoom in, at most", 1.0, 4.0, 1.0, 0.1, key="crop-zoom", bind="query-params")
        by_thirds = st.toggle("Rule of thirds", key="crop-thirds", bind="query-params")
        model = one_model("crop-model", "Model")
    with st.expander("Mark what must stay in"):
        keep = draw_regions(picture.pixels, [], picture.label, f"crop-keep-{picture.digest}")
    attention = attention_of(picture, model)
    found = cropped(picture, attention, cast(str, size), zoom=zoom, by_thirds=by_thirds, keep=keep)
    with right:
        st.image(jpeg(preview(picture, found)), width="stretch", alt=f"the {size} window of {picture.label}")
    with left:
        gain = 100 * (found.kept - found.centered)
        st.metric(
            "Attention that is kept", f"{found.kept:.0%}", f"{gain:+.0f} points against a window in the middle",
            delta_color="normal" if round(gain) else "off", delta_arrow="auto" if round(gain) else "off",
        )  # fmt: skip
        box = found.box
        st.caption(f"From ({box.x}, {box.y}), {box.width}x{box.height} pixels; how sure: {found.certainty:.0%}")
        st.download_button(
            "The crop (PNG)",
            partial(crop_file, picture, found),
            f"{picture.stem}-{found.size.slug}.png",
            "image/png",
            on_click="ignore",
        )


def _cut_out(picture: Picture) -> None:
    left, right = st.columns([1, 2])
    with left:
        model = st.selectbox(
            "Model", object_models(), key="cutout-model", bind="query-params",
            help="`salbox models --task object` lists others: put weights into the folder that SALBOX\\_WEIGHTS names, "
            "or start the app with one, `salbox app -m FILE.onnx`.",
        )  # fmt: skip
        objects = st.segmented_control(
            "Objects", OBJECTS, default=OBJECTS[0], required=True, key="cutout-objects", bind="query-params",
            format_func=str.capitalize,
        )  # fmt: skip
        behind = st.segmented_control(
            "Behind it", BEHIND, default=BEHIND[0], required=True, key="cutout-behind", bind="query-params",
            format_func=str.capitalize,
        )  # fmt: skip
        background = "blur" if behind == "blur" else None
        if behind == "a colour":
            background = st.color_picker("Colour", "#ffffff", key="cutout-color", bind="query-params")
        feather = st.slider("Soften the edge, pixels", 0.0, 20.0, 0.0, 0.5, key="cutout-feather", bind="query-params")
    chosen = {"background": background, "feather": feather, "objects": objects}
    with right, st.spinner("Cutting out …"):
        st.image(jpeg(cut(picture, model, **chosen)), width="stretch", alt=f"what is cut out of {picture.label}")
    with left:
        st.caption("The preview is of a smaller copy, its edge found quickly; the file has the picture's own size.")
        st.download_button(
            "The cutout (PNG)",
            partial(cut_file, picture, model, **chosen),
            f"{picture.stem}-cutout.png",
            "image/png",
            on_click="ignore",
        )
