"""How far places where a network is active and named regions cover one another: products of matrices of 0 and 1."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

BoolRows = npt.NDArray[np.bool_]


def ious(regions: BoolRows, active: BoolRows) -> npt.NDArray[np.float32]:
    """Return the intersection over the union of each region with each map: (K, N) in 0..1; 0 where both are empty.

    Parameters
    ----------
    regions : (K, P) bool
        Of K regions, which of P places they cover.
    active : (N, P) bool
        Of N maps, which of these places are active.

    Examples
    --------
    >>> import numpy as np
    >>> from salbox.explain import ious
    >>> ious(np.array([[True, True, False]]), np.array([[False, True, True], [True, True, False]]))
    array([[0.33333334, 1.        ]], dtype=float32)
    """
    # Sums of 0 and 1 are exact in float32 up to 16 million places.
    covered, lit = regions.astype(np.float32), active.astype(np.float32)
    common = covered @ lit.T
    union = covered.sum(axis=1)[:, None] + lit.sum(axis=1)[None] - common
    return np.divide(common, union, out=np.zeros_like(common), where=union > 0)
