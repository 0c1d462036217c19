"""The centred Gaussian: the baseline that every fixation model has to beat.

People look at the middle of a picture, whatever is there (Tatler 2007, Journal of Vision 7(14):4).
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from ..imaging.postprocess import centered_gaussian
from ..models.cards import License, ModelCard, Paper, Parameter
from ..types import Pixels


def gaussian(image: Pixels, sigma: float = 0.1, is_square: bool = False) -> npt.NDArray[np.float32]:
    """Return the product of two normal densities around the centre; of the image only its size matters.

    Parameters
    ----------
    image : (H, W, 3) uint8
    sigma : float
        Standard deviation as a fraction of each side, or of the longer side for both if `is_square`.
    is_square : bool
        Whether the Gaussian is round in pixels.

    Returns
    -------
    (H, W) float32
        n(y; s_y) n(x; s_x), in units of 1 / pixel².

    Examples
    --------
    >>> import numpy as np, skimage.data
    >>> from salbox.classical.gaussian import gaussian
    >>> photo = skimage.data.chelsea()[::4, ::4]  # (75, 113, 3)
    >>> saliency = gaussian(photo)
    >>> saliency.shape, str(saliency.dtype)
    ((75, 113), 'float32')

    The maximum is the middle pixel, and the density sums to 1, whatever the photo shows:

    >>> divmod(int(saliency.argmax()), 113), round(float(saliency.sum()), 3)
    ((37, 56), 1.0)
    >>> bool((gaussian(np.zeros_like(photo)) == saliency).all())
    True
    """
    height, width = image.shape[:2]
    sides = (max(height, width),) * 2 if is_square else (height, width)
    vertical = _normal_density(height, sigma * sides[0])
    horizontal = _normal_density(width, sigma * sides[1])
    return np.outer(vertical, horizontal).astype(np.float32)


def _normal_density(length: int, sigma: float) -> npt.NDArray[np.float64]:
    return centered_gaussian(length, sigma) / (sigma * np.sqrt(2 * np.pi))


CARD = ModelCard(
    name="gaussian",
    title="Centred Gaussian",
    task="fixation",
    output="score",
    summary="A Gaussian in the middle, whatever the image: the baseline that a fixation model has to beat.",
    paper=Paper(
        title="The central fixation bias in scene viewing: Selecting an optimal viewing position independently of "
        "motor biases and image feature distributions",
        authors="Benjamin W. Tatler",
        venue="Journal of Vision 7(14):4",
        year=2007,
        doi="10.1167/7.14.4",
        bibtex="""@article{tatler2007central,
  author  = {Tatler, Benjamin W.},
  title   = {The central fixation bias in scene viewing: Selecting an optimal viewing position independently of
             motor biases and image feature distributions},
  journal = {Journal of Vision},
  volume  = {7},
  number  = {14},
  pages   = {4},
  year    = {2007},
  doi     = {10.1167/7.14.4}
}""",
    ),
    origin="baseline; the formula of SMILER's centred Gaussian",
    license=License(code="Apache-2.0"),
    size="no learned numbers",
    fidelity="by hand",
    commercial_use="Yes, under Apache-2.0: the code is salbox's own and nothing is learned.",
    agreement="checked against the formula by hand; no map of the original is at hand",
    limits=(
        "Does not look at the image.",
        "An image of 12 megapixels takes 270 MB, image and libraries included.",
    ),
    parameters=(
        Parameter("sigma", 0.1, "standard deviation as a fraction of the side", "float", minimum=1e-3, maximum=100),
        Parameter("is_square", False, "take the longer side for both directions", "bool"),
    ),
)
