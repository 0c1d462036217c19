"""Closed-form matting in a band around the edge, with what the guided filter found as a prior.

Levin, Lischinski, Weiss, "A Closed-Form Solution to Natural Image Matting", IEEE TPAMI 30(2), 2008; the matrix and the
solver are PyMatting's (Germer et al., Journal of Open Source Software 5(54), 2020), of the extra `matting`.
"""

from __future__ import annotations

import importlib.util
from collections.abc import Iterator
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

from ..errors import MissingExtraError
from ..types import FloatMap, Pixels

EPSILON = 1e-5  # of the matting Laplacian, for a photo in 0..1
PRIOR = 0.003  # how much the prior weighs; the matrix has about 1 on its diagonal
LOW, HIGH = 0.3, 0.7  # probabilities below and above which pixels are settled, away from the edge
MOST_UNKNOWN = 150_000  # pixels, whose equations have 25 terms each; of more the prior stays as it is
_STRIP = 1 << 17  # pixels; PyMatting makes room for the terms of all of those that it is given
_PRECISION = 1e-4  # of the conjugate gradients
# PyMatting fails if they have not converged by then. The prior bounds the condition number k by 9 * 8 / PRIOR, for a
# window has 9 pixels, and a pixel 9 windows with 8/9 each at most: sqrt(k) / 2 * log(2 sqrt(k) / precision) = 1200.
_MOST_STEPS = 1500
_NOTHING = 1e-12  # of a right-hand side: its solution is 0, which no relative precision tells


def has_pymatting() -> bool:
    """Return whether the extra `matting` is installed."""
    return importlib.util.find_spec("pymatting") is not None


def closed_form(pixels: Pixels, probability: FloatMap, prior: FloatMap, radius: int) -> FloatMap:
    """Return the alpha of a photo: (h, w) float32 in 0..1.

    Where the object's edge is, the cost of equation 12 is minimised, with a term PRIOR (alpha - prior)^2, so that thin
    parts which lie in the band as a whole are not lost. Elsewhere a pixel is all object or none of it.

    Parameters
    ----------
    pixels : (h, w, 3) uint8
    probability : (h, w) float32
        That a pixel is the object's.
    prior : (h, w) float32 in 0..1
        An alpha that is known to be near.
    radius : int
        In pixels, how far from the edge the probability may be wrong.

    Raises
    ------
    MissingExtraError
        If PyMatting is not installed.
    """
    if not has_pymatting():
        raise MissingExtraError("closed-form matting", "matting")
    kernel = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * radius + 1, 2 * radius + 1))
    inside = cv2.erode((probability > HIGH).astype(np.uint8), kernel).astype(bool)
    outside = cv2.erode((probability < LOW).astype(np.uint8), kernel).astype(bool)
    known = (inside | outside).ravel()
    unknown = ~known
    count = int(np.count_nonzero(unknown))
    if not 0 < count <= MOST_UNKNOWN or min(prior.shape) < 3:  # windows have 3 x 3 pixels
        return prior
    from pymatting import cg, jacobi
    from scipy import sparse

    rows = sparse.vstack(list(_laplacian_rows(pixels, known.reshape(prior.shape))), format="csr")
    matrix = (rows[:, unknown] + PRIOR * sparse.identity(count)).tocsr()
    target = PRIOR * prior.ravel()[unknown] - rows[:, known] @ inside.ravel()[known].astype(np.float64)
    alpha = inside.astype(np.float32).ravel()
    alpha[unknown] = cg(matrix, target, M=jacobi(matrix), atol=_NOTHING, rtol=_PRECISION, maxiter=_MOST_STEPS)
    return alpha.clip(0, 1).reshape(prior.shape)


def _laplacian_rows(pixels: Pixels, known: npt.NDArray[np.bool_]) -> Iterator[Any]:
    """Yield the rows of the matting Laplacian that belong to unknown pixels, strip by strip: sparse, (n, h w)."""
    from pymatting import cf_laplacian
    from scipy import sparse

    height, width = known.shape
    step = max(1, _STRIP // width)
    for top in range(0, height, step):
        bottom = min(height, top + step)
        unknown = np.flatnonzero(~known[top:bottom])
        if not len(unknown):
            continue
        first, last = max(0, top - 2), min(height, bottom + 2)  # windows that hold a pixel reach two rows farther
        image = pixels[first:last].astype(np.float64) / 255
        rows = cf_laplacian(image, epsilon=EPSILON, is_known=known[first:last])[unknown + (top - first) * width].tocoo()
        places = (rows.row, rows.col + first * width)
        yield sparse.csr_matrix((rows.data, places), shape=(len(unknown), height * width))
