"""What is done to a map after the model, in order: histogram matching, smoothing, centre prior, scaling, threshold.

The options are SMILER's (Wloka et al. 2018, arXiv 1812.08848) and, for histogram matching, KDSalBox's, under their
names. The defaults apply nothing. Of a log density all steps see the density: densities are averaged, and a prior comes
to a density.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, get_args

import cv2
import numpy as np
import numpy.typing as npt

from ..errors import UsageError, nearest
from ..paths import user_path
from ..types import FloatMap, Output
from .histograms import Histogram, equalize, map_histogram, match, mean_fixation_histogram, picture_histogram
from .image import SUFFIXES
from .scaling import log_density, log_of_density, min_max, normalized_log, standardize
from .threshold import apply_threshold, check_threshold

Matching = Literal["none", "equalization", "biased", "image-based"]
Smoothing = Literal["default", "none", "custom", "proportional"]
CenterPrior = Literal["none", "proportional_add", "proportional_mult"]
Scaling = Literal["none", "min-max", "normalized", "log-density"]
CHOICES: dict[str, tuple[str, ...]] = {
    "histogram_matching": get_args(Matching),
    "do_smoothing": get_args(Smoothing),
    "center_prior": get_args(CenterPrior),
    "scale_output": get_args(Scaling),
}

# Fields that another decides about: its values with which they count.
_COUNTS_WITH: dict[str, tuple[str, tuple[str, ...]]] = {
    "histogram_matching_reference": ("histogram_matching", ("biased", "image-based")),
    "smooth_size": ("do_smoothing", ("custom",)),
    "smooth_std": ("do_smoothing", ("custom",)),
    "smooth_prop": ("do_smoothing", ("proportional",)),
    **dict.fromkeys(
        ("center_prior_prop", "center_prior_weight", "center_prior_scale_first"),
        ("center_prior", ("proportional_add", "proportional_mult")),
    ),
    "scale_min": ("scale_output", ("min-max",)),
    "scale_max": ("scale_output", ("min-max",)),
}

Reference = npt.NDArray[Any] | str | os.PathLike[str] | None

MAX_WINDOW = 2**15  # pixels; larger ones take memory and time, and change nothing
MAX_SMOOTH_PROP = 10.0  # a map is constant long before


@dataclass(frozen=True)
class PostProcess:
    """Post-processing of saliency maps; call it with a map.

    Parameters
    ----------
    histogram_matching : {"none", "equalization", "biased", "image-based"}
        Spread the values evenly; give every map one and the same distribution ("biased"); give each map that of a
        picture or map of its own ("image-based").
    histogram_matching_reference : map, path of a picture, path of a folder, optional
        For "biased": a map, a picture, or a folder whose mean histogram is taken; by default the histogram of a mean
        fixation map. For "image-based": a map, a picture, or a folder that holds a picture of each image's name.
    do_smoothing : {"default", "none", "custom", "proportional"}
        "default" adds nothing and leaves a model's own smoothing in place; all others switch that off. "custom" is a
        Gaussian of `smooth_std` pixels in a window of `smooth_size`; "proportional" one of `smooth_prop` of the
        map's longer side in a window of three standard deviations. Borders are reflected.
    smooth_size : int
    smooth_std, smooth_prop : float
    center_prior : {"none", "proportional_add", "proportional_mult"}
        With p a Gaussian of maximum 1 in the middle, its standard deviation `center_prior_prop` of each side, and w
        `center_prior_weight`: (1 - w) map + w p, or (1 - w) map + w map p.
    center_prior_prop, center_prior_weight : float
    center_prior_scale_first : bool
        Whether the map is min-max scaled before the prior comes in.
    scale_output : {"none", "min-max", "normalized", "log-density"}
        "min-max": between `scale_min` and `scale_max`. "normalized": zero mean, unit standard deviation (N - 1).
        "log-density": the log of the map, scaled to 0..1 and divided by its sum, never -inf; exp sums to 1. What was a
        log density is not scaled: it stays one, of the smoothed density or that with the prior in it. Histogram
        matching makes a score of it, which is treated as any other.
    scale_min, scale_max : float
    threshold : float or text
        What lies below it becomes the map's smallest value, the rest stays as it is: "none"; a number, on the scale of
        the map as it is by then; a percentile of its pixels, "p90" or "90%"; "otsu", the level that parts the grey
        values of the map, or of the density, into two groups best. A log density that is asked for is one again
        afterwards: exp sums to 1.

    Raises
    ------
    UsageError
        For a value that does not exist or does not fit.

    Examples
    --------
    >>> import numpy as np, salbox
    >>> salbox.PostProcess(scale_output="min-max")(np.array([[1.0, 3.0]]))
    array([[0., 1.]], dtype=float32)
    """

    histogram_matching: Matching = "none"
    histogram_matching_reference: Reference = None
    do_smoothing: Smoothing = "default"
    smooth_size: int = 9
    smooth_std: float = 3.0
    smooth_prop: float = 0.05
    center_prior: CenterPrior = "none"
    center_prior_prop: float = 0.2
    center_prior_weight: float = 0.5
    center_prior_scale_first: bool = True
    scale_output: Scaling = "none"
    scale_min: float = 0.0
    scale_max: float = 1.0
    threshold: float | str = "none"

    def __post_init__(self) -> None:
        object.__setattr__(self, "threshold", check_threshold(self.threshold))  # in one form, so that equals are equal
        for name, choices in CHOICES.items():
            value = getattr(self, name)
            if value not in choices:
                hint = nearest(str(value), choices)
                raise UsageError(f"{name}='{value}' does not exist{hint} (one of {', '.join(choices)})")
        for name in ("smooth_size", "smooth_std", "smooth_prop", "center_prior_prop"):
            if not 0 < getattr(self, name) < np.inf:
                raise UsageError(f"{name}={getattr(self, name)}: expected a number above 0")
        if self.smooth_size > MAX_WINDOW or self.smooth_size != int(self.smooth_size):
            size = str(self.smooth_size)[:20]
            raise UsageError(f"smooth_size={size}: expected a whole number of pixels, at most {MAX_WINDOW}")
        if self.smooth_prop > MAX_SMOOTH_PROP:
            raise UsageError(
                f"smooth_prop={self.smooth_prop:g}: expected a share of the longer side, at most {MAX_SMOOTH_PROP:g}"
            )
        if not 0 <= self.center_prior_weight <= 1:
            raise UsageError(f"center_prior_weight={self.center_prior_weight}: expected 0 to 1")
        largest = float(np.finfo(np.float32).max)
        if not -largest <= self.scale_min < self.scale_max <= largest:
            raise UsageError(f"scale_min={self.scale_min}, scale_max={self.scale_max}: expected a smaller and a larger")
        if self.histogram_matching == "image-based" and self.histogram_matching_reference is None:
            raise UsageError("histogram_matching='image-based' needs a histogram_matching_reference")

    def output_of(self, output: Output) -> Output:
        """Return what a map's numbers are after this, given what they are before."""
        if self.scale_output == "log-density":
            return "log_density"
        if self == NOTHING or (output == "log_density" and not self._has_steps and self.scale_output == "none"):
            return output
        scaled_within = self.scale_output == "min-max" and self.scale_min >= 0 and self.scale_max <= 1
        keeps_range = output == "probability" and (self.scale_output == "none" or scaled_within)
        return output if keeps_range else "score"

    @property
    def replaces_smoothing(self) -> bool:
        """Whether a model's own smoothing is to be switched off."""
        return self.do_smoothing != "default"

    def __call__(self, saliency: npt.NDArray[Any], *, name: str | None = None, output: Output = "score") -> FloatMap:
        """Return the processed map: (H, W) float32, finite.

        Parameters
        ----------
        saliency : (H, W) array of finite numbers
        name : str, optional
            The image's name, which "image-based" matching looks for in a folder; its suffix is ignored.
        output : {"score", "log_density", "probability"}
            What the map's numbers are: every step on a log density is one on the density; see `output_of` for what
            comes out.

        Raises
        ------
        UsageError
            If it is not a map, or a reference is missing.
        """
        result = np.asarray(saliency)
        if result.ndim != 2 or result.size == 0 or not np.isfinite(result).all():
            raise UsageError(f"expected a map of finite numbers of shape (H, W), got shape {result.shape}")
        result = result.astype(np.float32)
        if output == "log_density":
            return self._of_log_density(result, name)
        return self._crisp(self._scale(self._steps(result, name)))

    @property
    def _has_steps(self) -> bool:
        """Whether anything is done to a map beside scaling it."""
        smooths = self.do_smoothing not in ("default", "none")
        others = self.histogram_matching != "none" or self.center_prior != "none" or self.threshold != "none"
        return smooths or others

    def _of_log_density(self, values: FloatMap, name: str | None) -> FloatMap:
        """Return the processed map of a log density; the steps see the density."""
        if not self._has_steps and self.scale_output in ("none", "log-density"):
            return normalized_log(values) if self.scale_output == "log-density" else values
        density = self._steps(np.exp(normalized_log(values)), name)
        if self.scale_output == "log-density" and self.histogram_matching == "none":
            return self._crisp(log_of_density(density))
        return self._crisp(self._scale(density))

    def _steps(self, saliency: FloatMap, name: str | None) -> FloatMap:
        return self._add_prior(self._smooth(self._match(saliency, name)))

    def _match(self, saliency: FloatMap, name: str | None) -> FloatMap:
        if self.histogram_matching == "none":
            return saliency
        if self.histogram_matching == "equalization":
            return equalize(saliency)
        return match(saliency, self._reference(name))

    def _reference(self, name: str | None) -> Histogram:
        reference = self.histogram_matching_reference
        if reference is None:
            return mean_fixation_histogram()
        if isinstance(reference, np.ndarray):
            return map_histogram(reference)
        path = user_path(reference)
        if self.histogram_matching == "image-based" and path.is_dir():
            path = _picture_named(path, name)
        return picture_histogram(path)

    def _smooth(self, saliency: FloatMap) -> FloatMap:
        if self.do_smoothing in ("default", "none"):
            return saliency
        if self.do_smoothing == "custom":
            std, size = self.smooth_std, int(self.smooth_size)
        else:
            std = self.smooth_prop * max(saliency.shape)
            size = int(3 * std)
        window = gaussian_window(max(1, size), std)
        anchor = (window.size - 1) // 2  # an even window reaches one pixel further right and down, as in Matlab
        return cv2.sepFilter2D(
            saliency, cv2.CV_32F, window, window, anchor=(anchor, anchor), borderType=cv2.BORDER_REFLECT
        )

    def _add_prior(self, saliency: FloatMap) -> FloatMap:
        if self.center_prior == "none":
            return saliency
        if self.center_prior_scale_first:
            saliency = min_max(saliency)
        height, width = saliency.shape
        prior = np.outer(centered_gaussian(height, self.center_prior_prop * height),
                         centered_gaussian(width, self.center_prior_prop * width))  # fmt: skip
        weighted = prior if self.center_prior == "proportional_add" else saliency * prior
        weight = self.center_prior_weight
        return ((1 - weight) * saliency + weight * weighted).astype(np.float32)

    def _scale(self, saliency: FloatMap) -> FloatMap:
        if self.scale_output == "min-max":
            return min_max(saliency, self.scale_min, self.scale_max)
        if self.scale_output == "normalized":
            return standardize(saliency)
        if self.scale_output == "log-density":
            return log_density(saliency)
        return saliency

    def _crisp(self, values: FloatMap) -> FloatMap:
        """Return a scaled map with what is below the threshold at its smallest value."""
        if self.threshold == "none" or self.scale_output != "log-density":
            return apply_threshold(values, self.threshold)
        return normalized_log(apply_threshold(values, self.threshold, like=np.exp(values)))


