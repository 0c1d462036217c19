"""RARE2012: attention to what is rare, in colour and in texture (Riche et al. 2013).

The authors publish no source. This is the algorithm of their paper and of their program's documented parameters; what
these leave open was chosen by the two maps of the original that are published with their photos, each choice judged by
the map that had no part in it, see docs/results/rare2012.md. It is a model of the original's kind, not a copy: the maps
agree, they are not equal.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from scipy import sparse

from ..errors import UsageError
from ..models.cards import License, ModelCard, Paper, Parameter
from ..types import FloatMap, Pixels
from ._color import COLOR_SPACES, ColorSpace
from ._gabor_bank import GaborBank
from ._rarity import NOISE, box_mean, fuse, rarity, stretch
from ._resize import band

SPACES = {"PCA": "RGB", "LAB": "LAB", "YCbCr": "YCbCr"}  # the colour space that each choice starts from
STRIP = 1 << 18  # pixels converted at a time, which bounds memory


def rare2012(
    image: Pixels,
    color_space: str = "PCA",
    orientations: int = 8,
    scales: int = 3,
    levels: int = 4,
    intra_threshold: float = 0.3,
    inter_threshold: float = 0.3,
    max_frequency: float = 0.25,
    bins: int = 11,
    smoothing: int = 8,
    working_size: int = 200,
) -> FloatMap:
    """Return the multi-scale rarity of an image: 0 where nothing is rare, on an arbitrary scale.

    Parameters
    ----------
    image : (H, W, 3) uint8
    color_space : {"PCA", "LAB", "YCbCr"}
        Whose three channels are examined; "PCA" are the principal components of this image's colours.
    orientations, scales : int
        Of the Gabor filters; without orientations only colour is examined.
    levels : int
        Levels of the Gaussian pyramid on which rarity is measured.
    intra_threshold, inter_threshold : float
        Share of the best efficiency that a map needs to take part in the fusion of its colour channel's Gabor maps,
        and in that of the colour channels.
    max_frequency : float
        The highest frequency of the Gabor filters, in cycles a pixel of the working size; the next are 1 / sqrt(2) of
        it each.
    bins : int
        Bins of the histograms that rarity is measured by.
    smoothing : int
        Side of the square that the finished map is averaged over, in pixels of the working size.
    working_size : int
        Height and width of the working copy, whatever the image's shape.

    Returns
    -------
    (H, W) float32
        Enlarged without interpolation, as one of the original's published maps is.

    Raises
    ------
    UsageError
        If there is no such colour space.

    References
    ----------
    Riche et al., "RARE2012: A multi-scale rarity-based saliency detection with its comparative statistical analysis",
    Signal Processing: Image Communication 28(6), 2013.

    Examples
    --------
    >>> import numpy as np, skimage.data
    >>> from salbox.classical.rare2012 import rare2012
    >>> photo = skimage.data.chelsea()[::4, ::4]  # (75, 113, 3)
    >>> saliency = rare2012(photo)
    >>> saliency.shape, str(saliency.dtype)
    ((75, 113), 'float32')

    The colour of a small square is rare:

    >>> picture = np.full((96, 128, 3), 90, np.uint8)
    >>> picture[60:70, 30:42] = 220, 30, 30
    >>> row, column = divmod(int(rare2012(picture).argmax()), 128)
    >>> 60 <= row < 70 and 30 <= column < 42
    True

    In one colour nothing is rare:

    >>> bool(rare2012(np.full((96, 128, 3), 90, np.uint8)).any())
    False
    """
    if color_space not in SPACES:
        raise UsageError(f"parameter color_space={color_space!r}: expected {', '.join(SPACES)}")
    space = COLOR_SPACES[SPACES[color_space]]
    working_copy = _shrink(image, space, working_size)
    components = principal_components(working_copy) if color_space == "PCA" else _centered(working_copy)
    bank = GaborBank(scales, orientations, max_frequency) if orientations else None

    def measure(values: FloatMap) -> FloatMap:
        return rarity(values, levels, bins)

    def examine(component: FloatMap) -> FloatMap:
        """Return the rarity of a colour channel's values (low level) and textures (medium level): (h, w) float32."""
        low = measure(component)
        if bank is None or np.ptp(component) <= NOISE:
            return low
        textures = [
            stretch(fuse([measure(magnitude) for magnitude in of_scale], intra_threshold))
            for of_scale in bank.magnitudes(component)
        ]
        return low + stretch(fuse(textures, intra_threshold))

    channels = [examine(component) for component in (components / space.unit).astype(np.float32)]
    return _enlarge(box_mean(fuse(channels, inter_threshold), smoothing), image.shape[:2])


