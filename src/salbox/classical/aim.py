"""AIM: saliency as self-information (Bruce and Tsotsos, Journal of Vision 2009).

What is rare in an image carries information. Patches are described by independent components of natural images, the
probability of each component's value is its frequency in this image, and a place's saliency is the sum of -log p.

The steps and constants are those that the authors' Matlab program runs with in SMILER: 256 bins between the extremes
of all components together.
"""

from __future__ import annotations

from concurrent.futures import Executor, ThreadPoolExecutor
from functools import partial
from itertools import pairwise

import cv2
import numpy as np
import numpy.typing as npt

from ..errors import UsageError
from ..models.cards import License, ModelCard, Paper, Parameter
from ..types import Pixels
from ._correlation import TILE, Block, blocks
from ._filters import DATA, read_variables, to_kernels
from ._threads import THREADS

BINS = 256
FLOOR = 1e-6  # added to a probability before its logarithm
SMOOTHING_SIDE, SMOOTHING_SIGMA = 30, 8.0  # of the final Gaussian, pixels
# Values that differ by rounding only must not fall on two sides of a bin's edge, as those of a plain area would
# whose value lies on one: this much of a bin goes up with the half.
TIE = 1e-9
GROUP_BYTES = 1 << 28  # of quantised components kept at a time
BANDS = 8  # shares of the image's rows in the look-up

Array = npt.NDArray[np.float64]


def aim(image: Pixels, basis: str | None = None, do_smoothing: str = "default") -> npt.NDArray[np.float32]:
    """Return the self-information of each place in an image, in natural units (nats), summed over the components.

    Parameters
    ----------
    image : (H, W, 3) uint8
    basis : path, optional
        A Matlab file or .npz whose variable B, (filters, 3 K K), holds the components, for example the authors'
        21jade950.mat: odd K, row of the patch fastest, then column, then channel. Without it the filters that salbox
        learned.
    do_smoothing : {"default", "none"}
        "default" blurs the information with a Gaussian of 8 pixels, whatever the image's size; "none" does not.

    Returns
    -------
    (H, W) float32
        Positions nearer to the border than half a patch hold the minimum. Zero everywhere where nothing can be
        computed: if the image is smaller than a patch, or of one colour.

    Raises
    ------
    WeightsError
        If the file cannot be read or does not hold such a variable.

    References
    ----------
    Bruce and Tsotsos 2009: independent components, density estimate, joint likelihood, self-information.

    Examples
    --------
    >>> import numpy as np, skimage.data
    >>> from salbox.classical.aim import aim
    >>> photo = skimage.data.chelsea()[::4, ::4]  # (75, 113, 3)
    >>> saliency = aim(photo)
    >>> saliency.shape, str(saliency.dtype)
    ((75, 113), 'float32')

    A red square on grey is rare in this picture, so it carries the most information:

    >>> picture = np.full((96, 128, 3), 90, np.uint8)
    >>> picture[60:70, 30:42] = 220, 30, 30
    >>> row, column = divmod(int(aim(picture).argmax()), 128)
    >>> 60 <= row < 70 and 30 <= column < 42
    True

    A red square on grey is rare in this picture, so it carries the most information:

    >>> bool(aim(np.full((96, 128, 3), 90, np.uint8)).any())
    False
    """
    if do_smoothing not in ("default", "none"):
        raise UsageError(f"do_smoothing={do_smoothing!r}: expected 'default' or 'none'")
    path = DATA / "aim_filters.npz" if basis is None else basis
    kernels = to_kernels(read_variables(path, ("B",))["B"], f"{path}: variable B") / 255
    height, width = image.shape[:2]
    side = kernels.shape[-1]
    if min(height, width) < side or (image == image[0, 0]).all():
        return np.zeros((height, width), np.float32)
    information = self_information(image, kernels)
    if do_smoothing == "default":
        information = smooth(information)
    saliency = np.full((height, width), information.min(), np.float32)
    frame = side // 2
    saliency[frame : height - frame, frame : width - frame] = information
    return saliency


