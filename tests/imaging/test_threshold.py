"""The threshold: values by hand, NumPy's percentile, scikit-image's Otsu, and what holds for every map."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from scipy import ndimage
from skimage.filters import threshold_otsu

from salbox import PostProcess
from salbox.imaging.threshold import apply_threshold, check_threshold

TENTHS = np.arange(10, dtype=np.float32).reshape(2, 5)
SMOOTH = ndimage.gaussian_filter(np.random.default_rng(1).random((60, 80)), 4).astype(np.float32)


@pytest.mark.parametrize(
    ("threshold", "expected"),
    [
        ("none", [0, 1, 2, 3, 4, 5, 6, 7, 8, 9]),
        (7, [0, 0, 0, 0, 0, 0, 0, 7, 8, 9]),
        ("7.5", [0, 0, 0, 0, 0, 0, 0, 0, 8, 9]),
        (-3, [0, 1, 2, 3, 4, 5, 6, 7, 8, 9]),
        (10, [0] * 10),
        ("p0", [0, 1, 2, 3, 4, 5, 6, 7, 8, 9]),
        ("p90", [0, 0, 0, 0, 0, 0, 0, 0, 0, 9]),  # 8.1
        ("50%", [0, 0, 0, 0, 0, 5, 6, 7, 8, 9]),  # 4.5
        ("p100", [0, 0, 0, 0, 0, 0, 0, 0, 0, 9]),
        ("otsu", [0, 0, 0, 0, 0, 5, 6, 7, 8, 9]),  # two halves
    ],
)
def test_by_hand(threshold, expected):
    assert PostProcess(threshold=threshold)(TENTHS).ravel().tolist() == expected


def test_what_is_below_gets_the_smallest_value_and_not_0():
    found = PostProcess(threshold="p75")(np.array([[-4.0, -3.0, -2.0, -1.0]]))
    assert found.tolist() == [[-4.0, -4.0, -4.0, -1.0]]


def test_a_value_is_on_the_scale_of_what_was_scaled_before():
    found = PostProcess(scale_output="min-max", scale_max=255, threshold=128)(TENTHS)
    np.testing.assert_allclose(found.ravel(), np.where(np.arange(10) >= 5, np.arange(10) * 255 / 9, 0), rtol=1e-6)
    assert PostProcess(threshold=0.3)(np.array([[0.1, 0.3]])).tolist() == [[np.float32(0.1), np.float32(0.3)]]


def test_otsu_is_scikit_image_s():
    levels = (np.random.default_rng(4).beta(1, 3, (50, 40)) * 200).astype(np.uint8)
    levels.flat[:2] = 0, 255
    found = PostProcess(threshold="otsu")(levels)
    np.testing.assert_array_equal(found > 0, levels > threshold_otsu(levels))


@pytest.mark.parametrize("threshold", ["p90", "otsu"])
def test_of_a_log_density_the_density_is_crisp(threshold):
    density = SMOOTH.astype(float) ** 8 / (SMOOTH.astype(float) ** 8).sum()
    log = np.log(density)
    crisp = apply_threshold(density.astype(np.float32), threshold)
    found = PostProcess(threshold=threshold)(log, output="log_density")
    np.testing.assert_allclose(found, crisp, rtol=1e-3)
    assert PostProcess(threshold=threshold).output_of("log_density") == "score"
    kept = PostProcess(threshold=threshold, scale_output="log-density")(log, output="log_density")
    np.testing.assert_allclose(np.exp(kept), crisp / crisp.sum(), rtol=2e-3)


def test_one_threshold_has_one_form():
    assert check_threshold("90 %") == check_threshold("P90") == check_threshold("p90.0") == "p90"
    assert PostProcess(threshold="0.5") == PostProcess(threshold=0.5)


@given(
    saliency=hnp.arrays(
        np.float32, hnp.array_shapes(min_dims=2, max_dims=2, max_side=12), elements=st.floats(-9, 9, width=32)
    ),
    threshold=st.one_of(st.just("otsu"), st.floats(-10, 10), st.integers(0, 100).map("p{}".format)),
)
def test_every_pixel_is_as_it_was_or_the_smallest_and_none_above_one_that_is_kept_is_lost(saliency, threshold):
    found = PostProcess(threshold=threshold)(saliency)
    kept = found == saliency
    assert (found[~kept] == saliency.min()).all()
    np.testing.assert_array_equal(PostProcess(threshold=threshold)(saliency), found)
    if kept.any() and not kept.all():
        lost = saliency[~kept]
        assert lost.max() < found[kept & (saliency > saliency.min())].min(initial=np.inf)
    if isinstance(threshold, str) and threshold.startswith("p"):
        assert (saliency >= found.max()).any()
        assert found.max() == saliency.max()
