"""Legends within a picture of a figure: what the ends of its colours mean."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

if TYPE_CHECKING:
    from matplotlib.artist import Artist
    from matplotlib.axes import Axes

_SIZE = 7  # points
_BAR = 8, 60  # pixels of the colour bar


def add_legend(axes: Axes, table: npt.NDArray[np.uint8], low: str, high: str) -> None:
    """Write a colour bar and what its ends mean into the lower left corner of a picture.

    Parameters
    ----------
    axes : Axes
    table : (256, 3) uint8
        The colours as RGB entries, that of the lowest value first.
    low, high : str
    """
    from matplotlib.offsetbox import AnchoredOffsetbox, HPacker, OffsetImage, TextArea

    bar = np.tile(table[np.linspace(0, 255, _BAR[1]).round().astype(int)], (_BAR[0], 1, 1))
    text: dict[str, Any] = {"size": _SIZE, "parse_math": False}
    parts: list[Artist] = [TextArea(low, textprops=text), OffsetImage(bar), TextArea(high, textprops=text)]
    box = AnchoredOffsetbox("lower left", child=HPacker(children=parts, align="center", pad=0, sep=4), pad=0.2)
    box.patch.set(edgecolor="none", alpha=0.85)
    axes.add_artist(box)
