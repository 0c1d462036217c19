"""Legends within a picture of a figure: what the ends of its colours mean."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from .figures import color_table
from .overlays import OPACITY, tint_table, tint_weight

if TYPE_CHECKING:
    from matplotlib.artist import Artist
    from matplotlib.axes import Axes

_SIZE = 7  # points
_BAR = 8, 60  # pixels of the colour bar


def add_legend(axes: Axes, colors: str | None, low: str, high: str) -> None:
    """Write a colour bar and what its ends mean into the lower left corner of a picture.

    Parameters
    ----------
    axes : Axes
    colors : str or None
        A colour map of Matplotlib's; None: the tints of overlays, as they look on white.
    low, high : str
    """
    from matplotlib.offsetbox import AnchoredOffsetbox, HPacker, OffsetImage, TextArea

    table = _tints_on_white() if colors is None else color_table(colors)
    bar = np.tile(table[np.linspace(0, 255, _BAR[1]).round().astype(int)], (_BAR[0], 1, 1))
    text: dict[str, Any] = {"size": _SIZE, "parse_math": False}
    parts: list[Artist] = [TextArea(low, textprops=text), OffsetImage(bar), TextArea(high, textprops=text)]
    box = AnchoredOffsetbox("lower left", child=HPacker(children=parts, align="center", pad=0, sep=4), pad=0.2)
    box.patch.set(edgecolor="none", alpha=0.85)
    axes.add_artist(box)


def _tints_on_white() -> Any:
    weight = OPACITY * tint_weight(np.linspace(0, 1, 256, dtype=np.float32))[:, None]
    return np.rint(255 + weight * (tint_table().astype(float) - 255)).astype(np.uint8)
