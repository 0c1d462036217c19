"""What UniSal's images go through behind the encoder: learned Gaussians, and a small decoder with skips."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional

from ..layers import resize_like
from .domains import DOMAINS, Filtered, Inverted, Skip

GAUSSIANS = 16
GAUSSIAN_HEIGHT = 6.0  # of the prior maps
CHANNELS = 256  # at stride 32
SKIPS = (64, 128)  # channels that come to the decoder from strides 8 and 16
SMOOTHING = 41  # side of the kernel of the final smoothing
CELL = 8  # pixels: the stride of what it smooths
_REACH = -(-(SMOOTHING // 2) // CELL)  # cells that the kernel reaches beyond the one at hand


class Readout(nn.Module):
    """What images go through behind the encoder.

    Parameters
    ----------
    channels : three int
        Of the features at strides 8, 16 and 32.
    domains : sequence of str
        What has norms, Gaussians, a last convolution and a smoothing of its own.
    outputs : int
        Maps.
    """

    enlarge = staticmethod(resize_like)  # brings features to the next finer stride

    def __init__(self, channels: Sequence[int], domains: Sequence[str] = DOMAINS, outputs: int = 1) -> None:
        super().__init__()
        eighth, sixteenth, coarsest = channels
        self.post_cnn = nn.ModuleDict({"inv_res": Filtered(coarsest + GAUSSIANS, CHANNELS)})
        self.skip_2x = Skip(sixteenth, SKIPS[1], domains)
        self.upsampling_2 = nn.ModuleDict({"inv_res": Inverted(CHANNELS + SKIPS[1], SKIPS[1], domains)})
        self.skip_4x = Skip(eighth, SKIPS[0], domains)
        self.post_upsampling_2 = nn.ModuleDict({"inv_res": Inverted(SKIPS[1] + SKIPS[0], SKIPS[0], domains)})
        for domain in map(str.lower, domains):
            self.register_parameter(f"coarse_gaussians_{domain}", nn.Parameter(_spread_gaussians()))
            self.add_module(f"adaptation_{domain}", nn.Sequential(nn.Conv2d(SKIPS[0], outputs, 1)))
            smoothing = nn.Conv2d(outputs, outputs, SMOOTHING, bias=False, groups=outputs)
            self.add_module(f"smoothing_{domain}", smoothing)

    def encoded(
        self, eighth: Tensor, sixteenth: Tensor, coarsest: Tensor, domain: str
    ) -> tuple[Tensor, Tensor, Tensor]:
        """Return what the decoder takes, at strides 8, 16 and 32: (N, 64, h, w), (N, 128, ..), (N, 256, ..)."""
        gaussians = self.get_parameter(f"coarse_gaussians_{domain.lower()}")
        priors = prior_maps(gaussians, coarsest.shape[-2], coarsest.shape[-1])
        priors = priors.unsqueeze(0).expand(coarsest.shape[0], -1, -1, -1)
        coarse = self.post_cnn["inv_res"](torch.cat([coarsest, priors], dim=1))
        return self.skip_4x(eighth, domain), self.skip_2x(sixteenth, domain), coarse

    def decoded(self, eighth: Tensor, sixteenth: Tensor, coarse: Tensor, domain: str) -> Tensor:
        """Return the maps of what `encoded` gives: (N, outputs, H, W)."""
        return self.smoothed(self.mixed(eighth, sixteenth, coarse, domain), domain)

    def mixed(self, eighth: Tensor, sixteenth: Tensor, coarse: Tensor, domain: str) -> Tensor:
        """Return what the maps are read off, at stride 8: (N, 64, h, w)."""
        values = torch.cat([self.enlarge(coarse, sixteenth), sixteenth], dim=1)
        values = self.enlarge(self.upsampling_2["inv_res"](values, domain), eighth)
        mixed: Tensor = self.post_upsampling_2["inv_res"](torch.cat([values, eighth], dim=1), domain)
        return mixed

    def smoothed(self, values: Tensor, domain: str) -> Tensor:
        """Return the maps of what `mixed` gives: (N, outputs, 8 h, 8 w)."""
        return self.enlarged(self.read(values, domain), domain)

    def read(self, values: Tensor, domain: str) -> Tensor:
        """Return the maps of what `mixed` gives as they are read off it, at stride 8: (N, outputs, h, w)."""
        read: Tensor = self.get_submodule(f"adaptation_{domain.lower()}")(values)
        return read

    def enlarged(self, read: Tensor, domain: str) -> Tensor:
        """Return what `read` gives, enlarged and smoothed: (N, outputs, 8 h, 8 w)."""
        return smoothed_and_enlarged(read, self.get_parameter(f"smoothing_{domain.lower()}.weight"))


def smoothed_and_enlarged(values: Tensor, kernels: Tensor) -> Tensor:
    """Return maps enlarged eight times by nearest neighbours, borders repeated, and smoothed: (N, C, 8 h, 8 w).

    Where eight pixels are alike along a side, a kernel of 41 by 41 is 64 kernels of 7 by 7 on what was enlarged, one
    for each place in a cell: the same sums with a thirtieth of the products.

    Parameters
    ----------
    values : (N, C, h, w)
    kernels : (C, 1, 41, 41)
    """
    sums = _cell_sums(kernels)
    count, taps = kernels.shape[0], 2 * _REACH + 1
    folded = (sums @ kernels[:, 0] @ sums.T).reshape(count, CELL, taps, CELL, taps).permute(0, 1, 3, 2, 4)
    padded = functional.pad(values, [_REACH] * 4, mode="replicate")
    places = functional.conv2d(padded, folded.reshape(count * CELL**2, 1, taps, taps), groups=count)
    return functional.pixel_shuffle(places, CELL)


def _cell_sums(like: Tensor) -> Tensor:
    """Return which taps of a kernel fall on which cell, for each place in a cell: (8 * 7, 41) of 0 and 1."""
    place = torch.arange(CELL)[:, None, None]
    cell = torch.arange(-_REACH, _REACH + 1)[None, :, None]
    tap = torch.arange(SMOOTHING)[None, None, :] - SMOOTHING // 2
    falls = torch.div(place + tap, CELL, rounding_mode="floor") == cell
    return falls.reshape(-1, SMOOTHING).to(like)


def prior_maps(gaussians: Tensor, height: int, width: int) -> Tensor:
    """Return Gaussians as maps: (K, height, width).

    Parameters
    ----------
    gaussians : (K, 2, 2) float32
        For y, then x: mean, and log of the standard deviation, in 0..1 from the first row or column to the last.
    height, width : int
    """
    sides = []
    for axis, length in enumerate((height, width)):
        places = torch.arange(length, device=gaussians.device, dtype=gaussians.dtype)
        places = places / places[-1:].clamp(min=1)  # a single one is at 0; linspace as ONNX divides 0 by 0
        means, deviations = gaussians[:, axis, :1], gaussians[:, axis, 1:].exp()
        sides.append(torch.exp(-0.5 * ((places - means) / deviations) ** 2))
    return GAUSSIAN_HEIGHT * sides[0].unsqueeze(2) * sides[1].unsqueeze(1)


def _spread_gaussians() -> Tensor:
    """Return where the Gaussians start: on a grid of four by four, a fifth of the map wide."""
    centers = torch.linspace(0.2, 0.8, 4)
    means = torch.stack(torch.meshgrid(centers, centers, indexing="ij"), dim=-1).reshape(GAUSSIANS, 2)
    return torch.stack([means, torch.full_like(means, 0.2).log()], dim=2)
