"""Post-processing: each option against a value by hand or a second library, and what holds for every map."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from PIL import Image
from scipy import ndimage
from scipy.special import logsumexp
from scipy.stats import zscore
from skimage.exposure import equalize_hist, match_histograms

import salbox
from salbox import PostProcess
from salbox.imaging.histograms import mean_fixation_histogram
from salbox.imaging.postprocess import CHOICES

RAMP = np.arange(12, dtype=np.float32).reshape(3, 4)
THRESHOLDS = st.one_of(st.just("none"), st.just("otsu"), st.floats(-10, 300), st.integers(0, 100).map("p{}".format))
SMOOTH = ndimage.gaussian_filter(np.random.default_rng(1).random((60, 80)), 4).astype(np.float32)


def test_the_default_applies_nothing():
    np.testing.assert_array_equal(PostProcess()(SMOOTH), SMOOTH)
    assert not PostProcess().replaces_smoothing
    assert PostProcess(do_smoothing="none").replaces_smoothing


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({}, "probability"),
        ({"do_smoothing": "proportional"}, "probability"),
        ({"scale_output": "min-max"}, "probability"),
        ({"scale_output": "min-max", "scale_max": 255.0}, "score"),
        ({"scale_output": "min-max", "scale_min": -1.0}, "score"),
        ({"scale_output": "normalized"}, "score"),
        ({"scale_output": "log-density"}, "log_density"),
        ({"threshold": "otsu"}, "probability"),
    ],
)
def test_a_probability_stays_one_within_0_and_1(changes, expected):
    assert PostProcess(**changes).output_of("probability") == expected


class TestScaling:
    def test_min_max_by_hand(self):
        np.testing.assert_allclose(PostProcess(scale_output="min-max", scale_min=-1, scale_max=1)(RAMP)[0, 1], -9 / 11)

    def test_normalized_is_scipy_s_zscore(self):
        np.testing.assert_allclose(
            PostProcess(scale_output="normalized")(SMOOTH), zscore(SMOOTH, axis=None, ddof=1), atol=2e-6
        )

    def test_log_density_by_hand(self):
        density = PostProcess(scale_output="log-density")(RAMP)
        np.testing.assert_allclose(np.exp(density), RAMP / RAMP.sum(), atol=1e-7)
        assert np.isfinite(density).all()

    def test_constant_maps_divide_by_nothing(self):
        flat = np.full((3, 4), 5, np.float32)
        assert (PostProcess(scale_output="min-max", scale_min=2, scale_max=3)(flat) == 2).all()
        assert not PostProcess(scale_output="normalized")(flat).any()
        np.testing.assert_allclose(PostProcess(scale_output="log-density")(flat), -np.log(12), rtol=1e-6)


class TestSmoothing:
    @pytest.mark.parametrize(("size", "origin"), [(9, 0), (5, 0), (6, -1), (1, 0)])
    def test_custom_is_a_direct_correlation(self, size, origin):
        offsets = np.arange(size) - (size - 1) / 2
        window = np.exp(-(offsets[:, None] ** 2 + offsets**2) / (2 * 3.0**2))
        expected = ndimage.correlate(
            SMOOTH.astype(float), window / window.sum(), mode="reflect", origin=(origin if size % 2 == 0 else 0)
        )
        smoothed = PostProcess(do_smoothing="custom", smooth_size=size, smooth_std=3)(SMOOTH)
        np.testing.assert_allclose(smoothed, expected, atol=1e-6)

    def test_proportional_goes_by_the_longer_side(self):
        # sigma = .05 * 80 = 4, window 12
        proportional = PostProcess(do_smoothing="proportional", smooth_prop=0.05)(SMOOTH)
        np.testing.assert_allclose(
            proportional, PostProcess(do_smoothing="custom", smooth_size=12, smooth_std=4)(SMOOTH), atol=1e-6
        )

    def test_borders_do_not_darken(self):
        flat = np.full((7, 5), 3, np.float32)
        for smoothing in ("custom", "proportional"):
            np.testing.assert_allclose(PostProcess(do_smoothing=smoothing, smooth_prop=0.9)(flat), flat, rtol=1e-6)


class TestCenterPrior:
    def test_added_by_hand(self):
        # 3 x 4: positions -1, 0, 1 and -2, -1, 0, 1; sigma .5 * 3 and .5 * 4
        prior = np.outer(np.exp(-np.array([1, 0, 1]) / 4.5), np.exp(-np.array([4, 1, 0, 1]) / 8))
        assert prior.max() == 1
        process = PostProcess(
            center_prior="proportional_add",
            center_prior_prop=0.5,
            center_prior_weight=0.25,
            center_prior_scale_first=False,
        )
        np.testing.assert_allclose(process(RAMP), 0.75 * RAMP + 0.25 * prior, rtol=1e-6)

    def test_multiplied_and_scaled_first_by_hand(self):
        prior = np.outer(np.exp(-np.array([1, 0, 1]) / 4.5), np.exp(-np.array([4, 1, 0, 1]) / 8))
        process = PostProcess(center_prior="proportional_mult", center_prior_prop=0.5, center_prior_weight=1)
        np.testing.assert_allclose(process(RAMP), RAMP / 11 * prior, rtol=1e-6)

    def test_weight_0_changes_nothing(self):
        process = PostProcess(center_prior="proportional_add", center_prior_weight=0, center_prior_scale_first=False)
        np.testing.assert_array_equal(process(SMOOTH), SMOOTH)


class TestHistogramMatching:
    def test_to_a_map_is_scikit_image_s(self):
        reference = np.random.default_rng(2).beta(1, 4, (50, 70))
        reference = (reference - reference.min()) / np.ptp(reference)
        matched = PostProcess(histogram_matching="biased", histogram_matching_reference=reference)(SMOOTH)
        np.testing.assert_allclose(matched, match_histograms(SMOOTH, reference), atol=1e-6)

    def test_equalization_is_scikit_image_s(self):
        levels = np.random.default_rng(3).integers(0, 256, (90, 80)).astype(np.float32)
        expected = equalize_hist(levels, nbins=256)
        expected = (expected - expected.min()) / np.ptp(expected)
        np.testing.assert_allclose(PostProcess(histogram_matching="equalization")(levels), expected, atol=5e-3)

    def test_equalization_by_hand(self):
        # two 0s, one 5, one 9: quantiles 1/2, 3/4, 1
        np.testing.assert_allclose(
            PostProcess(histogram_matching="equalization")(np.array([[0, 0, 5, 9]], np.float32)), [[0, 0, 0.5, 1]]
        )

    def test_biased_gives_the_published_distribution(self):
        matched = PostProcess(histogram_matching="biased")(SMOOTH)
        reference = mean_fixation_histogram()
        for level in (0, 10, 50, 200):
            share = reference.counts[reference.values * 255 <= level + 1e-9].sum() / reference.counts.sum()
            assert (matched * 255 <= level + 1e-3).mean() == pytest.approx(share, abs=1e-3)

    def test_a_folder_stands_for_its_mean_histogram(self, tmp_path):
        for i, value in enumerate((0, 0, 255, 255)):
            Image.fromarray(np.full((4, 4), value, np.uint8)).save(tmp_path / f"{i}.png")
        process = PostProcess(histogram_matching="biased", histogram_matching_reference=tmp_path)
        matched = process(RAMP)
        # half black, half white: below the median quantile 0, above it rising to 1
        assert (matched.ravel()[:6] == 0).all()
        assert matched.ravel()[-1] == 1

    def test_image_based_looks_for_the_image_s_name(self, tmp_path):
        Image.fromarray(np.full((4, 4), 51, np.uint8)).save(tmp_path / "dark.png")
        process = PostProcess(histogram_matching="image-based", histogram_matching_reference=tmp_path)
        np.testing.assert_allclose(process(RAMP, name="dark.jpg"), 0.2)
        with pytest.raises(salbox.UsageError, match="no picture named 'light'"):
            process(RAMP, name="light.jpg")
        with pytest.raises(salbox.UsageError, match="needs the image's name"):
            process(RAMP)

    def test_order_is_kept(self):
        matched = PostProcess(histogram_matching="biased")(SMOOTH)
        order = np.argsort(SMOOTH, axis=None)
        assert (np.diff(matched.ravel()[order]) >= 0).all()


def test_the_order_is_matching_smoothing_prior_scaling_threshold():
    everything = PostProcess(
        histogram_matching="equalization",
        do_smoothing="custom",
        center_prior="proportional_mult",
        scale_output="min-max",
        threshold=0.3,
    )
    step = PostProcess(histogram_matching="equalization")(SMOOTH)
    step = PostProcess(do_smoothing="custom")(step)
    step = PostProcess(center_prior="proportional_mult")(step)
    step = PostProcess(scale_output="min-max")(step)
    step = PostProcess(threshold=0.3)(step)
    np.testing.assert_array_equal(everything(SMOOTH), step)
    assert 0 < (step == 0).mean() < 1


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"do_smoothing": "propotional"}, "did you mean 'proportional'"),
        ({"scale_output": "minmax"}, "did you mean 'min-max'"),
        ({"smooth_std": 0}, "above 0"),
        ({"smooth_size": 2.5}, "whole number"),
        ({"smooth_prop": float("nan")}, "above 0"),
        ({"center_prior_weight": 1.5}, "0 to 1"),
        ({"scale_min": 1, "scale_max": 1}, "smaller and a larger"),
        ({"histogram_matching": "image-based"}, "needs a histogram_matching_reference"),
        ({"threshold": "ostu"}, "did you mean 'otsu'"),
        ({"threshold": "p101"}, "percentile such as p90"),
        ({"threshold": "-5%"}, "percentile such as p90"),
        ({"threshold": float("nan")}, "expected none, a number"),
        ({"threshold": "1e300"}, "expected none, a number"),
        ({"threshold": True}, "expected none, a number"),
    ],
)
def test_wrong_options_say_what_is_right(options, message):
    with pytest.raises(salbox.UsageError, match=message):
        PostProcess(**options)


@pytest.mark.parametrize("array", [np.zeros(3), np.zeros((0, 3)), np.array([[np.nan]]), np.zeros((2, 2, 3))])
def test_what_is_no_map_is_refused(array):
    with pytest.raises(salbox.UsageError, match="expected a map"):
        PostProcess()(array)


@given(
    saliency=hnp.arrays(
        st.sampled_from([np.dtype(np.float32), np.dtype(np.uint8)]),
        hnp.array_shapes(min_dims=2, max_dims=2, max_side=12),
        elements=st.integers(0, 255),
    ),
    histogram_matching=st.sampled_from([c for c in CHOICES["histogram_matching"] if c != "image-based"]),
    do_smoothing=st.sampled_from(CHOICES["do_smoothing"]),
    center_prior=st.sampled_from(CHOICES["center_prior"]),
    scale_output=st.sampled_from(CHOICES["scale_output"]),
    threshold=THRESHOLDS,
)
def test_every_map_stays_a_map(saliency, **options):
    process = PostProcess(**options)
    result = process(saliency)
    assert result.shape == saliency.shape
    assert result.dtype == np.float32
    assert np.isfinite(result).all()
    np.testing.assert_array_equal(process(saliency), result)
    if process.scale_output == "log-density":
        assert logsumexp(result.astype(np.float64)) == pytest.approx(0, abs=1e-5)
    if process.scale_output == "min-max":
        assert result.min() >= 0
        assert result.max() <= 1


def test_a_log_density_stays_one():
    density = np.log(SMOOTH / SMOOTH.sum())
    found = PostProcess(scale_output="log-density")(density, output="log_density")
    np.testing.assert_allclose(found, density, atol=1e-5)
    of_a_score = PostProcess(scale_output="log-density")(density)
    assert np.abs(of_a_score - density).max() > 1


class TestLogDensities:
    """Every step is one on the density."""

    DENSITY = SMOOTH.astype(float) ** 8 / (SMOOTH.astype(float) ** 8).sum()
    LOG = np.log(DENSITY)

    def log_density(self, **options):
        return PostProcess(**options, scale_output="log-density")(self.LOG, output="log_density")

    def test_smoothing_averages_densities(self):
        offsets = np.arange(9) - 4
        window = np.exp(-(offsets[:, None] ** 2 + offsets**2) / (2 * 3.0**2))
        expected = ndimage.correlate(self.DENSITY, window / window.sum(), mode="reflect")
        smoothed = self.log_density(do_smoothing="custom", smooth_size=9, smooth_std=3)
        np.testing.assert_allclose(np.exp(smoothed), expected / expected.sum(), rtol=1e-4)

    def test_a_known_factor_does_not_matter(self):
        process = PostProcess(do_smoothing="custom", scale_output="log-density")
        found, more = (process(values, output="log_density") for values in (self.LOG, self.LOG + 500))
        np.testing.assert_allclose(found, more, rtol=1e-5)

    @pytest.mark.parametrize("kind", ["proportional_add", "proportional_mult"])
    def test_the_prior_comes_to_the_density(self, kind):
        share = (self.DENSITY - self.DENSITY.min()) / np.ptp(self.DENSITY)
        prior = np.exp(-(((np.arange(60) - 30)[:, None] / 12) ** 2 + ((np.arange(80) - 40) / 16) ** 2) / 2)
        expected = 0.5 * share + 0.5 * (prior if kind == "proportional_add" else share * prior)
        found = self.log_density(center_prior=kind)
        np.testing.assert_allclose(np.exp(found), expected / expected.sum(), rtol=1e-4, atol=1e-12)

    def test_an_even_density_has_no_centre_but_the_prior_s(self):
        flat = np.full((60, 80), -np.log(4800))
        added, multiplied = (
            PostProcess(center_prior=kind, scale_output="log-density")(flat, output="log_density")
            for kind in ("proportional_add", "proportional_mult")
        )
        assert np.unravel_index(added.argmax(), added.shape) == (30, 40)
        np.testing.assert_allclose(multiplied, flat, rtol=1e-6)

    @pytest.mark.parametrize("matching", ["equalization", "biased"])
    def test_matching_makes_a_score_of_it_that_is_turned_into_a_density_as_any_other(self, matching):
        process = PostProcess(histogram_matching=matching, scale_output="log-density")
        found, expected = process(self.LOG, output="log_density"), process(self.DENSITY)
        np.testing.assert_allclose(np.exp(found), np.exp(expected), atol=1e-3 * np.exp(expected).max())

    @pytest.mark.parametrize("options", [{}, {"do_smoothing": "none"}, {"smooth_std": 5.0}])
    def test_it_stays_as_it_is_where_nothing_is_done(self, options):
        process = PostProcess(**options)
        np.testing.assert_array_equal(process(self.LOG, output="log_density"), self.LOG.astype(np.float32))
        assert process.output_of("log_density") == "log_density"

    @pytest.mark.parametrize(
        "options",
        [
            {"scale_output": "min-max"},
            {"scale_output": "normalized"},
            {"do_smoothing": "proportional"},
            {"center_prior": "proportional_mult", "center_prior_scale_first": False},
            {"histogram_matching": "equalization", "scale_output": "min-max"},
        ],
    )
    def test_what_is_no_log_density_afterwards_is_what_the_steps_make_of_the_density(self, options):
        process = PostProcess(**options)
        assert process.output_of("log_density") == "score"
        found, expected = process(self.LOG, output="log_density"), process(self.DENSITY)
        np.testing.assert_allclose(found, expected, rtol=1e-3, atol=1e-3 * np.abs(expected).max())


@given(
    values=hnp.arrays(
        np.float32, hnp.array_shapes(min_dims=2, max_dims=2, max_side=12), elements=st.floats(-200, 0, width=32)
    ),
    histogram_matching=st.sampled_from([c for c in CHOICES["histogram_matching"] if c != "image-based"]),
    do_smoothing=st.sampled_from(CHOICES["do_smoothing"]),
    center_prior=st.sampled_from(CHOICES["center_prior"]),
    scale_output=st.sampled_from(CHOICES["scale_output"]),
    threshold=THRESHOLDS,
)
def test_a_density_is_said_to_be_one_if_it_is(values, **options):
    process = PostProcess(**options)
    density = values - np.float32(logsumexp(values.astype(float)))
    result = process(density, output="log_density")
    assert np.isfinite(result).all()
    if process.output_of("log_density") == "log_density":
        assert logsumexp(result.astype(np.float64)) == pytest.approx(0, abs=1e-4)
