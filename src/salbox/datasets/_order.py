"""The order of fixations that a table lists observer by observer."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt


def order_of(subject: npt.NDArray[Any]) -> npt.NDArray[np.int64]:
    """Return which of its observer's rows each row is, counted from 0: (N,)."""
    order = np.zeros(len(subject), np.int64)
    for one in np.unique(subject):
        is_one = subject == one
        order[is_one] = np.arange(np.count_nonzero(is_one))
    return order
