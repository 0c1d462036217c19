"""What stands out of its surround in a picture, for a head whose teacher compares whole maps of it by their peaks.

A map with one strong peak counts for more than one with many: a decision over the whole picture, for each of sixteen
maps, before they are added. A decoder that gives all teachers their features has no room for them.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional

from ..layers import enlarge_like
from .numbers import lengths, places, power, with_logarithm
from .whole_picture import WholePicture

LEVELS = 4  # of the pyramid, each half as fine as the one before
DELTA = 2  # levels from a centre to its surround
ANGLES = (0.0, 45.0, 90.0, 135.0)  # of bars, degrees
TAPS = 13  # of the filters for bars
BORDER, MASTER_BORDER = 13, 4  # pixels that are attenuated: of the bars' maps, of the sum
BLUR = 5  # taps
PEAK = 10.0  # what a map is stretched to before its peaks are compared
NOISE = 1e-4  # a contrast up to this is rounding; stretched it would be the result, and one of 8 bits leaves more

# Light of a monitor's guns: powers of the pixels' values, fitted to the table that GBVS comes with; DKL colours of it.
_GAMMA = (2.08, 2.35, 1.80)
_DKL = ((12.946, 42.036, 8.155), (30.061, -17.570, -12.605), (-9.262, -28.622, 37.727))
_DARKEST = 0.1 / 255
_TINY = 1e-12


class Conspicuity(WholePicture):
    """From images to the conspicuity of colour, intensity and orientation.

    Nothing in it learns: filters that did lost in a few hundred steps what makes their maps the teacher's.

    Parameters
    ----------
    pool : int
        Pixels of the images, along a side, that are averaged before anything else.

    References
    ----------
    Itti, Koch and Niebur: A model of saliency-based visual attention for rapid scene analysis. TPAMI 20(11), 1998, in
    the form that comes with Harel's GBVS; see `salbox.classical.ikn`.
    """

    gamma: Tensor
    colors: Tensor
    bars: Tensor
    channels: Tensor
    blur: Tensor

    def __init__(self, pool: int) -> None:
        taps = torch.exp(-0.5 * (torch.arange(BLUR) - BLUR // 2.0) ** 2)
        owners = (*"cccioooo",) * (LEVELS - DELTA)  # of the maps: colour, intensity and orientation
        constants = {
            "gamma": torch.tensor(_GAMMA)[:, None, None],
            "colors": torch.tensor(_DKL)[:, :, None, None],
            "bars": torch.stack([gabor(angle, phase) for phase in (0, 90) for angle in ANGLES])[:, None],
            "channels": torch.tensor([[float(own == one) for own in owners] for one in "cio"])[:, :, None, None],
            "blur": (taps[:, None] * taps / taps.sum() ** 2).expand(3, 1, BLUR, BLUR),
        }
        super().__init__(pool, constants)

    def seen(self, rgb: Tensor) -> Tensor:
        """See `WholePicture`; of at least 8 pixels along a side."""
        levels = [torch.cat([rgb, rgb.amax(1, keepdim=True)], dim=1)]
        while len(levels) < LEVELS:
            levels.append(functional.avg_pool2d(levels[-1], 2))
        edges = [Edges.of(rgb)]
        while len(edges) < LEVELS:
            edges.append(edges[-1].halved())
        maps = [self.maps(level, own) for level, own in zip(levels, edges, strict=True)]
        contrasts = []
        for place in range(LEVELS - DELTA):
            fine, coarse = maps[place], maps[place + DELTA]
            contrast = (fine - enlarge_like(coarse, fine, 2**DELTA)).abs()
            squared = functional.relu(contrast - NOISE).square()
            contrasts.append(functional.avg_pool2d(squared, 2 ** (DELTA - place)))
        # All at once, and sums as a convolution: few operators, which cost more than what they compute.
        channels = functional.conv2d(promoted(torch.cat(contrasts, dim=1)), self.channels)
        attenuated = edges[DELTA].attenuated(promoted(channels), MASTER_BORDER)
        return with_logarithm(functional.conv2d(_padded(attenuated, BLUR), self.blur, groups=3))

    def maps(self, level: Tensor, edges: Edges) -> Tensor:
        """Return colours, intensity and oriented energy, (N, 8, h, w), of RGB and intensity, (N, 4, h, w) in 0..1."""
        rgb, intensity = level.split((3, 1), dim=1)
        even, odd = functional.conv2d(_padded(intensity, TAPS), self.bars).abs().split(len(ANGLES), dim=1)
        colors = functional.conv2d(power(rgb.clamp(min=_DARKEST), self.gamma), self.colors)
        return torch.cat([colors, intensity, edges.attenuated(even + odd, BORDER)], dim=1)


def _padded(maps: Tensor, taps: int) -> Tensor:
    return functional.pad(maps, (taps // 2,) * 4, mode="replicate")


def promoted(maps: Tensor) -> Tensor:
    """Return maps, (N, C, h, w), weighted by how much the largest value of each stands out among its local maxima.

    See `salbox.classical.ikn.promote_single_peak`.
    """
    low, high = maps.amin((2, 3), keepdim=True), maps.amax((2, 3), keepdim=True)
    stretched = (maps - low) * (PEAK / (high - low).clamp(min=_TINY))
    across = functional.max_pool2d(stretched, (1, 3), stride=1, padding=(0, 1))
    down = functional.max_pool2d(stretched, (3, 1), stride=1, padding=(1, 0))
    inner, largest = (functional.pad(values, [-1] * 4) for values in (stretched, torch.maximum(across, down)))
    peaks = (inner >= largest.clamp(min=1)).float()
    count = peaks.sum((2, 3), keepdim=True)
    mean = (inner * peaks).sum((2, 3), keepdim=True) / count.clamp(min=1)
    weight = torch.where(count > 1, (PEAK - mean).square(), torch.where(count > 0, PEAK**2, 1.0))
    return stretched * weight


@dataclass(frozen=True)
class Edges:
    """How far the pixels of maps are from their edges.

    Attributes
    ----------
    distances : (1, 2, h, w) float32
        Rows, then columns, from a pixel to what is beyond the nearest edge: 1 at the edge.
    half : () float32
        Of the shorter side, in pixels.
    """

    distances: Tensor
    half: Tensor

    @classmethod
    def of(cls, maps: Tensor) -> Edges:
        """Return what maps of a size, (N, C, h, w), have."""
        sides = lengths(maps)
        rows, columns = (torch.minimum(place + 1, side - place) for side in sides for place in (places(side, maps),))
        first, last = (torch.tensor(one, device=maps.device)[None, :, None, None] for one in ((1.0, 0.0), (0.0, 1.0)))
        return cls(first * rows[:, None] + last * columns, torch.minimum(*sides) / 2)

    def halved(self) -> Edges:
        """Return what maps of half the size have, if the sides are even."""
        return Edges(functional.max_pool2d(self.distances, 2) / 2, self.half / 2)

    def attenuated(self, maps: Tensor, width: int) -> Tensor:
        """Return maps, (N, C, h, w), whose outer pixels, at most `width`, fall off linearly."""
        steps = self.half.floor().clamp(max=width) + 1
        return maps * (self.distances / steps).clamp(max=1).prod(1, keepdim=True)


def gabor(angle: float, phase: float) -> Tensor:
    """Return a filter for bars, (TAPS, TAPS): that of `salbox.classical.ikn`, cut off."""
    y, x = torch.meshgrid(*[torch.arange(TAPS) - TAPS // 2.0] * 2, indexing="ij")
    turn = math.radians(angle)
    wave, bar = y * math.cos(turn) - x * math.sin(turn), y * math.sin(turn) + x * math.cos(turn)
    kernel = torch.cos(2 * wave + math.radians(phase)) * torch.exp(-(wave**2) / 8 - bar**2 / 32)
    kernel = kernel - kernel.mean()
    return kernel / kernel.norm()
