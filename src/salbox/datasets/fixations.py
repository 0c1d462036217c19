"""Ground truth of eye tracking: where people looked, and what metrics are computed against.

Positions are in pixels from 0: the pixel in row r and column c covers c <= x < c + 1 and r <= y < r + 1, so the pixel
that was looked at is (floor(y), floor(x)). Publishers count from 0 or from 1, some store rows first; an adapter
brings its data to this convention.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from ..errors import UsageError
from ..types import DoubleMap, Shape

Indices = npt.NDArray[np.intp]

TRUNCATE = 4.0  # a Gaussian ends after so many sigma, as in scipy.ndimage.gaussian_filter

# The share of a centre bias that is spread evenly, so that no pixel has probability 0 and log-likelihoods stay
# finite; salbox's own choice.
UNIFORM_SHARE = 0.01


@dataclass(frozen=True, eq=False, init=False)
class Fixations:
    """The fixations on one image: three arrays of the same length, an element a fixation, read-only.

    Parameters
    ----------
    x, y : (N,) array-like of float
        Positions in pixels from 0, x to the right and y downwards. They may lie outside the image; see `inside`.
    subject : (N,) array-like of int, or int
        Who looked. One number stands for all; the default is one pooled observer, for data that does not tell.
    order : (N,) array-like of int, optional
        Which of its scanpath's fixations each is, counted from 0; None where the data does not tell. What comes
        one after the other, of one observer and in rising order, is a scanpath: one may look at an image twice. The
        numbers stay when some fixations are left out.
    duration : (N,) array-like of float, optional
        How long each lasted, in milliseconds; None where the data does not tell.

    Raises
    ------
    UsageError
        If the lengths differ or a position is not finite.

    Examples
    --------
    >>> from salbox.datasets import Fixations
    >>> fixations = Fixations(x=[0.5, 2.9, 7.0], y=[0.0, 1.2, 0.0], subject=[1, 1, 2])
    >>> len(fixations), fixations.subjects
    (3, (1, 2))

    The third lies outside an image of 2 rows and 4 columns; the others' pixels are found by rounding down:

    >>> inside = fixations.inside((2, 4))
    >>> [axis.tolist() for axis in inside.pixels((2, 4))]
    [[0, 1], [0, 2]]
    """

    x: DoubleMap
    y: DoubleMap
    subject: npt.NDArray[np.int64]
    order: npt.NDArray[np.int64] | None
    duration: DoubleMap | None
    _flat: tuple[Shape, Indices] | None = field(repr=False)

    def __init__(
        self,
        x: npt.ArrayLike,
        y: npt.ArrayLike,
        subject: npt.ArrayLike = 0,
        order: npt.ArrayLike | None = None,
        duration: npt.ArrayLike | None = None,
    ) -> None:
        xs, ys = np.array(x, np.float64).reshape(-1), np.array(y, np.float64).reshape(-1)
        subjects = np.array(subject, np.int64)
        subjects = np.full(len(xs), subjects) if subjects.ndim == 0 else subjects.reshape(-1)
        if not len(xs) == len(ys) == len(subjects):
            raise UsageError(f"fixations: x, y, subject have different lengths {len(xs)}, {len(ys)}, {len(subjects)}")
        if not (np.isfinite(xs).all() and np.isfinite(ys).all()):
            raise UsageError("fixations: a position is not a finite number")
        orders = None if order is None else np.array(order, np.int64).reshape(-1)
        durations = None if duration is None else np.array(duration, np.float64).reshape(-1)
        for name, values in (("order", orders), ("duration", durations)):
            if values is not None and len(values) != len(xs):
                raise UsageError(f"fixations: {len(xs)} positions, but {name} has the length {len(values)}")
        self._set(xs, ys, subjects, orders, durations)

    def _set(
        self,
        x: DoubleMap,
        y: DoubleMap,
        subject: npt.NDArray[np.int64],
        order: npt.NDArray[np.int64] | None = None,
        duration: DoubleMap | None = None,
        flat: Any = None,
    ) -> None:
        for name, values in (("x", x), ("y", y), ("subject", subject), ("order", order), ("duration", duration)):
            if values is not None:
                values.setflags(write=False)
            object.__setattr__(self, name, values)
        object.__setattr__(self, "_flat", flat)

    @classmethod
    def of(cls, given: Fixations | npt.ArrayLike) -> Fixations:
        """Return fixations as they are, or those of an array (N, 2) of positions x, y in pixels.

        Raises
        ------
        UsageError
            If an array has another shape, or a position is not finite.
        """
        if isinstance(given, Fixations):
            return given
        positions = np.asarray(given, np.float64)
        if positions.shape == (0,):
            return cls([], [])
        if positions.ndim != 2 or positions.shape[1] != 2:
            raise UsageError(f"fixations of shape {positions.shape}: expected (N, 2), x and y in pixels, or Fixations")
        return cls(x=positions[:, 0], y=positions[:, 1])

    def __len__(self) -> int:
        return len(self.x)

    def __getitem__(self, chosen: npt.NDArray[Any]) -> Fixations:
        """Return the fixations that a boolean mask or an array of indices chooses."""
        order = None if self.order is None else self.order[chosen]
        duration = None if self.duration is None else self.duration[chosen]
        return Fixations(self.x[chosen], self.y[chosen], self.subject[chosen], order, duration)

    @property
    def subjects(self) -> tuple[int, ...]:
        """Who looked: each observer once, in ascending order."""
        return tuple(int(s) for s in np.unique(self.subject))

    def inside(self, shape: Shape) -> Fixations:
        """Return the fixations that lie on an image of shape (H, W); the others are left out."""
        return self[self._is_inside(shape)]

    def pixels(self, shape: Shape) -> tuple[Indices, Indices]:
        """Return the row and the column of each fixation's pixel in an image of shape (H, W), two (N,) arrays.

        Raises
        ------
        UsageError
            If one lies outside the image.
        """
        rows, columns = np.divmod(self.flat_pixels(shape), shape[1])
        return rows, columns

    def flat_pixels(self, shape: Shape) -> Indices:
        """Return row * W + column of each fixation's pixel in an image of shape (H, W): (N,), read-only.

        They are kept for the next call, as one image is scored by many metrics. Raises as `pixels`.
        """
        if self._flat is not None and self._flat[0] == shape:
            return self._flat[1]
        if outside := int(np.count_nonzero(~self._is_inside(shape))):
            raise UsageError(
                f"{outside} of {len(self)} fixations lie outside the image of {shape[1]}x{shape[0]}; "
                "Fixations.inside leaves them out"
            )
        flat = self.y.astype(np.intp) * shape[1] + self.x.astype(np.intp)
        flat.setflags(write=False)
        object.__setattr__(self, "_flat", (shape, flat))
        return flat

    def resized(self, old: Shape, new: Shape) -> Fixations:
        """Return the same places after an image of shape `old`, (H, W), was resized to `new`.

        What lay inside still does, and what lay outside does not.
        """
        x, y = _scaled(self.x, old[1], new[1]), _scaled(self.y, old[0], new[0])
        return Fixations(x, y, self.subject, self.order, self.duration)

    def _is_inside(self, shape: Shape) -> npt.NDArray[np.bool_]:
        height, width = shape
        return (self.x >= 0) & (self.y >= 0) & (self.x < width) & (self.y < height)


def _scaled(values: DoubleMap, old: npt.ArrayLike, new: int) -> DoubleMap:
    """Return values * new / old; rounding must not carry what lay below `old` up to `new` itself, nor the reverse."""
    olds = np.asarray(old, np.float64)
    with np.errstate(over="ignore"):  # of a position that is no pixel's; who holds it is refused
        scaled = values * (new / olds)
    return np.where(values < olds, np.minimum(scaled, np.nextafter(new, 0)), np.maximum(scaled, new))


def pooled(fixations: Sequence[Fixations]) -> Fixations:
    """Return all fixations of several images in one set, in the order given, duplicates kept.

    Order and durations are kept where all of them have them.

    Examples
    --------
    >>> from salbox.datasets import Fixations, pooled
    >>> pooled([Fixations(x=[1], y=[2]), Fixations(x=[1, 3], y=[2, 4])]).x.tolist()
    [1.0, 1.0, 3.0]
    """
    if not fixations:
        return Fixations([], [])
    x, y, subject = (np.concatenate([getattr(f, name) for f in fixations]) for name in ("x", "y", "subject"))
    orders = [f.order for f in fixations if f.order is not None]
    durations = [f.duration for f in fixations if f.duration is not None]
    order = np.concatenate(orders) if len(orders) == len(fixations) else None
    return Fixations(x, y, subject, order, np.concatenate(durations) if len(durations) == len(fixations) else None)


def fixation_counts(fixations: Fixations | npt.ArrayLike, shape: Shape) -> DoubleMap:
    """Return how many fixations each pixel got: (H, W) float64.

    Fixations may be an array too, (N, 2), of positions x, y in pixels; so may those of the two functions below.

    Raises
    ------
    UsageError
        If one lies outside the image.

    Examples
    --------
    >>> from salbox.datasets import Fixations, fixation_counts
    >>> fixation_counts(Fixations(x=[0, 2, 2], y=[0, 1, 1]), (2, 3)).tolist()
    [[1.0, 0.0, 0.0], [0.0, 0.0, 2.0]]
    """
    counts = np.bincount(Fixations.of(fixations).flat_pixels(shape), minlength=shape[0] * shape[1])
    return counts.reshape(shape).astype(np.float64)


def fixation_map(fixations: Fixations | npt.ArrayLike, shape: Shape) -> npt.NDArray[np.bool_]:
    """Return which pixels were fixated at least once: (H, W) bool; raises as `fixation_counts` does.

    Examples
    --------
    >>> from salbox.datasets import Fixations, fixation_map
    >>> fixation_map(Fixations(x=[0, 2, 2], y=[0, 1, 1]), (2, 3)).tolist()
    [[True, False, False], [False, False, True]]
    """
    return fixation_counts(fixations, shape) > 0


def fixation_density(
    fixations: Fixations | npt.ArrayLike, shape: Shape, sigma: float, pixels_per_degree: float | None = None
) -> DoubleMap:
    """Return the fixations' pixels blurred by a Gaussian: (H, W) float64, sums to 1.

    Every fixation counts, also of one pixel several. The Gaussian ends after four sigma; what it spreads beyond the
    image is lost before the map is divided by its sum (zero padding, as MIT's and OSIE's own programs do).

    Parameters
    ----------
    fixations : Fixations, or (N, 2) array of positions x, y in pixels
    shape : (H, W)
    sigma : float
        Standard deviation in pixels, or in degrees of visual angle if `pixels_per_degree` is given.
    pixels_per_degree : float, optional
        How many pixels one degree of visual angle covers.

    Raises
    ------
    UsageError
        If there is no fixation, one lies outside, or sigma is not positive.

    Examples
    --------
    >>> from salbox.datasets import Fixations, fixation_density
    >>> density = fixation_density(Fixations(x=[4], y=[2]), (5, 9), sigma=1)
    >>> density.shape, divmod(int(density.argmax()), 9), round(float(density.sum()), 6)
    ((5, 9), (2, 4), 1.0)

    One sigma away the Gaussian has fallen to exp -1/2:

    >>> round(float(density[2, 5] / density[2, 4]), 3)
    0.607
    """
    fixations = Fixations.of(fixations)
    if not len(fixations):
        raise UsageError("no fixations: there is no density to make of them")
    pixels = sigma_in_pixels(sigma, pixels_per_degree)
    counts = fixation_counts(fixations, shape)
    # The Gaussian is a product: column blur x counts x row blur, where only rows and columns with fixations matter.
    rows, columns = np.flatnonzero(counts.any(axis=1)), np.flatnonzero(counts.any(axis=0))
    vertical, horizontal = _blur_matrix(shape[0], rows, pixels), _blur_matrix(shape[1], columns, pixels)
    density: DoubleMap = vertical @ counts[np.ix_(rows, columns)] @ horizontal.T
    return density / density.sum()


def sigma_in_pixels(sigma: float, pixels_per_degree: float | None = None) -> float:
    """Return sigma in pixels: as given, or from degrees of visual angle where `pixels_per_degree` is given.

    Raises
    ------
    UsageError
        If either is not a positive number.

    Examples
    --------
    >>> from salbox.datasets import sigma_in_pixels
    >>> sigma_in_pixels(24.0), sigma_in_pixels(1.5, pixels_per_degree=30)
    (24.0, 45.0)
    """
    pixels = sigma * (1.0 if pixels_per_degree is None else pixels_per_degree)
    if not (sigma > 0 and np.isfinite(pixels) and pixels > 0):
        raise UsageError(f"sigma={sigma:g}, pixels_per_degree={pixels_per_degree}: both must be positive numbers")
    return pixels


def _blur_matrix(length: int, sources: Indices, sigma: float) -> DoubleMap:
    """Return (length, len(sources)): how a unit at each source position spreads over 0 .. length-1."""
    radius = int(TRUNCATE * sigma + 0.5)
    kernel = np.exp(-0.5 * (np.arange(radius + 1) / sigma) ** 2)
    kernel /= kernel[0] + 2 * kernel[1:].sum()
    weights = np.zeros(max(length, radius + 1))
    weights[: radius + 1] = kernel
    return weights[np.abs(np.arange(length)[:, None] - sources[None, :])]


class HeldOut(NamedTuple):
    """One observer of an image against all others."""

    subject: int
    own: Fixations
    others: Fixations


def leave_one_observer_out(fixations: Fixations) -> Iterator[HeldOut]:
    """Yield each observer's fixations with those of all others, in ascending order of the observers.

    Raises
    ------
    UsageError
        If there are fewer than two observers.

    Examples
    --------
    >>> from salbox.datasets import Fixations, leave_one_observer_out
    >>> fixations = Fixations(x=[1, 2, 3], y=[0, 0, 0], subject=[7, 8, 8])
    >>> [(held_out.subject, len(held_out.own), len(held_out.others)) for held_out in leave_one_observer_out(fixations)]
    [(7, 1, 2), (8, 2, 1)]
    """
    subjects = fixations.subjects
    if len(subjects) < 2:
        raise UsageError(f"the fixations of {len(subjects)} observers: leaving one out needs at least two")
    for subject in subjects:
        is_own = fixations.subject == subject
        yield HeldOut(subject, fixations[is_own], fixations[~is_own])


def human_ceiling(
    fixations: Fixations, shape: Shape, sigma: float, pixels_per_degree: float | None = None
) -> Iterator[tuple[DoubleMap, Fixations]]:
    """Yield, for each observer, the density of all others' fixations and the fixations it has to predict.

    A metric's mean over the pairs says how well the other people predict one person: what a model of this image alone
    can hardly exceed. Parameters as in `fixation_density`; give the sigma that the ground truth is blurred with.

    Raises
    ------
    UsageError
        If there are fewer than two observers, or as `fixation_density`.

    Examples
    --------
    >>> from salbox.datasets import Fixations, human_ceiling
    >>> from salbox.metrics import nss
    >>> fixations = Fixations(x=[10, 11, 40], y=[10, 9, 30], subject=[0, 1, 2])
    >>> [nss(density, own) > 1 for density, own in human_ceiling(fixations, (48, 64), sigma=3)]
    [True, True, False]
    """
    for held_out in leave_one_observer_out(fixations):
        yield fixation_density(held_out.others, shape, sigma, pixels_per_degree), held_out.own


class ShuffledNegatives:
    """Shuffled AUC's negatives: for each image of a split, all fixations of the other images, duplicates kept.

    Parameters
    ----------
    fixations : sequence of Fixations
        An element an image. Those outside their image are left out.
    shapes : sequence of (H, W)
        The images' sizes; where they differ, positions are scaled in proportion to the sides.

    Examples
    --------
    The fixation of the other image, which is twice as large, is at half its position here:

    >>> from salbox.datasets import Fixations, ShuffledNegatives
    >>> negatives = ShuffledNegatives([Fixations(x=[1], y=[1]), Fixations(x=[8], y=[4])], [(5, 10), (10, 20)])
    >>> other = negatives.of(0)
    >>> other.x.tolist(), other.y.tolist()
    ([4.0], [2.0])
    """

    def __init__(self, fixations: Sequence[Fixations], shapes: Sequence[Shape]) -> None:
        if len(fixations) != len(shapes):
            raise UsageError(f"fixations of {len(fixations)} images, but {len(shapes)} shapes")
        self.shapes = list(shapes)
        within = [f.inside(s) for f, s in zip(fixations, shapes, strict=True)]
        self._all = pooled(within)
        self._ends = np.cumsum([0, *(len(f) for f in within)])
        self._sizes = np.repeat(np.array(self.shapes, np.float64).reshape(-1, 2), np.diff(self._ends), axis=0)
        self._one_size = len(set(self.shapes)) == 1

    def __len__(self) -> int:
        return len(self.shapes)

    def of(self, index: int) -> Fixations:
        """Return the fixations of all images but the one of this index, in that one's pixels."""
        shape, start, end = self.shapes[index], self._ends[index], self._ends[index + 1]

        def others(values: npt.NDArray[Any]) -> npt.NDArray[Any]:
            return np.concatenate([values[:start], values[end:]])

        x, y, subject = others(self._all.x), others(self._all.y), others(self._all.subject)
        if not self._one_size:
            heights, widths = others(self._sizes).T
            return Fixations(_scaled(x, widths, shape[1]), _scaled(y, heights, shape[0]), subject)
        # There are many of them and of one size: what is known to be sound is not checked again for each image.
        result = object.__new__(Fixations)
        result._set(x, y, subject, flat=(shape, others(self._all.flat_pixels(shape))))
        return result


