"""Ground truth against SciPy, NumPy and values worked out by hand."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import ndimage

from salbox.datasets import (
    Fixations,
    ShuffledNegatives,
    center_bias,
    fixation_counts,
    fixation_density,
    fixation_map,
    human_ceiling,
    leave_one_observer_out,
    mean_histogram,
    pooled,
    sigma_in_pixels,
)
from salbox.errors import UsageError


def random_fixations(shape, number, seed=0, observers=4):
    rng = np.random.default_rng(seed)
    return Fixations(rng.random(number) * shape[1], rng.random(number) * shape[0], rng.integers(observers, size=number))


def test_positions_are_read_only_copies():
    x = np.array([1.0, 2.0])
    fixations = Fixations(x, [3, 4])
    x[0] = 9
    assert fixations.x.tolist() == [1, 2]
    assert fixations.subject.tolist() == [0, 0]
    with pytest.raises(ValueError, match="read-only"):
        fixations.x[0] = 5


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (([1], [1, 2]), "different lengths 1, 2, 1"),
        (([1, 2], [1, 2], [0]), "different lengths 2, 2, 1"),
        (([np.nan], [0]), "not a finite number"),
        (([0], [np.inf]), "not a finite number"),
    ],
)
def test_malformed_positions_are_refused(arguments, message):
    with pytest.raises(UsageError, match=message):
        Fixations(*arguments)


def test_a_pixel_covers_its_square_and_the_border_is_outside():
    fixations = Fixations([0, 0.99, 4.999, 5, -0.01, 2], [0, 0.5, 2.999, 1, 1, 3])
    inside = fixations.inside((3, 5))
    assert inside.x.tolist() == [0, 0.99, 4.999]
    rows, columns = inside.pixels((3, 5))
    assert rows.tolist() == [0, 0, 2]
    assert columns.tolist() == [0, 0, 4]
    with pytest.raises(UsageError, match="3 of 6 fixations lie outside the image of 5x3"):
        fixations.pixels((3, 5))


def test_pixels_are_of_the_shape_asked_for():
    fixations = Fixations([3.5, 0], [1, 2])
    assert fixations.flat_pixels((3, 5)).tolist() == [8, 10]
    assert fixations.flat_pixels((3, 4)).tolist() == [7, 8]
    assert fixations.flat_pixels((3, 5)).tolist() == [8, 10]
    with pytest.raises(UsageError, match="1 of 2 fixations lie outside the image of 5x2"):
        fixations.flat_pixels((2, 5))


def test_counts_keep_duplicates_and_the_binary_map_does_not():
    fixations = Fixations([1, 1.5, 3], [0, 0, 2])
    expected = np.zeros((3, 4))
    expected[0, 1], expected[2, 3] = 2, 1
    np.testing.assert_array_equal(fixation_counts(fixations, (3, 4)), expected)
    np.testing.assert_array_equal(fixation_map(fixations, (3, 4)), expected > 0)


@pytest.mark.parametrize(("shape", "sigma"), [((40, 60), 3.0), ((60, 40), 7.3), ((5, 9), 24.0), ((1, 1), 2.0)])
def test_density_equals_scipys_gaussian_filter(shape, sigma):
    fixations = random_fixations(shape, 30)
    blurred = ndimage.gaussian_filter(fixation_counts(fixations, shape), sigma, mode="constant")
    density = fixation_density(fixations, shape, sigma)
    np.testing.assert_allclose(density, blurred / blurred.sum(), rtol=0, atol=1e-15)


def test_sigma_in_degrees_is_pixels_per_degree_times_as_many_pixels():
    fixations = random_fixations((50, 50), 10)
    np.testing.assert_array_equal(
        fixation_density(fixations, (50, 50), 0.5, pixels_per_degree=12), fixation_density(fixations, (50, 50), 6)
    )
    assert sigma_in_pixels(1, 35) == 35


@pytest.mark.parametrize(("sigma", "pixels_per_degree"), [(0, None), (-1, None), (1, 0), (-1, -30), (np.nan, None)])
def test_impossible_sigma_is_refused(sigma, pixels_per_degree):
    with pytest.raises(UsageError, match="must be positive"):
        sigma_in_pixels(sigma, pixels_per_degree)


def test_density_of_nothing_is_refused():
    with pytest.raises(UsageError, match="no fixations"):
        fixation_density(Fixations([], []), (10, 10), 2)


def test_leave_one_out_splits_each_observer_from_all_others():
    fixations = Fixations([0, 1, 2, 3], [0, 0, 0, 0], [7, 3, 7, 5])
    split = [(h.subject, h.own.x.tolist(), h.others.x.tolist()) for h in leave_one_observer_out(fixations)]
    assert split == [(3, [1], [0, 2, 3]), (5, [3], [0, 1, 2]), (7, [0, 2], [1, 3])]


def test_leave_one_out_needs_two_observers():
    with pytest.raises(UsageError, match="fixations of 1 observers"):
        next(leave_one_observer_out(Fixations([1, 2], [1, 2])))


def test_ceiling_blurs_the_others():
    fixations = random_fixations((30, 20), 20)
    pairs = list(human_ceiling(fixations, (30, 20), 3))
    assert len(pairs) == len(fixations.subjects)
    first = fixations.subjects[0]
    np.testing.assert_array_equal(pairs[0][1].x, fixations.x[fixations.subject == first])
    others = Fixations(fixations.x[fixations.subject != first], fixations.y[fixations.subject != first])
    np.testing.assert_allclose(pairs[0][0], fixation_density(others, (30, 20), 3), atol=1e-16)


def places(fixations):
    return sorted(zip(fixations.x.tolist(), fixations.y.tolist(), strict=True))


def test_negatives_are_all_fixations_of_the_other_images():
    images = [Fixations([0, 0], [1, 1]), Fixations([2], [2]), Fixations([3, 9], [3, 3]), Fixations([], [])]
    negatives = ShuffledNegatives(images, [(5, 5)] * 4)
    assert places(negatives.of(0)) == [(2, 2), (3, 3)]  # x = 9 lies outside its own image
    assert places(negatives.of(1)) == [(0, 1), (0, 1), (3, 3)]
    assert places(negatives.of(2)) == [(0, 1), (0, 1), (2, 2)]
    assert places(negatives.of(3)) == [(0, 1), (0, 1), (2, 2), (3, 3)]
    assert len(negatives) == 4
    for k in range(4):
        anew = Fixations(negatives.of(k).x, negatives.of(k).y)
        for shape in ((5, 5), (6, 7)):
            np.testing.assert_array_equal(negatives.of(k).flat_pixels(shape), anew.flat_pixels(shape))


def test_negatives_scale_with_the_images():
    images = [Fixations([1], [1]), Fixations([10, 19.999], [5, 0])]
    negatives = ShuffledNegatives(images, [(4, 4), (10, 20)])
    np.testing.assert_allclose(places(negatives.of(0)), [(2, 2), (3.9998, 0)])
    np.testing.assert_allclose(places(negatives.of(1)), [(5, 2.5)])
    with pytest.raises(UsageError, match="fixations of 2 images, but 1 shapes"):
        ShuffledNegatives(images, [(4, 4)])


@given(st.integers(1, 4000), st.integers(1, 4000))
def test_what_lies_inside_stays_inside_when_resized(old, new):
    edge = np.nextafter(float(old), 0)
    fixations = Fixations([edge, 0], [0, edge])
    assert len(fixations.resized((old, old), (new, new)).inside((new, new))) == 2


def test_centre_bias_is_a_positive_density_of_all_fixations():
    images = [Fixations([5, 50], [5, 5]), Fixations([19], [9])]  # 50 lies outside
    shapes = [(20, 40), (10, 20)]
    bias = center_bias(images, shapes, (10, 20), 2, uniform_share=0)
    np.testing.assert_allclose(bias, fixation_density(Fixations([2.5, 19], [2.5, 9]), (10, 20), 2))
    mixed = center_bias(images, shapes, (10, 20), 2, uniform_share=0.1)
    np.testing.assert_allclose(mixed, 0.9 * bias + 0.1 / 200)
    with pytest.raises(UsageError, match="uniform_share"):
        center_bias(images, shapes, (10, 20), 2, uniform_share=2)


def test_pooled_keeps_order_and_duplicates():
    both = pooled([Fixations([1, 1], [2, 2], 4), Fixations([1], [2], 5)])
    assert both.x.tolist() == [1, 1, 1]
    assert both.subject.tolist() == [4, 4, 5]
    assert len(pooled([])) == 0


def test_mean_histogram_by_hand():
    small, large = np.array([[0.0, 10.0]]), np.repeat([[1.0, 2.0, 5.0, 5.0]], 3, axis=0)
    # (small) .5 in the first and last bin; (large) 0, .25, 1, 1 -> bins 0, 1, 3, 3
    np.testing.assert_allclose(mean_histogram([small, large], bins=4), [0.375, 0.125, 0, 0.5])
    np.testing.assert_allclose(mean_histogram([np.full((2, 2), 7.0)], bins=2), [1, 0])
    with pytest.raises(UsageError, match="no maps"):
        mean_histogram([])
    with pytest.raises(UsageError, match="map 1"):
        mean_histogram([small, np.array([[np.nan, 1]])])


def test_osie_holds_what_its_publishers_say(shared):
    """98,321 fixations by 15 people on 700 images, none outside once counted from 0."""
    from scipy.io import loadmat

    entries = loadmat(
        shared / "data" / "OSIE" / "data" / "eye" / "fixations.mat", squeeze_me=True, struct_as_record=False
    )["fixations"]
    total = 0
    for entry in entries[::10]:
        x = [np.atleast_1d(s.fix_x).astype(float) - 1 for s in entry.subjects]
        y = [np.atleast_1d(s.fix_y).astype(float) - 1 for s in entry.subjects]
        who = np.repeat(np.arange(len(x)), [len(v) for v in x])
        fixations = Fixations(np.concatenate(x), np.concatenate(y), who)
        assert fixations.subjects == tuple(range(15))
        assert len(fixations.inside((600, 800))) == len(fixations)
        total += len(fixations)
    assert 98_321 / 10 * 0.95 < total < 98_321 / 10 * 1.05


def test_order_and_durations_stay_with_their_fixations():
    fixations = Fixations([5, -1, 39, 7], [5, 5, 29, 7], [0, 0, 1, 1], [0, 1, 0, 1], [200, 300, 150, 90])
    inside = fixations.inside((30, 40))
    assert inside.order.tolist() == [0, 0, 1]  # numbers stay: what lay between was left out
    assert inside.duration.tolist() == [200, 150, 90]
    resized = inside.resized((30, 40), (60, 80))
    assert (resized.order.tolist(), resized.duration.tolist()) == ([0, 0, 1], [200, 150, 90])
    both = pooled([inside, fixations])
    assert both.order.tolist() == [0, 0, 1, 0, 1, 0, 1]
    assert both.duration.tolist() == [200, 150, 90, 200, 300, 150, 90]
    with pytest.raises(ValueError, match="read-only"):
        both.order[0] = 3


def test_order_and_durations_are_unknown_unless_all_tell():
    known, unknown = Fixations([1], [1], 0, [0], [200]), Fixations([2], [2])
    assert (unknown.order, unknown.duration) == (None, None)
    assert (pooled([known, unknown]).order, pooled([known, unknown]).duration) == (None, None)
    assert Fixations([], [])[np.zeros(0, int)].order is None
    with pytest.raises(UsageError, match="2 positions, but order has the length 1"):
        Fixations([1, 2], [1, 2], 0, [0])
    with pytest.raises(UsageError, match="2 positions, but duration has the length 3"):
        Fixations([1, 2], [1, 2], 0, None, [1, 2, 3])
