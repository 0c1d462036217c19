"""Views: the pictures that a student learns from, photos as they are, changed or flipped.

A view is rendered when it is needed, by teacher and student alike, and never stored. Which photo is changed into what
follows from the seed and the photo's name alone: adding or leaving out photos changes nothing for the others.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from ...errors import UsageError
from ...imaging.image import read_image
from ...imaging.inputs import ImageFile
from ...metrics.fidelity import fidelity_cc
from ...types import Flip, Pixels
from ..domains import TRAINING_DOMAINS, apply, known_domain
from .reference import at_reference_size, is_classical

FREE_FLIP_CC = 0.995  # at least this much a flipped map must agree with the flipped image's own to stand in for it


@dataclass(frozen=True)
class View:
    """One picture to learn from.

    Attributes
    ----------
    photo : Path
        The file it is made of.
    key : str
        Its name, and its map's: the photo's relative path without suffix, then `@<domain>` and `@flip-<h, v or hv>`.
    domain : str, optional
        What the photo is changed into, one of `DOMAINS`; None leaves it as it is.
    flip : {"", "h", "v", "hv"}
        Mirrored sideways, upside down, or both.
    seed : int
        Of the change; 0 or above.
    """

    photo: Path
    key: str
    domain: str | None = None
    flip: Flip = ""
    seed: int = 0

    @property
    def photo_key(self) -> str:
        """The key of the photo as it is."""
        return self.key.removesuffix(_tail(self.domain, self.flip))

    def render(self) -> Pixels:
        """Return the picture: (H, W, 3) uint8 RGB.

        A photo that is changed is brought to reference size (longest side 640) first, so that noise and lines are as
        coarse in a large photo as in a small one; what stays as it is keeps its own size.

        Raises
        ------
        ImageError
            If the photo cannot be read.
        """
        pixels = read_image(self.photo)
        if self.domain is not None:
            pixels = apply(self.domain, at_reference_size(pixels), self.seed)
        return flipped(pixels, self.flip)


def plain_view(photo: ImageFile) -> View:
    """Return the view of a photo as it is."""
    return View(photo.path, photo.output.as_posix())


def plan_views(
    photos: Sequence[ImageFile],
    *,
    domains: Sequence[str] = TRAINING_DOMAINS,
    share: float = 0.5,
    keep_plain: bool = True,
    flips: Sequence[Flip] = (),
    seed: int = 0,
) -> list[View]:
    """Return the views to learn from, in the order of the photos.

    Parameters
    ----------
    photos : sequence of ImageFile
    domains : names
        A photo that is changed is changed into one of them.
    share : float
        How many of the photos are changed: each with this probability, 0 to 1.
    keep_plain : bool
        Whether a photo that is changed stands as it is too.
    flips : sequence of {"h", "v", "hv"}
        Each plain photo also stands flipped in one of these ways; for a teacher whose stored maps may not be
        flipped (see `FlipRule`).
    seed : int
        Another seed chooses other photos, domains and flips, and changes photos otherwise.

    Raises
    ------
    UsageError
        For an unknown domain (the nearest is proposed), a share outside 0..1, or photos whose views share a name.
    """
    if not 0 <= share <= 1:
        raise UsageError(f"a share of {share:g} of the photos: expected 0 to 1")
    for domain in domains:
        known_domain(domain)
    views: list[View] = []
    for photo in photos:
        plain = plain_view(photo)
        changes = bool(domains) and _chance(seed, plain.key, "change") < share
        if keep_plain or not changes:
            views.append(plain)
            if flips:
                views.append(changed_view(plain, None, _pick(flips, seed, plain.key, "flip"), seed))
        if changes:
            views.append(changed_view(plain, _pick(domains, seed, plain.key, "domain"), "", seed))
    _refuse_equal_keys(views)
    return views


def changed_view(plain: View, domain: str | None, flip: Flip, seed: int) -> View:
    """Return a photo's view with a change and a flip; the change's own seed follows from `seed` and the photo's key."""
    own_seed = 0 if domain is None else int(_digest(seed, plain.photo_key, domain)[:8], 16)
    return View(plain.photo, plain.photo_key + _tail(domain, flip), domain, flip, own_seed)


def flipped(array: npt.NDArray[Any], flip: Flip) -> npt.NDArray[Any]:
    """Return an image or a map flipped: "h" sideways, "v" upside down, "hv" both, "" not at all."""
    array = array[:, ::-1] if "h" in flip else array
    array = array[::-1] if "v" in flip else array
    return np.ascontiguousarray(array)


def measure_flip_cc(
    model: Callable[[Pixels], npt.NDArray[Any]], images: Iterable[Pixels], directions: Collection[Flip] = ("h", "v")
) -> dict[Flip, float]:
    """Return how well a flipped map stands in for the flipped image's own: direction -> mean fidelity CC.

    Parameters
    ----------
    model : callable
        Takes an image, returns a map; for a teacher the map that would be stored (`Teacher.mapper()`).
    images : images
        A handful is enough: the spread between images is small.

    Raises
    ------
    UsageError
        If there is no image.
    """
    found: dict[Flip, list[float]] = {flip: [] for flip in directions}
    for image in images:
        own = model(image)
        for flip, values in found.items():
            values.append(fidelity_cc(flipped(model(flipped(image, flip)), flip), own))
    if not all(found.values()):
        raise UsageError("flips are measured on photos; none was given")
    return {flip: float(np.mean(values)) for flip, values in found.items()}


def flips_of(model: str) -> tuple[Flip, ...]:
    """Return the ways in which a teacher may be given a flipped photo."""
    return ("h", "v") if is_classical(model) else ("h",)


@dataclass(frozen=True)
class FlipRule:
    """Which flips a student's training may use: of stored maps (`free`), and of images with maps of their own (`own`).

    A stored map may be flipped with its photo where the teacher's measured flip CC is at least .995. Classical
    algorithms are flipped both ways; people and the networks that predict them look at an upside-down photo
    otherwise, so they are flipped sideways only.
    """

    free: tuple[Flip, ...]
    own: tuple[Flip, ...]

    @classmethod
    def of(cls, model: str, flip_cc: Mapping[Flip, float]) -> FlipRule:
        """Return the rule for a teacher with these flip CCs."""
        measured = [flip for flip in flips_of(model) if flip in flip_cc]
        free = tuple(flip for flip in measured if flip_cc[flip] >= FREE_FLIP_CC)
        return cls(free, tuple(flip for flip in measured if flip not in free))


def _tail(domain: str | None, flip: Flip) -> str:
    return (f"@{domain}" if domain is not None else "") + (f"@flip-{flip}" if flip else "")


def _digest(*parts: object) -> str:
    return hashlib.sha1(repr(parts).encode(), usedforsecurity=False).hexdigest()


def _chance(*parts: object) -> float:
    """Return a number in 0..1 that follows from the parts."""
    return int(_digest(*parts), 16) / 16**40


def _pick(choices: Sequence[Any], *parts: object) -> Any:
    return choices[int(_digest(*parts), 16) % len(choices)]


def _refuse_equal_keys(views: Iterable[View]) -> None:
    taken: dict[str, Path] = {}
    for view in views:
        if view.key in taken:
            raise UsageError(f"{taken[view.key]} and {view.photo} would share the name '{view.key}'; rename one")
        taken[view.key] = view.photo
