"""Small pieces of arithmetic that blocks over a whole picture share; sizes stay open in a traced graph."""

from __future__ import annotations

from contextlib import AbstractContextManager, nullcontext
from typing import Any

import torch
from torch import Tensor

CHANNELS = 4  # of what `with_logarithm` gives
_FLOOR = 0.01  # of the largest value: what the logarithm takes for nothing
_TINY = 1e-6


def lengths(images: Tensor) -> tuple[Tensor, Tensor]:
    """Return the height and width of images, (N, C, H, W), as numbers that stay open in a traced graph."""
    height, width = (torch.as_tensor(side).float() for side in images.shape[-2:])
    return height, width


def places(count: Tensor, like: Tensor) -> Tensor:
    """Return 0, 1, .. below `count`: (count,) float32."""
    return torch.arange(count, dtype=torch.float32, device=like.device)  # type: ignore[call-overload,unused-ignore]


def power(values: Tensor, exponent: Tensor | float) -> Tensor:
    """Return a power of what is above 0; in ONNX Runtime a tenth of what Pow costs."""
    return torch.exp(exponent * torch.log(values))


def single_precision(like: Tensor) -> AbstractContextManager[Any]:
    """Return what keeps a block of code in single precision, whatever a training mixes in around it."""
    kind = like.device.type
    return torch.autocast(kind, enabled=False) if torch.amp.is_autocast_available(kind) else nullcontext()


def with_logarithm(parts: Tensor) -> Tensor:
    """Return maps, (N, 3, h, w), over the largest value of their mean, and that mean's logarithm: (N, 4, h, w)."""
    total = parts.mean(1, keepdim=True)
    largest = total.amax((2, 3), keepdim=True).clamp(min=_TINY)
    return torch.cat([parts / largest, torch.log((total / largest).clamp(min=0) + _FLOOR)], dim=1)
