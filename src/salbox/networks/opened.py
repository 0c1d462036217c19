"""A published network with its weights, ready to be called with an image: what all of them share."""

from __future__ import annotations

from typing import Any, Generic, TypeVar

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn

from ..errors import WeightsError

FloatMap = npt.NDArray[np.float32]

N = TypeVar("N", bound=nn.Module)


class Opened(Generic[N]):
    """The network with its weights, an image in and a map out; safe in threads.

    Parameters
    ----------
    network : nn.Module
        On its device.
    where : str
        The file that the weights came from, for messages.

    Attributes
    ----------
    network : nn.Module
        In evaluation mode.
    """

    def __init__(self, network: N, where: str) -> None:
        self.network = network.eval().requires_grad_(False)
        self._where = where

    def _tensor(self, pixels: npt.NDArray[Any]) -> Tensor:
        """Return pixels, (H, W, 3), as the network takes them: (1, 3, H, W) float32, on its device."""
        channels = np.array(pixels.transpose(2, 0, 1), order="C")  # a copy: Pillow's pixels may only be read
        return torch.from_numpy(channels)[None].to(next(self.network.parameters()).device, torch.float32)

    def _checked(self, maps: Tensor) -> FloatMap:
        """Return the one map of (1, 1, h, w): (h, w) float32.

        Raises
        ------
        WeightsError
            If a number of it is none.
        """
        saliency: FloatMap = maps[0, 0].cpu().numpy()
        if not np.isfinite(saliency).all():
            raise WeightsError(f"{self._where}: the weights make numbers too large for a map")
        return saliency
