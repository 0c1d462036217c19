"""What blocks over a whole picture have in common: constants, a smaller picture to begin with, single precision."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping

from torch import Tensor, nn
from torch.nn import functional

from .numbers import single_precision


class WholePicture(nn.Module, ABC):
    """From images to features for which every pixel counts.

    Parameters
    ----------
    pool : int
        Pixels of the images, along a side, that are averaged before anything else.
    constants : mapping
        Name -> numbers that do not learn: attributes, but not in the state dict, since the architecture says what they
        are.
    """

    def __init__(self, pool: int, constants: Mapping[str, Tensor]) -> None:
        super().__init__()
        self.pool = pool
        for name, values in constants.items():
            self.register_buffer(name, values.clone(), persistent=False)

    def forward(self, images: Tensor, *, pooled: bool = False) -> Tensor:
        """Return features, (N, 4, rows, columns): three of at most about 1, and a logarithm of at most about 0.

        Parameters
        ----------
        images : (N, 3, H, W)
            In 0..255.
        pooled : bool
            Whether pixels are averaged already.
        """
        with single_precision(images):  # signs and peaks of small numbers are compared
            images = images.float()
            return self.seen((images if pooled else functional.avg_pool2d(images, self.pool)) / 255)

    @abstractmethod
    def seen(self, rgb: Tensor) -> Tensor:
        """Return the features of pictures, (N, 3, h, w) in 0..1."""
