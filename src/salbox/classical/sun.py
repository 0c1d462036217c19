"""SUN: saliency using natural statistics (Zhang, Tong, Marks, Shan and Cottrell, Journal of Vision 2008).

What is rare in nature, not in this image, draws the eye. Patches are described by independent components of natural
images whose responses follow generalised Gaussians known beforehand, and a place's saliency is -log p under them
without its constants: the sum over components of (|response| / sigma) ^ theta.
"""

from __future__ import annotations

import math
import os
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import numpy.typing as npt

from ..errors import WeightsError
from ..models.cards import License, ModelCard, Paper, Parameter
from ..types import FloatMap, Pixels
from ._correlation import TILE, Block, Region, blocks
from ._filters import DATA, read_variables, to_kernels
from ._threads import THREADS

SHARES = 8  # of the components; fixed, so that the order of summation does not depend on the number of cores

Array = npt.NDArray[np.float64]


def sun(image: Pixels, stats: str | None = None, sun_convolution: bool = False, pad_results: bool = True) -> FloatMap:
    """Return how improbable each patch of an image is among natural images.

    Parameters
    ----------
    image : (H, W, 3) uint8
    stats : path, optional
        A Matlab file or .npz, for example the authors' stats.mat, with the variables B1, (filters, 3 K K), odd K, row
        of the patch fastest, then column, then channel; sigmas and thetas, one positive number a filter: scale and
        shape of its responses. Without it those that salbox learned.
    sun_convolution : bool
        Whether the filters are turned by 180 degrees, as the original's variant by convolution does.
    pad_results : bool
        Whether the frame of half a patch, where nothing is computed, is zero as in the original. Otherwise it repeats
        the nearest value, so that it does not set the map's minimum; the original then leaves the frame out and its
        map is smaller than the image.

    Returns
    -------
    (H, W) float32
        Zero everywhere where nothing can be computed: if the image is smaller than a patch, or of one colour.

    Raises
    ------
    WeightsError
        If the file cannot be read or does not hold such variables.

    References
    ----------
    Zhang et al. 2008, "Method 2: Linear ICA filters".

    Examples
    --------
    >>> import numpy as np, skimage.data
    >>> from salbox.classical.sun import sun
    >>> photo = skimage.data.chelsea()[::4, ::4]  # (75, 113, 3)
    >>> saliency = sun(photo)
    >>> saliency.shape, str(saliency.dtype)
    ((75, 113), 'float32')

    The outermost five pixels are not computed, half a patch of 11 x 11; they are 0, or repeat their neighbours:

    >>> float(saliency[:5].max()), bool(sun(photo, pad_results=False)[:5].min() > 0)
    (0.0, True)

    The edges of a red square are rare in nature:

    >>> picture = np.full((96, 128, 3), 90, np.uint8)
    >>> picture[60:70, 30:42] = 220, 30, 30
    >>> row, column = divmod(int(sun(picture).argmax()), 128)
    >>> 60 <= row < 70 and 30 <= column < 42
    True

    The edges of a red square are rare in nature:

    >>> bool(sun(np.full((96, 128, 3), 90, np.uint8)).any())
    False
    """
    path = DATA / "sun_filters.npz" if stats is None else stats
    kernels, thetas = _statistics(path)
    if sun_convolution:
        kernels = kernels[:, :, ::-1, ::-1]
    height, width = image.shape[:2]
    side = kernels.shape[-1]
    if min(height, width) < side or (image == image[0, 0]).all():
        return np.zeros((height, width), np.float32)
    saliency = negative_log_probability(image, kernels / _standard_deviation(image), thetas)
    if not np.isfinite(saliency).all():
        raise WeightsError(f"{path}: sigmas and thetas make numbers too large for a map; are they of these filters?")
    saliency /= 255  # as SMILER does
    return np.pad(saliency, side // 2, mode="constant" if pad_results else "edge")


def negative_log_probability(image: Pixels, kernels: Array, thetas: Array, tile: int = TILE) -> FloatMap:
    """Return the sum over components of |response| ^ theta for every patch: (H-K+1, W-K+1) float32.

    Parameters
    ----------
    image : (H, W, 3) uint8
        At least a patch high and wide.
    kernels : (n, 3, K, K) float64
        To be multiplied with values 0..255, divided by the scale of their responses.
    thetas : (n,) float64
        The shapes.
    tile : int
        How the work is divided; no effect on the result beyond rounding.
    """
    side = kernels.shape[-1]
    shape = (image.shape[0] - side + 1, image.shape[1] - side + 1)
    total = np.zeros(shape, np.float32)
    shares = [(kernels[i::SHARES], thetas[i::SHARES]) for i in range(SHARES)]
    with ThreadPoolExecutor(THREADS) as pool:
        for block in blocks(image, side, tile):
            # The order of summation is fixed: tiles in order, shares in order.
            for sums in pool.map(lambda share, block=block: _sum_of_powers(block, *share), shares):
                for region, values in sums:
                    total[region] += values
    return total


def _sum_of_powers(block: Block, kernels: Array, thetas: Array) -> list[tuple[Region, FloatMap]]:
    """Return for each tile of a block its region and the sum of |response| ^ theta over some components."""
    sums: dict[int, tuple[Region, FloatMap]] = {}
    for kernel, theta in zip(kernels, thetas.astype(np.float32), strict=True):
        for i, (region, response) in enumerate(block.responses(kernel)):
            powers = np.empty(response.shape, np.float32)
            np.abs(response, out=powers, casting="same_kind")
            with np.errstate(over="ignore"):  # an overflow is told of by the caller
                np.power(powers, theta, out=powers)
            if i in sums:
                sums[i][1][:] += powers
            else:
                sums[i] = region, powers
    return list(sums.values())


def _standard_deviation(image: Pixels) -> float:
    """Return the standard deviation (N - 1) of all values of all channels."""
    count, total = image.size, int(image.sum())
    squares = int(np.square(image, dtype=np.uint16).sum())
    return math.sqrt((count * squares - total * total) / (count * (count - 1)))


def _statistics(path: str | os.PathLike[str]) -> tuple[Array, Array]:
    """Return the filters, each divided by the scale of its responses, (n, 3, K, K), and the shapes, (n,)."""
    variables = read_variables(path, ("B1", "sigmas", "thetas"))
    kernels = to_kernels(variables["B1"], f"{path}: variable B1")
    for name in ("sigmas", "thetas"):
        if variables[name].size != len(kernels) or variables[name].min() <= 0:
            raise WeightsError(
                f"{path}: variable {name} has shape {variables[name].shape}, "
                f"expected {len(kernels)} positive numbers, one for each row of B1"
            )
    return kernels / variables["sigmas"].reshape(-1, 1, 1, 1), variables["thetas"].ravel()


CARD = ModelCard(
    name="sun",
    title="Saliency Using Natural statistics",
    task="fixation",
    output="score",
    summary="What is rare in nature is salient: how improbable a patch's independent components are.",
    paper=Paper(
        title="SUN: A Bayesian framework for saliency using natural statistics",
        authors="Lingyun Zhang, Matthew H. Tong, Tim K. Marks, Honghao Shan and Garrison W. Cottrell",
        venue="Journal of Vision 8(7):32",
        year=2008,
        doi="10.1167/8.7.32",
        bibtex="""@article{zhang2008sun,
  author  = {Zhang, Lingyun and Tong, Matthew H. and Marks, Tim K. and Shan, Honghao and Cottrell, Garrison W.},
  title   = {{SUN}: A {Bayesian} framework for saliency using natural statistics},
  journal = {Journal of Vision},
  volume  = {8},
  number  = {7},
  pages   = {32},
  year    = {2008},
  doi     = {10.1167/8.7.32}
}""",
    ),
    origin="original algorithm, written anew, with filters learned by salbox; takes the authors' filters too",
    license=License(
        code="Apache-2.0; written from a description of what the authors' program does",
        weights="Apache-2.0: learned by salbox. The authors' filter file may not be passed on and does not ship; "
        "stats=FILE reads it",
        training_data="200 photos of EyeCrowd (MIT), shrunk to a quarter and a little noise added",
    ),
    size="362 filters of 11x11x3 with scale and shape, 132,130 numbers, 500 kB",
    fidelity="CC .976",
    commercial_use="Yes, under Apache-2.0: salbox's own code, and filters that salbox learned from photos under "
    "MIT; the authors' filter file, which does not ship, may not be passed on.",
    agreement="with the authors' filters equal to their Matlab program (run under Octave) on 16 images within 2e-7 of "
    "the map's range; with salbox's own filters CC .976 on the mean of the 16, at least .950",
    limits=(
        "Looks at single pixels and does not blur: the map is fine-grained and depends on the image's size.",
        "How photos were prepared for salbox's filters was chosen by agreement on some of the images reported.",
        "The zero frame of half a patch is the map's minimum, unless pad_results=false.",
        "An image of 12 megapixels takes 230 MB, image and libraries included.",
    ),
    parameters=(
        Parameter(
            "stats", None, "file with other filters (.mat or .npz: B1, sigmas, thetas); none: salbox's own", "path"
        ),
        Parameter("sun_convolution", False, "turn the filters by 180 degrees, as true convolution does", "bool"),
        Parameter("pad_results", True, "a zero frame of half a patch; else the nearest value repeated", "bool"),
    ),
)
