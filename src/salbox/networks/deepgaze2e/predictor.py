"""DeepGaze IIE: an image in, a log density out, with its authors' weights."""

from __future__ import annotations

from ..deepgaze.predictor import DensityPredictor
from .card import SIGNATURE
from .network import SMALLEST, DeepGazeIIE


class DeepGazeIIEPredictor(DensityPredictor):
    """The network with its weights: an image in, its map out; safe in threads.

    Reads the file of the authors' release, `deepgaze2e.pth`.
    """

    architecture = DeepGazeIIE
    signature = SIGNATURE
    smallest = SMALLEST
    # The classifiers, which nothing is read from.
    unused = (
        "models.0.features.features.1.module.fc.",
        "models.1.features.features.1._fc.",
        "models.2.features.features.1.classifier.",
        "models.3.features.features.1.fc.",
    )
