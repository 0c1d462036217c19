"""Resizing as matrices of weights, computed from sizes by plain arithmetic.

Values along a side of `source` pixels become `target` ones by `weights @ values`, weights (target, source). Lengths are
tensors of one number, (1,) float64, which stay open in a traced graph; of a tensor without sides PyTorch's exporter
makes single precision. Conditions are written as products with 0 or 1: lengths are whole numbers.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import pi, sqrt

import torch
from torch import Tensor
from torch.nn import functional

from ..ops.tensorflow_resize import TABLE, far, near

LOBES = 3  # of Lanczos's filter in Pillow
PILLOW = 2.0**22  # steps between 0 and 1 of weights in Pillow
POLE = sqrt(3) - 2  # of the filter that turns samples into coefficients of cubic splines
REACH = 14  # pixels at which that filter is cut off: 1e-8 is left of it
MARGIN = REACH + 2  # pixels around an image that `spline` looks at


def lengths(images: Tensor) -> tuple[Tensor, Tensor]:
    """Return the height and width of images, (N, C, H, W)."""
    height, width = (torch.as_tensor(side, device=images.device).double() for side in images.shape[-2:])
    return height.reshape(1), width.reshape(1)


def number(value: float, like: Tensor) -> Tensor:
    """Return a length that is known."""
    return torch.tensor([float(value)], dtype=torch.float64, device=like.device)


def places(count: Tensor) -> Tensor:
    """Return 0, 1, .. below `count`: (count,) float64."""
    last = count.long().reshape(())
    return torch.arange(last, device=count.device).double()  # type: ignore[call-overload,unused-ignore]


def resized(images: Tensor, rows: Tensor, columns: Tensor) -> Tensor:
    """Return images, (N, C, H, W), with weights for both sides applied: (N, C, h, w) float32."""
    return rows.float() @ images @ columns.float().T


def inside(index: Tensor, count: Tensor) -> Tensor:
    """Return 1 where an index is in 0..count - 1, and 0 elsewhere."""
    return (index + 1).clamp(0, 1) * (count - index).clamp(0, 1)


def linear(where: Tensor, source: Tensor) -> Tensor:
    """Return weights of linear interpolation at places of the source; the edge goes on beyond it."""
    clipped = torch.minimum(where.clamp(min=0), source - 1)
    return (1 - (clipped[:, None] - places(source)).abs()).clamp(min=0)


def centered(index: Tensor, source: Tensor, target: Tensor) -> Tensor:
    """Return where the centres of pixels lie in the source, the outer edges of both on each other."""
    return (index + 0.5) * (source / target) - 0.5


def mirrored(count: Tensor, margin: int) -> Tensor:
    """Return 0, 1, .. below `count` with `margin` more at either end, mirrored: d c b a | a b c d | d c b a."""
    place = places(count + 2 * margin) - margin + 0.5
    folded = place - 2 * count * torch.floor(place / (2 * count))
    return count - (count - folded).abs() - 0.5


def gaussian(sigma: float, reach: int) -> Tensor:
    """Return a Gaussian at whole numbers, (2 reach + 1,) float64, its sum 1."""
    values = torch.exp(-0.5 * (torch.arange(-reach, reach + 1, dtype=torch.float64) / sigma) ** 2)
    return values / values.sum()


def filtered(weights: Tensor, kernel: Tensor) -> Tensor:
    """Return weights, (target, source), for what is filtered along the target: (target - len(kernel) + 1, source).

    In single precision: ONNX Runtime has no other convolutions on a processor.
    """
    return functional.conv2d(weights.float()[None, None], kernel.float()[None, None, :, None])[0, 0]


def area(source: Tensor, target: Tensor) -> Tensor:
    """Return the weights of OpenCV's INTER_AREA where no side grows: means over what a pixel covers."""
    scale = source / target
    first = places(target)[:, None] * scale
    pixels = places(source)
    share = torch.minimum(pixels + 1, first + scale) - torch.maximum(pixels, first)
    return share.clamp(min=0) / scale


def area_linear(source: Tensor, target: Tensor) -> tuple[Tensor, Tensor]:
    """Return where OpenCV's INTER_AREA interpolates if a side grows, for both sides: first pixels, and steps beyond."""
    scale = source / target
    index = places(target)
    low = torch.floor(index * scale)
    step = (index + 1 - (low + 1) / scale).float().clamp(min=0)
    return low, step - torch.floor(step)


