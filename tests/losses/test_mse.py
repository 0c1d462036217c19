"""MSE against NumPy and against the metric whose square it is."""

from __future__ import annotations

import numpy as np
import pytest
from output_maps import output_maps
from scipy.special import expit

torch = pytest.importorskip("torch")

from salbox.losses import mse  # noqa: E402
from salbox.metrics import fidelity_rmse  # noqa: E402


def test_is_of_the_sigmoid(logits, target, valid):
    assert mse(logits, target, valid).item() == pytest.approx(((expit(logits.numpy()) - target.numpy()) ** 2).mean())


def test_a_density_is_divided_by_its_maximum(logits, target, valid):
    maps = np.exp(output_maps(logits, "log_density"))
    expected = ((maps / maps.max(axis=(2, 3), keepdims=True) - target.numpy()) ** 2).mean()
    assert mse(logits, target, valid, output="log_density").item() == pytest.approx(expected)


@pytest.mark.parametrize("output", ["score", "probability"])
def test_is_the_square_of_the_metric(output):
    """At the metric's own size, of maps that range from 0 to 1 already."""
    random = np.random.default_rng(3)
    logits, target = random.normal(size=(240, 320)), random.random((240, 320))
    logits[0, :2], target[0, :2] = (-50, 50), (0, 1)
    batch = (torch.from_numpy(m)[None, None] for m in (logits, target))
    found = mse(*batch, torch.tensor([[True]]), output=output).item()
    assert found == pytest.approx(fidelity_rmse(expit(logits), target) ** 2, rel=1e-9)
