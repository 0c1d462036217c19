"""A published network with its weights, ready to be called with an image: what all of them share."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any, Generic, TypeVar

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn

from ..errors import WeightsError
from ..image import Pixels
from ..model import Following

FloatMap = npt.NDArray[np.float32]

N = TypeVar("N", bound=nn.Module)

HALVES = {"cpu": torch.bfloat16}  # what half precision is on a device; float16 elsewhere


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

    def run_as(self, *, precision: str, channels_last: bool) -> Callable[..., FloatMap]:
        """Return what is called in its place to run in half precision, in another layout, or both.

        Parameters
        ----------
        precision : {"float32", "half"}
            "half": convolutions and matrix products in bfloat16 on a processor, float16 elsewhere; the rest, such as
            norms and logarithms, as PyTorch's autocast chooses. The weights stay float32.
        channels_last : bool
            The channels of a pixel beside each other in memory. The network itself is changed.
        """
        if channels_last:
            self.network.to(memory_format=torch.channels_last)  # type: ignore[call-overload,unused-ignore]
        return InHalf(self) if precision == "half" else self  # type: ignore[return-value]

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
        saliency: FloatMap = maps[0, 0].float().cpu().numpy()
        if not np.isfinite(saliency).all():
            raise WeightsError(f"{self._where}: the weights make numbers too large for a map")
        return saliency


class InHalf:
    """A network that computes in half precision what can be: called as the network is that it holds."""

    def __init__(self, opened: Opened[Any]) -> None:
        self.network = opened.network
        self._opened: Any = opened
        self._kind = next(opened.network.parameters()).device.type

    def __call__(self, image: Pixels, **parameters: Any) -> FloatMap:
        """Return the map of an image: (H, W) float32."""
        return self._run(self._opened, image, **parameters)

    def follow(self, **parameters: Any) -> Callable[[Pixels], FloatMap]:
        """Return what is called with the frames of one clip; see `Model.follow`."""
        if isinstance(self._opened, Following):
            return partial(self._run, self._opened.follow(**parameters))
        return partial(self, **parameters)

    def _run(self, function: Callable[..., FloatMap], image: Pixels, **parameters: Any) -> FloatMap:
        with torch.autocast(self._kind, dtype=HALVES.get(self._kind, torch.float16)):
            return function(image, **parameters)
