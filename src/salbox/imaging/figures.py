"""Matplotlib's figures, which need no window, whatever the surroundings say of one."""

from __future__ import annotations

import io
import os
import sys
import threading
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from ..errors import UsageError
from .writing import atomic

if TYPE_CHECKING:
    from matplotlib.figure import Figure

FORMATS = ("png", "pdf", "svg")

_BACKEND = "MPLBACKEND"
_importing = threading.Lock()


def new_figure(**options: Any) -> Figure:
    """Return an empty figure, which a notebook shows; keywords as `matplotlib.figure.Figure` takes them."""
    return _figure_class()(**options)


@cache
def _figure_class() -> type[Figure]:
    """Return a figure that shows itself in a notebook, as Matplotlib's does there once pyplot is imported."""
    import_matplotlib()
    from matplotlib.figure import Figure

    class ShownFigure(Figure):
        def _repr_png_(self) -> bytes:
            buffer = io.BytesIO()
            self.savefig(buffer, format="png")
            return buffer.getvalue()

    return ShownFigure


def color_table(name: str) -> npt.NDArray[np.uint8]:
    """Return a colour map of Matplotlib's as RGB entries, (256, 3) uint8."""
    import_matplotlib()
    from matplotlib import colormaps

    return np.rint(colormaps[name](np.arange(256))[:, :3] * 255).astype(np.uint8)


def check_figure(path: Path) -> None:
    """Raise UsageError unless a figure can be written under this suffix."""
    if path.suffix.lower().lstrip(".") not in FORMATS:
        raise UsageError(f"{path}: a figure is written as one of {', '.join('.' + f for f in FORMATS)}")


def save_figure(figure: Figure, path: Path) -> None:
    """Write a figure as its suffix says, under a temporary name first."""
    buffer = io.BytesIO()
    figure.savefig(buffer, format=path.suffix.lower().lstrip("."))
    with atomic(path) as temporary:
        temporary.write_bytes(buffer.getbuffer())


def import_matplotlib() -> None:
    """Import Matplotlib, also before another library does: it refuses where `MPLBACKEND` names what is not installed.

    A notebook sets that for all that it starts. Where the backend is there, it is Matplotlib's all the same, for
    whoever else uses it in this process.
    """
    with _importing:
        if "matplotlib" in sys.modules:
            return
        wanted = os.environ.pop(_BACKEND, None)
        try:
            import matplotlib
        finally:
            if wanted is not None:
                os.environ[_BACKEND] = wanted
        if wanted:
            try:
                matplotlib.rcParams["backend"] = wanted
            except ValueError:  # whoever opens a window will be told; a figure needs none
                return
