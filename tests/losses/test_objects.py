"""Losses of salient objects: by hand on small maps, and boundaries against SciPy's grey morphology."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import ndimage
from scipy.special import expit, logit

torch = pytest.importorskip("torch")

from salbox.losses import (  # noqa: E402
    LOSSES,
    WeightedLoss,
    boundaries,
    boundary_dice,
    dice,
    soft_iou,
    structure_polishing,
)

ONE = torch.tensor([[True]])


def of_map(loss, values, target, **settings) -> float:
    """Return a loss of one map, given as probabilities."""
    maps = (np.asarray(m, float)[None, None] for m in (logit(values), target))
    return loss(*(torch.from_numpy(m) for m in maps), ONE, **settings).item()


def test_dice_by_hand():
    """sum 2 G P = 2 (.75 + .5) = 2.5; sum G + P = 2 + 1.75: 1 - 3.5 / 4.75."""
    found = of_map(dice, [[0.75, 0.25], [0.5, 0.25]], [[1, 0], [1, 0]])
    assert found == pytest.approx(1 - 3.5 / 4.75, rel=1e-12)


def test_soft_iou_by_hand():
    """Shared 1.25 of 2 + 1.75 - 1.25."""
    found = of_map(soft_iou, [[0.75, 0.25], [0.5, 0.25]], [[1, 0], [1, 0]])
    assert found == pytest.approx(1 - 2.25 / 3.5, rel=1e-12)


@pytest.mark.parametrize("loss", [dice, soft_iou, structure_polishing])
def test_certain_maps(loss):
    """Right everywhere 0; of nothing, seen nowhere, 0 too; the wrong half of 64 pixels nearly the most."""
    target = torch.zeros(1, 1, 8, 8)
    target[..., :4] = 1
    certain = 200 * (2 * target - 1)
    assert loss(certain, target, ONE).item() == pytest.approx(0, abs=1e-6)
    assert loss(torch.full((1, 1, 8, 8), -200.0), 0 * target, ONE).item() == pytest.approx(0, abs=1e-6)
    assert loss(-certain, target, ONE).item() > 0.95


def test_a_boundary_by_hand():
    """Of a 2x2 object in the middle of 8x8 the 4x4 around it: no pixel keeps all its neighbors when it is eroded."""
    maps = torch.zeros(1, 1, 8, 8)
    maps[..., 3:5, 3:5] = 1
    expected = torch.zeros(1, 1, 8, 8)
    expected[..., 2:6, 2:6] = 1
    assert torch.equal(boundaries(maps), expected)
    expected[..., 1:7, 1:7] = 1
    assert torch.equal(boundaries(maps, 3), expected)


def test_an_object_within_has_an_inner_boundary_and_none_at_the_picture_s_edge():
    maps = torch.zeros(1, 1, 1, 10)
    maps[..., :6] = 1
    assert boundaries(maps).flatten().tolist() == [0, 0, 0, 0, 0, 1, 1, 0, 0, 0]


@pytest.mark.parametrize("width", [1, 3, 5, 13])
def test_boundaries_are_those_of_grey_morphology(width):
    """SciPy repeats the edge, which changes neither a maximum nor a minimum over a square."""
    maps = np.random.default_rng(4).random((2, 3, 9, 16))
    found = boundaries(torch.from_numpy(maps), width)
    for n, k in np.ndindex(2, 3):
        thin = ndimage.morphological_gradient(maps[n, k], size=3, mode="nearest")
        expected = ndimage.maximum_filter(thin, size=width, mode="nearest")
        np.testing.assert_allclose(found[n, k], expected, rtol=1e-12)


@pytest.mark.parametrize("width", [1, 5])
def test_boundary_dice_is_dice_of_boundaries(logits, target, width):
    found = boundary_dice(logits, target, torch.ones(2, 3, dtype=torch.bool), boundary_width=width).item()
    edge = lambda m: ndimage.maximum_filter(ndimage.morphological_gradient(m, size=3, mode="nearest"), size=width)  # noqa: E731
    distances = []
    for n, k in np.ndindex(2, 3):
        p, g = edge(expit(logits[n, k].numpy())), edge(target[n, k].numpy())
        distances.append(1 - (1 + 2 * (p * g).sum()) / (1 + (p + g).sum()))
    assert found == pytest.approx(np.mean(distances), rel=1e-9)


def test_a_boundary_that_is_off_costs_less_where_it_is_thick():
    """Two pixels off: thin boundaries share nothing."""
    target, shifted = (torch.zeros(1, 1, 24, 24) for _ in range(2))
    target[..., :10], shifted[..., :12] = 1, 1
    certain = 200 * (2 * shifted - 1)
    thin, *thicker = (boundary_dice(certain, target, ONE, boundary_width=width).item() for width in (1, 5, 13))
    assert thin == pytest.approx(1 - 1 / (1 + 96))
    # Stripes of 2 columns of 24 pixels, two columns apart; of 6 columns they share 4, of 14 they share 12.
    assert thicker == pytest.approx([1 - (1 + 2 * 96) / (1 + 288), 1 - (1 + 2 * 288) / (1 + 672)])
    assert thin > thicker[0] > thicker[1]


@pytest.mark.parametrize("width", [1, 3, 13])
@pytest.mark.parametrize("name", ["boundary-dice", "structure-polishing"])
def test_gradients_at_every_width(name, width, logits, target, valid):
    loss = LOSSES[name].bind(boundary_width=width)
    assert torch.autograd.gradcheck(lambda free: loss(free, target, valid), logits.clone().requires_grad_())


def test_structure_polishing_is_the_sum(logits, target, valid):
    found = structure_polishing(logits, target, valid, boundary_width=3)
    other = WeightedLoss({"dice": 1, "boundary-dice": 1}, boundary_width=3)(logits, target, valid)
    assert found.item() == pytest.approx(other.item(), rel=1e-12)
    half = WeightedLoss({"structure-polishing": 0.5}, boundary_width=3)(logits, target, valid)
    assert half.item() == pytest.approx(other.item() / 2, rel=1e-12)
