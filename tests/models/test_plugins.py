"""Models of installed packages: found when they are asked for; a broken one costs a line and nothing else."""

from __future__ import annotations

import sys

import numpy as np
import pytest
from own_models import install, run_afresh, write_module

import salbox
from salbox.models import plugins
from salbox.models.registry import MODELS

PIXELS = np.zeros((6, 9, 3), np.uint8)


@pytest.fixture
def packages(tmp_path, monkeypatch):
    """A folder that Python looks in, with a package of three models and a broken one."""
    write_module(tmp_path, "plug_models")
    targets = {"plugged": "plug_models:plain", "renamed": "plug_models:contrast", "loaded": "plug_models:Network"}
    install(tmp_path, "plug", targets)
    install(tmp_path, "torn", {"torn": "plug_models:nothing", "lost": "module_that_is_not_there:f"})
    monkeypatch.syspath_prepend(tmp_path)
    plugins._load.cache_clear()
    plugins._warn.cache_clear()
    yield tmp_path
    plugins._load.cache_clear()
    sys.modules.pop("plug_models", None)


@pytest.mark.filterwarnings("ignore::salbox.ModelWarning")
def test_a_package_brings_models(packages):
    # The module of one of them registers another name.
    assert salbox.list_models() == [*MODELS, "loaded", "plugged", "renamed", "contrast"]
    assert salbox.load("plugged")(PIXELS).shape == (6, 9)
    assert salbox.load("loaded", device="cuda").function.device == "cuda"
    assert (salbox.card("renamed").name, salbox.card("renamed").title) == ("renamed", "Contrast")
    assert salbox.load("renamed", power=1).parameters == {"power": 1.0}
    assert list(salbox.predict(PIXELS, ["plug*", "ensemble:renamed+bms"])) == [
        "plugged",
        "ensemble:renamed+bms",
    ]


def test_nothing_is_imported_before_it_is_asked_for(packages):
    salbox.load("gaussian")
    with pytest.raises(salbox.UsageError, match="did you mean 'plugged'"):
        salbox.load("plugd")
    assert "plug_models" not in sys.modules


def test_a_broken_package_costs_one_line_each(packages):
    with pytest.warns(salbox.ModelWarning) as said:
        names = salbox.list_models()
    assert not {"torn", "lost"} & {*names}
    lines = sorted(str(warning.message) for warning in said)
    assert lines == [
        "model 'lost' of the package torn cannot be loaded: ModuleNotFoundError: No module named "
        "'module_that_is_not_there'; left out",
        "model 'torn' of the package torn cannot be loaded: AttributeError: module 'plug_models' has no attribute "
        "'nothing'; left out",
    ]
    salbox.list_models()  # said once: pytest turns a second warning into an error
    with pytest.raises(salbox.UsageError, match=r"^model 'lost' of the package torn cannot be loaded: [^\n]*$"):
        salbox.load("lost")


def test_salbox_s_own_models_are_not_replaced(packages):
    install(packages, "thief", {"gbvs": "plug_models:plain", "a/b": "plug_models:plain"})
    plugins._found.cache_clear()
    with pytest.warns(salbox.ModelWarning) as said:
        salbox.list_models()
    lines = "\n".join(str(warning.message) for warning in said)
    assert "model 'gbvs' of the package thief is left out: salbox has a model 'gbvs' itself" in lines
    assert "model 'a/b' of the package thief cannot be used: a model cannot be called 'a/b'" in lines
    assert salbox.card("gbvs").paper is not None


def test_the_first_of_two_packages_counts(packages):
    install(packages, "another", {"plugged": "plug_models:contrast"})
    plugins._found.cache_clear()
    with pytest.warns(salbox.ModelWarning, match="of the package plug is left out: another brings one of this name"):
        assert salbox.card("plugged").title == "Contrast"


def test_what_a_session_registers_comes_before_packages(packages):
    salbox.register("plugged", lambda image: image[:, :, 0] + 7, card={"task": "fixation", "output": "score"})
    assert salbox.load("plugged")(PIXELS)[0, 0] == 7


@pytest.mark.slow
def test_the_command_lists_them_and_says_what_is_broken(packages):
    done = run_afresh("models", folder=packages, paths=(packages,))
    assert done.returncode == 0
    assert "plugged" in done.stdout
    assert sorted(done.stderr.splitlines())[0].startswith("salbox: model 'lost' of the package torn cannot be loaded")
    assert len(done.stderr.splitlines()) == 2
    for arguments in (("models", "gbvs"), ("models", "plugged"), ("doctor",)):
        done = run_afresh(*arguments, folder=packages, paths=(packages,))
        assert done.returncode == 0, done.stderr
