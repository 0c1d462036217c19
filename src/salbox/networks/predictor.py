"""A published network with its weights, ready to be called with an image: what all of them share."""

from __future__ import annotations

from collections.abc import Callable, Collection
from functools import partial
from pathlib import Path
from typing import Any, ClassVar, Generic, Self, TypeVar

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn

from ..errors import WeightsError
from ..models.model import CanFollow
from ..types import FloatMap, Pixels
from .checkpoints import load_tensors
from .device import torch_device
from .readers import PyTorchFile, Reader
from .signatures import Signature, check_signature

N = TypeVar("N", bound=nn.Module)

HALVES = {"cpu": torch.bfloat16}  # what half precision is on a device; float16 elsewhere


class Predictor(Generic[N]):
    """The network with its weights, an image in and a map out; safe in threads.

    A network's own class says what its maps are (`__call__`), which files its weights are in, and where they differ.

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
    architecture : callable
        Of the class: returns the network, its weights yet to be loaded; see also `make`.
    reads : Reader
        Of the class: opens the authors' files of weights.
    signature : Signature, optional
        Of the class: by what these files are known, as the `card` module states it.
    unused : tuple of str
        Of the class: beginnings of names in these files that the network has no use for.
    """

    architecture: ClassVar[Callable[[], Any]]
    reads: ClassVar[Reader] = PyTorchFile()
    signature: ClassVar[Signature | None] = None
    unused: ClassVar[tuple[str, ...]] = ()

    def __init__(self, network: N, where: str) -> None:
        self.network = network.eval().requires_grad_(False)
        self._where = where

    @classmethod
    def load(cls, weights: Path, device: str = "cpu") -> Self:
        """Return the network with the weights of a file, ready to be called with an image.

        Parameters
        ----------
        weights : Path
            A file of the authors' release; the class says of which kind.
        device : str
            "cpu", "cuda", "cuda:1", ..

        Raises
        ------
        WeightsError
            If it is not such a file.
        MissingExtraError
            If a package that reads it is not installed.
        UsageError
            If there is no such device.
        """
        place = torch_device(device)
        with cls.reads.open(weights) as contents:
            if cls.signature is not None:
                check_signature(contents.names, cls.signature, weights)
            network = cls.make(contents.names)
            tensors = contents.tensors(network)
        load_tensors(network, tensors, weights, unused=cls.unused)
        return cls(network.to(place), str(weights))

    @classmethod
    def make(cls, names: Collection[str]) -> N:
        """Return the network that a file with these names is for, its weights yet to be loaded."""
        network: N = cls.architecture()
        return network

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
    """A network that computes in half precision what can be: called as the predictor is that holds it."""

    def __init__(self, predictor: Predictor[Any]) -> None:
        self.network = predictor.network
        self._predictor: Any = predictor
        self._kind = next(predictor.network.parameters()).device.type

    def __call__(self, image: Pixels, **parameters: Any) -> FloatMap:
        """Return the map of an image: (H, W) float32."""
        return self._run(self._predictor, image, **parameters)

    def follow(self, **parameters: Any) -> Callable[[Pixels], FloatMap]:
        """Return what is called with the frames of one clip; see `Model.follow`."""
        if isinstance(self._predictor, CanFollow):
            return partial(self._run, self._predictor.follow(**parameters))
        return partial(self, **parameters)

    def _run(self, function: Callable[..., FloatMap], image: Pixels, **parameters: Any) -> FloatMap:
        with torch.autocast(self._kind, dtype=HALVES.get(self._kind, torch.float16)):
            return function(image, **parameters)