def center_bias(
    fixations: Sequence[Fixations],
    shapes: Sequence[Shape],
    shape: Shape,
    sigma: float,
    uniform_share: float = UNIFORM_SHARE,
) -> DoubleMap:
    """Return the density of a dataset's fixations, whatever the image: (H, W) float64, positive, sums to 1.

    It is the baseline of information gain. To score an image, leave its own fixations out of those given.

    Parameters
    ----------
    fixations, shapes : sequences
        The images' fixations and sizes (H, W). Those outside their image are left out; positions are scaled in
        proportion to `shape`.
    shape : (H, W)
    sigma : float
        Of the Gaussian, in pixels of `shape`.
    uniform_share : float
        The share, in 0..1, that is spread evenly over all pixels, so that none has probability 0.

    Raises
    ------
    UsageError
        If there is no fixation, or a parameter is out of range.

    Examples
    --------
    >>> from salbox.datasets import Fixations, center_bias
    >>> density = center_bias([Fixations(x=[4], y=[2]), Fixations(x=[9], y=[5])], [(5, 9), (10, 18)], (5, 9), sigma=1)
    >>> divmod(int(density.argmax()), 9), bool(density.min() > 0), round(float(density.sum()), 6)
    ((2, 4), True, 1.0)
    """
    if not 0 <= uniform_share <= 1:
        raise UsageError(f"uniform_share={uniform_share}: expected 0..1")
    if len(fixations) != len(shapes):
        raise UsageError(f"fixations of {len(fixations)} images, but {len(shapes)} shapes")
    scaled = [f.inside(s).resized(s, shape) for f, s in zip(fixations, shapes, strict=True)]
    density = fixation_density(pooled(scaled).inside(shape), shape, sigma)
    return (1 - uniform_share) * density + uniform_share / density.size


