"""What a picture's spectrum tells a head whose teacher looks at the whole picture at once.

The signs of a picture's cosine transform, transformed back, stand out where the picture is sparse. Every pixel takes
part in every one of them, so that no convolution comes near; two products with matrices of cosines do.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn
from torch.nn import functional

from .numbers import lengths, places, power, with_logarithm
from .whole_picture import WholePicture

COLUMNS = 64  # of the small picture that is transformed, Hou et al. 2012, section 3; its rows keep the shape
SIGMA = 0.045  # of the blur at first, of the width, Hou et al. 2012
TAPS = 13  # of the blur
SOFTNESS = 0.1  # of the signs at first: a coefficient of CIE Lab this large counts for .7
_TINY = 1e-6

# IEC 61966-2-1 (sRGB to linear light), CIE 15:2004 (its XYZ, in units of D65, to Lab).
_XYZ = ((0.433946, 0.376214, 0.189825), (0.212671, 0.715160, 0.072169), (0.017757, 0.109469, 0.872705))
_LAB = ((0.0, 116.0, 0.0), (500.0, -500.0, 0.0), (0.0, 200.0, -200.0))
_DARK_RGB, _DARK_XYZ = 0.04045, (6 / 29) ** 3  # below them a straight line stands in for the power


class Spectrum(WholePicture):
    """From images to the image signature's saliency, with signs and a blur that learn.

    Parameters
    ----------
    pool : int
        Pixels of the images, along a side, that are averaged before anything else.

    References
    ----------
    Hou, Harel and Koch: Image signature: highlighting sparse salient regions. TPAMI 34(1), 2012, equations 1 to 4.
    Chi, Jiang and Mu: Fast Fourier convolution. NeurIPS 2020 (a block that learns between a transform and its inverse).
    """

    xyz: Tensor
    lab: Tensor

    def __init__(self, pool: int) -> None:
        matrices = {"xyz": _XYZ, "lab": _LAB}
        super().__init__(pool, {name: torch.tensor(values)[:, :, None, None] for name, values in matrices.items()})
        self.softness = nn.Parameter(torch.full((3, 1, 1), SOFTNESS))
        self.rows = nn.Conv2d(3, 3, (TAPS, 1), padding=(TAPS // 2, 0), groups=3, bias=False)
        self.columns = nn.Conv2d(3, 3, (1, TAPS), padding=(0, TAPS // 2), groups=3, bias=False)
        taps = torch.exp(-0.5 * ((torch.arange(TAPS) - TAPS // 2) / (SIGMA * COLUMNS)) ** 2)
        with torch.no_grad():
            for blur in (self.rows, self.columns):
                blur.weight.copy_((taps / taps.sum()).reshape(blur.weight.shape[1:]))

    def seen(self, rgb: Tensor) -> Tensor:
        """See `WholePicture`."""
        planes = self.to_lab(rgb)
        height, width = lengths(rgb)
        columns = width.clamp(max=COLUMNS)
        rows = torch.minimum(torch.ceil(COLUMNS * height / width), height)
        small = shrinking(height, rows, planes) @ planes @ shrinking(width, columns, planes).T
        return with_logarithm(self.columns(self.rows(self.signature(small))))

    def to_lab(self, rgb: Tensor) -> Tensor:
        """Return sRGB in 0..1, (N, 3, h, w), as CIE Lab, but for L's offset."""
        light = torch.where(rgb > _DARK_RGB, power((rgb.clamp(min=_DARK_RGB) + 0.055) / 1.055, 2.4), rgb / 12.92)
        xyz = functional.conv2d(light, self.xyz)
        roots = torch.where(xyz > _DARK_XYZ, power(xyz.clamp(min=_DARK_XYZ), 1 / 3), xyz * (841 / 108) + 4 / 29)
        return functional.conv2d(roots, self.lab)

    def signature(self, planes: Tensor) -> Tensor:
        """Return what the signs of the transform of planes, (N, 3, h, w), are transformed back to, squared."""
        down, across = (cosines(length, planes) for length in lengths(planes))
        spectrum = down @ (planes - planes.mean((2, 3), keepdim=True)) @ across.T
        signs = spectrum * torch.rsqrt(spectrum.square() + self.softness.square() + _TINY)
        return (down.T @ signs @ across).square()


def cosines(length: Tensor, like: Tensor) -> Tensor:
    """Return the orthonormal DCT-II as a matrix, (length, length): multiplied by columns it transforms them."""
    place = places(length, like)
    scale = torch.where(place == 0, 1 / length, 2 / length).sqrt()
    return scale[:, None] * torch.cos((math.pi / length) * place[:, None] * (place + 0.5))


def shrinking(source: Tensor, target: Tensor, like: Tensor) -> Tensor:
    """Return the weights, (target, source), of bicubic shrinking as Matlab's imresize does it, but for the borders.

    There weights that fall outside are left out, the others divided by their sum.
    """
    center = (places(target, like) + 0.5) * (source / target)
    distance = (center[:, None] - places(source, like) - 0.5).abs() * (target / source)
    near = (1.5 * distance - 2.5) * distance.square() + 1
    far = ((-0.5 * distance + 2.5) * distance - 4) * distance + 2
    weights = torch.where(distance <= 1, near, far) * (distance < 2)
    return weights / weights.sum(1, keepdim=True)
