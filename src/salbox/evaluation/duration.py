"""How long a run will take that has a slow metric in it, told before it starts."""

from __future__ import annotations

from time import perf_counter

from ..metrics import emd, to_density
from ..metrics.emd import solver
from .truth import ImageTruth


def emd_duration(truth: ImageTruth, figures: int) -> str:
    """Return a line that says how long EMD will take, measured on one image.

    Parameters
    ----------
    truth : ImageTruth
        Of the image that it is measured on: its density against itself turned by half, half of it spread evenly.
    figures : int
        How many there will be.
    """
    density = to_density(truth["density"], "sum")
    turned = density[::-1, ::-1] + 1 / density.size
    emd([[1, 0]], [[0, 1]], cell=1)  # imports the solver, which is not counted
    start = perf_counter()
    emd(turned, density)
    each = perf_counter() - start
    faster = "" if solver() == "POT" else "; some twenty times faster with pip install 'salbox[eval]'"
    return f"emd: {figures} figures of {each:.2g} s each: about {_readable(each * figures)} of one core{faster}"


def _readable(seconds: float) -> str:
    """Return a time as people say it."""
    if seconds < 90:
        return f"{seconds:.1f} s" if seconds < 9.95 else f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 5400 else f"{seconds / 3600:.1f} h"
