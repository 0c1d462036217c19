"""Figures: drawn whatever the surroundings say of windows."""

from __future__ import annotations

import io
import os
import subprocess
import sys

import numpy as np
import pytest
from matplotlib.patches import Rectangle
from PIL import Image

from salbox.imaging.figures import color_table, new_figure

DRAWN = """
import sys
from pathlib import Path
from salbox.imaging.figures import color_table, new_figure, save_figure
figure = new_figure(figsize=(1, 1))
figure.add_axes((0, 0, 1, 1)).imshow(color_table("inferno")[None])
for kind in ("png", "pdf", "svg"):
    save_figure(figure, Path(sys.argv[1]) / f"a.{kind}")
import matplotlib, os
print(os.environ["MPLBACKEND"], matplotlib.rcParams["backend"])
"""


@pytest.mark.parametrize(
    ("asked", "becomes"), [("module://no_such_package.backend_inline", None), ("nonsense", None), ("svg", "svg")]
)
def test_whichever_backend_a_notebook_asks_for(asked, becomes, tmp_path):
    environment = {**os.environ, "MPLBACKEND": asked}
    command = [sys.executable, "-c", DRAWN, str(tmp_path)]
    found = subprocess.run(command, capture_output=True, text=True, timeout=120, env=environment)
    assert found.returncode == 0, found.stderr
    variable, backend = found.stdout.split(maxsplit=1)
    assert variable == asked
    assert becomes is None or backend.strip() == becomes
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.pdf", "a.png", "a.svg"]


def test_a_colour_map_as_a_table():
    table = color_table("gray")
    assert (table.shape, table[0].tolist(), table[255].tolist()) == ((256, 3), [0, 0, 0], [255, 255, 255])


def test_a_notebook_shows_a_figure():
    figure = new_figure(figsize=(2, 1), dpi=50)
    half = Rectangle((0, 0), 0.5, 1, transform=figure.transFigure, facecolor="red", antialiased=False)
    figure.add_artist(half)
    shown = np.asarray(Image.open(io.BytesIO(figure._repr_png_())).convert("RGB"))
    expected = np.full((50, 100, 3), 255, np.uint8)
    expected[:, :50] = 255, 0, 0
    np.testing.assert_array_equal(shown, expected)
