"""What the DeepGaze networks share: readouts of 1x1 convolutions, a learned blur, and the centre bias that is added."""

from __future__ import annotations

from collections.abc import Sequence
from math import ceil

import torch
from torch import Tensor, nn
from torch.nn import functional

from ..layers import IMAGENET_MEAN, IMAGENET_STD

TRUNCATE = 3.0  # standard deviations that the blur's kernel reaches
WIDEST = 200.0  # standard deviation of a blur that is believed, in pixels; the authors' start at 8
LAYER_NORM_EPS = 1e-12


class ImageNetNorm(nn.Module):
    """RGB in 0..255 to (x / 255 - mean) / std, rounded after each step as the authors' networks do.

    Parameters
    ----------
    saved : bool
        Whether mean and standard deviation are part of the weights: of VGG-19 they are.
    """

    mean: Tensor
    std: Tensor

    def __init__(self, saved: bool) -> None:
        super().__init__()
        for name, values in (("mean", IMAGENET_MEAN), ("std", IMAGENET_STD)):
            exact = torch.tensor(values, dtype=torch.float64).reshape(3, 1, 1)
            self.register_buffer(name, exact, persistent=saved)

    def forward(self, images: Tensor) -> Tensor:
        """Return the images normalised, of the same shape and precision."""
        centered = (images / 255 - self.mean).to(images)
        return (centered / self.std).to(images)


class Bias(nn.Module):
    """A learned number added to each channel."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.bias = nn.Parameter(torch.zeros(channels))

    def forward(self, values: Tensor) -> Tensor:
        """Return (N, C, H, W)."""
        return values + self.bias[:, None, None]


class LayerNorm(nn.Module):
    """Norm over channels and places together, then a learned scale and shift of each channel."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.ones(channels))
        self.bias = nn.Parameter(torch.zeros(channels))

    def forward(self, values: Tensor) -> Tensor:
        """Return (N, C, H, W)."""
        # A group norm of one group; PyTorch's layer norm would hold an exported network to one size of images.
        return functional.group_norm(values, 1, self.weight, self.bias, LAYER_NORM_EPS)


class GaussianBlur(nn.Module):
    """A Gaussian whose standard deviation is learned; borders are repeated.

    Parameters
    ----------
    sigma : float
        The first standard deviation, in pixels.
    reach : int, optional
        Pixels that the kernel has on either side of its middle; by default `TRUNCATE` standard deviations.
    """

    def __init__(self, sigma: float, reach: int | None = None) -> None:
        super().__init__()
        self.sigma = nn.Parameter(torch.tensor(sigma))
        self._reach = reach

    def forward(self, maps: Tensor) -> Tensor:
        """Return maps, (N, 1, H, W), smoothed along H and then along W."""
        kernel, reach = self._kernel(maps)
        down = functional.pad(maps, (0, 0, reach, reach), mode="replicate")
        smoothed = functional.conv2d(down, kernel.reshape(1, 1, -1, 1))
        across = functional.pad(smoothed, (reach, reach, 0, 0), mode="replicate")
        return functional.conv2d(across, kernel.reshape(1, 1, 1, -1))

    def of_repeated(self, maps: Tensor, times: int) -> Tensor:
        """Return what `forward` makes of maps each of whose pixels is repeated: (N, C, times * H, times * W).

        As two matrix products: the gradients of the convolutions, each with one channel, take a CPU ten times as long.
        """
        height, width = (self._matrix(side * times, times, maps) for side in maps.shape[-2:])
        return height @ maps @ width.T

    def _matrix(self, pixels: int, times: int, maps: Tensor) -> Tensor:
        """Return what each of so many pixels takes of those that are repeated: (pixels, pixels / times)."""
        kernel, reach = self._kernel(maps)
        seen = torch.arange(pixels, device=maps.device)[:, None]
        seen = seen + torch.arange(-reach, reach + 1, device=maps.device)
        seen = seen.clamp(0, pixels - 1) // times
        return maps.new_zeros(pixels, pixels // times).scatter_add(1, seen, kernel.expand(pixels, -1))

    def _kernel(self, maps: Tensor) -> tuple[Tensor, int]:
        """Return the kernel, (2 * reach + 1,), and how far it reaches."""
        reach = ceil(TRUNCATE * float(self.sigma.detach())) if self._reach is None else self._reach
        places = torch.arange(-reach, reach + 1, device=maps.device, dtype=maps.dtype)
        kernel = torch.exp(-0.5 * (places / self.sigma) ** 2)
        return kernel / kernel.sum(), reach


class Finalizer(nn.Module):
    """From a readout to a log density: blurred at half the image's size, the weighted centre bias added, normalised."""

    def __init__(self, sigma: float = 8.0) -> None:
        super().__init__()
        self.center_bias_weight = nn.Parameter(torch.ones(1))
        self.gauss = GaussianBlur(sigma)

    def forward(self, readout: Tensor, center_bias: Tensor) -> Tensor:
        """Return log densities: (N, 1, H, W), exp sums to 1.

        Parameters
        ----------
        readout : (N, 1, h, w) float32
        center_bias : (N, 1, H, W) float32
            Log density, at the images' size.
        """
        values = self.coarse(readout, halve(center_bias))
        values = nearest(values, center_bias.shape[-2:])
        return functional.log_softmax(values.flatten(1), dim=1).reshape(values.shape)

    def coarse(self, readout: Tensor, halved: Tensor) -> Tensor:
        """Return the log density up to a constant, at half the images' size: (N, 1, floor(H / 2), floor(W / 2)).

        Parameters
        ----------
        readout : (N, 1, h, w) float32
        halved : (N, 1, floor(H / 2), floor(W / 2)) float32
            The centre bias.
        """
        return self.blurred(nearest(readout, halved.shape[-2:]), halved)

    def blurred(self, readout: Tensor, halved: Tensor) -> Tensor:
        """Return what `coarse` does, for a readout at half the images' size."""
        weighted: Tensor = self.gauss(readout) + self.center_bias_weight * halved
        return weighted


def halve(maps: Tensor) -> Tensor:
    """Return every second row and column, (N, C, floor(H / 2), floor(W / 2))."""
    height, width = maps.shape[-2:]
    return maps[..., : height // 2 * 2 : 2, : width // 2 * 2 : 2]


def gathered(features: Sequence[Tensor], images: Tensor, factor: int) -> Tensor:
    """Return features side by side at the images' size divided by `factor`, rounded up: (N, sum of C, h, w)."""
    size = [(side + factor - 1) // factor for side in images.shape[-2:]]
    return torch.cat([nearest(values, size) for values in features], dim=1)


def nearest(maps: Tensor, size: Sequence[int]) -> Tensor:
    """Return maps at another size by nearest neighbours, as PyTorch's `interpolate` does.

    The indices are computed here: ONNX Runtime's own take the neighbour where a quotient is nearly a whole number.
    """
    for axis, target in zip((-2, -1), size, strict=True):
        scale = torch.as_tensor(maps.shape[axis]).float() / torch.as_tensor(target).float()
        index = torch.floor(torch.arange(target, device=maps.device).float() * scale.to(maps.device)).long()
        maps = maps.index_select(axis, index.clamp(max=maps.shape[axis] - 1))
    return maps
