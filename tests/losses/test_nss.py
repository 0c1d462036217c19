"""NSS against the metric at points that the counts are made of."""

from __future__ import annotations

import numpy as np
import pytest
from output_maps import output_maps, pairs, points

torch = pytest.importorskip("torch")

from salbox.losses import nss  # noqa: E402
from salbox.metrics import METRICS  # noqa: E402


@pytest.mark.parametrize("shift", [0.0, -40.0])
@pytest.mark.parametrize("output", ["score", "log_density", "probability"])
def test_is_minus_the_metric(output, shift, logits, fixations, valid):
    """Shifted down, scores are of the order of 1e-18: NSS does not depend on the scale."""
    maps = output_maps(logits + shift, output)
    truth = pairs(maps, fixations)
    expected = -np.mean([METRICS["nss"].score(m, output, {"fixations": points(f)}) for m, f in truth])
    assert nss(logits + shift, fixations, valid, output=output).item() == pytest.approx(expected, rel=1e-9)


def test_a_picture_that_nobody_looked_at_counts_for_nothing(logits, fixations, valid):
    fixations[0] = 0
    free = logits.clone().requires_grad_()
    found = nss(free, fixations, valid)
    found.backward()
    assert found.item() == pytest.approx(nss(logits[1:], fixations[1:], valid[1:]).item())
    assert free.grad[0].abs().max() == 0
    assert free.grad[1].abs().amax(dim=(1, 2)).min() > 0


def test_a_constant_is_chance(fixations, valid):
    assert nss(torch.full((2, 3, 5, 7), 0.3), fixations.float(), valid).item() == pytest.approx(0, abs=1e-6)
