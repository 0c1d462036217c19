"""GBVS: graph-based visual saliency (Harel, Koch and Perona, NIPS 2006).

On each feature map a random walk prefers steps to near and dissimilar places. Where it dwells is salient.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import numpy as np
import numpy.typing as npt

from ..models.cards import License, ModelCard, Paper, Parameter
from ..types import Pixels
from ._features import CHANNEL_PARAMETERS, feature_maps, finish, map_shape
from ._graph import activate, concentrate
from ._resize import imresize
from ._threads import THREADS

Map64 = npt.NDArray[np.float64]

POWER = 1.5  # of normalization_type 1


def gbvs(
    image: Pixels,
    salmap_max_size: int = 32,
    channels: str = "DIO",
    color_weight: float = 1.0,
    intensity_weight: float = 1.0,
    orientation_weight: float = 1.0,
    dklcolor_weight: float = 1.0,
    gabor_angles: tuple[float, ...] = (0.0, 45.0, 90.0, 135.0),
    contrast_width: float = 0.1,
    levels: tuple[int, ...] = (2, 3, 4),
    multilevels: tuple[int, ...] = (0,),
    sigma_frac_act: float = 0.15,
    sigma_frac_norm: float = 0.06,
    num_norm_iters: int = 1,
    tol: float = 1e-4,
    normalization_type: int = 1,
    blur_frac: float = 0.02,
) -> npt.NDArray[np.float32]:
    """Return the graph-based saliency of an image: 0..1.

    Parameters
    ----------
    image : (H, W, 3) uint8
    salmap_max_size : int
        Longer side of the saliency map before it is enlarged; time and memory grow with its fourth power.
    channels : str
        Letters of the channels used: D (DKL colour, 3 maps), C (opponent colours, 2), I (intensity, 1),
        O (orientation, one an angle), R (local contrast, 1).
    color_weight, intensity_weight, orientation_weight, dklcolor_weight : float
        Of the channels C, I, O and D in their sum; R has 1.
    gabor_angles : tuple of float
        Directions of the bars of channel O in degrees, 0 horizontal, growing clockwise.
    contrast_width : float
        Width of the neighbourhood of channel R, as a fraction of the level's height.
    levels : tuple of int
        Pyramid levels that features are taken from; level n has 2^-n of the image's size.
    multilevels : tuple of int
        Lattices joined in each graph: n stands for the map halved n times, 0 for the map itself, always there.
    sigma_frac_act, sigma_frac_norm : float
        Reach of the edges in activation and normalisation, as a fraction of the map's mean side.
    num_norm_iters : int
        How often normalisation of type 2 is applied.
    tol : float
        The random walk ends when a step changes the distribution by no more than this, in L2 norm.
    normalization_type : {1, 2}
        Activation to the power of 1.5, or concentrated by a second random walk.
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
    Harel, Koch and Perona, "Graph-Based Visual Saliency", NIPS 2006, section 3.

    Examples
    --------
    >>> import numpy as np, skimage.data
    >>> from salbox.classical.gbvs import gbvs
    >>> photo = skimage.data.chelsea()[::4, ::4]  # (75, 113, 3)
    >>> saliency = gbvs(photo)
    >>> saliency.shape, str(saliency.dtype)
    ((75, 113), 'float32')
    >>> float(saliency.min()), float(saliency.max())
    (0.0, 1.0)

    The random walk dwells on a red square on grey:

    >>> picture = np.full((96, 128, 3), 90, np.uint8)
    >>> picture[60:70, 30:42] = 220, 30, 30
    >>> row, column = divmod(int(gbvs(picture).argmax()), 128)
    >>> 60 <= row < 70 and 30 <= column < 42
    True

    The random walk dwells on a red square on grey:

    >>> bool(gbvs(np.full((96, 128, 3), 90, np.uint8)).any())
    False
    """
    weights = {"C": color_weight, "D": dklcolor_weight, "I": intensity_weight, "O": orientation_weight, "R": 1.0}
    shape = map_shape(image.shape, salmap_max_size)
    coarser = tuple(sorted({n for n in multilevels if n > 0}))
    with ThreadPoolExecutor(THREADS) as pool:
        features = feature_maps(image, channels, set(levels), gabor_angles, contrast_width, pool)
        small = {
            channel: [m for maps in by_level.values() for m in imresize(maps, shape)]
            for channel, by_level in features.items()
        }
        activation = activate([m for maps in small.values() for m in maps], sigma_frac_act, tol, coarser, pool)
        if normalization_type == 1:
            normalized = [a**POWER for a in activation]
        else:
            normalized = concentrate(activation, sigma_frac_norm, tol, coarser, num_norm_iters, pool)
    remaining = iter(normalized)
    total = np.zeros(shape)
    for channel, maps in small.items():
        total += weights[channel] * np.sum([next(remaining) for _ in maps], axis=0)
    return finish(total, image.shape, blur_frac)


CARD = ModelCard(
    name="gbvs",
    title="Graph-Based Visual Saliency",
    task="fixation",
    output="score",
    summary="Where a random walk dwells that prefers near and dissimilar places, over colour, intensity, orientation.",
    paper=Paper(
        title="Graph-Based Visual Saliency",
        authors="Jonathan Harel, Christof Koch and Pietro Perona",
        venue="Advances in Neural Information Processing Systems 19 (NIPS 2006), 545-552",
        year=2006,
        doi="10.7551/mitpress/7503.003.0073",
        bibtex="""@inproceedings{harel2006graph,
  author    = {Harel, Jonathan and Koch, Christof and Perona, Pietro},
  title     = {Graph-Based Visual Saliency},
  booktitle = {Advances in Neural Information Processing Systems 19},
  pages     = {545--552},
  publisher = {MIT Press},
  year      = {2006},
  doi       = {10.7551/mitpress/7503.003.0073}
}""",
    ),
    origin="original algorithm, written anew",
    license=License(
        code="Apache-2.0; written anew from a description of the authors' program and, for what that leaves open, from "
        "reading its public source",
        weights="a table of 768 measured figures of a monitor, public as numbers; nothing is learned",
    ),
    size="no learned numbers",
    fidelity="equal",
    commercial_use="Yes, under Apache-2.0: the code is salbox's own and nothing is learned.",
    agreement="equal to the authors' Matlab program (run under Octave) on 16 images: no number compared of the float32 "
    "maps differs; CC .9999 with a map published elsewhere as 8-bit JPEG",
    limits=(
        "An image of 12 megapixels takes 450 MB, image and libraries included.",
        "Time and memory grow with the fourth power of salmap_max_size.",
        "The authors refuse images with a side under 128 pixels; here they are computed, by the same rules.",
        "A feature map that is constant up to rounding counts as constant, not, as in the original, as noise.",
        "Channels C and R, multilevels and normalization_type 2 are not verified against maps of the original.",
        "Still images: no flicker, no motion.",
    ),
    parameters=(
        Parameter("salmap_max_size", 32, "longer side of the map before it is enlarged", "int", minimum=1, maximum=64),
        *CHANNEL_PARAMETERS,
        Parameter("levels", (2, 3, 4), "pyramid levels of the features", "ints", minimum=2, maximum=9),
        Parameter(
            "multilevels",
            (0,),
            "lattices of each graph: the map halved n times; 0: the map alone",
            "ints",
            minimum=0,
            maximum=9,
        ),
        Parameter(
            "sigma_frac_act",
            0.15,
            "reach of edges in activation, fraction of the side",
            "float",
            minimum=1e-3,
            maximum=1,
        ),
        Parameter("sigma_frac_norm", 0.06, "the same in normalization_type 2", "float", minimum=1e-3, maximum=1),
        Parameter("num_norm_iters", 1, "repetitions of normalization_type 2", "int", minimum=1, maximum=10),
        Parameter("tol", 1e-4, "change at which the random walk ends", "float", minimum=1e-12, maximum=1),
        Parameter("normalization_type", 1, "1: power of 1.5; 2: second random walk", "int", choices=(1, 2)),
        Parameter("blur_frac", 0.02, "final blur, fraction of the map's side; 0: none", "float", minimum=0, maximum=1),
    ),
)
