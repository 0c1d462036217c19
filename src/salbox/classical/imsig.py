"""IMSIG: the image signature (Hou, Harel and Koch, TPAMI 2012).

The signature of an image is the sign of its discrete cosine transform. Transformed back it concentrates at what is
sparse: a small figure on a background that few cosines describe.
"""

from __future__ import annotations

import math
from concurrent.futures import ThreadPoolExecutor

import cv2
import numpy as np
import numpy.typing as npt
import scipy.fft

from ..errors import UsageError
from ..models.cards import License, ModelCard, Paper, Parameter
from ..types import Pixels
from ._color import COLOR_SPACES, ColorSpace
from ._resize import Block, enlarge_stretched, input_blocks, resize_columns, serial_product
from ._threads import THREADS

Map64 = npt.NDArray[np.float64]

STRIP = 1 << 15  # pixels converted at a time, so that they stay in the processor's cache
MAX_ASPECT = 64  # map height over map width; only images narrower than that are affected
# A coefficient this small, in units of the colour space, is zero but for rounding; its sign would be noise.
NOISE = 1e-12


def imsig(
    image: Pixels, color_space: str = "default", map_width: int = 64, blur_sigma: float = 0.045
) -> npt.NDArray[np.float32]:
    """Return the image-signature saliency of an image; its maximum is 1.

    Parameters
    ----------
    image : (H, W, 3) uint8
    color_space : {"default", "LAB", "RGB", "gray", "YCbCr", "HSV"}
        Whose channels are transformed; "default" is CIE Lab of sRGB, D65.
    map_width : int
        Width of the working copy in pixels; its height keeps the aspect ratio.
    blur_sigma : float
        Standard deviation of the blur as a fraction of `map_width`; 0 leaves it out.

    Returns
    -------
    (H, W) float32
        Bicubic enlarging may leave values slightly below 0.

    Raises
    ------
    UsageError
        If there is no such colour space.

    References
    ----------
    Hou, Harel and Koch, "Image signature: Highlighting sparse salient regions", TPAMI 34(1), 2012, equations 1 to 4.

    Examples
    --------
    >>> import numpy as np, skimage.data
    >>> from salbox.classical.imsig import imsig
    >>> photo = skimage.data.chelsea()[::4, ::4]  # (75, 113, 3)
    >>> saliency = imsig(photo)
    >>> saliency.shape, str(saliency.dtype)
    ((75, 113), 'float32')
    >>> float(saliency.max())
    1.0

    A red square on grey is sparse:

    >>> picture = np.full((96, 128, 3), 90, np.uint8)
    >>> picture[60:70, 30:42] = 220, 30, 30
    >>> row, column = divmod(int(imsig(picture).argmax()), 128)
    >>> 60 <= row < 70 and 30 <= column < 42
    True

    A red square on grey is sparse:

    >>> bool(imsig(np.full((96, 128, 3), 90, np.uint8)).any())
    False
    """
    name = "LAB" if color_space == "default" else color_space
    if name not in COLOR_SPACES:
        raise UsageError(f"parameter color_space={color_space!r}: expected default, {', '.join(COLOR_SPACES)}")
    space = COLOR_SPACES[name]
    channels = shrink(image, space, map_width)
    small = _blur(signature_map(channels, NOISE * space.unit), blur_sigma * map_width)
    return enlarge_stretched(small, (image.shape[0], image.shape[1]), subtract_minimum=False)


def signature_map(channels: Map64, noise: float = 0.0) -> Map64:
    """Return the squared reconstruction from the signs of the cosine transform, mean over channels: (h, w) float64.

    Parameters
    ----------
    channels : (channels, h, w) float64
    noise : float
        Coefficients up to this size count as zero, whose sign is zero.
    """
    spectra = scipy.fft.dctn(channels, axes=(1, 2), norm="ortho")
    signature = np.where(np.abs(spectra) > noise, np.sign(spectra), 0.0)
    if np.count_nonzero(signature) == np.count_nonzero(signature[:, 0, 0]):
        return np.zeros(channels.shape[1:])  # nothing but means: every channel is constant, nothing stands out
    return np.mean(scipy.fft.idctn(signature, axes=(1, 2), norm="ortho") ** 2, axis=0)


