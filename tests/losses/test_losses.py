"""Losses against numbers worked out by hand, SciPy, and the metrics they are made of."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.special import expit, logsumexp
from scipy.stats import entropy

torch = pytest.importorskip("torch")

from salbox.errors import UsageError  # noqa: E402
from salbox.losses import LOSSES, FeatureHint, WeightedLoss, bce, correlations, kl, mse  # noqa: E402
from salbox.losses import cc as cc_loss  # noqa: E402
from salbox.metrics.distribution import cc as cc_metric  # noqa: E402

ALL = torch.ones(2, 3, dtype=torch.bool)


@pytest.fixture
def logits():
    return torch.from_numpy(np.random.default_rng(0).normal(0, 2, (2, 3, 5, 7)))


@pytest.fixture
def target():
    return torch.from_numpy(np.random.default_rng(1).random((2, 3, 5, 7)))


def test_bce_is_the_cross_entropy(logits, target):
    s, t = expit(logits.numpy()), target.numpy()
    expected = -(t * np.log(s) + (1 - t) * np.log(1 - s)).mean()
    assert bce(logits, target, ALL).item() == pytest.approx(expected)


def test_bce_by_hand():
    half = bce(torch.zeros(1, 1, 1, 2), torch.tensor([[[[0.0, 1.0]]]]), torch.ones(1, 1, dtype=torch.bool))
    assert half.item() == pytest.approx(np.log(2))


@pytest.mark.parametrize("temperature", [1.0, 3.0])
def test_kl_is_scipys_of_the_softened_densities(logits, target, temperature):
    found = kl(logits, target, ALL, temperature=temperature)
    s, t = expit(logits.numpy()).reshape(6, -1), target.numpy().reshape(6, -1)
    s, t = ((m / m.sum(1, keepdims=True)) ** (1 / temperature) for m in (s, t))
    assert found.item() == pytest.approx(temperature**2 * entropy(t, s, axis=1).mean(), rel=1e-6)


def test_kl_of_a_log_density_softens_the_logits(logits, target):
    found = kl(logits, target, ALL, temperature=3.0, output="log_density").item()
    soft = logits.numpy().reshape(6, -1) / 3
    s = np.exp(soft - logsumexp(soft, axis=1, keepdims=True))
    t = target.numpy().reshape(6, -1) ** (1 / 3)
    assert found == pytest.approx(9 * entropy(t, s, axis=1).mean(), rel=1e-6)


def test_kl_of_a_density_with_itself_is_nothing(target):
    assert kl(torch.log(target), target, ALL, temperature=3.0, output="log_density").item() == pytest.approx(
        0, abs=1e-9
    )


def test_kl_survives_maps_of_nothing(logits):
    found = kl(logits.float().requires_grad_(), torch.zeros(2, 3, 5, 7), ALL, temperature=3.0)
    s = expit(logits.numpy()).reshape(6, -1) ** (1 / 3)
    assert found.item() == pytest.approx(9 * entropy(np.ones_like(s), s, axis=1).mean(), rel=1e-4)


def test_cc_is_one_minus_the_metric(logits, target):
    s, t = expit(logits.numpy()), target.numpy()
    expected = np.mean([1 - cc_metric(s[n, k], t[n, k]) for n in range(2) for k in range(3)])
    assert cc_loss(logits, target, ALL).item() == pytest.approx(expected, rel=1e-5)


def test_cc_of_a_constant_is_nothing_and_has_a_gradient(target):
    constant = torch.zeros(2, 3, 5, 7, requires_grad=True)
    loss = cc_loss(constant, target.float(), ALL)
    loss.backward()
    assert loss.item() == 1
    assert torch.isfinite(constant.grad).all()
    assert correlations(target, torch.zeros_like(target)).abs().max() == 0


def test_mse_is_of_the_sigmoid(logits, target):
    assert mse(logits, target, ALL).item() == pytest.approx(((expit(logits.numpy()) - target.numpy()) ** 2).mean())


@pytest.mark.parametrize("name", LOSSES)
def test_missing_maps_count_for_nothing(name, logits, target):
    loss = LOSSES[name](3.0, "score")
    valid = torch.tensor([[True, False, True], [False, False, True]])
    alone = [
        loss(logits[n : n + 1, k : k + 1], target[n : n + 1, k : k + 1], torch.ones(1, 1, dtype=torch.bool)).item()
        for n, k in ((0, 0), (0, 2), (1, 2))
    ]
    free = logits.clone().requires_grad_()
    found = loss(free, torch.where(valid[:, :, None, None], target, torch.nan), valid)
    found.backward()
    assert found.item() == pytest.approx(np.mean(alone), rel=1e-6)
    assert free.grad[~valid].abs().max() == 0
    assert free.grad[valid].abs().amin(dim=0).max() > 0


@pytest.mark.parametrize("name", LOSSES)
def test_no_map_at_all_is_0_with_a_gradient(name, logits, target):
    free = logits.clone().requires_grad_()
    found = LOSSES[name](3.0, "score")(free, target, torch.zeros(2, 3, dtype=torch.bool))
    found.backward()
    assert found.item() == 0
    assert free.grad.abs().max() == 0


def test_weighted_sums(logits, target):
    found = WeightedLoss({"cc": 1, "mse": 5})(logits, target, ALL)
    expected = cc_loss(logits, target, ALL) + 5 * mse(logits, target, ALL)
    assert found.item() == pytest.approx(expected.item())


@pytest.mark.parametrize(
    ("weights", "output", "message"),
    [
        ({"mze": 1}, "score", "did you mean 'mse'"),
        ({"cc": 0}, "score", "no part with a weight above 0"),
        ({"bce": 1}, "log_density", "give a score"),
    ],
)
def test_losses_that_do_not_fit(weights, output, message):
    with pytest.raises(UsageError, match=message):
        WeightedLoss(weights, output=output)


def test_a_hint_that_tells_the_feature_is_nothing():
    """A teacher whose feature is a linear function of the student's can be told exactly, on any scale."""
    hint = FeatureHint(2, 3)
    student = torch.rand(2, 2, 4, 4)
    with torch.no_grad():
        hint.regressor.bias.zero_()
        teacher = 7 * hint.regressor(student)
    assert hint(student, teacher).item() == pytest.approx(0, abs=1e-10)
    assert hint(student, -teacher).item() == pytest.approx(4, rel=1e-5)


def test_a_hint_compares_at_the_smaller_size():
    hint = FeatureHint(2, 3)
    student, teacher = torch.rand(1, 2, 8, 8, requires_grad=True), torch.rand(1, 3, 4, 2)
    loss = hint(student, teacher)
    loss.backward()
    told = torch.nn.functional.adaptive_avg_pool2d(hint.regressor(student), (4, 2)).detach().numpy()[0]
    a, b = (m / np.linalg.norm(m, axis=0) for m in (told, teacher.numpy()[0]))
    assert loss.item() == pytest.approx(((a - b) ** 2).sum(0).mean(), rel=1e-5)
    assert student.grad.abs().max() > 0
