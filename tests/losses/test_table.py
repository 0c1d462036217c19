"""The table of losses, which needs no PyTorch."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import get_args

import pytest

import salbox.losses
from salbox.errors import UsageError
from salbox.losses import LOSSES, Truth, check_losses
from salbox.types import Output


def test_needs_no_pytorch():
    code = (
        "import sys\n"
        "from salbox.losses import LOSSES, check_losses\n"
        "check_losses({'kl': 1}, output='score', given=('teacher',))\n"
        "sys.exit('torch' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code]).returncode == 0


def test_says_what_the_design_knows():
    objects = {"dice", "boundary-dice", "structure-polishing", "soft-iou"}
    assert set(LOSSES) == {"bce", "kl", "cc", "mse", "nss", "sim", "nll", "tv", "hint"} | objects
    for name, loss in LOSSES.items():
        assert loss.name == name
        assert loss.needs
        assert set(loss.needs) <= set(get_args(Truth))
        assert loss.accepts
        assert set(loss.accepts) <= set(get_args(Output))


def test_each_has_a_file_and_a_function_of_its_name():
    folder = Path(salbox.losses.__file__).parent
    for name, loss in LOSSES.items():
        module, attribute = loss.function.split(":")
        assert (folder / f"{module.rpartition('.')[2]}.py").is_file()
        assert attribute == name.replace("-", "_")


def test_a_loss_chooses_the_first_of_its_needs_that_there_is():
    assert LOSSES["bce"].choose(("mask", "density")) == "density"
    with pytest.raises(UsageError, match="loss 'bce' needs teacher or density or mask; there is only fixations"):
        LOSSES["bce"].choose(("fixations",))


@pytest.mark.parametrize(
    ("weights", "known", "message"),
    [
        ({"nllk": 1}, {}, "no loss 'nllk'; did you mean 'nll'"),
        ({}, {}, "no loss has a weight above 0"),
        (
            {"cc": 1, "nll": 1},
            {"output": "probability"},
            "loss 'nll' is for networks that give a log_density, not a",
        ),
        ({"sim": 1}, {"given": ("mask", "fixations")}, "needs teacher or density; there is only mask and fixations"),
    ],
)
def test_what_does_not_fit_is_one_line(weights, known, message):
    with pytest.raises(UsageError, match=message) as raised:
        check_losses(weights, **known)
    assert "\n" not in str(raised.value)


def test_a_weight_of_0_asks_for_nothing():
    check_losses({"cc": 1, "nss": 0}, output="score", given=("teacher",))
    check_losses({"nss": 1, "nll": 1})
