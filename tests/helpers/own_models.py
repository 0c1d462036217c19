"""Models of users' own: modules and installed packages in a folder of a test, and what runs with them afresh."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

CONTRAST = """
import salbox

@salbox.register("contrast", card={"task": "fixation", "output": "score", "title": "Contrast"})
def contrast(image, power=2.0):
    return abs(image.mean(axis=2) - image.mean()) ** power

def plain(image):
    return image.mean(axis=2)

class Network:
    def __init__(self, weights, device):
        self.weights, self.device = weights, device

    @classmethod
    def load(cls, weights, device):
        return cls(weights, device)

    def __call__(self, image, gain=1.0):
        return gain * image.mean(axis=2)
"""


def write_module(folder: Path, name: str = "mymodels", text: str = CONTRAST) -> Path:
    """Write a module and return its file."""
    folder.mkdir(parents=True, exist_ok=True)
    file = folder / f"{name}.py"
    file.write_text(text)
    return file


def install(folder: Path, package: str, models: Mapping[str, str]) -> Path:
    """Make a package look installed in a folder, with entry points for models: name -> "module:attribute"."""
    info = folder / f"{package}-1.0.dist-info"
    info.mkdir(parents=True, exist_ok=True)
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {package}\nVersion: 1.0\n")
    lines = [f"{name} = {target}" for name, target in models.items()]
    (info / "entry_points.txt").write_text("\n".join(["[salbox.models]", *lines, ""]))
    return folder


def run_afresh(
    *arguments: object, folder: Path, paths: tuple[Path, ...] = (), code: str | None = None
) -> subprocess.CompletedProcess[str]:
    """Run `salbox` with arguments, or Python with code, in a process that begins now, in a folder."""
    program = "from salbox.cli.main import run; run()" if code is None else code
    inherited = os.environ.get("PYTHONPATH")
    search = os.pathsep.join([*map(str, paths), *([inherited] if inherited else [])])
    environment = {**os.environ, "SALBOX_HOME": str(folder / "home"), "PYTHONPATH": search}
    return subprocess.run(
        [sys.executable, "-P", "-c", program, *map(str, arguments)],  # -P: as the command is, without this folder
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
