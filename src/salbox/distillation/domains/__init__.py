"""Domains: what else people show a saliency model than photos, made of photos or drawn.

Students that saw natural photos alone fail elsewhere (Kastrati et al., KDSalBox, Table 2). Each kind here imitates a
category of the sets that were measured there, CAT2000 (Borji and Itti 2015) and Imp1K (Fosco et al. 2020), without any
of their images: a photo is changed, laid out on a page, or gives way to a pattern. What comes out follows from the
domain, the photo and the seed.
"""

from __future__ import annotations

import zlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import numpy as np

from ...errors import UsageError, nearest
from ...types import Pixels
from . import ads, changes, drawings, infographics, mobile, odd_one_out, patterns, web_pages

__all__ = ["DOMAINS", "TEST_DOMAINS", "TRAINING_DOMAINS", "VERSION", "Domain", "apply", "known_domain"]

# Raised when a domain draws otherwise than before: maps of pictures that no longer come out are made again.
VERSION = 1

Group = Literal["degradation", "rearrangement", "drawing", "layout", "pattern"]
Maker = Callable[[Pixels, np.random.Generator], Pixels]


@dataclass(frozen=True)
class Domain:
    """One kind of picture; call it with an image, (H, W, 3) uint8, and a generator.

    Attributes
    ----------
    name : str
    make : callable
        Takes an image and a generator, returns (h, w, 3) uint8 RGB.
    group : str
        What it does to a photo.
    nearest : str
        The category of CAT2000 or Imp1K that it imitates.
    needs_photo : bool
        Whether the photo's content is in the result; without, only its size is (of a layout not even that).
    training : bool
        Whether students may be trained on it; the others are kept for tests.
    own_size : bool
        Whether the result has a size of its own, its longest side 640, instead of the photo's.
    """

    name: str
    make: Maker
    group: Group
    nearest: str
    needs_photo: bool = True
    training: bool = True
    own_size: bool = False

    def __call__(self, image: Pixels, rng: np.random.Generator) -> Pixels:
        """Return the picture: (h, w, 3) uint8 RGB, contiguous."""
        return np.ascontiguousarray(self.make(image, rng))


_ALL = (
    Domain("grey", changes.gray, "degradation", "CAT2000 BlackWhite"),
    Domain("upside-down", changes.upside_down, "rearrangement", "CAT2000 Inverted"),
    Domain("jumbled", changes.jumbled, "rearrangement", "CAT2000 Jumbled"),
    Domain("low-resolution", changes.low_resolution, "degradation", "CAT2000 LowResolution"),
    Domain("noise", changes.noise, "degradation", "CAT2000 Noisy"),
    Domain("lines", drawings.lines, "drawing", "CAT2000 LineDrawing"),
    Domain("sketch", drawings.sketch, "drawing", "CAT2000 Sketch"),
    Domain("web-page", web_pages.web_page, "layout", "Imp1K Webpages", own_size=True),
    Domain("ad", ads.ad, "layout", "Imp1K Ads", own_size=True),
    Domain("gratings", patterns.gratings, "pattern", "CAT2000 Pattern", needs_photo=False),
    Domain("odd-one-out", odd_one_out.odd_one_out, "pattern", "CAT2000 Pattern", needs_photo=False),
    Domain("fractal", patterns.fractal, "pattern", "CAT2000 Fractal", needs_photo=False),
    Domain("infographic", infographics.infographic, "layout", "Imp1K Infographics", False, False, True),
    Domain("mobile-ui", mobile.mobile_ui, "layout", "Imp1K MobileUIs", True, False, True),
    Domain("spirals", patterns.spirals, "pattern", "CAT2000 Pattern", False, False),
    Domain("checkerboard", patterns.checkerboard, "pattern", "CAT2000 Pattern", False, False),
    Domain("size-odd-one-out", odd_one_out.size_odd_one_out, "pattern", "CAT2000 Pattern", False, False),
    Domain("hatching", drawings.hatching, "drawing", "CAT2000 Sketch", True, False),
    Domain("jpeg", changes.jpeg, "degradation", "CAT2000 LowResolution", True, False),
    Domain("motion-blur", changes.motion_blur, "degradation", "CAT2000 LowResolution", True, False),
)

DOMAINS: dict[str, Domain] = {domain.name: domain for domain in _ALL}
TRAINING_DOMAINS: tuple[str, ...] = tuple(domain.name for domain in _ALL if domain.training)
TEST_DOMAINS: tuple[str, ...] = tuple(domain.name for domain in _ALL if not domain.training)


def known_domain(name: str) -> Domain:
    """Return a domain by its name.

    Raises
    ------
    UsageError
        If there is none; the nearest names are proposed.
    """
    try:
        return DOMAINS[name]
    except KeyError:
        raise UsageError(f"no domain '{name}'{nearest(name, DOMAINS)} (domains: {', '.join(DOMAINS)})") from None


def apply(domain: str, image: Pixels, seed: int) -> Pixels:
    """Return an image in a domain: (h, w, 3) uint8 RGB, the same for the same arguments.

    Parameters
    ----------
    domain : str
        One of `DOMAINS`.
    image : (H, W, 3) uint8
        Of any size. Changes and patterns keep it; layouts have their own, with a longest side of 640.
    seed : int
        0 or above. Two domains draw independently under one seed.

    Raises
    ------
    UsageError
        For an unknown domain, or a negative seed.
    """
    if seed < 0:
        raise UsageError(f"seed {seed}: expected 0 or above")
    found = known_domain(domain)
    return found(image, np.random.default_rng([seed, zlib.crc32(domain.encode())]))
