"""KL against SciPy and against the metrics that it is without a temperature."""

from __future__ import annotations

import numpy as np
import pytest
from output_maps import output_maps, pairs
from scipy.special import expit, logsumexp
from scipy.stats import entropy

torch = pytest.importorskip("torch")

from salbox.losses import kl  # noqa: E402
from salbox.metrics import METRICS  # noqa: E402


@pytest.mark.parametrize("temperature", [1.0, 3.0])
def test_is_scipys_of_the_softened_densities(temperature, logits, target, valid):
    found = kl(logits, target, valid, temperature=temperature)
    s, t = expit(logits.numpy()).reshape(6, -1), target.numpy().reshape(6, -1)
    s, t = ((m / m.sum(1, keepdims=True)) ** (1 / temperature) for m in (s, t))
    assert found.item() == pytest.approx(temperature**2 * entropy(t, s, axis=1).mean(), rel=1e-6)


def test_of_a_log_density_softens_the_logits(logits, target, valid):
    found = kl(logits, target, valid, temperature=3.0, output="log_density").item()
    soft = logits.numpy().reshape(6, -1) / 3
    s = np.exp(soft - logsumexp(soft, axis=1, keepdims=True))
    t = target.numpy().reshape(6, -1) ** (1 / 3)
    assert found == pytest.approx(9 * entropy(t, s, axis=1).mean(), rel=1e-6)


@pytest.mark.parametrize("metric", ["kl_mit", "kl_pysaliency"])
@pytest.mark.parametrize("output", ["score", "log_density", "probability"])
def test_is_the_metric(metric, output, logits, target, valid):
    maps = output_maps(logits, output)
    expected = np.mean([METRICS[metric].score(m, output, {"density": t}) for m, t in pairs(maps, target)])
    assert kl(logits, target, valid, output=output).item() == pytest.approx(expected, rel=1e-9)


def test_of_a_density_with_itself_is_nothing(target, valid):
    assert kl(torch.log(target), target, valid, temperature=3.0, output="log_density").item() == pytest.approx(
        0, abs=1e-9
    )


def test_a_target_of_nothing_is_uniform(logits, valid):
    found = kl(logits.float().requires_grad_(), torch.zeros(2, 3, 5, 7), valid, temperature=3.0)
    s = expit(logits.numpy()).reshape(6, -1) ** (1 / 3)
    assert found.item() == pytest.approx(9 * entropy(np.ones_like(s), s, axis=1).mean(), rel=1e-4)
