"""Fidelity: how closely a student's map follows its teacher's.

Both maps are brought to 320x240, whatever their shape, by area (OpenCV's `INTER_AREA`) and min-max scaled; a constant
map becomes 0. Compare them on one footing: of a log density give exp of it.
"""

from __future__ import annotations

import cv2
import numpy as np
import numpy.typing as npt

from ..types import DoubleMap
from ._checks import as_map, is_constant
from .density import to_density, unit_range
from .distribution import cc, regularized_kl, sim
from .metric import ANY, Metric

WIDTH, HEIGHT = 320, 240
EPS = 2.2e-16
ROUNDING = 1e-6  # of the map's range: OpenCV weighs in single precision, smaller differences are its rounding
NSS_THRESHOLD = 0.5  # KDSalBox takes the teacher's pixels above it for fixations


def to_common_size(saliency: npt.ArrayLike) -> DoubleMap:
    """Return a map as fidelity is measured: (240, 320) float64, in 0..1.

    Raises
    ------
    UsageError
        If it is not (H, W) or a value is not finite.

    Examples
    --------
    >>> import numpy as np
    >>> from salbox.metrics import to_common_size
    >>> resized = to_common_size(np.arange(12).reshape(3, 4))
    >>> resized.shape, float(resized.min()), float(resized.max())
    ((240, 320), 0.0, 1.0)
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

    Examples
    --------
    Two halves of the picture that cross have nothing in common, opposite ones are opposite:

    >>> import numpy as np
    >>> from salbox.metrics import fidelity_cc
    >>> left, top = np.zeros((240, 320)), np.zeros((240, 320))
    >>> left[:, :160], top[:120] = 1, 1
    >>> round(fidelity_cc(left, top), 3) + 0.0, round(fidelity_cc(left, 1 - left), 3)
    (0.0, -1.0)
    """
    return cc(to_common_size(student), to_common_size(teacher))


def fidelity_kl(student: npt.ArrayLike, teacher: npt.ArrayLike) -> float:
    """Return sum t log(eps + t / (s + eps)), t and s the teacher's and the student's map divided by their sums.

    In nats, 0 is best; a constant map counts as uniform. Parameters as `fidelity_cc`.

    Examples
    --------
    The teacher's map is one half of the picture, the student's even: log 2.

    >>> import numpy as np
    >>> from salbox.metrics import fidelity_kl
    >>> left = np.zeros((240, 320))
    >>> left[:, :160] = 1
    >>> round(fidelity_kl(np.ones((240, 320)), left), 3), round(fidelity_kl(left, left), 3) + 0.0
    (0.693, 0.0)
    """
    s, t = to_density(to_common_size(student), "sum"), to_density(to_common_size(teacher), "sum")
    return regularized_kl(t, s, EPS)


def fidelity_sim(student: npt.ArrayLike, teacher: npt.ArrayLike) -> float:
    """Return what the two maps share when each is divided by its sum: in 0..1. Parameters as `fidelity_cc`.

    Examples
    --------
    Two halves of the picture that cross share a quarter of it, half of each one's mass:

    >>> import numpy as np
    >>> from salbox.metrics import fidelity_sim
    >>> left, top = np.zeros((240, 320)), np.zeros((240, 320))
    >>> left[:, :160], top[:120] = 1, 1
    >>> round(fidelity_sim(left, top), 3)
    0.5
    """
    return sim(to_common_size(student), to_common_size(teacher))


def fidelity_ssim(student: npt.ArrayLike, teacher: npt.ArrayLike) -> float:
    """Return the structural similarity: at most 1, for equal maps. Parameters as `fidelity_cc`.

    With the constants of its paper: Gaussian window, sigma 1.5, of 11x11 pixels, K1 .01, K2 .03, range 1.

    References
    ----------
    Wang, Bovik, Sheikh, Simoncelli: Image quality assessment. IEEE Transactions on Image Processing 13(4), 2004.

    Examples
    --------
    A map is most similar to itself, less to itself mirrored, whose histogram is the same:

    >>> import numpy as np
    >>> from salbox.metrics import fidelity_ssim
    >>> left = np.zeros((240, 320))
    >>> left[:, :160] = 1
    >>> round(fidelity_ssim(left, left), 3), fidelity_ssim(left, left[:, ::-1]) < 0.1
    (1.0, True)
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
    """Return the root of the mean squared difference: in 0..1, 0 is best. Parameters as `fidelity_cc`.

    Examples
    --------
    Two halves of the picture that cross differ by 1 on half of the pixels: sqrt 1/2.

    >>> import numpy as np
    >>> from salbox.metrics import fidelity_rmse
    >>> left, top = np.zeros((240, 320)), np.zeros((240, 320))
    >>> left[:, :160], top[:120] = 1, 1
    >>> round(fidelity_rmse(left, top), 3)
    0.707
    """
    difference = to_common_size(student) - to_common_size(teacher)
    return float(np.sqrt(np.mean(difference**2)))


def fidelity_nss(student: npt.ArrayLike, teacher: npt.ArrayLike) -> float:
    """Return the mean of the z-scored student where the teacher's map exceeds .5: KDSalBox's NSS.

    No person looked there; it is the NSS of the teacher's brightest pixels. 0 if either map is constant.
    Parameters as `fidelity_cc`.

    Examples
    --------
    Half of the pixels are 1, the others 0: mean and standard deviation 1/2, (1 - 1/2) / (1/2).

    >>> import numpy as np
    >>> from salbox.metrics import fidelity_nss
    >>> left, top = np.zeros((240, 320)), np.zeros((240, 320))
    >>> left[:, :160], top[:120] = 1, 1
    >>> round(fidelity_nss(left, left), 3), round(fidelity_nss(left, top), 3) + 0.0
    (1.0, 0.0)
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
