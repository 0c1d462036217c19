"""Fidelity: how closely a student's map follows its teacher's.

Both maps are brought to 320x240, whatever their shape, by area (OpenCV's `INTER_AREA`) and min-max scaled; a constant
map becomes 0. Compare them on one footing: of a log density give exp of it.
"""

from __future__ import annotations

import cv2
import numpy as np
import numpy.typing as npt

from ._checks import FloatMap, as_map, is_constant
from .density import to_density, unit_range
from .distribution import cc, regularised_kl, sim
from .metric import ANY, Metric

WIDTH, HEIGHT = 320, 240
EPS = 2.2e-16
ROUNDING = 1e-6  # of the map's range: OpenCV weighs in single precision, smaller differences are its rounding
NSS_THRESHOLD = 0.5  # KDSalBox takes the teacher's pixels above it for fixations


def to_common_size(saliency: npt.ArrayLike) -> FloatMap:
    """Return a map as fidelity is measured: (240, 320) float64, in 0..1.

    Raises
    ------
    UsageError
        If it is not (H, W) or a value is not finite.
    """
    values = as_map(saliency).astype(np.float64, copy=False)
    values = values - values.min()  # less to round; min-max scaling takes it off anyway
    resized = cv2.resize(values, (WIDTH, HEIGHT), interpolation=cv2.INTER_AREA)
    # What resizing makes constant (a fine chess board) keeps rounding noise, which must not be scaled up to a map.
    return unit_range(resized) if np.ptp(resized) > ROUNDING * values.max() else np.zeros(resized.shape)


def fidelity_cc(student: npt.ArrayLike, teacher: npt.ArrayLike) -> float:
    """Return Pearson's correlation: in -1..1, 0 if either map is constant.

    Parameters
    ----------
    student, teacher : (H, W) arrays
        Of any size, also of two.

    Raises
    ------
    UsageError
        If a map is not (H, W) or a value is not finite. So do the other functions of this module.
    """
    return cc(to_common_size(student), to_common_size(teacher))


def fidelity_kl(student: npt.ArrayLike, teacher: npt.ArrayLike) -> float:
    """Return sum t log(eps + t / (s + eps)), t and s the teacher's and the student's map divided by their sums.

    In nats, 0 is best; a constant map counts as uniform. Parameters as `fidelity_cc`.
    """
    s, t = to_density(to_common_size(student), "sum"), to_density(to_common_size(teacher), "sum")
    return regularised_kl(t, s, EPS)


def fidelity_sim(student: npt.ArrayLike, teacher: npt.ArrayLike) -> float:
    """Return what the two maps share when each is divided by its sum: in 0..1. Parameters as `fidelity_cc`."""
    return sim(to_common_size(student), to_common_size(teacher))


def fidelity_ssim(student: npt.ArrayLike, teacher: npt.ArrayLike) -> float:
    """Return the structural similarity: at most 1, for equal maps. Parameters as `fidelity_cc`.

    With the constants of its paper: Gaussian window, sigma 1.5, of 11x11 pixels, K1 .01, K2 .03, range 1.

    References
    ----------
    Wang, Bovik, Sheikh, Simoncelli: Image quality assessment. IEEE Transactions on Image Processing 13(4), 2004.
    """
    from skimage.metrics import structural_similarity  # most of a second to import, for this metric alone

    return float(
        structural_similarity(  # type: ignore[no-untyped-call]
            to_common_size(student),
            to_common_size(teacher),
            data_range=1.0,
            gaussian_weights=True,
            sigma=1.5,
            use_sample_covariance=False,
        )
    )


def fidelity_rmse(student: npt.ArrayLike, teacher: npt.ArrayLike) -> float:
    """Return the root of the mean squared difference: in 0..1, 0 is best. Parameters as `fidelity_cc`."""
    difference = to_common_size(student) - to_common_size(teacher)
    return float(np.sqrt(np.mean(difference**2)))


def fidelity_nss(student: npt.ArrayLike, teacher: npt.ArrayLike) -> float:
    """Return the mean of the z-scored student where the teacher's map exceeds .5: KDSalBox's NSS.

    No person looked there; it is the NSS of the teacher's brightest pixels. 0 if either map is constant.
    Parameters as `fidelity_cc`.
    """
    s, t = to_common_size(student), to_common_size(teacher)
    if is_constant(s) or is_constant(t):
        return 0.0
    return float((s[t > NSS_THRESHOLD].mean() - s.mean()) / s.std())


_COMMON = f"both at {WIDTH}x{HEIGHT} by INTER_AREA, min-max scaled"

METRICS = (
    Metric(
        name="fidelity_cc",
        title="CC",
        formula=f"cov(s, t) / (sd s sd t); {_COMMON}",
        source="Pearson",
        direction="higher",
        accepts=ANY,
        reads="density",
        needs=("teacher",),
        function=fidelity_cc,
    ),
    Metric(
        name="fidelity_kl",
        title="KL",
        formula=f"sum t log(eps + t / (s + eps)), eps {EPS}, s and t divided by their sums; {_COMMON}",
        source="MIT's KLdiv.m",
        direction="lower",
        accepts=ANY,
        reads="density",
        needs=("teacher",),
        function=fidelity_kl,
    ),
    Metric(
        name="fidelity_sim",
        title="SIM",
        formula=f"sum min(s, t), s and t divided by their sums; {_COMMON}",
        source="MIT's similarity.m",
        direction="higher",
        accepts=ANY,
        reads="density",
        needs=("teacher",),
        function=fidelity_sim,
    ),
    Metric(
        name="fidelity_ssim",
        title="SSIM",
        formula=f"structural similarity, Gaussian window of sigma 1.5, range 1; {_COMMON}",
        source="Wang et al. 2004; scikit-image",
        direction="higher",
        accepts=ANY,
        reads="density",
        needs=("teacher",),
        function=fidelity_ssim,
    ),
    Metric(
        name="fidelity_rmse",
        title="RMSE",
        formula=f"root of the mean of (s - t)^2; {_COMMON}",
        source="definition",
        direction="lower",
        accepts=ANY,
        reads="density",
        needs=("teacher",),
        function=fidelity_rmse,
    ),
    Metric(
        name="fidelity_nss",
        title="NSS (teacher > .5)",
        formula=f"mean of (s - mean s) / sd s where t > {NSS_THRESHOLD}; {_COMMON}",
        source="KDSalBox",
        direction="higher",
        accepts=ANY,
        reads="density",
        needs=("teacher",),
        function=fidelity_nss,
    ),
)