def principal_components(colors: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """Return the coordinates of colours along their principal axes, strongest first: (3, h, w) float64, zero mean.

    The sign of an axis makes no difference to rarity, the histogram and the magnitudes being symmetric, save where a
    value falls between two bins; it is fixed so that the axis' largest entry is positive.

    Parameters
    ----------
    colors : (3, h, w) float64
    """
    centered = _centered(colors)
    samples = centered.reshape(3, -1)
    _, axes = np.linalg.eigh(np.einsum("in,jn->ij", samples, samples) / samples.shape[1])
    axes = axes[:, ::-1].T  # a row an axis, strongest first
    signs = np.sign(axes[np.arange(3), np.abs(axes).argmax(axis=1)])
    return np.einsum("ij,jhw->ihw", axes * signs[:, None], centered)


def _centered(channels: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    centered: npt.NDArray[np.float64] = channels - channels.mean(axis=(1, 2), keepdims=True)
    return centered


def _shrink(image: Pixels, space: ColorSpace, size: int) -> npt.NDArray[np.float64]:
    """Return the image in a colour space, resized to a square: (3, size, size) float64.

    What is not linear in the colour space is computed at full size, strip by strip.
    """
    height, width = image.shape[:2]
    over_rows, over_columns = _resizer(height, size), _resizer(width, size)
    rows = np.zeros((size, 3 * width))
    strip = max(1, STRIP // width)
    for start in range(0, height, strip):
        values = space.pixelwise(image[start : start + strip])
        rows += over_rows[:, start : start + strip] @ values.reshape(len(values), -1)
    planes = np.moveaxis(rows.reshape(size, width, 3), -1, 0)
    small = np.stack([(over_columns @ plane.T).T for plane in planes])
    return np.einsum("ij,jhw->ihw", space.matrix, small) + space.offset[:, None, None]


def _resizer(length: int, size: int) -> sparse.csc_array:
    """Return the matrix that resizes an axis bicubically, as Matlab's imresize does: (size, length)."""
    matrix = band(length, size)
    taps = matrix.weights.shape[1]
    columns = matrix.first[:, None] + np.arange(taps)
    entries = (matrix.weights.reshape(-1), columns.reshape(-1), np.arange(0, size * taps + 1, taps))
    return sparse.csr_array(entries, shape=(size, length)).tocsc()


def _enlarge(values: FloatMap, shape: tuple[int, ...]) -> FloatMap:
    """Return the map at a size, each pixel taking the value of the sample that its centre falls on."""
    row, column = ((2 * np.arange(n) + 1) * m // (2 * n) for n, m in zip(shape, values.shape, strict=True))
    return values[row[:, None], column]


CARD = ModelCard(
    name="rare2012",
    title="RARE2012: multi-scale rarity",
    task="fixation",
    output="score",
    summary="What is rare in its picture attracts: colours and textures by the self-information of their values, "
    "measured at several scales.",
    paper=Paper(
        title="RARE2012: A multi-scale rarity-based saliency detection with its comparative statistical analysis",
        authors="Nicolas Riche, Matei Mancas, Matthieu Duvinage, Makiese Mibulumukini, Bernard Gosselin and "
        "Thierry Dutoit",
        venue="Signal Processing: Image Communication 28(6):642-658",
        year=2013,
        doi="10.1016/j.image.2013.03.009",
        bibtex="""@article{riche2013rare2012,
  author  = {Riche, Nicolas and Mancas, Matei and Duvinage, Matthieu and Mibulumukini, Makiese and Gosselin, Bernard
             and Dutoit, Thierry},
  title   = {{RARE2012}: A multi-scale rarity-based saliency detection with its comparative statistical analysis},
  journal = {Signal Processing: Image Communication},
  volume  = {28},
  number  = {6},
  pages   = {642--658},
  year    = {2013},
  doi     = {10.1016/j.image.2013.03.009}
}""",
    ),
    origin="from the paper, agreement .79 and .88 with published maps that had no part in it; the original's source is "
    "not public",
    license=License(
        code="Apache-2.0, written from the description; the original is Matlab p-code for non-commercial research"
    ),
    size="no learned numbers",
    fidelity="CC .79, .88",
    commercial_use="Yes, under Apache-2.0: the code is salbox's own, written from the paper, and nothing is learned.",
    agreement="CC .79 and .88 with the two maps of the original that are published with their photos, each left out: "
    "the other map alone made the choices that the paper leaves open",
    limits=(
        "Not the original: where the paper leaves a choice open, this may differ from it on every image, on some by "
        "more than the agreement says (an earlier reading had .64 on a third map).",
        "Works on a square copy of 200 x 200 pixels; a map has no detail finer than 8 of them, and blocks.",
        "The order of the colour channels' efficiencies weighs in, so a small change of an image may change its map at "
        "a stroke.",
        "The paper's results add a low-pass filter and a centred Gaussian to the map; here nothing is added.",
        "Needs about 0.3 GB for a 12-megapixel image.",
    ),
    parameters=(
        Parameter(
            "color_space", "PCA", "whose channels are examined; PCA: of this image's colours", "str", tuple(SPACES)
        ),
        Parameter("orientations", 8, "orientations of the Gabor filters; 0: colour only", "int", minimum=0, maximum=16),
        Parameter("scales", 3, "frequencies of the Gabor filters", "int", minimum=1, maximum=6),
        Parameter("levels", 4, "pyramid levels on which rarity is measured", "int", minimum=1, maximum=8),
        Parameter(
            "intra_threshold",
            0.3,
            "share of the best efficiency that a map needs among a channel's Gabor maps",
            "float",
            minimum=0,
            maximum=1,
        ),
        Parameter("inter_threshold", 0.3, "the same among the colour channels", "float", minimum=0, maximum=1),
        Parameter(
            "max_frequency",
            0.25,
            "highest frequency of the Gabor filters, cycles a pixel of the working size",
            "float",
            minimum=0.05,
            maximum=0.5,
        ),
        Parameter("bins", 11, "bins of the histograms", "int", minimum=2, maximum=4096),
        Parameter(
            "smoothing",
            8,
            "side of the square that the map is averaged over, pixels of the working size; 1: none",
            "int",
            minimum=1,
            maximum=100,
        ),
        Parameter("working_size", 200, "height and width of the working copy", "int", minimum=16, maximum=600),
    ),
)
