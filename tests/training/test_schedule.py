"""Learning rates: every published schedule that a recipe can state, against PyTorch's schedulers or done by hand."""

from __future__ import annotations

import math
import warnings
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pytest

pytest.importorskip("torch")
pytest.importorskip("pydantic")
pytest.importorskip("lightning")

import torch
from torch.optim import lr_scheduler

from salbox.networks.trainable.factory import build_network
from salbox.training.module import NetworkTraining
from salbox.training.optimizer import make_optimizer, set_rate
from salbox.training.recipe import Recipe, check_recipe, read_recipe, recipe_names
from salbox.training.schedule import FIRST, LAST, rate

POINTS = (0.0, 0.13, 0.35, 0.6, 0.99)  # shares of a training
STEPS = 50  # of an epoch

Rates = Callable[[float], float]


def by_epoch(recipe: Recipe, make: Callable[[Any], Any]) -> Rates:
    """Return the rates of a scheduler of PyTorch's that steps at the end of an epoch."""
    optimizer = torch.optim.SGD([torch.nn.Parameter(torch.zeros(1))], lr=recipe.optimizer.learning_rate)
    scheduler = make(optimizer)
    found = []
    for _ in range(recipe.epochs):
        found.append(optimizer.param_groups[0]["lr"])
        optimizer.step()
        scheduler.step()
    return lambda epoch: found[int(epoch)]


def by_step(recipe: Recipe, make: Callable[[Any, int], Any]) -> Rates:
    """Return the rates of a scheduler of PyTorch's that steps after each of so many steps."""
    steps = recipe.epochs * STEPS
    optimizer = torch.optim.SGD([torch.nn.Parameter(torch.zeros(1))], lr=recipe.optimizer.learning_rate)
    scheduler = make(optimizer, steps)
    found = []
    for step in range(steps):
        found.append(optimizer.param_groups[0]["lr"])
        optimizer.step()
        if step < steps - 1:
            scheduler.step()
    return lambda epoch: found[round(epoch * STEPS)]


def constant(recipe: Recipe) -> Rates:
    return lambda epoch: recipe.optimizer.learning_rate


def one_cycle(recipe: Recipe) -> Rates:
    top, warm_up = recipe.optimizer.learning_rate, recipe.schedule.warm_up
    return by_step(recipe, lambda optimizer, steps: lr_scheduler.OneCycleLR(optimizer, top, steps, pct_start=warm_up))


def milestones(recipe: Recipe) -> Rates:
    return by_epoch(recipe, lambda optimizer: lr_scheduler.MultiStepLR(optimizer, [15, 30], 0.1))


SHIPPED: dict[str, Callable[[Recipe], Rates]] = {
    "box": one_cycle,
    "gaze": one_cycle,
    "kdsalbox-code": milestones,
    "kdsalbox-paper": constant,
    "resnet18-kd": constant,
    "factorized": lambda recipe: in_twentieths(recipe),
    "reformulated": lambda recipe: in_twentieths(recipe),
}


def kd_scfnet(recipe: Recipe) -> Rates:
    """From .00064 to .064 in five epochs, then a half cosine to 0 at the end of the 69th."""

    def rates(epoch: float) -> float:
        falling = 0.064 * 0.5 * (1 + math.cos(math.pi * (epoch - 5) / 64))
        return float(np.interp(epoch, [0, 5], [0.00064, 0.064])) if epoch < 5 else falling

    return rates


def cumulative(recipe: Recipe) -> Rates:
    """Before each epoch e = 1, 2, ... what the rate is by then is multiplied by .1 ** (e / 2)."""
    found = [1e-4]
    for epoch in range(1, recipe.epochs):
        found.append(found[-1] * 0.1 ** (epoch / 2))
    return lambda epoch: found[int(epoch)]


def in_twentieths(recipe: Recipe) -> Rates:
    """The same where an epoch is 500 pictures, of the 10,000 that one was."""
    found = [1e-4]
    for epoch in range(1, 5):
        found.append(found[-1] * 0.1 ** (epoch / 2))
    return lambda epoch: found[int(epoch / 20)]


@dataclass(frozen=True)
class Published:
    """A training as its authors describe it, as far as a recipe states it, and its rates computed another way."""

    recipe: dict[str, Any]
    rates: Callable[[Recipe], Rates]
    optimizer: type
    encoder: float = 1.0  # its rate over the decoder's
    decays: tuple[float, float] = (0.0, 0.0)  # of encoder and decoder
    also: dict[str, float] = field(default_factory=dict)  # what else the optimizer is told


