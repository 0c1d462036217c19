"""EMD, the earth mover's distance: how far probability has to travel to turn the map into the fixations' density."""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

from ..types import DoubleMap
from ._checks import as_pair
from .density import to_density
from .metric import ANY, Metric

CELL = 32  # pixels; MIT's EMD.m resizes both maps by 1/32


def emd(saliency: npt.ArrayLike, density: npt.ArrayLike, cell: int = CELL) -> float:
    """Return the least mean distance, in cells, by which the map's mass moves to become the density's.

    Both maps become densities by the rule "sum" (`to_density`) and are summed into a grid of ceil(H / cell) times
    ceil(W / cell) cells by area (OpenCV's `INTER_AREA`); between cells the distance is Euclidean. The transport
    problem is solved exactly, as a linear program by HiGHS (`scipy.optimize.linprog`): for a distance that obeys the
    triangle inequality mass that both maps have in a cell may stay, so only the differences enter. OpenCV's own
    `cv2.EMD` works in single precision and stops about 1 % above the optimum. MIT's program differs in the resizing
    (bicubic).

    Parameters
    ----------
    saliency, density : (H, W) arrays
    cell : int
        Side of a cell in pixels. The time grows steeply with the number of cells; at 800x600 (25x19 cells) it is
        a tenth to half a second.

    Returns
    -------
    float
        In cells; 0 is best. An image of one cell gets 0.

    Raises
    ------
    UsageError
        If the shapes differ or a value is not finite.

    References
    ----------
    Rubner, Tomasi, Guibas: The earth mover's distance as a metric for image retrieval. IJCV 40(2), 2000.
    Pele, Werman: Fast and robust earth mover's distances. ICCV 2009 (mass in common).

    Examples
    --------
    All mass moves two cells of one pixel to the right; half of it moves two cells:

    >>> from salbox.metrics import emd
    >>> round(emd([[1, 0, 0]], [[0, 0, 1]], cell=1), 3)
    2.0
    >>> round(emd([[1, 0, 1]], [[0, 0, 1]], cell=1), 3)
    1.0
    """
    first, second = as_pair(saliency, density, "density")
    excess = _to_grid(first, cell) - _to_grid(second, cell)
    rows, columns = np.indices(excess.shape)
    positions = np.stack([rows.ravel(), columns.ravel()], axis=1).astype(np.float64)
    moved = excess.ravel()
    return _transport(np.maximum(moved, 0), np.maximum(-moved, 0), positions)


def _to_grid(values: DoubleMap, cell: int) -> DoubleMap:
    height, width = values.shape
    size = (-(-width // cell), -(-height // cell))
    return to_density(cv2.resize(to_density(values, "sum"), size, interpolation=cv2.INTER_AREA), "sum")


def _transport(supply: DoubleMap, demand: DoubleMap, positions: DoubleMap) -> float:
    """Return the least total of mass times distance that carries the supply to the demand; their sums are equal."""
    from scipy import sparse  # slow to import, and this metric alone needs them
    from scipy.optimize import linprog

    sources, sinks = np.flatnonzero(supply), np.flatnonzero(demand)
    total = supply.sum()
    if not (len(sources) and len(sinks)) or total <= 1e-15:  # rounding of two equal densities
        return 0.0
    distance = np.linalg.norm(positions[sources, None] - positions[None, sinks], axis=-1)
    # Each source sends all it has, each sink gets all it needs; one of the equations follows from the others.
    sends = sparse.kron(sparse.eye(len(sources)), np.ones((1, len(sinks))))
    gets = sparse.kron(np.ones((1, len(sources))), sparse.eye(len(sinks)))
    # In units of the mean mass: the solver's tolerance is absolute, 1e-7.
    unit = total / (len(sources) + len(sinks))
    amounts = np.concatenate([supply[sources], demand[sinks]]) / unit
    equations: Any = sparse.vstack([sends, gets]).tocsr()[:-1]
    solution = linprog(distance.ravel(), A_eq=equations, b_eq=amounts[:-1], method="highs")
    if solution.status != 0:
        raise ArithmeticError(f"earth mover's distance: the linear program was not solved ({solution.message})")
    return float(solution.fun * unit)


METRICS = (
    Metric(
        name="emd",
        title="EMD",
        formula=f"least sum of mass x distance from p to q on a grid of {CELL}-pixel cells, in cells; both made "
        "densities by the rule 'sum'",
        source="Rubner et al. 2000; grid of MIT's EMD.m; solved by SciPy's HiGHS",
        direction="lower",
        accepts=ANY,
        reads="density",
        needs=("density",),
        function=emd,
    ),
)
