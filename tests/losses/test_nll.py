"""Log-likelihood against the metrics."""

from __future__ import annotations

import math

import numpy as np
import pytest
from output_maps import output_maps, pairs, points

torch = pytest.importorskip("torch")

from salbox.losses import nll  # noqa: E402
from salbox.metrics import ig, ll  # noqa: E402


def test_is_minus_the_metric_in_bits(logits, fixations, valid):
    maps = output_maps(logits, "log_density")
    expected = -np.mean([ll(m, points(f)) for m, f in pairs(maps, fixations)]) / math.log(2)
    assert nll(logits, fixations, valid).item() == pytest.approx(expected, rel=1e-9)


def test_the_uniform_densitys_less_it_is_the_information_gain(logits, fixations, valid):
    uniform = np.full((5, 7), -math.log(35))
    maps = output_maps(logits, "log_density")
    gain = np.mean([ig(m, points(f), uniform) for m, f in pairs(maps, fixations)])
    even = nll(torch.zeros_like(logits), fixations, valid).item()
    assert even == pytest.approx(math.log2(35))
    assert even - nll(logits, fixations, valid).item() == pytest.approx(gain, rel=1e-9)


def test_a_picture_that_nobody_looked_at_counts_for_nothing(logits, fixations, valid):
    fixations[0] = 0
    found = nll(logits, fixations, valid).item()
    assert found == pytest.approx(nll(logits[1:], fixations[1:], valid[1:]).item())