def cubic(source: Tensor, target: Tensor) -> Tensor:
    """Return the weights of OpenCV's INTER_CUBIC, whose kernel is TensorFlow's and whose places are between centres."""
    where = centered(places(target), source, target)
    low = torch.floor(where)
    step = where - low
    return _weighted(source, low - 1, (far(step + 1), near(step), near(1 - step), far(2 - step)))


def _weighted(source: Tensor, first: Tensor, shares: Sequence[Tensor]) -> Tensor:
    """Return weights of neighbouring pixels from a first one on; the edge goes on beyond it."""
    taps = (torch.minimum((first + offset).clamp(min=0), source - 1) for offset in range(len(shares)))
    return torch.stack([share[:, None] * chosen(tap, source) for tap, share in zip(taps, shares, strict=True)]).sum(0)


def tensorflow(index: Tensor, source: Tensor, target: Tensor, shrinks: Tensor) -> Tensor:
    """Return the weights of `salbox.networks.ops.tensorflow_resize` for some of the target's pixels.

    Parameters
    ----------
    index : (count,) float64
        Which.
    source, target, shrinks : Tensor
        Lengths; `shrinks` is 1 if any side shrinks, and 0 else.
    """
    several = (target - 1).clamp(0, 1)
    scale = several * (source - 1) / (target - 1).clamp(min=1) + (1 - several) * source / target
    scale = scale.float()  # single precision as in the original, where a last digit decides about the next pixel
    return shrinks * _area(index, source, scale) + (1 - shrinks) * _cubic(index, source, scale)


def _area(index: Tensor, source: Tensor, scale: Tensor) -> Tensor:
    first = (index.float() * scale).double()[:, None]
    last = ((index + 1).float() * scale).double()[:, None]
    pixels = places(source)
    # What is beyond the edge is the edge's.
    ends = torch.where(pixels == source - 1, torch.full_like(pixels, 1e9), pixels + 1)
    share = torch.minimum(ends, last) - torch.maximum(pixels, first)
    return share.clamp(min=0) / scale.double().clamp(min=1e-9)


def _cubic(index: Tensor, source: Tensor, scale: Tensor) -> Tensor:
    place = index.float() * scale
    low = torch.floor(place)
    step = torch.round((place - low) * TABLE) / TABLE
    shares = (far(step + 1), near(step), near(1 - step), far(2 - step))
    return _weighted(source, low.double() - 1, [share.double() for share in shares])


def chosen(index: Tensor, source: Tensor) -> Tensor:
    """Return weights that take one pixel each."""
    return (index[:, None] == places(source)).double()


def lanczos(source: Tensor, target: Tensor) -> Tensor:
    """Return the weights of Pillow's filter LANCZOS, which widens where the side shrinks.

    Rounded as Pillow's for 8 bits are, so that in float64 sums with pixels are exact.
    """
    widened = (source / target).clamp(min=1)
    distance = (places(source) - centered(places(target), source, target)[:, None]) / widened
    # At a whole number of lobes, where it ends, the filter is zero.
    distance = distance.clamp(-LOBES, LOBES)
    weights = _sinc(distance) * _sinc(distance / LOBES)
    return torch.round(weights / weights.sum(1, keepdim=True) * PILLOW) / PILLOW


def _sinc(values: Tensor) -> Tensor:
    angle = pi * torch.where(values == 0, torch.ones_like(values), values)
    return torch.where(values == 0, torch.ones_like(values), torch.sin(angle) / angle)


def spline(source: Tensor, target: Tensor) -> Tensor:
    """Return the weights of SciPy's `zoom` of order 3, mode "nearest": (target, source + 2 MARGIN).

    They are for values whose edges go on for `MARGIN` pixels.
    """
    where = places(target) * (source - 1) / (target - 1).clamp(min=1)
    distance = (places(source + 4) - 2 - where[:, None]).abs()
    # The cubic B-spline.
    basis = ((2 - distance).clamp(min=0) ** 3 - 4 * (1 - distance).clamp(min=0) ** 3) / 6
    steps = torch.arange(-REACH, REACH + 1, dtype=torch.float64, device=source.device).abs()
    kernel = -6 * POLE / (1 - POLE**2) * POLE**steps
    return filtered(functional.pad(basis, (2 * REACH, 2 * REACH)).T, kernel).T
