"""Which parameters learn how fast."""

from __future__ import annotations

import warnings

import pytest

pytest.importorskip("torch")
pytest.importorskip("pydantic")
pytest.importorskip("lightning")

from salbox.errors import UsageError
from salbox.networks.trainable.factory import build_network
from salbox.training.module import NetworkTraining
from salbox.training.optimizer import make_optimizer, set_rate
from salbox.training.recipe import read_recipe


@pytest.fixture(scope="module")
def network():
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return build_network("box", ("a", "b"), size=(32, 32), seed=0)


def groups(network, *settings):
    """Return the optimizer's groups: names of parameters -> (learning rate, weight decay)."""
    optimizer = make_optimizer(NetworkTraining(network, read_recipe("box", settings)))
    set_rate(optimizer, 1.0)
    names = {id(parameter): name for name, parameter in network.named_parameters()}
    return {
        tuple(names[id(parameter)] for parameter in group["params"]): (group["lr"], group["weight_decay"])
        for group in optimizer.param_groups
    }


def test_every_parameter_is_in_one_group(network):
    settings = ("optimizer.prefixes={encoder.: {rate: 0.5}, head_layers.1.: {decay: 0}}",)
    found = [name for names in groups(network, *settings) for name in names]
    assert sorted(found) == sorted(name for name, _ in network.named_parameters())


def test_the_longest_prefix_counts_on_top_of_the_encoders_factor(network):
    found = groups(
        network,
        "optimizer={encoder_factor: 0.1, weight_decay: 0.01}",
        "optimizer.prefixes={encoder.: {rate: 0.5}, encoder.conv_stem: {rate: 0, decay: 3}, head_layers.1: {decay: 0}}",
    )
    assert len(found) == 4
    for names, (rate, decay) in found.items():
        if names[0].startswith("encoder.conv_stem"):
            assert (rate, decay) == pytest.approx((0, 0.03))
        elif names[0].startswith("encoder."):
            assert (rate, decay) == pytest.approx((0.05, 0.01))
        elif names[0].startswith("head_layers.1"):
            assert (rate, decay) == pytest.approx((1, 0))
        else:
            assert (rate, decay) == pytest.approx((1, 0.01))


def test_a_prefix_is_set_on_the_command_line(network):
    found = groups(network, "optimizer.prefixes.encoder.rate=0.25")
    assert [rate for rate, _ in found.values()] == [0.25, 1]


@pytest.mark.parametrize(
    ("prefix", "message"),
    [("encodr.", "no parameter begins with 'encodr.'; did you mean 'encoder.'"), ("nowhere.", "'nowhere.'")],
)
def test_a_prefix_of_nothing_is_one_line(network, prefix, message):
    with pytest.raises(UsageError, match=message) as raised:
        groups(network, f"optimizer.prefixes={{{prefix}: {{rate: 0.1}}}}")
    assert "\n" not in str(raised.value)
