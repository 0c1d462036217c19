"""What docs/adding-a-model.md tells users to write and to run, written and run as it stands there."""

from __future__ import annotations

import re
import shlex
import subprocess
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pytest
from own_models import install, run_afresh
from trees import photo

PAGE = Path(__file__).resolve().parents[2] / "docs" / "adding-a-model.md"
_BLOCK = re.compile(r'^```(\w+)(?: title="([^"]+)")?\n(.*?)^```$', re.MULTILINE | re.DOTALL)


class Block(NamedTuple):
    """A block of code of the page: its language, the file that it is the text of, and the text."""

    language: str
    file: str
    text: str


def blocks(section: str) -> list[Block]:
    """Return the blocks of a section, in order."""
    (text,) = re.findall(
        rf"^## {re.escape(section)}\n(.*?)(?=^## |\Z)", PAGE.read_text("utf-8"), re.MULTILINE | re.DOTALL
    )
    return [Block(*found) for found in _BLOCK.findall(text)]


def commands(section: str) -> Iterator[list[str]]:
    """Yield the commands of a section, word by word."""
    for block in blocks(section):
        if block.language == "sh":
            yield from (shlex.split(line) for line in block.text.splitlines() if line)


@pytest.fixture
def folder(tmp_path):
    """A folder with all that the commands are given."""
    photo(tmp_path / "photo.jpg", 64, 48)
    for number in range(2):
        photo(tmp_path / "photos" / f"{number}.png", 64, 48, seed=number)
        photo(tmp_path / "mine" / "images" / f"{number}.png", 64, 48, seed=number)
        (tmp_path / "mine" / "fixations").mkdir(exist_ok=True)
        np.save(tmp_path / "mine" / "fixations" / f"{number}.npy", [[10, 12], [30, 20]])
    np.savez(tmp_path / "midpoint.npz", point=np.array([0.5, 0.4]))
    return tmp_path


def follow(section: str, folder: Path) -> list[subprocess.CompletedProcess[str]]:
    """Write the files of a section, run its commands, and return what came of them."""
    done = []
    for block in blocks(section):
        if block.file:
            (folder / block.file).write_text(block.text, encoding="utf-8")
    for program, *arguments in commands(section):
        if program == "pip":
            project = tomllib.loads((folder / "pyproject.toml").read_text())["project"]
            install(folder / "installed", project["name"], project["entry-points"]["salbox.models"])
            for file in folder.glob("salbox_*.py"):
                file.rename(folder / "installed" / file.name)
            continue
        assert program == "salbox"
        done.append(run_afresh(*arguments, folder=folder, paths=(folder / "installed",)))
        assert done[-1].returncode == 0, f"{arguments}: {done[-1].stderr}"
    return done


@pytest.mark.slow
def test_a_function(folder):
    card, predicted, *_ = follow("A function", folder)
    assert "power      2.0" in card.stdout
    assert predicted.stderr == "1 outputs of 1 inputs written to maps\n"
    expected = (
        "maps/mymodels-contrast/photo.png",
        "grid.png",
        "page.html",
        "teacher-maps/mymodels-contrast/teacher.json",
    )
    assert all((folder / name).is_file() for name in expected)
    done = run_afresh(
        folder=folder, code="import runpy; runpy.run_path('use.py', run_name='__main__')", paths=(folder,)
    )
    assert done.returncode == 0, done.stderr
    assert all(name in done.stdout for name in ("contrast", "gbvs", "gaussian"))


@pytest.mark.slow
def test_a_package_with_an_entry_point(folder):
    card, predicted, measured = follow("A package with an entry point", folder)
    assert "A Gaussian around a point that was learned." in card.stdout
    assert "https://example.org/midpoint.npz" in card.stdout
    assert predicted.stderr == "2 outputs of 1 inputs written to maps\n"
    assert "midpoint: width=0.2 (log_density)" in measured.stdout
    done = run_afresh(
        "predict", "photo.jpg", "-m", "midpoint", "-o", "out", folder=folder, paths=(folder / "installed",)
    )
    assert done.returncode == 2
    assert "model 'midpoint' needs weights: https://example.org/midpoint.npz" in done.stderr


@pytest.mark.slow
def test_a_pytorch_network_that_trains(folder):
    pytest.importorskip("torch")
    for number in range(2, 14):
        photo(folder / "photos" / f"{number}.png", 64, 48, seed=number)
    distilled, predicted, _ = follow("A PyTorch network that trains", folder)
    assert "imsig: CC " in distilled.stdout
    assert (folder / "runs/pyramid/student.onnx").is_file()
    assert predicted.stderr == "1 outputs of 1 inputs written to maps\n"
    done = run_afresh(
        folder=folder, code="import runpy; print(runpy.run_path('train.py')['again'].heads)", paths=(folder,)
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout == "('mine',)\n"
