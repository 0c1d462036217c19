"""Total variation against SciPy's distance, and against SIM."""

from __future__ import annotations

import numpy as np
import pytest
from output_maps import output_maps, pairs
from scipy.spatial.distance import cityblock

torch = pytest.importorskip("torch")

from salbox.losses import sim, tv  # noqa: E402
from salbox.metrics import METRICS, to_density  # noqa: E402


@pytest.mark.parametrize("output", ["score", "log_density", "probability"])
def test_is_half_the_absolute_difference_of_the_densities(output, logits, target, valid):
    maps = output_maps(logits, output)
    densities = np.exp(maps) if output == "log_density" else maps
    both = [[to_density(m, "sum").ravel() for m in pair] for pair in pairs(densities, target)]
    expected = np.mean([cityblock(p, q) / 2 for p, q in both])
    assert tv(logits, target, valid, output=output).item() == pytest.approx(expected, rel=1e-9)


@pytest.mark.parametrize("output", ["score", "log_density", "probability"])
def test_is_one_minus_the_metric_sim_with_its_gradient(output, logits, target, valid):
    maps = output_maps(logits, output)
    expected = np.mean([1 - METRICS["sim"].score(m, output, {"density": t}) for m, t in pairs(maps, target)])
    gradients = []
    for loss in (tv, sim):
        free = logits.clone().requires_grad_()
        found = loss(free, target, valid, output=output)
        found.backward()
        gradients.append(free.grad)
        assert found.item() == pytest.approx(expected, rel=1e-9)
    assert torch.allclose(*gradients, atol=1e-12)
