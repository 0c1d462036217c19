"""Controls that several pages have: which models, how maps are shown, what is done to them."""

from __future__ import annotations

from typing import Literal, cast

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from ...errors import UsageError
from ...imaging.overlays import OPACITY
from ...imaging.postprocess import CHOICES, NOTHING, CenterPrior, Matching, PostProcess, Scaling, Smoothing
from .maps import ORIGINALS, all_ready, offered, seconds_of, time_in_words
from .messages import errors_shown
from .pictures import STYLES

_SLIDER = 240  # pixels of a slider in a row
_STYLE_NAMES = {"overlay": "Overlay", "map": "Map", "contours": "Contours", "slider": "Slider"}


def model_names(key: str) -> list[str]:
    """Draw the choice of quick models, and of originals with the time that they take; return the names."""
    names = st.pills(
        "Models", offered(), selection_mode="multi", default=list(offered()), key=f"{key}-models", bind="query-params"
    )
    return [*cast(list[str], names), *original_names(key)]


def original_names(key: str) -> list[str]:
    """Draw the choice of original algorithms, each with the time to expect; return their names."""
    if not st.toggle("Original algorithms, which take longer", key=f"{key}-originals", bind="query-params"):
        return []
    with st.spinner("Measuring how long each takes here …"):
        times = {name: time_in_words(seconds_of(name)) for name in ORIGINALS}
    chosen = st.pills(
        "Originals",
        ORIGINALS,
        selection_mode="multi",
        format_func=lambda name: f"{name} ({times[name]})",
        key=f"{key}-slow",
        bind="query-params",
    )
    return list(cast(list[str], chosen))


def one_model(key: str, label: str, default: str = "gaze") -> str:
    """Draw the choice of one model of all that are ready; return its name."""
    names = all_ready()
    return cast(str, st.selectbox(label, names, index=names.index(default), key=key, bind="query-params"))


def style(key: str) -> tuple[str, float]:
    """Draw how maps are shown, in a row; return the style and the opacity of overlays."""
    with st.container(horizontal=True, gap="medium"):
        chosen = st.segmented_control(
            "Show as",
            STYLES,
            default=STYLES[0],
            required=True,
            format_func=lambda name: _STYLE_NAMES[name],
            key=f"{key}-view",
            bind="query-params",
        )
        return cast(str, chosen), opacity(key, _SLIDER) if chosen in ("overlay", "slider") else OPACITY


def opacity(key: str, width: int | Literal["stretch"] = "stretch") -> float:
    """Draw the choice of the opacity of overlays, so many pixels wide; return it."""
    return st.slider(
        "Opacity", 0.0, 1.0, OPACITY, 0.05, key=f"{key}-opacity", bind="query-params", width=width,
        help=f"Up to {OPACITY:g} text under the overlay stays readable.",
    )  # fmt: skip


def gallery() -> DeltaGenerator:
    """Return where pictures stand side by side, as many as fit; `components/pages.css` says how wide they are."""
    return st.container(key="gallery", horizontal=True)


def post_processing(key: str) -> PostProcess:
    """Draw what can be done to maps; return it."""
    process = NOTHING  # where something does not fit, which is said
    with st.expander("What is done to the maps"), errors_shown():
        process = _process(key)
    return process


def _process(key: str) -> PostProcess:
    def choice(label: str, name: str, choices: tuple[str, ...]) -> str:
        return cast(str, st.selectbox(label, choices, key=f"{key}-{name}", bind="query-params"))

    matchings = tuple(each for each in CHOICES["histogram_matching"] if each != "image-based")
    matching = choice("Histogram", "histogram", matchings)
    smoothing = choice("Smoothing", "smoothing", CHOICES["do_smoothing"])
    size, std, share = NOTHING.smooth_size, NOTHING.smooth_std, NOTHING.smooth_prop
    if smoothing == "custom":
        std = st.slider("Standard deviation in pixels", 0.5, 40.0, 8.0, 0.5, key=f"{key}-std", bind="query-params")
        size = 2 * round(3 * std) + 1
    elif smoothing == "proportional":
        share = st.slider("Share of the longer side", 0.01, 0.2, 0.05, 0.01, key=f"{key}-share", bind="query-params")
    prior = choice("Centre prior", "prior", CHOICES["center_prior"])
    weight = NOTHING.center_prior_weight
    if prior != "none":
        weight = st.slider("Weight of the centre", 0.0, 1.0, 0.5, 0.05, key=f"{key}-weight", bind="query-params")
    scaling = choice("Scaling", "scaling", CHOICES["scale_output"])
    threshold = "none"
    if st.toggle("Threshold", key=f"{key}-threshold", bind="query-params"):
        percentile = st.slider("Percentile", 1, 99, 80, key=f"{key}-percentile", bind="query-params")
        threshold = f"p{percentile}"
    return PostProcess(
        histogram_matching=cast(Matching, matching),
        do_smoothing=cast(Smoothing, smoothing),
        smooth_size=size,
        smooth_std=std,
        smooth_prop=share,
        center_prior=cast(CenterPrior, prior),
        center_prior_weight=weight,
        scale_output=cast(Scaling, scaling),
        threshold=threshold,
    )


def need(condition: bool, sentence: str) -> None:
    """Raise a UsageError with a sentence unless something that the page needs is there."""
    if not condition:
        raise UsageError(sentence)