NOTHING = PostProcess()


def without_effect(process: PostProcess) -> tuple[str, str] | None:
    """Return the first option that was changed and does nothing, and the option and values that it needs; else None."""
    for name, (deciding, values) in _COUNTS_WITH.items():
        if getattr(process, deciding) not in values and getattr(process, name) != getattr(NOTHING, name):
            return name, f"{deciding} {' or '.join(values)}"
    return None


def centered_gaussian(length: int, sigma: float) -> npt.NDArray[np.float64]:
    """Return exp(-x² / 2 sigma²) at x = -n/2 .. n/2-1 for an even length n, at whole numbers around 0 for an odd one.

    The positions are SMILER's; the maximum is 1.
    """
    offsets = np.arange(length) - length // 2
    return np.exp(-0.5 * (offsets / sigma) ** 2)


def gaussian_window(size: int, std: float) -> npt.NDArray[np.float64]:
    """Return a Gaussian window of `size` samples around its middle, summing to 1 (Matlab's fspecial, one axis)."""
    offsets = np.arange(size) - (size - 1) / 2
    window = np.exp(-0.5 * (offsets / std) ** 2)
    return window / window.sum()


def _picture_named(folder: Path, name: str | None) -> Path:
    if name is None:
        raise UsageError(f"{folder}: 'image-based' matching to a folder needs the image's name")
    stem = Path(name).stem
    for suffix in sorted(SUFFIXES):
        if (folder / f"{stem}{suffix}").is_file():
            return folder / f"{stem}{suffix}"
    raise UsageError(f"{folder}: no picture named '{stem}' to match the histogram of")
