"""What the first visitor would wait for, done before somebody comes."""

from __future__ import annotations

import gc
import threading

from .maps import QUICK, MapCache, output_of
from .pictures import column_copy, draw_on, jpeg
from .uploads import sample

_SEEN = "chelsea"


def get_ready() -> threading.Thread:
    """Return a thread that opens the quick models while the app starts."""
    thread = threading.Thread(target=_open_models, name="salbox-get-ready", daemon=True)
    thread.start()
    return thread


def _open_models() -> None:
    """Make the maps of a sample, and keep none of them."""
    picture = sample(_SEEN)
    small = column_copy(picture.pixels)
    for name, saliency in MapCache().of(picture, QUICK).items():
        jpeg(draw_on(small, saliency, output_of(name), "overlay"))
    # Streamlit collects garbage after each run of a page. Modules and models stay: looking through them takes 40 ms
    # of each answer.
    gc.collect()
    gc.freeze()
