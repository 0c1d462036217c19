"""SIM against the metric."""

from __future__ import annotations

import numpy as np
import pytest
from output_maps import output_maps, pairs

torch = pytest.importorskip("torch")

from salbox.losses import sim  # noqa: E402
from salbox.metrics import METRICS  # noqa: E402


@pytest.mark.parametrize("scale", [0.0, 1.0, 1e-6])
@pytest.mark.parametrize("output", ["score", "log_density", "probability"])
def test_is_one_minus_the_metric(output, scale, logits, target, valid):
    """A target of 0 is uniform to both."""
    truth = scale * target
    maps = output_maps(logits, output)
    expected = np.mean([1 - METRICS["sim"].score(m, output, {"density": t}) for m, t in pairs(maps, truth)])
    assert sim(logits, truth, valid, output=output).item() == pytest.approx(expected, rel=1e-9)


def test_of_a_density_with_itself_is_nothing(target, valid):
    assert sim(torch.log(target), target, valid, output="log_density").item() == pytest.approx(0, abs=1e-12)


def test_scores_too_small_for_the_sigmoid_share_what_their_density_does(logits, target, valid):
    """The sigmoid of -200 is 0 in single precision, its logarithm is not."""
    found = sim(logits.float() - 200, target.float(), valid).item()
    assert found == pytest.approx(sim(logits, target, valid, output="log_density").item(), rel=1e-4)
