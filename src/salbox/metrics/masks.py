"""Object masks: what counts as foreground."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from ..errors import UsageError

GRAY_THRESHOLD = 128  # of an 8-bit mask, above it is foreground; PySODMetrics' prepare_data


def as_mask(mask: npt.ArrayLike) -> npt.NDArray[np.bool_]:
    """Return which pixels belong to the object: (H, W) bool.

    Parameters
    ----------
    mask : (H, W) array
        bool; or uint8, where more than 128 is foreground, as in PySODMetrics; or float in 0..1, where more than .5 is.

    Raises
    ------
    UsageError
        If it is of another shape or type, leaves 0..1, or has masked elements. A uint8 mask that is not all 0 and has
        no value above 128, such as labels or 0 and 1, is refused rather than read as empty.

    Examples
    --------
    >>> import numpy as np
    >>> from salbox.metrics import as_mask
    >>> as_mask(np.array([[0, 128, 129, 255]], np.uint8)).tolist()
    [[False, False, True, True]]
    >>> as_mask(np.array([[0.0, 0.5, 0.6, 1.0]])).tolist()
    [[False, False, True, True]]
    """
    if np.ma.is_masked(mask):
        raise UsageError("mask with masked elements: fill them first (mask.filled(value))")
    values = np.asarray(mask)
    if values.ndim != 2 or not values.size:
        raise UsageError(f"mask of shape {values.shape}: expected (H, W)")
    if values.dtype == np.bool_:
        return values
    if values.dtype == np.uint8:
        highest = int(values.max())
        if 0 < highest <= GRAY_THRESHOLD:
            values_said = "0 and 1" if highest == 1 else f"values up to {highest}"
            raise UsageError(f"mask of uint8 {values_said}, all of it background: give bool, or grey values 0..255")
        return values > GRAY_THRESHOLD
    if np.issubdtype(values.dtype, np.floating):
        if not (values.min() >= 0 and values.max() <= 1):  # also catches NaN
            raise UsageError(f"mask of float values in {values.min():g}..{values.max():g}: expected 0..1")
        return values > 0.5
    raise UsageError(f"mask of {values.dtype}: expected bool, uint8 or float in 0..1")
