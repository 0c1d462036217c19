"""Every verb where the output is not UTF-8, and where Jupyter names a backend of Matplotlib that is not installed."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from salbox.cli.main import VERBS

PHOTO = "set/images/0 é日.png"
EVALUATE = ["evaluate", "-m", "gaussian", "--dataset", "folder:set", "--sigma", "5", "--metrics", "nss", "-o", "kept"]
COMMANDS = [
    ["models"], ["models", "--long"], ["models", "gaze"], ["models", "--bibtex"],
    ["datasets"], ["datasets", "osie"], ["metrics"], ["doctor"],
    ["predict", PHOTO, "-m", "gaussian", "-o", "maps", "--overlay", "--contours", "--legend"],
    ["predict", PHOTO, "-m", "gaussian", "-o", "maps", "--json"],
    ["compare", PHOTO, "-m", "gaussian", "-o", "grid.png", "--overlay", "--contours", "--legend"],
    EVALUATE, *([*EVALUATE, how] for how in ("--latex", "--markdown", "--per-image", "--csv", "--json")),
    [*EVALUATE, "--plot", "bars.png"],
    ["report", "-m", "gaussian", "--dataset", "folder:set", "--sigma", "5", "-o", "report.html"],
    ["crop", PHOTO, "--size", "1:1", "-m", "gaussian", "-o", "crops"],
    ["cutout", PHOTO, "-o", "cutouts"],
    ["compress", PHOTO, "-m", "gaussian", "--quality", "60", "-o", "smaller"],
    ["regions", PHOTO, "-m", "gaussian", "--regions", "0,0,40,30,größe → 日"],
    ["export", "gaze", "-o", "gaze.onnx"],
    ["teach", "--images", "set/images", "-m", "gaussian", "-o", "taught"],
]  # fmt: skip
CODE = """
import sys
from salbox.cli.main import run
for arguments in {commands!r}:
    try:
        run(arguments)
    except SystemExit as left:
        assert not left.code, arguments
"""


@pytest.mark.slow
def test_every_verb_in_ascii_under_a_backend_that_is_not_there(tmp_path):
    for number in range(2):
        noise = np.random.default_rng(number).integers(0, 255, (48, 64, 3), dtype=np.uint8)
        for folder in ("images", "fixations"):
            (tmp_path / "set" / folder).mkdir(parents=True, exist_ok=True)
        Image.fromarray(noise).save(tmp_path / "set" / "images" / f"{number} é日.png")
        (tmp_path / "set" / "fixations" / f"{number} é日.csv").write_text("10,20\n30,40\n")
    commands = [*COMMANDS, *([verb, "--help"] for verb in VERBS)]
    surroundings = {
        "MPLBACKEND": "module://matplotlib_inline_that_is_not_there",
        "PYTHONIOENCODING": "ascii",
        "PYTHONUTF8": "0",
        "SALBOX_HOME": str(tmp_path / "home"),
        "SALBOX_THREADS": "1",
    }
    done = subprocess.run(
        [sys.executable, "-c", CODE.format(commands=commands)],
        cwd=tmp_path,
        env={**os.environ, **surroundings},
        capture_output=True,
        timeout=1800,
        check=False,
    )
    assert done.returncode == 0, done.stderr.decode("ascii")[-2000:]
    assert "NSS ?" in done.stdout.decode("ascii")  # an arrow elsewhere
    for made in ("grid.png", "bars.png", "maps/gaussian/0 é日.overlay.png"):
        assert Path(tmp_path / made).stat().st_size > 0
