"""CC against the metric."""

from __future__ import annotations

import numpy as np
import pytest
from output_maps import output_maps, pairs

torch = pytest.importorskip("torch")

from salbox.losses import cc, correlations  # noqa: E402
from salbox.metrics import METRICS  # noqa: E402


@pytest.mark.parametrize("output", ["score", "log_density", "probability"])
def test_is_one_minus_the_metric(output, logits, target, valid):
    maps = output_maps(logits, output)
    expected = np.mean([1 - METRICS["cc"].score(m, output, {"density": t}) for m, t in pairs(maps, target)])
    assert cc(logits, target, valid, output=output).item() == pytest.approx(expected, rel=1e-9)


def test_a_constant_has_no_correlation_and_a_gradient(target, valid):
    constant = torch.zeros(2, 3, 5, 7, requires_grad=True)
    loss = cc(constant, target.float(), valid)
    loss.backward()
    assert loss.item() == 1
    assert torch.isfinite(constant.grad).all()
    assert correlations(target, torch.zeros_like(target)).abs().max() == 0


def test_half_precision_is_summed_in_single(target):
    maps = 0.5 + target / 1000  # its variance is far below what bfloat16 resolves
    assert correlations(maps, maps).min() == pytest.approx(1)
    assert correlations(target.bfloat16(), target.bfloat16()).dtype == torch.float32
