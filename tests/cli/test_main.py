"""The list of verbs: complete, true to each verb's own help, and quick."""

from __future__ import annotations

import inspect
import pkgutil
import subprocess
import sys

import pytest

import salbox.cli
from salbox.cli.main import VERBS, load_verb

NO_VERBS = {"main", "options", "output", "progress"}


def test_every_module_is_a_verb():
    modules = {module.name for module in pkgutil.iter_modules(salbox.cli.__path__)}
    assert modules - NO_VERBS == VERBS.keys()


@pytest.mark.parametrize("name", VERBS)
def test_the_list_says_what_the_verb_says(name):
    described = " ".join(inspect.getdoc(load_verb(name)).split("\n\n")[0].split())
    assert described.startswith(VERBS[name].rstrip("."))


@pytest.mark.parametrize(("arguments", "loaded"), [(["--help"], []), (["doctor", "--help"], ["doctor"])])
def test_a_verb_loads_no_other(arguments, loaded):
    """The list loads none, so that neither NumPy nor OpenCV keep anybody waiting."""
    code = (
        "import sys\nfrom salbox.cli.main import VERBS, run\n"
        f"try:\n    run({arguments})\nexcept SystemExit as left:\n    assert not left.code\n"
        "print([name for name in VERBS if f'salbox.cli.{name}' in sys.modules], 'numpy' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == f"{loaded} False"
