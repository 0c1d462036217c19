"""What is explained: a network's maps of activation, one a basis or a channel, for any image."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import numpy as np
import numpy.typing as npt

from ..errors import UsageError, nearest
from ..types import FloatMap, Pixels

if TYPE_CHECKING:
    import torch
    from torch import nn

PLACES = 120 * 160  # of a map of activation, at most: the largest that was published; finer ones are averaged
SIZE = (288, 384)  # at which a network looks at photos that does not say so itself


@dataclass(frozen=True)
class Subject:
    """A network as the steps see it.

    Attributes
    ----------
    name : str
    count : int
        How many maps of activation there are.
    activation : callable
        Takes images as (1, 3, H, W) floats in 0..255, returns (1, count, h, w).
    prepare : callable
        Takes an image as it is, returns it at the size at which the network looks at it.
    device : str
    kernel : (count, k, k) array, optional
        How saliency is read off the maps of activation, k odd: the second phase's layer, or a network's last.
    in_probabilities : bool
        Whether activations are probabilities; else each has a scale of its own.
    """

    name: str
    count: int
    activation: Callable[[torch.Tensor], torch.Tensor]
    prepare: Callable[[Pixels], Pixels]
    device: str = "cpu"
    kernel: FloatMap | None = None
    in_probabilities: bool = True

    @property
    def weights(self) -> FloatMap | None:
        """What each map adds to saliency where it is 1 all around, its kernel's sum, (count,); None where none is."""
        return None if self.kernel is None else self.kernel.sum(axis=(1, 2))

    def look(self, image: Pixels) -> FloatMap:
        """Return the maps of activation of an image, averaged to at most `PLACES` places: (count, h, w) float32."""
        return self._array(self._coarse(self._seen(image)))

    def read(self, image: Pixels, chosen: npt.NDArray[np.bool_]) -> tuple[FloatMap, FloatMap]:
        """Return what is read off the maps of an image, by all of them and by the chosen ones alone: (h, w) each."""
        import torch

        products = self._products(self._seen(image))
        kept = torch.from_numpy(np.array(chosen)).to(products.device)
        return self._array(products.sum(0)), self._array(products[kept].sum(0))

    def look_and_read(self, image: Pixels) -> tuple[FloatMap, FloatMap]:
        """Return the maps of `look`, and what each adds to the saliency read off them all: (count, h, w) each."""
        seen = self._seen(image)
        return self._array(self._coarse(seen)), self._array(self._coarse(self._products(seen)[None]))

    def _products(self, alpha: torch.Tensor) -> torch.Tensor:
        import torch
        from torch.nn import functional

        assert self.kernel is not None  # noqa: S101  # whoever asks has looked
        kernel = torch.from_numpy(self.kernel).to(alpha.device)[:, None]
        return functional.conv2d(alpha, kernel, padding=kernel.shape[-1] // 2, groups=self.count)[0]

    def _seen(self, image: Pixels) -> torch.Tensor:
        import torch

        pixels = np.ascontiguousarray(self.prepare(image).transpose(2, 0, 1))
        with torch.inference_mode():
            return self.activation(torch.from_numpy(pixels)[None].to(self.device, torch.float32)).float()

    @staticmethod
    def _coarse(maps: torch.Tensor) -> torch.Tensor:
        from torch.nn import functional

        height, width = maps.shape[-2:]
        if height * width <= PLACES:
            return maps[0]
        scale = (PLACES / (height * width)) ** 0.5
        size = max(1, int(height * scale)), max(1, int(width * scale))
        return functional.interpolate(maps, size=size, mode="area")[0]

    @staticmethod
    def _array(maps: torch.Tensor) -> FloatMap:
        return cast(FloatMap, maps.cpu().numpy())


def check_one_head(network: Any, name: str) -> None:
    """Raise a UsageError if a network has several heads: each would be an explanation of its own."""
    if len(network.heads) != 1:
        raise UsageError(f"{name}: has the heads {', '.join(network.heads)}; name one, as {name}#{network.heads[0]}")


def of_factorized(network: Any, name: str, device: str = "cpu") -> Subject:
    """Return a factorised network of either phase (`networks.factorized.design`) as what is explained.

    Raises
    ------
    UsageError
        If it has several heads.
    """
    from ..networks.factorized.gains import logit_gains

    check_one_head(network, name)
    network = network.eval().to(device)
    kernel = None
    if network.reads_bases:
        weights = network.weights.weight.detach()
        gains = logit_gains(network.network, len(weights)).abs()  # the network turns their signs itself
        kernel = (gains[:, None, None, None] * weights).sum(dim=0).cpu().numpy()
    count = network.bases.out_features
    return Subject(name, count, network.probabilities, network.preprocessing.prepare, device, kernel)


def of_published(path: Path, device: str = "cpu") -> Subject:
    """Return one of the three networks that were published factorised, of phase 1 or 2, as what is explained.

    Raises
    ------
    UsageError
        If the file holds the plain network, which has no bases.
    WeightsError
        If it is no such file.
    """
    from ..networks.factorized.reading import read_published

    network = read_published(path, device)
    if network.phase == 0:
        raise UsageError(f"{path}: the plain network, which has no bases; the files of phase 1 and 2 have")
    kernel = network.maps_layer().weight.detach().cpu().numpy()[0] if network.phase == 2 else None
    return Subject(path.name, network.bases, network.probabilities, _resized_by_pillow(network.size), device, kernel)


def of_channels(network: nn.Module, name: str, layer: str | None = None, device: str = "cpu") -> Subject:
    """Return the channels of a network's features as what is explained, with nothing trained.

    Parameters
    ----------
    network : nn.Module
        With `features`, as `salbox.network` gives it.
    name : str
    layer : str, optional
        The name of a feature; by default that which the maps are read off.
    device : str

    Raises
    ------
    UsageError
        If the network has no feature of that name.
    """
    import torch

    from ..networks.trainable.base import TrainableNetwork

    network = network.eval().to(device)
    prepare = network.preprocessing.prepare if isinstance(network, TrainableNetwork) else _resized(SIZE)
    features = cast("Callable[[torch.Tensor], dict[str, torch.Tensor]]", network.features)
    with torch.inference_mode():
        blank = prepare(np.zeros((*SIZE, 3), np.uint8)).transpose(2, 0, 1)
        found = features(torch.from_numpy(np.ascontiguousarray(blank))[None].to(device, torch.float32))
    if layer is not None and layer not in found:
        raise UsageError(f"{name}: no feature '{layer}'{nearest(layer, found)} (it has {', '.join(found)})")
    if layer is None and isinstance(network, TrainableNetwork):
        with torch.inference_mode():
            count = network.decoder_features(torch.zeros(1, 3, *blank.shape[1:], device=device)).shape[1]
        return Subject(name, int(count), network.decoder_features, prepare, device, in_probabilities=False)
    key = list(found)[-1] if layer is None else layer
    own = lambda images: features(images)[key]  # noqa: E731
    return Subject(name, found[key].shape[1], own, prepare, device, in_probabilities=False)


def _resized(size: tuple[int, int]) -> Callable[[Pixels], Pixels]:
    from ..runtime.preprocessing import resize

    return lambda image: resize(image, *size)


def _resized_by_pillow(size: tuple[int, int]) -> Callable[[Pixels], Pixels]:
    """Return what brings images to a size as torchvision does PIL images: bilinearly, averaging where they shrink."""
    from PIL import Image

    height, width = size
    return lambda image: np.asarray(Image.fromarray(image).resize((width, height), Image.Resampling.BILINEAR))
