"""Quantization tables of JPEG: libjpeg's of a quality, and more even ones, whose error goes less by frequency.

libjpeg's (ITU-T T.81, annex K) have steps that grow fivefold with the frequency, for an eye that sees the whole picture
alike. Where each coefficient is weighed against its bits, fine detail that is not worth them goes anyway, and where
people look it is worth more than such steps leave of it.
"""

from __future__ import annotations

import io

import numpy as np
from PIL import Image

from ..types import FloatMap
from ._blocks import SIDE
from ._coders import BEST_QUALITY, saved

EVENNESS = 0.5  # 0 would leave libjpeg's tables, 1 make all steps but that of the mean alike
COLORS_ABOVE = 5  # by how much the quality of the table of colour is above that of brightness
_MOST = 255  # what a baseline file has room for


def libjpeg_tables(quality: int) -> list[FloatMap]:
    """Return libjpeg's quantization tables of a quality, for brightness and for colour: (8, 8) float32 each.

    They are read from a file that Pillow writes; rows are vertical frequencies.
    """
    with Image.open(io.BytesIO(saved(Image.new("RGB", (SIDE, SIDE)), "JPEG", quality=quality))) as image:
        tables: dict[int, list[int]] = image.quantization  # type: ignore[attr-defined]
    return [np.array(tables[index], np.float32).reshape(SIDE, SIDE) for index in (0, 1)]


def even_tables(quality: int) -> list[FloatMap]:
    """Return tables as fine as libjpeg's of a quality, and of a higher one for colour, with steps more alike."""
    bright, _ = libjpeg_tables(quality)
    _, color = libjpeg_tables(min(quality + COLORS_ABOVE, BEST_QUALITY))
    return [_evened(bright), _evened(color)]


def finer_quality(quality: int, times: float) -> int:
    """Return the quality whose steps are so many times finer, `BEST_QUALITY` at most.

    libjpeg's steps are in proportion to 5000 / quality below 50, and to 200 - 2 quality above.
    """
    scale = (5000 / quality if quality < 50 else 200 - 2 * quality) / times
    return min(round(5000 / scale if scale > 100 else 100 - scale / 2), BEST_QUALITY)


def _evened(table: FloatMap) -> FloatMap:
    """Return a table drawn towards its geometric mean; the step of blocks' means stays: a coarser one would be seen."""
    middle = np.exp(np.log(table).mean())
    even = np.clip(np.rint(table ** (1 - EVENNESS) * middle**EVENNESS), 1, _MOST)
    even[0, 0] = table[0, 0]
    return np.asarray(even, np.float32)