def self_information(image: Pixels, kernels: Array, tile: int = TILE) -> Array:
    """Return the sum over components of -log p(value) for every patch: (H-K+1, W-K+1) float64.

    Parameters
    ----------
    image : (H, W, 3) uint8
        At least a patch high and wide.
    kernels : (n, 3, K, K) float64
        To be multiplied with values 0..255.
    tile : int
        How the work is divided; no effect on the result.
    """
    side = kernels.shape[-1]
    shape = (image.shape[0] - side + 1, image.shape[1] - side + 1)
    information = np.zeros(shape)
    per_group = max(1, GROUP_BYTES // information.size)
    with ThreadPoolExecutor(THREADS) as pool:
        low, high = _extremes(image, kernels, tile, pool)
        # With components that do not respond at all there is nothing but rounding to be stretched over the bins.
        if high - low <= 1e-12 * 255 * np.abs(kernels).sum(axis=(1, 2, 3)).max():
            return information
        for first in range(0, len(kernels), per_group):
            bins, counts = _quantize(image, kernels[first : first + per_group], low, high, tile, pool)
            _add_information(information, bins, counts, pool)
    return information


def smooth(information: Array) -> Array:
    """Return a map blurred with the original's Gaussian: 30 pixels wide, zeros outside.

    The window has an even side: that of output i holds the inputs i - 14 to i + 15.
    """
    offsets = np.arange(SMOOTHING_SIDE) - (SMOOTHING_SIDE - 1) / 2
    weights = np.exp(-0.5 * (offsets / SMOOTHING_SIGMA) ** 2)
    weights /= weights.sum()
    center = (SMOOTHING_SIDE - 1) // 2
    return cv2.sepFilter2D(
        information, cv2.CV_64F, weights, weights, anchor=(center, center), borderType=cv2.BORDER_CONSTANT
    )


def _extremes(image: Pixels, kernels: Array, tile: int, pool: Executor) -> tuple[float, float]:
    """Return the least and the greatest response of all components at all positions."""
    found = [
        extremes
        for block in blocks(image, kernels.shape[-1], tile)
        for extremes in pool.map(partial(_extremes_of_one, block), kernels)
    ]
    return min(low for low, _ in found), max(high for _, high in found)


def _extremes_of_one(block: Block, kernel: Array) -> tuple[float, float]:
    found = [(response.min(), response.max()) for _, response in block.responses(kernel)]
    return float(min(low for low, _ in found)), float(max(high for _, high in found))


def _quantize(
    image: Pixels, kernels: Array, low: float, high: float, tile: int, pool: Executor
) -> tuple[Pixels, npt.NDArray[np.int64]]:
    """Return each component's bin, rounded half up, at each position and how often it has each bin.

    Shapes (n, H-K+1, W-K+1) and (n, 256).
    """
    side = kernels.shape[-1]
    bins = np.empty((len(kernels), image.shape[0] - side + 1, image.shape[1] - side + 1), np.uint8)
    counts = np.zeros((len(kernels), BINS), np.int64)
    scale = (BINS - 1) / (high - low)
    for block in blocks(image, side, tile):
        list(pool.map(partial(_quantize_one, block, low, scale), kernels, bins, counts))
    return bins, counts


def _quantize_one(
    block: Block, low: float, scale: float, kernel: Array, bins: Pixels, counts: npt.NDArray[np.int64]
) -> None:
    """Fill in one component's bins where the block's tiles lie, and add to its counts."""
    for region, response in block.responses(kernel):
        response -= low
        response *= scale
        response += 0.5 + TIE
        found = response.astype(np.uint8)  # truncates
        bins[region] = found
        counts += np.bincount(found.ravel(), minlength=BINS)


def _add_information(information: Array, bins: Pixels, counts: npt.NDArray[np.int64], pool: Executor) -> None:
    """Add each component's -log p at each position to a map; p is the frequency of its bin in the image."""
    tables = -np.log(counts / information.size + FLOOR)

    def add(rows: slice) -> None:
        for component, table in zip(bins, tables, strict=True):
            information[rows] += cv2.LUT(component[rows], table)

    edges = [len(information) * i // BANDS for i in range(BANDS + 1)]
    list(pool.map(add, [slice(a, b) for a, b in pairwise(edges) if b > a]))


CARD = ModelCard(
    name="aim",
    title="Attention based on Information Maximization",
    task="fixation",
    output="score",
    summary="What is rare in this image is salient: the self-information of its patches' independent components.",
    paper=Paper(
        title="Saliency, attention, and visual search: An information theoretic approach",
        authors="Neil D. B. Bruce and John K. Tsotsos",
        venue="Journal of Vision 9(3):5",
        year=2009,
        doi="10.1167/9.3.5",
        bibtex="""@article{bruce2009saliency,
  author  = {Bruce, Neil D. B. and Tsotsos, John K.},
  title   = {Saliency, attention, and visual search: An information theoretic approach},
  journal = {Journal of Vision},
  volume  = {9},
  number  = {3},
  pages   = {5},
  year    = {2009},
  doi     = {10.1167/9.3.5}
}""",
    ),
    origin="original algorithm, written anew, with filters learned by salbox; takes the authors' filters too",
    license=License(
        code="Apache-2.0; written from a description of what the authors' program does",
        weights="Apache-2.0: learned by salbox. The authors' filter files are for non-commercial research and do not "
        "ship; basis=FILE reads them",
        training_data="553 photos of OSIE (MIT) and 200 of EyeCrowd (MIT)",
    ),
    size="24 filters of 21x21x3, 31,752 numbers, 118 kB",
    fidelity="CC .999",
    commercial_use="Yes, under Apache-2.0: salbox's own code, and filters that salbox learned from photos under "
    "MIT; the authors' filter files, which do not ship, are for non-commercial research.",
    agreement="with the authors' filters equal to their Matlab program (run under Octave) on 16 images and 2 filter "
    "files: no number compared of the float32 maps differs; with salbox's own filters CC .9986 on the mean of the 16, "
    "at least .997",
    limits=(
        "Window and blur are in pixels: the map depends on the image's size.",
        "The darker rim is the original's: its blur takes what lies outside for zero.",
        "Nothing can be computed nearer to the border than half a patch; the frame holds the map's minimum.",
        "An image of 12 megapixels takes 550 MB, image and libraries included.",
    ),
    parameters=(
        Parameter("basis", None, "file with other filters (.mat or .npz, variable B); none: salbox's own", "path"),
        Parameter(
            "do_smoothing", "default", "default blurs by 8 pixels, none does not", "str", choices=("default", "none")
        ),
    ),
)
