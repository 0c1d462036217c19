"""EMD, the earth mover's distance: how far probability has to travel to turn the map into the fixations' density."""

from __future__ import annotations

import importlib
import os
import sys
from functools import cache
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

from ..types import DoubleMap
from ._checks import as_pair
from .density import to_density
from .metric import ANY, Metric

CELL = 32  # pixels; MIT's EMD.m resizes both maps by 1/32
PIVOTS = 10_000_000  # of the network simplex at most; 25x19 cells take some thousands

# POT imports each of these that is installed, which takes seconds and gigabytes, unless its switch is set.
_BACKENDS = {"torch": "PYTORCH", "jax": "JAX", "cupy": "CUPY", "tensorflow": "TENSORFLOW"}


def emd(saliency: npt.ArrayLike, density: npt.ArrayLike, cell: int = CELL) -> float:
    """Return the least mean distance, in cells, by which the map's mass moves to become the density's.

    Both maps become densities by the rule "sum" (`to_density`) and are summed into a grid of ceil(H / cell) times
    ceil(W / cell) cells by area (OpenCV's `INTER_AREA`); between cells the distance is Euclidean. For a distance that
    obeys the triangle inequality mass that both maps have in a cell may stay, so only the differences enter. The
    transport problem is solved exactly, by POT's network simplex where that is installed (`salbox[eval]`), else as a
    linear program by HiGHS (`scipy.optimize.linprog`), which takes some twenty times as long; they agree to rounding.
    OpenCV's own `cv2.EMD` works in single precision and stops about 1 % above the optimum. MIT's program differs in the
    resizing (bicubic).

    Parameters
    ----------
    saliency, density : (H, W) arrays
    cell : int
        Side of a cell in pixels. The time grows steeply with the number of cells; at 800x600 (25x19 cells) it is
        some milliseconds with POT, a tenth to half a second without.

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


def solver() -> str:
    """Return the package that solves the transport problem here: "POT" where it is installed, else "SciPy"."""
    return "SciPy" if _pot() is None else "POT"


def _transport(supply: DoubleMap, demand: DoubleMap, positions: DoubleMap) -> float:
    """Return the least total of mass times distance that carries the supply to the demand; their sums are equal."""
    sources, sinks = np.flatnonzero(supply), np.flatnonzero(demand)
    total = float(supply.sum())
    if not (len(sources) and len(sinks)) or total <= 1e-15:  # rounding of two equal densities
        return 0.0
    distance = np.linalg.norm(positions[sources, None] - positions[None, sinks], axis=-1)
    by = _by_network_simplex if solver() == "POT" else _by_linear_program
    return by(supply[sources] / total, demand[sinks] / demand.sum(), distance) * total


def _by_network_simplex(supply: DoubleMap, demand: DoubleMap, distance: DoubleMap) -> float:
    """Return the least cost by POT's network simplex (Bonneel et al. 2011)."""
    cost, log = _pot().emd2(supply, demand, distance, numItermax=PIVOTS, log=True)
    if log["warning"]:
        raise ArithmeticError(f"earth mover's distance: the transport problem was not solved ({log['warning']})")
    return float(cost)


@cache
def _pot() -> Any:
    """Return POT, None where it is not installed or broken, without the frameworks for networks that it would import.

    Those that the program has imported itself it gets: whoever uses POT beside salbox wants them.
    """
    switches = [f"POT_BACKEND_DISABLE_{key}" for name, key in _BACKENDS.items() if name not in sys.modules]
    unset = [switch for switch in switches if switch not in os.environ]
    os.environ.update(dict.fromkeys(unset, "1"))
    try:
        found = importlib.import_module("ot")
    except ImportError:
        return None
    finally:
        for switch in unset:
            os.environ.pop(switch, None)
    return found if hasattr(found, "emd2") else None  # a file of somebody's own may be called ot.py


def _by_linear_program(supply: DoubleMap, demand: DoubleMap, distance: DoubleMap) -> float:
    """Return the least cost by SciPy's HiGHS."""
    from scipy import sparse  # slow to import, and this metric alone needs them
    from scipy.optimize import linprog

    # Each source sends all it has, each sink gets all it needs; one of the equations follows from the others.
    sends = sparse.kron(sparse.eye(len(supply)), np.ones((1, len(demand))))
    gets = sparse.kron(np.ones((1, len(supply))), sparse.eye(len(demand)))
    # In units of the mean mass: the solver's tolerance is absolute, 1e-7.
    amounts = np.concatenate([supply, demand]) * (len(supply) + len(demand))
    equations: Any = sparse.vstack([sends, gets]).tocsr()[:-1]
    solution: Any = linprog(distance.ravel(), A_eq=equations, b_eq=amounts[:-1], method="highs")
    if solution.status != 0:
        raise ArithmeticError(f"earth mover's distance: the linear program was not solved ({solution.message})")
    return float(solution.fun) / (len(supply) + len(demand))


METRICS = (
    Metric(
        name="emd",
        title="EMD",
        formula=f"least sum of mass x distance from p to q on a grid of {CELL}-pixel cells, in cells; both made "
        "densities by the rule 'sum'",
        source="Rubner et al. 2000; grid of MIT's EMD.m; solved exactly",
        direction="lower",
        accepts=ANY,
        reads="density",
        needs=("density",),
        function=emd,
    ),
)
