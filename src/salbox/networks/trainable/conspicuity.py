"""What stands out of its surround in a picture, for a head whose teacher compares whole maps of it by their peaks.

A map with one strong peak counts for more than one with many: a decision over the whole picture, for each of sixteen
maps, before they are added. A decoder that gives all teachers their features has no room for them.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn
from torch.nn import functional

from ..layers import resize_like
from .numbers import lengths, places, power, single_precision, with_logarithm

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


class Conspicuity(nn.Module):
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
    blur: Tensor

    def __init__(self, pool: int) -> None:
        super().__init__()
        self.pool = pool
        taps = torch.exp(-0.5 * (torch.arange(BLUR) - BLUR // 2.0) ** 2)
        constants = {
            "gamma": torch.tensor(_GAMMA)[:, None, None],
            "colors": torch.tensor(_DKL)[:, :, None, None],
            "bars": torch.stack([gabor(angle, phase) for phase in (0, 90) for angle in ANGLES])[:, None],
            "blur": (taps[:, None] * taps / taps.sum() ** 2).expand(3, 1, BLUR, BLUR),
        }
        for name, values in constants.items():  # not in the state dict: the architecture says what they are
            self.register_buffer(name, values.clone(), persistent=False)

    def forward(self, images: Tensor) -> Tensor:
        """Return features, (N, 4, rows, columns), of images, (N, 3, H, W) in 0..255, of at least 8 `pool` pixels.

        The first three are at most 1, the last is a logarithm: about 0 at most.
        """
        with single_precision(images):  # peaks are compared
            rgb = functional.avg_pool2d(images.float(), self.pool) / 255
            levels = [torch.cat([rgb, rgb.amax(1, keepdim=True)], dim=1)]
            while len(levels) < LEVELS:
                levels.append(functional.avg_pool2d(levels[-1], 2))
            maps = [self.maps(level) for level in levels]
            contrasts = []
            for place in range(LEVELS - DELTA):
                contrast = (maps[place] - resize_like(maps[place + DELTA], maps[place])).abs()
                squared = (contrast - NOISE).clamp(min=0).square()
                contrasts.append(promoted(functional.avg_pool2d(squared, 2 ** (DELTA - place))))
            by_channel = torch.stack(contrasts).sum(0).split((3, 1, len(ANGLES)), dim=1)
            channels = torch.stack([own.sum(1) for own in by_channel], dim=1)
            attenuated = border(promoted(channels), MASTER_BORDER)
            return with_logarithm(functional.conv2d(_padded(attenuated, BLUR), self.blur, groups=3))

    def maps(self, level: Tensor) -> Tensor:
        """Return colours, intensity and oriented energy, (N, 8, h, w), of RGB and intensity, (N, 4, h, w) in 0..1."""
        rgb, intensity = level.split((3, 1), dim=1)
        even, odd = functional.conv2d(_padded(intensity, TAPS), self.bars).abs().chunk(2, dim=1)
        colors = functional.conv2d(power(rgb.clamp(min=_DARKEST), self.gamma), self.colors)
        return torch.cat([colors, intensity, border(even + odd, BORDER)], dim=1)


def _padded(maps: Tensor, taps: int) -> Tensor:
    return functional.pad(maps, (taps // 2,) * 4, mode="replicate")


def promoted(maps: Tensor) -> Tensor:
    """Return maps, (N, C, h, w), weighted by how much the largest value of each stands out among its local maxima.

    See `salbox.classical.ikn.promote_single_peak`.
    """
    low, high = maps.amin((2, 3), keepdim=True), maps.amax((2, 3), keepdim=True)
    stretched = PEAK * (maps - low) / (high - low).clamp(min=_TINY)
    inner = stretched[:, :, 1:-1, 1:-1]
    beside = torch.maximum(stretched[:, :, 1:-1, :-2], stretched[:, :, 1:-1, 2:])
    largest = torch.maximum(beside, torch.maximum(stretched[:, :, :-2, 1:-1], stretched[:, :, 2:, 1:-1]))
    peaks = ((inner >= largest) * (inner >= 1)).float()
    count = peaks.sum((2, 3), keepdim=True)
    mean = (inner * peaks).sum((2, 3), keepdim=True) / count.clamp(min=1)
    weight = torch.where(count > 1, (PEAK - mean).square(), torch.where(count > 0, PEAK**2, 1.0))
    return stretched * weight


def border(maps: Tensor, width: int) -> Tensor:
    """Return maps, (N, C, h, w), whose outer pixels, at most `width`, fall off linearly."""
    sides = lengths(maps)
    own = torch.minimum(torch.minimum(*sides).div(2).floor(), torch.tensor(float(width)))
    ramps = []
    for side in sides:
        place = places(side, maps)
        ramps.append((torch.minimum(place + 1, side - place) / (own + 1)).clamp(max=1))
    return maps * ramps[0][:, None] * ramps[1]


def gabor(angle: float, phase: float) -> Tensor:
    """Return a filter for bars, (TAPS, TAPS): that of `salbox.classical.ikn`, cut off."""
    y, x = torch.meshgrid(*[torch.arange(TAPS) - TAPS // 2.0] * 2, indexing="ij")
    turn = math.radians(angle)
    wave, bar = y * math.cos(turn) - x * math.sin(turn), y * math.sin(turn) + x * math.cos(turn)
    kernel = torch.cos(2 * wave + math.radians(phase)) * torch.exp(-(wave**2) / 8 - bar**2 / 32)
    kernel = kernel - kernel.mean()
    return kernel / kernel.norm()
