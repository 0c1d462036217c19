"""What several rooms call by one name: arrays, outputs, tasks; importing this imports nothing heavy."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, TypeAlias

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

Pixels: TypeAlias = "npt.NDArray[np.uint8]"
"""An image, (H, W, 3) uint8 RGB."""

FloatMap: TypeAlias = "npt.NDArray[np.float32]"
"""Numbers in single precision, (h, w) where nothing else is said."""

DoubleMap: TypeAlias = "npt.NDArray[np.float64]"
"""Numbers in double precision, (h, w) where nothing else is said."""

SaliencyMap: TypeAlias = "npt.NDArray[np.float32]"
"""A map, (H, W) float32, finite, of the image's size; `Output` says what its numbers are."""

Shape: TypeAlias = tuple[int, int]
"""Height and width in pixels."""

Task = Literal["fixation", "object"]
"""Whether a model predicts where people look, or which pixels belong to the salient object."""

Output = Literal["score", "log_density", "probability"]
"""What a map's numbers are: any scale, the log of a density over pixels, or each pixel in 0..1."""

Flip = Literal["", "h", "v", "hv"]
"""How a picture is mirrored: not at all, left to right, upside down, both."""

EPSILON = 2.2e-16  # added where a logarithm would meet 0, or a division
