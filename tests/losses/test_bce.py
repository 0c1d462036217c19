"""BCE against its formula, by hand."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.special import expit

torch = pytest.importorskip("torch")

from salbox.losses import bce  # noqa: E402


def test_is_the_cross_entropy(logits, target, valid):
    s, t = expit(logits.numpy()), target.numpy()
    expected = -(t * np.log(s) + (1 - t) * np.log(1 - s)).mean()
    assert bce(logits, target, valid).item() == pytest.approx(expected)


def test_by_hand():
    half = bce(torch.zeros(1, 1, 1, 2), torch.tensor([[[[0.0, 1.0]]]]), torch.ones(1, 1, dtype=torch.bool))
    assert half.item() == pytest.approx(np.log(2))


def test_certain_logits_are_finite(valid):
    logits = torch.full((2, 3, 5, 7), 200.0)
    assert bce(logits, torch.zeros_like(logits), valid).item() == pytest.approx(200)
