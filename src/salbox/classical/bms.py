"""BMS: saliency from boolean maps (Zhang and Sclaroff, ICCV 2013 and TPAMI 2016).

A figure is what is surrounded. Each colour feature is cut at many thresholds into boolean maps; in each, the regions
that do not touch the image's border are surrounded, and attention is their mean over all maps.

The steps and constants are those of the authors' C++ program, quirks included, because its output is the reference:
what it computes on 8 bits is computed on 8 bits here.
"""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

from ..models.cards import License, ModelCard, Paper, Parameter
from ..types import FloatMap, Pixels
from ._threads import THREADS

COVARIANCE_REGULARIZER = 50.0  # added to the diagonal before whitening
MEDIAN_APERTURE = 3  # of the blur that removes single pixels from a feature
BOX = np.ones((3, 3), np.uint8)  # dilation widths are reached by repeating it
SHARES = 8  # of the work; fixed, so that the order of summation does not depend on the number of cores


def bms(
    image: Pixels,
    sample_step: int = 8,
    dilation_width_1: int = 7,
    dilation_width_2: int = 9,
    blur_std: int = 9,
    color_space: str = "default",
    whitening: bool = True,
    max_dim: int = 400,
) -> FloatMap:
    """Return the Boolean-map saliency of an image: whole numbers in 0..255.

    Parameters
    ----------
    image : (H, W, 3) uint8
    sample_step : int
        Distance of the thresholds, in grey levels (the paper's delta).
    dilation_width_1 : int
        Width of the dilation of each attention map, odd, in pixels of the working size (omega_d1).
    dilation_width_2 : int
        Width of the dilation of the mean attention map, odd (omega_d2).
    blur_std : int
        Standard deviation of the final blur in pixels of the working size; 0 leaves it out.
    color_space : {"default", "RGB"}
        "default" is CIE Lab on 8 bits.
    whitening : bool
        Whether the colour features are decorrelated first.
    max_dim : int
        The image is brought to this longest side first: the working size.

    Returns
    -------
    (H, W) float32

    Examples
    --------
    >>> import numpy as np, skimage.data
    >>> from salbox.classical.bms import bms
    >>> photo = skimage.data.chelsea()[::4, ::4]  # (75, 113, 3)
    >>> saliency = bms(photo)
    >>> saliency.shape, str(saliency.dtype)
    ((75, 113), 'float32')
    >>> bool((saliency == saliency.round()).all()), bool(saliency.max() <= 255)
    (True, True)

    A red square on grey is surrounded:

    >>> picture = np.full((96, 128, 3), 90, np.uint8)
    >>> picture[60:70, 30:42] = 220, 30, 30
    >>> row, column = divmod(int(bms(picture).argmax()), 128)
    >>> 60 <= row < 70 and 30 <= column < 42
    True

    A red square on grey is surrounded:

    >>> bool(bms(np.full((96, 128, 3), 90, np.uint8)).any())
    False
    """
    attention = mean_attention(
        image, sample_step, dilation_width_1, color_space=color_space, whitening=whitening, max_dim=max_dim
    )
    saliency = cv2.dilate(_stretch(attention), BOX, iterations=(dilation_width_2 - 1) // 2)
    if blur_std > 0:
        side = 4 * blur_std + 1
        saliency = cv2.GaussianBlur(saliency, (side, side), blur_std, borderType=cv2.BORDER_REFLECT_101)
    height, width = image.shape[:2]
    return cv2.resize(saliency, (width, height), interpolation=cv2.INTER_LINEAR).astype(np.float32)


def mean_attention(
    image: Pixels,
    sample_step: int = 8,
    dilation_width_1: int = 7,
    *,
    color_space: str = "default",
    whitening: bool = True,
    max_dim: int = 400,
) -> FloatMap:
    """Return the sum of all normalised attention maps at the working size, before any blur: (h, w) float32."""
    features = color_features(_to_working_size(image, max_dim), color_space, whitening)
    thresholds = [(feature, t) for feature in features for t in _thresholds(feature, sample_step)]
    iterations = (dilation_width_1 - 1) // 2
    shares = [thresholds[i::SHARES] for i in range(SHARES)]
    with ThreadPoolExecutor(THREADS) as pool:
        sums = pool.map(lambda share: _sum_of_attention(share, features[0].shape, iterations), shares)
        return np.sum(list(sums), axis=0, dtype=np.float32)


def color_features(image: Pixels, color_space: str = "default", whitening: bool = True) -> list[Pixels]:
    """Return three feature maps, (H, W) uint8 each, stretched to 0..255 and cleaned of single pixels.

    The original applies the RGB-to-Lab code to BGR data, so red and blue change places; that is kept.
    """
    pixels = np.ascontiguousarray(image[:, :, ::-1])
    if color_space == "default":
        pixels = cv2.cvtColor(pixels, cv2.COLOR_RGB2Lab)
    channels = pixels.astype(np.float32)
    if whitening:
        channels = _whiten(channels)
    return [cv2.medianBlur(_stretch(c), MEDIAN_APERTURE) for c in cv2.split(channels)]


def surrounded(boolean_map: Pixels) -> Pixels:
    """Return where a boolean map's regions, true or false, do not touch the border: 0 or 255.

    A frame of one value joins all regions of that value that touch the border, so one flood (8-connected) from the
    frame's corner finds them; once for true, once for false.
    """
    open_regions = np.zeros((boolean_map.shape[0] + 2, boolean_map.shape[1] + 2), np.uint8)
    for value in (255, 0):
        framed = cv2.copyMakeBorder(boolean_map, 1, 1, 1, 1, cv2.BORDER_CONSTANT, value=value)
        mask = np.zeros((framed.shape[0] + 2, framed.shape[1] + 2), np.uint8)
        cv2.floodFill(framed, mask, (0, 0), 0, flags=8 | cv2.FLOODFILL_MASK_ONLY | (255 << 8))
        open_regions |= mask[1:-1, 1:-1]
    return cv2.bitwise_not(open_regions[1:-1, 1:-1])


def _sum_of_attention(
    thresholds: list[tuple[Pixels, int]], shape: tuple[int, ...], dilation_iterations: int
) -> FloatMap:
    """Return the sum of the attention maps of boolean maps `feature > t`, each divided by its L2 norm."""
    total = np.zeros(shape, np.float32)
    scaled = np.empty_like(total)
    for feature, t in thresholds:
        boolean_map = cv2.compare(feature, t, cv2.CMP_GT)
        inside = surrounded(boolean_map)
        for regions in (inside & boolean_map, cv2.bitwise_and(inside, cv2.bitwise_not(boolean_map))):
            dilated = cv2.dilate(regions, BOX, iterations=dilation_iterations)
            covered = cv2.countNonZero(dilated)
            if covered:
                # Every pixel is 0 or 255, so the map's norm is 255 sqrt(covered).
                np.multiply(dilated, np.float32(1 / (255 * np.sqrt(covered))), out=scaled)
                total += scaled
    return total


def _thresholds(feature: Pixels, step: int) -> Iterator[int]:
    yield from range(int(feature.min()), int(feature.max()), step)


def _to_working_size(image: Pixels, max_dim: int) -> Pixels:
    height, width = image.shape[:2]
    longest = max(height, width)
    size = (max(1, max_dim * width // longest), max(1, max_dim * height // longest))
    return cv2.resize(image, size, interpolation=cv2.INTER_AREA)


def _whiten(channels: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
    """Return the channels decorrelated: W = U diag(1 / sqrt(w)) of the regularised covariance.

    OpenCV's SVD, because the signs of its vectors decide which side of a threshold a colour falls on.
    """
    samples = channels.reshape(-1, 3)
    covariance, _ = cv2.calcCovarMatrix(
        samples, None, cv2.COVAR_NORMAL | cv2.COVAR_ROWS | cv2.COVAR_SCALE, ctype=cv2.CV_32F
    )
    covariance += np.eye(3, dtype=np.float32) * np.float32(COVARIANCE_REGULARIZER)
    w, u, _ = cv2.SVDecomp(covariance)
    whitener = u @ np.diag(1 / np.sqrt(w[:, 0]))
    whitened: npt.NDArray[np.float32] = (samples @ whitener).reshape(channels.shape)
    return whitened


def _stretch(values: npt.NDArray[Any]) -> Pixels:
    """Return values stretched to 0..255 and rounded half to even, as OpenCV's normalize does; constant becomes 0."""
    return cv2.normalize(values, None, 0.0, 255.0, cv2.NORM_MINMAX, dtype=cv2.CV_8U)


CARD = ModelCard(
    name="bms",
    title="Boolean Map based Saliency",
    task="fixation",
    output="score",
    summary="What is surrounded is figure: regions that touch no border, over boolean maps of the colours.",
    paper=Paper(
        title="Saliency detection: A Boolean map approach",
        authors="Jianming Zhang and Stan Sclaroff",
        venue="IEEE International Conference on Computer Vision (ICCV), 153-160",
        year=2013,
        doi="10.1109/ICCV.2013.26",
        bibtex="""@inproceedings{zhang2013saliency,
  author    = {Zhang, Jianming and Sclaroff, Stan},
  title     = {Saliency Detection: A {Boolean} Map Approach},
  booktitle = {IEEE International Conference on Computer Vision (ICCV)},
  pages     = {153--160},
  year      = {2013},
  doi       = {10.1109/ICCV.2013.26}
}""",
    ),
    origin="original algorithm, written anew",
    license=License(code="Apache-2.0; written from a description of what the authors' GPLv3 program does"),
    size="no learned numbers",
    fidelity="equal",
    commercial_use="Yes, under Apache-2.0: the code is salbox's own, nothing of the authors' GPLv3 program is in"
    " it, and nothing is learned.",
    agreement="equal to the authors' C++ program on 16 images: no pixel of the map differs, the sum of the "
    "attention maps by at most 4e-7 of its peak",
    limits=(
        "Whole grey levels, 0 to 255, as the original.",
        "Works on a copy of 400 pixels whatever the image's size, so details smaller than that are lost.",
        "An image of 12 megapixels takes 210 MB, image and libraries included.",
        "Colour spaces other than the default are not verified against the original.",
    ),
    parameters=(
        Parameter("sample_step", 8, "distance of the thresholds in grey levels", "int", minimum=1, maximum=255),
        Parameter("dilation_width_1", 7, "dilation of each attention map, odd, pixels", "int", minimum=1, maximum=99),
        Parameter("dilation_width_2", 9, "dilation of their mean, odd, pixels", "int", minimum=1, maximum=99),
        Parameter("blur_std", 9, "standard deviation of the final blur, pixels; 0: none", "int", minimum=0, maximum=99),
        Parameter("color_space", "default", "default is Lab", "str", choices=("default", "RGB")),
        Parameter("whitening", True, "decorrelate the colours first", "bool"),
        Parameter("max_dim", 400, "longest side of the working copy", "int", minimum=16, maximum=4000),
    ),
)
