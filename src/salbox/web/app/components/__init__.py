"""Parts of pages that Streamlit does not have, each an HTML, a CSS and a JavaScript file: no build step, no network."""

from __future__ import annotations

import binascii
from base64 import b64decode
from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache
from importlib.resources import files
from typing import Any

import streamlit as st

from ....errors import ImageError
from ....types import Pixels, Shape
from ..pictures import data_url
from ..regions import COLORS, MAX_REGIONS, Region, regions_from
from ..uploads import MAX_MEGABYTES


def before_and_after(below: Pixels, above: Pixels, label: str, key: str) -> None:
    """Draw a photo whose overlay is seen on one side of an edge that one moves."""
    _mount("slider")(key=key, data={"below": data_url(below), "above": data_url(above), "label": label})


def pasted_picture(key: str) -> bytes | None:
    """Draw a button that takes a picture from the clipboard; return one that was pasted just now.

    Raises
    ------
    ImageError
        If it cannot be unpacked.
    """
    most = MAX_MEGABYTES * 2**20
    found = _mount("paste")(key=key, data={"most": most}, on_picture_change=_nothing)
    text = found.get("picture") if isinstance(found, Mapping) else None
    if not isinstance(text, str):
        return None
    if len(text) > most * 4 / 3 + 100:
        raise ImageError(f"the pasted picture has more than {MAX_MEGABYTES} MB")
    try:
        return b64decode(text.partition(",")[2], validate=True)
    except (binascii.Error, ValueError):
        raise ImageError("the pasted picture cannot be unpacked") from None


def draw_regions(pixels: Pixels, regions: Sequence[Region], label: str, key: str) -> list[Region]:
    """Draw a picture on which one marks rectangles, with the pointer or by typing; return them.

    Parameters
    ----------
    pixels : (h, w, 3) uint8
    regions : sequence of Region
        Those that are there at first.
    label : str
        What the picture is called.
    key : str
    """
    height, width = pixels.shape[:2]
    # What was drawn before too: a browser that lays the page out anew begins with what it is given.
    drawn = _drawn(key, (height, width))
    shown = list(regions) if drawn is None else drawn
    data = {
        "image": data_url(pixels),
        "size": [width, height],
        "regions": [region.to_dict() for region in shown],
        "of": key,
        "label": label,
        "hint": "Draw rectangles on the picture; move one by an edge or its name, size it by its corner. "
        "Or add one and type where it is.",
        "most": MAX_REGIONS,
        "colors": COLORS,
    }
    _mount("regions")(key=key, data=data, on_regions_change=_nothing)
    return shown


def _drawn(key: str, shape: Shape) -> list[Region] | None:
    """Return the regions that somebody has drawn; None before anybody has."""
    state = st.session_state.get(key)
    drawn = state.get("regions") if isinstance(state, Mapping) else None
    return None if drawn is None else regions_from(drawn, shape)


def _nothing() -> None:
    """Do nothing: what changed is read where the part is drawn."""


def _mount(name: str) -> Callable[..., Any]:
    html, css, js = (_text(f"{name}.{suffix}") for suffix in ("html", "css", "js"))
    return st.components.v2.component(f"salbox_{name}", html=html, css=css, js=js)


@lru_cache(maxsize=16)
def _text(name: str) -> str:
    return (files(__package__) / name).read_text(encoding="utf-8")
