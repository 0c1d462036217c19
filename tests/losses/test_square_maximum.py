"""The maximum over a square, and where its gradient goes, against PyTorch's pooling."""

from __future__ import annotations

import pytest

torch = pytest.importorskip("torch")

from salbox.losses._square_maximum import square_maximum  # noqa: E402

SIDES = (1, 3, 5, 7, 13)


def pooled(maps, side):
    """Rows first, as there."""
    along = torch.nn.functional.max_pool2d(maps, (1, side), stride=1, padding=(0, side // 2))
    return torch.nn.functional.max_pool2d(along, (side, 1), stride=1, padding=(side // 2, 0))


@pytest.mark.parametrize("side", SIDES)
@pytest.mark.parametrize("shape", [(2, 3, 17, 20), (1, 1, 1, 9), (1, 2, 30, 1), (1, 1, 1, 1), (1, 1, 4, 5)])
@pytest.mark.parametrize("values", ["all differ", "many are equal"])
def test_values_and_gradients_are_those_of_pooling(side, shape, values):
    drawn = torch.randn(shape, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    maps = drawn if values == "all differ" else drawn.round()
    found, expected = (maps.clone().requires_grad_() for _ in range(2))
    weights = torch.arange(1.0, maps.numel() + 1, dtype=torch.float64).reshape(shape)  # exact, in any order of a sum
    results = square_maximum(found, side), pooled(expected, side)
    assert torch.equal(*results)
    for result in results:
        (result * weights).sum().backward()
    assert torch.equal(found.grad, expected.grad)


@pytest.mark.parametrize("side", SIDES)
def test_nothing_is_kept_where_no_gradient_is_wanted(side):
    maps = torch.rand(1, 1, 8, 8)
    assert square_maximum(maps, side).grad_fn is None
    with torch.no_grad():
        assert not square_maximum(maps.requires_grad_(), side).requires_grad or side == 1


def test_the_gradient_is_the_slope():
    maps = torch.rand(1, 2, 6, 7, dtype=torch.float64, generator=torch.Generator().manual_seed(1)).requires_grad_()
    assert torch.autograd.gradcheck(lambda values: square_maximum(values, 5), (maps,))
