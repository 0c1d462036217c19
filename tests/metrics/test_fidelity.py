"""Fidelity by hand, against scikit-image, and against the definition written out."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from scipy import stats
from skimage.metrics import structural_similarity

from salbox.errors import UsageError
from salbox.metrics import (
    fidelity_cc,
    fidelity_kl,
    fidelity_nss,
    fidelity_rmse,
    fidelity_sim,
    fidelity_ssim,
    to_common_size,
)

ALL = (fidelity_cc, fidelity_kl, fidelity_sim, fidelity_ssim, fidelity_rmse, fidelity_nss)
rng = np.random.default_rng(8)
STUDENT = cv2.GaussianBlur(rng.random((240, 320)), (0, 0), 5)
TEACHER = cv2.GaussianBlur(rng.random((240, 320)), (0, 0), 5)


def scaled(values):
    return (values - values.min()) / (values.max() - values.min())


def test_common_size_is_320_wide_240_high_whatever_the_shape():
    for shape in ((600, 800), (1, 1), (900, 30), (17, 19)):
        result = to_common_size(rng.random(shape))
        assert result.shape == (240, 320)
        assert result.min() == 0
        assert result.max() == (1 if shape != (1, 1) else 0)
    halved = to_common_size(np.repeat(np.repeat(STUDENT, 2, axis=0), 2, axis=1))
    np.testing.assert_allclose(halved, scaled(STUDENT), atol=1e-12)


def test_definitions_written_out():
    s, t = scaled(STUDENT), scaled(TEACHER)
    p, q = s / s.sum(), t / t.sum()
    assert fidelity_cc(STUDENT, TEACHER) == pytest.approx(stats.pearsonr(s.ravel(), t.ravel())[0], abs=1e-12)
    assert fidelity_kl(STUDENT, TEACHER) == pytest.approx((q * np.log(2.2e-16 + q / (p + 2.2e-16))).sum(), abs=1e-12)
    assert fidelity_sim(STUDENT, TEACHER) == pytest.approx(np.minimum(p, q).sum(), abs=1e-12)
    assert fidelity_rmse(STUDENT, TEACHER) == pytest.approx(np.sqrt(((s - t) ** 2).mean()), abs=1e-12)
    z = stats.zscore(s, axis=None)
    assert fidelity_nss(STUDENT, TEACHER) == pytest.approx(z[t > 0.5].mean(), abs=1e-12)


def test_ssim_equals_scikit_images_with_the_papers_constants():
    expected = structural_similarity(
        scaled(STUDENT), scaled(TEACHER), data_range=1, gaussian_weights=True, sigma=1.5, use_sample_covariance=False
    )
    assert fidelity_ssim(STUDENT, TEACHER) == pytest.approx(expected, abs=1e-12)


def test_equal_maps_are_perfect_whatever_their_scale_and_size():
    large = cv2.resize(STUDENT, (1280, 960), interpolation=cv2.INTER_NEAREST) * 40 - 3
    assert fidelity_cc(STUDENT, large) == pytest.approx(1)
    assert fidelity_kl(STUDENT, large) == pytest.approx(0, abs=1e-9)
    assert fidelity_sim(STUDENT, large) == pytest.approx(1)
    assert fidelity_ssim(STUDENT, large) == pytest.approx(1)
    assert fidelity_rmse(STUDENT, large) == pytest.approx(0, abs=1e-12)


def test_constant_maps():
    constant = np.full((100, 100), 0.3)  # resized it has rounding noise
    assert not to_common_size(constant).any()
    assert not to_common_size(np.indices((480, 640)).sum(axis=0) % 2).any()  # a chess board averages to a constant
    assert fidelity_cc(constant, TEACHER) == fidelity_cc(TEACHER, constant) == 0
    assert fidelity_nss(constant, TEACHER) == fidelity_nss(TEACHER, constant) == 0
    q = to_common_size(TEACHER).ravel()
    assert fidelity_kl(constant, TEACHER) == pytest.approx(stats.entropy(q, np.ones(q.size)), abs=1e-9)
    assert fidelity_rmse(constant, constant) == 0
    assert fidelity_ssim(constant, constant) == pytest.approx(1)


@pytest.mark.parametrize("metric", ALL)
def test_one_pixel_and_bad_values(metric):
    assert np.isfinite(metric(np.ones((1, 1)), TEACHER))
    assert np.isfinite(metric(STUDENT, np.ones((1, 1))))
    with pytest.raises(UsageError, match="not finite"):
        metric(STUDENT, np.full((4, 4), np.nan))
