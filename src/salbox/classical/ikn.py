"""IKN: the model of Itti, Koch and Niebur (TPAMI 1998), in the form that comes with the authors' GBVS program.

What differs from its surround is salient, and a feature map with one strong peak counts for more than one with many.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import numpy as np
import numpy.typing as npt

from ..models.cards import License, ModelCard, Paper, Parameter
from ..types import Pixels
from ._features import CHANNEL_PARAMETERS, FLAT, feature_maps, finish, map_shape, mat2gray, round_half_up
from ._resize import imresize
from ._threads import THREADS

Map64 = npt.NDArray[np.float64]

PEAK = 10.0  # what a map is stretched to before its peaks are compared
LOWEST_MAXIMUM = 1.0  # smaller local maxima do not count


def ikn(
    image: Pixels,
    salmap_max_size: int = 32,
    channels: str = "DIO",
    color_weight: float = 1.0,
    intensity_weight: float = 1.0,
    orientation_weight: float = 1.0,
    dklcolor_weight: float = 1.0,
    gabor_angles: tuple[float, ...] = (0.0, 45.0, 90.0, 135.0),
    contrast_width: float = 0.1,
    itti_center_levels: tuple[int, ...] = (2, 3),
    itti_delta_levels: tuple[int, ...] = (2,),
    blur_frac: float = 0.03,
) -> npt.NDArray[np.float32]:
    """Return the centre-surround saliency of an image: 0..1.

    Parameters
    ----------
    image : (H, W, 3) uint8
    salmap_max_size : int
        Longer side of the saliency map before it is enlarged; 0 stands for an eighth of the image's, which with
        ``channels="CIO"`` is the authors' own setting of the Itti-Koch model.
    channels : str
        Letters of the channels used: D (DKL colour, 3 maps), C (opponent colours, 2), I (intensity, 1),
        O (orientation, one an angle), R (local contrast, 1).
    color_weight, intensity_weight, orientation_weight, dklcolor_weight : float
        Of the channels C, I, O and D in their sum; R has 1.
    gabor_angles : tuple of float
        Directions of the bars of channel O in degrees, 0 horizontal, growing clockwise.
    contrast_width : float
        Width of the neighbourhood of channel R, as a fraction of the level's height.
    itti_center_levels : tuple of int
        Pyramid levels of the centre; level n has 2^-n of the image's size.
    itti_delta_levels : tuple of int
        How many levels coarser than the centre the surround is.
    blur_frac : float
        Standard deviation of the final blur as a fraction of the map's longer side; 0 leaves it out.

    Returns
    -------
    (H, W) float32

    Raises
    ------
    UsageError
        If `channels` is empty or has a letter that is no channel.

    References
    ----------
    Itti, Koch and Niebur, "A model of saliency-based visual attention for rapid scene analysis", TPAMI 20(11), 1998.

    Examples
    --------
    >>> import numpy as np, skimage.data
    >>> from salbox.classical.ikn import ikn
    >>> photo = skimage.data.chelsea()[::4, ::4]  # (75, 113, 3)
    >>> saliency = ikn(photo)
    >>> saliency.shape, str(saliency.dtype)
    ((75, 113), 'float32')
    >>> float(saliency.min()), float(saliency.max())
    (0.0, 1.0)

    A red square differs from its surround:

    >>> picture = np.full((96, 128, 3), 90, np.uint8)
    >>> picture[60:70, 30:42] = 220, 30, 30
    >>> row, column = divmod(int(ikn(picture).argmax()), 128)
    >>> 60 <= row < 70 and 30 <= column < 42
    True

    A red square differs from its surround:

    >>> bool(ikn(np.full((96, 128, 3), 90, np.uint8)).any())
    False
    """
    weights = {"C": color_weight, "D": dklcolor_weight, "I": intensity_weight, "O": orientation_weight, "R": 1.0}
    shape = map_shape(image.shape, salmap_max_size or max(1, round_half_up(max(image.shape[:2]) / 8)))
    pairs = [(center, center + delta) for center in itti_center_levels for delta in itti_delta_levels]
    with ThreadPoolExecutor(THREADS) as pool:
        levels = {level for pair in pairs for level in pair}
        features = feature_maps(image, channels, levels, gabor_angles, contrast_width, pool)
    total = np.zeros(shape)
    for channel, by_level in features.items():
        contrasts = [m for c, s in pairs for m in center_surround(by_level[c], by_level[s], shape)]
        conspicuity = np.sum([promote_single_peak(mat2gray(m)) for m in contrasts], axis=0)
        total += weights[channel] * promote_single_peak(conspicuity)
    return finish(total, image.shape, blur_frac)


def center_surround(center: Map64, surround: Map64, shape: tuple[int, int]) -> Map64:
    """Return the squared difference of two levels at the size of the saliency map: (maps, *shape) float64.

    Parameters
    ----------
    center, surround : (maps, h, w) float64
        A finer and a coarser level; the coarser is enlarged to the finer.
    shape : (int, int)
    """
    difference = center - imresize(surround, (center.shape[1], center.shape[2]))
    noise = np.abs(difference).max(axis=(1, 2)) <= FLAT
    difference[noise] = 0
    return imresize(difference**2, shape)


def promote_single_peak(values: Map64) -> Map64:
    """Return a map weighted by how much its largest value stands out among its local maxima: (h, w) float64.

    Stretched to 0..10, it is multiplied by (10 - m)^2, m the mean of the local maxima, the largest one included; a
    single maximum counts with m = 0, and without any the map is left as it is. A local maximum is not smaller than
    its four neighbours, at least 1, and not on the border.
    """
    stretched = mat2gray(values) * PEAK
    inner = stretched[1:-1, 1:-1]
    is_maximum = (
        (inner >= stretched[:-2, 1:-1])
        & (inner >= stretched[2:, 1:-1])
        & (inner >= stretched[1:-1, :-2])
        & (inner >= stretched[1:-1, 2:])
        & (inner >= LOWEST_MAXIMUM)
    )
    maxima = inner[is_maximum]
    if len(maxima) == 0:
        return stretched
    mean = maxima.mean() if len(maxima) > 1 else 0.0
    return stretched * (PEAK - mean) ** 2


CARD = ModelCard(
    name="ikn",
    title="Itti-Koch-Niebur",
    task="fixation",
    output="score",
    summary="What differs from its surround in colour, intensity or orientation, and is alone in doing so.",
    paper=Paper(
        title="A Model of Saliency-Based Visual Attention for Rapid Scene Analysis",
        authors="Laurent Itti, Christof Koch and Ernst Niebur",
        venue="IEEE Transactions on Pattern Analysis and Machine Intelligence 20(11), 1254-1259",
        year=1998,
        doi="10.1109/34.730558",
        bibtex="""@article{itti1998model,
  author  = {Itti, Laurent and Koch, Christof and Niebur, Ernst},
  title   = {A Model of Saliency-Based Visual Attention for Rapid Scene Analysis},
  journal = {IEEE Transactions on Pattern Analysis and Machine Intelligence},
  volume  = {20},
  number  = {11},
  pages   = {1254--1259},
  year    = {1998},
  doi     = {10.1109/34.730558}
}""",
    ),
    origin="original algorithm, written anew: the variant that J. Harel's GBVS program contains",
    license=License(
        code="Apache-2.0; written anew from a description of J. Harel's program and, for what that leaves open, from "
        "reading its public source",
        weights="a table of 768 measured figures of a monitor, public as numbers; nothing is learned",
    ),
    size="no learned numbers",
    fidelity="equal",
    commercial_use="Yes, under Apache-2.0: the code is salbox's own and nothing is learned.",
    agreement="equal to J. Harel's Matlab program (run under Octave) on 16 images, with the default and with the "
    "authors' own setting: no number compared of the float32 maps differs; CC .9999 with a map published elsewhere as "
    "8-bit JPEG (made without the final blur)",
    limits=(
        "An image of 12 megapixels takes 450 MB, image and libraries included.",
        "The default takes DKL colours and a map of 32 pixels, as saliency toolboxes run it; the authors' own setting "
        "is channels=CIO, salmap_max_size=0.",
        "A feature map that is constant up to rounding counts as constant, not, as in the original, as noise.",
        "Channel R is not verified against maps of the original.",
        "Still images: no flicker, no motion.",
    ),
    parameters=(
        Parameter(
            "salmap_max_size",
            32,
            "longer side of the map before it is enlarged; 0: an eighth of the image",
            "int",
            minimum=0,
            maximum=1024,
        ),
        *CHANNEL_PARAMETERS,
        Parameter("itti_center_levels", (2, 3), "pyramid levels of the centre", "ints", minimum=2, maximum=9),
        Parameter("itti_delta_levels", (2,), "how much coarser the surround is", "ints", minimum=1, maximum=9),
        Parameter("blur_frac", 0.03, "final blur, fraction of the map's side; 0: none", "float", minimum=0, maximum=1),
    ),
)
