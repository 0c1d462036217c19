"""Video: a short clip, and the overlay of its maps."""

from __future__ import annotations

import streamlit as st

from ..clips import MAX_SECONDS, overlaid
from ..controls import one_model, opacity
from ..messages import errors_shown
from ..uploads import MAX_VIDEO_MEGABYTES

TYPES = ("mp4", "mov", "webm", "avi", "mkv")
_MADE = "video-made"


def page() -> None:
    """Draw the page."""
    st.title("Video")
    st.markdown(f"Where people look in a short clip, up to {MAX_SECONDS:.0f} seconds. The overlay has no sound.")
    file = st.file_uploader("Drop a clip", type=TYPES, max_upload_size=MAX_VIDEO_MEGABYTES, key="video-file")
    with st.sidebar, errors_shown():
        model = one_model("video-model", "Model")
        stride = st.slider("Every how many frames", 1, 10, 2, key="video-stride", bind="query-params")
        smooth = st.slider(
            "Mean over seconds", 0.0, 2.0, 0.2, 0.1, key="video-smooth", bind="query-params",
            help="Maps of single frames flicker; this is the time constant of a mean over them.",
        )  # fmt: skip
        alpha = opacity("video")
    if file is None:
        st.session_state.pop(_MADE, None)
        st.info("Drop a clip.")
        return
    settings = (file.file_id, model, stride, smooth, alpha)
    if st.button("Make the overlay"):
        st.session_state.pop(_MADE, None)
        bar = st.progress(0.0, "Reading the clip …")
        with errors_shown():
            made = overlaid(
                file.name, file.getvalue(), model, stride=stride, smooth_seconds=smooth, opacity=alpha,
                progress=lambda share: bar.progress(share, "Computing maps …"),
            )  # fmt: skip
            st.session_state[_MADE] = settings, made
        bar.empty()
    if _MADE in st.session_state:
        of, made = st.session_state[_MADE]
        if of != settings:
            st.caption("Made with other settings: make it again to see these.")
        st.video(made, format="video/webm", loop=True, autoplay=True, muted=True, alt="the clip under its maps")
        st.download_button("The overlay (WebM)", made, "overlay.webm", "video/webm", on_click="ignore")
