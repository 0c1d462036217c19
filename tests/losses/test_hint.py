"""Hints against NumPy, and what a regressor can make of them."""

from __future__ import annotations

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from salbox.losses import FeatureHint, hint  # noqa: E402


def test_a_feature_that_the_regressor_gives_exactly_is_nothing():
    """A teacher whose feature is a linear function of the student's, on any scale."""
    learned = FeatureHint(2, 3)
    student = torch.rand(2, 2, 4, 4)
    with torch.no_grad():
        learned.regressor.bias.zero_()
        teacher = 7 * learned.regressor(student)
    assert learned(student, teacher).item() == pytest.approx(0, abs=1e-10)
    assert learned(student, -teacher).item() == pytest.approx(4, rel=1e-5)


def test_compares_at_the_smaller_size():
    learned = FeatureHint(2, 3)
    student, teacher = torch.rand(1, 2, 8, 8, requires_grad=True), torch.rand(1, 3, 4, 2)
    loss = learned(student, teacher)
    loss.backward()
    predicted = torch.nn.functional.adaptive_avg_pool2d(learned.regressor(student), (4, 2)).detach().numpy()[0]
    a, b = (m / np.linalg.norm(m, axis=0) for m in (predicted, teacher.numpy()[0]))
    assert loss.item() == pytest.approx(((a - b) ** 2).sum(0).mean(), rel=1e-5)
    assert student.grad.abs().max() > 0


def test_pictures_without_a_feature_count_for_nothing():
    random = torch.Generator().manual_seed(0)
    predicted, feature = (torch.rand(3, 4, 5, 6, generator=random) for _ in range(2))
    predicted.requires_grad_()
    feature[1] = torch.nan
    valid = torch.tensor([[True], [False], [True]])
    found = hint(predicted, feature, valid)
    found.backward()
    kept = [0, 2]
    assert found.item() == pytest.approx(hint(predicted[kept], feature[kept], valid[kept]).item(), rel=1e-6)
    assert predicted.grad[1].abs().max() == 0
    assert predicted.grad[kept].abs().max() > 0