def shrink(image: Pixels, space: ColorSpace, map_width: int) -> Map64:
    """Return an image in a colour space, converted at full size, then shrunk: (channels, h, map_width) float64.

    Converted strip by strip; what is linear in the colour space waits until the image is small.
    """
    height, width = image.shape[:2]
    scale = map_width / width
    map_height = min(math.ceil(scale * height), MAX_ASPECT * map_width)
    strips = input_blocks(height, map_height, min(scale, map_height / height), max(1, STRIP // width))

    def shrink_strip(block: Block) -> Map64:
        values = space.pixelwise(image[block.inputs])
        part = np.empty((block.weights.shape[0], 3 * width))
        serial_product(block.weights, values.reshape(len(values), -1), part)
        return part

    rows = np.zeros((map_height, 3 * width))
    with ThreadPoolExecutor(THREADS) as pool:
        for block, part in zip(strips, pool.map(shrink_strip, strips), strict=True):
            rows[block.outputs] += part
    planes = np.moveaxis(rows.reshape(map_height, width, 3), -1, 0)
    small = resize_columns(np.ascontiguousarray(planes), map_width, scale)
    return np.tensordot(space.matrix, small, 1) + space.offset[:, None, None]


def _blur(values: Map64, sigma: float) -> Map64:
    """Return a Gaussian blur over round(4 sigma) pixels, zero outside the map.

    A window of even length n reaches n/2 - 1 pixels back and n/2 ahead.
    """
    length = math.floor(4 * sigma + 0.5)
    if length < 2:
        return values
    offsets = np.arange(length) - (length - 1) / 2
    taps = np.exp(-(offsets**2) / (2 * sigma**2))
    taps /= taps.sum()
    anchor = ((length - 1) // 2,) * 2
    return cv2.sepFilter2D(values, cv2.CV_64F, taps, taps, anchor=anchor, borderType=cv2.BORDER_CONSTANT)


CARD = ModelCard(
    name="imsig",
    title="Image Signature",
    task="fixation",
    output="score",
    summary="What is sparse stands out: the image rebuilt from nothing but the signs of its cosine transform.",
    paper=Paper(
        title="Image Signature: Highlighting Sparse Salient Regions",
        authors="Xiaodi Hou, Jonathan Harel and Christof Koch",
        venue="IEEE Transactions on Pattern Analysis and Machine Intelligence 34(1), 194-201",
        year=2012,
        doi="10.1109/TPAMI.2011.146",
        bibtex="""@article{hou2012image,
  author  = {Hou, Xiaodi and Harel, Jonathan and Koch, Christof},
  title   = {Image Signature: Highlighting Sparse Salient Regions},
  journal = {IEEE Transactions on Pattern Analysis and Machine Intelligence},
  volume  = {34},
  number  = {1},
  pages   = {194--201},
  year    = {2012},
  doi     = {10.1109/TPAMI.2011.146}
}""",
    ),
    origin="original algorithm, written anew",
    license=License(code="Apache-2.0; written from a description of what the authors' Matlab program does"),
    size="no learned numbers",
    fidelity="equal",
    commercial_use="Yes, under Apache-2.0: the code is salbox's own and nothing is learned.",
    agreement="equal to the authors' Matlab program (run under Octave) on 16 images, LAB and RGB: no number compared "
    "of the float32 maps differs; CC .9999 with a map published elsewhere as 8-bit JPEG",
    limits=(
        "An image of 12 megapixels takes 180 MB, image and libraries included.",
        "Works on a copy of 64 pixels' width, so details smaller than a 64th of the width are lost.",
        "Of an image more than 64 times as tall as wide the copy is 64 times as tall as wide.",
        "Colour spaces other than LAB (the default) and RGB are not verified against the original.",
    ),
    parameters=(
        Parameter("color_space", "default", "default is LAB", "str", choices=("default", *COLOR_SPACES)),
        Parameter("map_width", 64, "width of the working copy, pixels", "int", minimum=1, maximum=1024),
        Parameter("blur_sigma", 0.045, "blur, fraction of map_width; 0: none", "float", minimum=0, maximum=1),
    ),
)
