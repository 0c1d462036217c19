"""How the networks were made: the page and the Makefile say the same, and leave out no network that ships."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import pytest

from salbox.models.registry import SHIPPED

ROOT = Path(__file__).resolve().parents[2]
PAGE = ROOT / "docs" / "how-it-was-made.md"
SECTION = re.compile(r"^## (.*?)\n(.*?)(?=^## |\Z)", re.MULTILINE | re.DOTALL)
TARGETS = {"*.student": "network-box", "unisal.people": "network-people", "gaze": "network-gaze"}
TARGETS |= {"unisal.student": "network-branch", "imsig.student": "network-heads", "scfnet": "network-objects"}
VARIABLES = {"$(ALL)/python": "python", "$(SHARED)": "../shared", "$(RUNS)": "runs"}


def of_the_makefile(target: str) -> list[str]:
    """Return the commands of a target, those of the networks that it needs first."""
    text = (ROOT / "Makefile").read_text("utf-8")
    needed, recipe = re.search(rf"^{target}: ([^#\n]*).*\n((?:\t.*\n)+)", text, re.MULTILINE).groups()
    for name, value in VARIABLES.items():
        recipe = recipe.replace(name, value)
    first = [line for each in needed.split() if each.startswith("network-") for line in of_the_makefile(each)]
    return first + [line.strip() for line in recipe.splitlines()]


def of_the_page(network: str) -> list[str]:
    """Return the commands of a network's section."""
    (text,) = (body for title, body in SECTION.findall(PAGE.read_text("utf-8")) if title.startswith(f"`{network}`"))
    assert f"`make {TARGETS[network]}`" in text
    (block,) = re.findall(r"^```sh\n(.*?)^```", text, re.MULTILINE | re.DOTALL)
    return [shlex.join(shlex.split(line, comments=True)) for line in block.splitlines()]


@pytest.mark.parametrize("network", TARGETS)
def test_the_makefile_runs_what_the_page_says(network):
    said, run = of_the_page(network), of_the_makefile(TARGETS[network])
    # What another network's target has made already is not made, shipped and measured again for this one.
    assert [command for command in run if command in said] == said


def test_every_script_is_there():
    for script in re.findall(r"(?:scripts|benchmarks)/\w+\.py", PAGE.read_text("utf-8")):
        assert (ROOT / script).is_file(), script


def test_no_network_that_ships_is_left_out():
    networks = {path.stem for path in (ROOT / "src" / "salbox" / "runtime" / "data").glob("*.onnx")}
    told = {name for title, _ in SECTION.findall(PAGE.read_text("utf-8")) for name in re.findall(r"`([^`]+)`", title)}
    assert {"*.student" if name == Path(SHIPPED).stem else name for name in networks} <= told
