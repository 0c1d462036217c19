"""What holds of every loss of maps: gradients, missing maps, constant maps, truths of nothing, shapes."""

from __future__ import annotations

import inspect

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from salbox.errors import UsageError  # noqa: E402
from salbox.losses import LOSSES  # noqa: E402

OF_MAPS = [name for name, loss in LOSSES.items() if loss.needs != ("features",)]
CASES = [(name, output) for name in OF_MAPS for output in LOSSES[name].accepts]
TEMPERATURE = 3.0


def bound(name, output):
    return LOSSES[name].bind(output=output, temperature=TEMPERATURE)


@pytest.fixture
def truth(target, fixations):
    """What a loss compares with."""
    return lambda name: fixations if LOSSES[name].needs == ("fixations",) else target


@pytest.mark.parametrize("name", LOSSES)
def test_the_function_has_the_stated_keywords_and_says_its_formula_and_source(name):
    function = LOSSES[name].load()
    keywords = [p.name for p in inspect.signature(function).parameters.values() if p.kind is p.KEYWORD_ONLY]
    assert tuple(keywords) == LOSSES[name].parameters
    text = inspect.getdoc(function)
    assert text.startswith("Return ")
    assert ": a scalar" in text.partition("\n")[0]
    assert "References\n----------\n" in text
    assert ">>> " in text


@pytest.mark.parametrize(("name", "output"), CASES)
def test_gradients_are_those_of_the_formula(name, output, logits, truth):
    valid = torch.tensor([[True, False, True], [False, False, True]])
    assert torch.autograd.gradcheck(
        lambda free: bound(name, output)(free, truth(name), valid), logits.clone().requires_grad_()
    )


def test_gradients_of_a_hint_are_those_of_the_formula(logits, target):
    valid = torch.tensor([[True], [False]])
    loss = LOSSES["hint"].load()
    assert torch.autograd.gradcheck(lambda free: loss(free, target, valid), logits.clone().requires_grad_())


@pytest.mark.parametrize(("name", "output"), CASES)
def test_missing_maps_count_for_nothing(name, output, logits, truth):
    loss, target = bound(name, output), truth(name)
    valid = torch.tensor([[True, False, True], [False, False, True]])
    one = torch.ones(1, 1, dtype=torch.bool)
    alone = [loss(logits[n, k][None, None], target[n, k][None, None], one).item() for n, k in ((0, 0), (0, 2), (1, 2))]
    free = logits.clone().requires_grad_()
    found = loss(free, torch.where(valid[:, :, None, None], target, torch.nan), valid)
    found.backward()
    assert found.item() == pytest.approx(np.mean(alone), rel=1e-6)
    assert free.grad[~valid].abs().max() == 0
    assert free.grad[valid].abs().amax(dim=(1, 2)).min() > 0


@pytest.mark.parametrize(("name", "output"), CASES)
def test_no_map_at_all_is_0_with_a_gradient(name, output, logits, truth):
    free = logits.clone().requires_grad_()
    found = bound(name, output)(free, truth(name), torch.zeros(2, 3, dtype=torch.bool))
    found.backward()
    assert found.item() == 0
    assert free.grad.abs().max() == 0


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize("value", [0.0, 0.3, -100.0, 100.0])
@pytest.mark.parametrize("nothing", [False, True])
@pytest.mark.parametrize(("name", "output"), CASES)
def test_constant_maps_and_truths_of_nothing_are_finite(name, output, nothing, value, dtype, truth, valid):
    target = truth(name).to(dtype) * (0 if nothing else 1)
    constant = torch.full((2, 3, 5, 7), value, dtype=dtype, requires_grad=True)
    found = bound(name, output)(constant, target, valid)
    found.backward()
    assert found.dtype == dtype
    assert torch.isfinite(found)
    assert torch.isfinite(constant.grad).all()


@pytest.mark.parametrize(("name", "output"), CASES)
def test_a_step_down_the_gradient_is_better(name, output, logits, truth, valid):
    """Lower is better, whatever the metric's own direction."""
    free = logits.clone().requires_grad_()
    before = bound(name, output)(free, truth(name), valid)
    before.backward()
    assert bound(name, output)(logits - 1e-3 * free.grad, truth(name), valid) < before


@pytest.mark.parametrize("name", OF_MAPS)
def test_other_shapes_are_refused(name, logits, truth, valid):
    with pytest.raises(UsageError, match=r"logits of shape \(2, 3, 5, 7\), but a target of \(2, 3, 1, 7\)"):
        bound(name, LOSSES[name].accepts[0])(logits, truth(name)[:, :, :1], valid)