# DeepGaze II's optimizer, the Sum-of-Functions, is none of PyTorch's; FastSal and DeepGaze IIE state none.
PUBLISHED = {
    "UNISAL": Published(  # SGD .04, ExponentialLR .8; the encoder frozen for two epochs, then at a tenth
        {
            "epochs": 16,
            "batch_size": 32,
            "clip_gradient": 2,
            "freeze_encoder_epochs": 2,
            "optimizer": {
                "name": "sgd",
                "learning_rate": 0.04,
                "weight_decay": 1e-4,
                "prefixes": {"encoder.": {"rate": 0.1, "decay": 0.1}},
            },
            "schedule": {"name": "exponential", "factor": 0.8},
        },
        lambda recipe: by_epoch(recipe, lambda optimizer: lr_scheduler.ExponentialLR(optimizer, 0.8)),
        torch.optim.SGD,
        encoder=0.1,
        decays=(1e-5, 1e-4),
        also={"momentum": 0.9},
    ),
    "SAM": Published(
        {"epochs": 10, "batch_size": 1, "optimizer": {"name": "rmsprop", "learning_rate": 1e-4}},
        constant,
        torch.optim.RMSprop,
        also={"alpha": 0.9},
    ),
    "MSI-Net": Published(
        {"epochs": 10, "batch_size": 1, "optimizer": {"name": "adam", "learning_rate": 1e-5}},
        constant,
        torch.optim.Adam,
    ),
    "DINet": Published(
        {
            "epochs": 10,
            "batch_size": 10,
            "optimizer": {"name": "adam", "learning_rate": 1e-4},
            "schedule": {"name": "exponential", "factor": 0.1, "every": 2},
        },
        lambda recipe: by_epoch(recipe, lambda optimizer: lr_scheduler.StepLR(optimizer, 2, 0.1)),
        torch.optim.Adam,
    ),
    "TranSalNet": Published(
        {
            "epochs": 30,
            "batch_size": 4,
            "optimizer": {"name": "adam", "learning_rate": 1e-5},
            "schedule": {"name": "step", "milestones": list(range(3, 30, 3)), "factor": 0.1},
        },
        lambda recipe: by_epoch(recipe, lambda optimizer: lr_scheduler.StepLR(optimizer, 3, 0.1)),
        torch.optim.Adam,
    ),
    "SALICON": Published(  # OpenSALICON: a tenth after each 4,000 of the 700 steps an epoch
        {
            "epochs": 24,
            "batch_size": 1,
            "optimizer": {"name": "sgd", "learning_rate": 1e-6, "weight_decay": 5e-4},
            "schedule": {"name": "exponential", "factor": 0.1, "every": 4000 / 700},
        },
        lambda recipe: lambda epoch: 1e-6 * 0.1 ** (round(700 * epoch) // 4000),
        torch.optim.SGD,
        decays=(5e-4, 5e-4),
        also={"momentum": 0.9},
    ),
    "KD-SCFNet": Published(
        {
            "epochs": 69,
            "batch_size": 128,
            "optimizer": {"name": "sgd", "learning_rate": 0.064, "weight_decay": 5e-4, "encoder_factor": 0.1},
            "schedule": {"name": "warm-up-cosine", "warm_up_epochs": 5, "start": 0.01},
        },
        kd_scfnet,
        torch.optim.SGD,
        encoder=0.1,
        decays=(5e-4, 5e-4),
        also={"momentum": 0.9},
    ),
    "saliency_analysis": Published(
        {
            "epochs": 10,
            "batch_size": 10,
            "optimizer": {"name": "adam", "learning_rate": 1e-4, "weight_decay": 1e-7},
            "schedule": {
                "name": "step",
                "milestones": [epoch for epoch in range(1, 10) for _ in range(epoch)],
                "factor": 0.1**0.5,
            },
        },
        cumulative,
        torch.optim.Adam,
        decays=(1e-7, 1e-7),
    ),
}


@pytest.fixture(scope="module")
def network():
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return build_network("box", ("a",), size=(32, 32), seed=0)


def test_every_recipe_that_ships_is_compared():
    people = {
        "dgii",
        "dinet",
        "msinet",
        "opensalicon",
        "sam",
        "transalnet",
        "unisal",
    }  # tests/supervised/test_recipes.py
    objects = {"fs-scfnet", "kd-scfnet"}  # tests/supervised/test_object_recipes.py
    assert people | objects | {*SHIPPED} == {*recipe_names()}


@pytest.mark.parametrize("name", [*SHIPPED, *PUBLISHED])
def test_published_schedules(network, name):
    published = PUBLISHED.get(name)
    recipe = read_recipe(name) if published is None else check_recipe({**published.recipe, "loss": {"cc": 1}}, name)
    expected = (SHIPPED[name] if published is None else published.rates)(recipe)
    # A loss that goes with this network: it is about the rates.
    optimizer = make_optimizer(NetworkTraining(network, recipe.model_copy(update={"loss": {"cc": 1.0}})))
    encoder, decoder = optimizer.param_groups
    top = recipe.optimizer.learning_rate
    for point in POINTS:
        epoch = round(point * recipe.epochs * STEPS) / STEPS
        set_rate(optimizer, top * rate(recipe, epoch))
        # PyTorch warms a single cycle up a step shorter, hence the share of the highest rate.
        tolerance = 0.02 * top if recipe.schedule.name == "one-cycle" else 0.0
        assert decoder["lr"] == pytest.approx(expected(epoch), rel=1e-9, abs=tolerance)
        factor = 1.0 if published is None else published.encoder
        assert encoder["lr"] == pytest.approx(factor * decoder["lr"])
    if published is not None:
        assert type(optimizer) is published.optimizer
        assert (encoder["weight_decay"], decoder["weight_decay"]) == pytest.approx(published.decays)
        assert published.also.items() <= decoder.items()


def test_one_cycle_is_pytorchs():
    recipe = read_recipe("box", ["epochs=2", "schedule.warm_up=0.25"])
    optimizer = torch.optim.SGD([torch.nn.Parameter(torch.zeros(1))], lr=1.0)
    cycle = lr_scheduler.OneCycleLR(optimizer, max_lr=1.0, total_steps=1001, pct_start=0.25)
    for step in range(1001):
        # PyTorch warms up a step shorter, hence the tolerance.
        assert rate(recipe, 2 * step / 1000) == pytest.approx(optimizer.param_groups[0]["lr"], abs=0.005)
        optimizer.step()
        if step < 1000:
            cycle.step()
    assert rate(recipe, 0) == pytest.approx(FIRST)
    assert rate(recipe, 0.5) == 1
    assert rate(recipe, 2.0) == pytest.approx(LAST) == pytest.approx(optimizer.param_groups[0]["lr"])


def test_a_cosine_to_a_floor_is_pytorchs():
    settings = ("epochs=8", "schedule={name: warm-up-cosine, floor: 0.05}", "optimizer.learning_rate=1")
    recipe = read_recipe("box", settings)
    expected = by_step(recipe, lambda optimizer, steps: lr_scheduler.CosineAnnealingLR(optimizer, steps, eta_min=0.05))
    for epoch in (0, 1, 3.5, 6, 7.98):
        assert rate(recipe, epoch) == pytest.approx(expected(epoch))
    assert rate(recipe, 8) == rate(recipe, 9) == pytest.approx(0.05)


@pytest.mark.parametrize(
    ("schedule", "place"),
    [
        ("{name: step, milestones: [1, 2, 3], factor: 0.1, floor: 0.02}", 3),
        ("{name: exponential, factor: 0.5, floor: 0.02}", 7),
        ("{name: one-cycle, floor: 0.02}", 8),
        ("{name: warm-up-cosine, warm_up_epochs: 2, floor: 0.02}", 8),
    ],
)
def test_no_rate_falls_below_its_floor(schedule, place):
    recipe = read_recipe("box", [f"schedule={schedule}", "epochs=8"])
    assert rate(recipe, place) == pytest.approx(0.02)
    assert rate(recipe, 1) > 0.02


def test_a_step_schedule_falls_at_its_milestones():
    recipe = read_recipe("kdsalbox-code")
    assert [rate(recipe, e) for e in (0, 14.9, 15, 29, 30, 39)] == pytest.approx([1, 1, 0.1, 0.1, 0.01, 0.01])


def test_a_constant_schedule_stays():
    assert rate(read_recipe("kdsalbox-paper"), 17.3) == 1


@pytest.mark.parametrize(
    "schedule",
    [
        "{name: step, milestones: [2, 5], factor: 0.3}",
        "{name: exponential, factor: 0.8, every: 2}",
        "{name: one-cycle}",
        "{name: warm-up-cosine, warm_up_epochs: 2}",
    ],
)
@pytest.mark.parametrize("share", [0.5, 0.31, 2.0])
def test_a_compressed_schedule_has_the_same_shape(schedule, share):
    whole = read_recipe("box", [f"schedule={schedule}", "epochs=8"])
    other = whole.compressed(share)
    for place in (0, 0.2, 0.4, 0.6, 0.9, 1):
        assert rate(other, place * other.epochs) == pytest.approx(rate(whole, place * whole.epochs))
