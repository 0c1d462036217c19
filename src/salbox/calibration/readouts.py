"""A network's features weighed anew for one's own people, as much as held-out photos bear out."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from ..models.profiles import Center, Profile, Tail
from ..models.readouts import Readout
from ..system.progress import SILENT, Progress
from ..types import DoubleMap
from .centers import Shape
from .fitting import minimized
from .forms import Line
from .held_out import HeldOut
from .likelihood import Likelihood
from .looks import SmallFeatures
from .observed import Observed
from .profile_fits import profile_of
from .readout_likelihood import ReadoutLikelihood

# Of the penalty, those that are tried; see `ReadoutLikelihood.fit`. Half of the first gains a little more NSS and
# information gain of held-out photos, and loses more CC.
STRENGTHS = (100.0, 200.0, 400.0)
NO_WEIGHTS, AS_IT_IS = math.inf, 0.0  # beside them: a profile without a readout; nothing is fitted at all
PARTS = 5  # in which photos are held out in turn to choose one
MOST = 300  # photos that features' weights are fitted to: their terms and curvatures take about a megabyte each


@dataclass(frozen=True, eq=False)
class Looked:
    """Photos of one model, with the features of its network.

    Attributes
    ----------
    photos : list of Observed
    features : list of (C, h, w) float16
        Of each.
    network : str
        Whose features; see `Readout.network`.
    center : {"gaussian", "grid"}
        The shape of the centre bias where features are left as they are.
    degrees : float, optional
        What goes into profiles.
    """

    photos: list[Observed]
    features: list[SmallFeatures]
    network: str
    center: Shape = "gaussian"
    degrees: float | None = None

    def __post_init__(self) -> None:
        if len(self.photos) != len(self.features):
            raise ValueError(f"{len(self.photos)} photos with the features of {len(self.features)}")

    @property
    def weighing(self) -> list[int]:
        """The photos that weights are fitted to: all, or `MOST` evenly chosen."""
        count = len(self.photos)
        return list(range(count)) if count <= MOST else np.linspace(0, count - 1, MOST).astype(int).tolist()

    def likelihood(self) -> ReadoutLikelihood:
        """Return the likelihood of the photos that weights are fitted to, numbered as `weighing` has them."""
        return ReadoutLikelihood([self.photos[k] for k in self.weighing], [self.features[k] for k in self.weighing])

    def profile(self, likelihood: ReadoutLikelihood, members: Sequence[int]) -> tuple[Profile, float]:
        """Return the profile of some of the photos, and which strength of the penalty they chose by themselves."""
        wanted = set(members)
        own = [(number, k) for number, k in enumerate(self.weighing) if k in wanted]
        numbered = [number for number, _ in own]
        strength = chosen(likelihood, numbered)
        if strength == AS_IT_IS:
            return Profile("log_density", Tail(degrees=self.degrees)), strength
        if strength == NO_WEIGHTS:
            return profile_of([self.photos[k] for k in members], "log_density", self.center, self.degrees), strength
        numbers = likelihood.fit(numbered, strength)
        readout = likelihood.readout(numbers, self.network)
        shifted = [shift(self.photos[k], self.features[k], readout) for _, k in own]
        return Profile(
            "log_density", tail_of(shifted, likelihood.center(numbers), self.degrees), readout=readout
        ), strength

    def density_of(self, photo: int, profile: Profile) -> tuple[DoubleMap, Tail]:
        """Return the priorities that a profile gives a photo, (h, w), and what makes them a density."""
        readout, own = profile.readout, self.photos[photo]
        shifted = own if readout is None else shift(own, self.features[photo], readout)
        (values,) = shifted.values.values()
        return values.astype(np.float64), profile.tail


def chosen(likelihood: ReadoutLikelihood, members: Sequence[int]) -> float:
    """Return the strength of the penalty that predicts held-out photos best: of `STRENGTHS`, or one of those beside.

    Parameters
    ----------
    likelihood : ReadoutLikelihood
    members : sequence of int
        Which photos choose.
    """
    given = np.asarray(members)
    parts = np.random.default_rng(0).permutation(np.arange(len(given)) % min(PARTS, len(given)))
    reached = dict.fromkeys((AS_IT_IS, NO_WEIGHTS, *STRENGTHS), 0.0)  # the plainer first: it wins a tie
    for part in np.unique(parts):
        seen, left = given[parts != part], given[parts == part]
        for strength in reached:
            numbers = likelihood.begin if strength == AS_IT_IS else likelihood.fit(seen, strength)
            reached[strength] += sum(likelihood.value(k, numbers) for k in left)
    return max(reached, key=lambda strength: reached[strength])


def shift(photo: Observed, features: SmallFeatures, readout: Readout) -> Observed:
    """Return a photo with what a readout says of its features added to its map."""
    ((name, values),) = photo.values.items()
    moved = values + readout.at(features.astype(np.float32), photo.size)
    return replace(photo, values={name: moved.astype(np.float32)})


def tail_of(photos: Sequence[Observed], center: Center, degrees: float | None) -> Tail:
    """Return the tail that makes photos' fixations most likely, given the shape of the centre bias."""
    (name,) = photos[0].values
    likelihood = Likelihood(photos, {name: Line()}, center)
    numbers = minimized(likelihood.loss, likelihood.begin(), likelihood.bounds)
    return replace(likelihood.tail(numbers, degrees), temperature=1 / float(numbers[0]))


def held_out_readouts(
    name: str,
    looked: Looked,
    likelihood: ReadoutLikelihood,
    held_out: npt.NDArray[np.intp],
    progress: Progress = SILENT,
) -> HeldOut:
    """Return the row of densities that profiles make, each of a photo that its fit and its choices did not see."""
    made = {}
    parts = np.unique(held_out)
    for part in progress.track(parts, len(parts), "folds"):
        profile, _ = looked.profile(likelihood, np.flatnonzero(held_out != part).tolist())
        for k in np.flatnonzero(held_out == part).tolist():
            made[k] = looked.density_of(k, profile)
    return HeldOut(name, made)
