"""The list of pages."""

from __future__ import annotations

from pathlib import Path

import streamlit as st

from .views import choose, cut, distillation, explain, layouts, look, measure, video

_ICON = Path(__file__).with_name("icon.svg")
_STYLE = Path(__file__).parent / "components" / "pages.css"

PAGES = (
    (look.page, "Look", "look"),
    (layouts.page, "Compare layouts", "layouts"),
    (choose.page, "Choose a model for your task", "choose"),
    (cut.page, "Cut out and crop", "cut"),
    (video.page, "Video", "video"),
    (measure.page, "Measure", "measure"),
    (distillation.page, "Distillation check", "distillation"),
    (explain.page, "Explain", "explain"),
)


def show() -> None:
    """Draw the page that the address names."""
    # An icon of Streamlit's own would be fetched from the web.
    st.set_page_config(page_title="salbox", page_icon=str(_ICON), layout="wide", initial_sidebar_state="auto")
    st.html(_STYLE)
    pages = [
        st.Page(page, title=title, url_path=path, default=place == 0) for place, (page, title, path) in enumerate(PAGES)
    ]
    st.navigation(pages).run()