def mean_histogram(maps: Iterator[npt.NDArray[Any]] | Sequence[npt.NDArray[Any]], bins: int = 256) -> DoubleMap:
    """Return the mean histogram of a dataset's densities: (bins,) float64, sums to 1.

    Each map is min-max scaled to 0..1 (a constant map to 0) and counts the same, whatever its size; bin k holds the
    values from k / bins to (k + 1) / bins, the last one its upper end too. It is what histogram matching takes as the
    reference (the older MIT benchmark matched to the mean of 100 fixation maps, 256 bins).

    Raises
    ------
    UsageError
        If there is no map, or one has a value that is not finite.

    Examples
    --------
    A quarter of each map's pixels is its maximum; one map has a value in the middle:

    >>> import numpy as np
    >>> from salbox.datasets import mean_histogram
    >>> mean_histogram([np.array([[0, 0], [0, 9]]), np.array([[0, 0], [1, 2]])], bins=4).tolist()
    [0.625, 0.0, 0.125, 0.25]
    """
    total, count = np.zeros(bins), 0
    for values in maps:
        low, high = float(np.min(values)), float(np.max(values))
        if not (np.isfinite(low) and np.isfinite(high)):
            raise UsageError(f"map {count}: a value is not a finite number")
        scaled = (values - low) / (high - low) if high > low else np.zeros(np.shape(values))
        total += np.histogram(scaled, bins=bins, range=(0, 1))[0] / scaled.size
        count += 1
    if not count:
        raise UsageError("no maps: there is no mean histogram")
    return total / count
