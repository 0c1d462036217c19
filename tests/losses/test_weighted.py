"""Weighted sums, of one truth or of several."""

from __future__ import annotations

import pytest

torch = pytest.importorskip("torch")

from salbox.errors import UsageError  # noqa: E402
from salbox.losses import WeightedLoss, cc, hint, kl, mse, nll, nss  # noqa: E402


def test_sums(logits, target, valid):
    found = WeightedLoss({"cc": 1, "mse": 5})(logits, target, valid)
    expected = cc(logits, target, valid) + 5 * mse(logits, target, valid)
    assert found.item() == pytest.approx(expected.item())


def test_output_and_temperature_reach_those_that_have_them(logits, target, valid):
    found = WeightedLoss({"kl": 1, "cc": 2, "mse": 0}, temperature=3.0, output="log_density")(logits, target, valid)
    expected = kl(logits, target, valid, temperature=3.0, output="log_density")
    expected += 2 * cc(logits, target, valid, output="log_density")
    assert found.item() == pytest.approx(expected.item())


def test_each_loss_takes_the_truth_that_it_needs(logits, target, fixations, valid):
    weights = {"kl": 10, "nss": 0.5, "nll": 1}
    loss = WeightedLoss(weights, output="log_density", given=("density", "fixations"))
    found = loss(logits, {"density": target, "fixations": fixations}, valid)
    expected = 10 * kl(logits, target, valid, output="log_density") + nll(logits, fixations, valid)
    expected += 0.5 * nss(logits, fixations, valid, output="log_density")
    assert found.item() == pytest.approx(expected.item())


def test_a_tensor_is_the_first_that_is_given(logits, target, fixations, valid):
    assert WeightedLoss({"nss": 1}, given=("fixations",))(logits, fixations, valid) == nss(logits, fixations, valid)
    features = WeightedLoss({"hint": 2}, given=("features",))(logits, target, valid[:, :1])
    assert features == 2 * hint(logits, target, valid[:, :1])


@pytest.mark.parametrize(
    ("weights", "output", "message"),
    [
        ({"mze": 1}, "score", "did you mean 'mse'"),
        ({"cc": 0}, "score", "no loss has a weight above 0"),
        ({"bce": 1}, "log_density", "give a score or a probability, not a log_density; use kl, cc, mse"),
        ({"nll": 1}, "score", "give a log_density, not a score; use nss"),
        ({"kl": 1, "nss": 0.1}, "score", "loss 'nss' needs fixations; there is only teacher"),
    ],
)
def test_losses_that_do_not_fit(weights, output, message):
    with pytest.raises(UsageError, match=message):
        WeightedLoss(weights, output=output)
