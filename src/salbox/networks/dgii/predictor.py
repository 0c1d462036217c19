"""DeepGaze II: an image in, a log density out, with weights in the layout that its card states."""

from __future__ import annotations

from ..deepgaze.predictor import DensityPredictor
from .card import SIGNATURE
from .network import SMALLEST, DeepGazeII


class DeepGazeIIPredictor(DensityPredictor):
    """The network with its weights: an image in, its map out; safe in threads.

    Reads a state dict: `features.features.convB_I.weight` and `.bias` and `normalize.mean` and `.std` of VGG-19,
    `readout_network.convN.weight` and `.biasN.bias` of four layers, `finalizer.center_bias_weight` and
    `finalizer.gauss.sigma`.
    """

    architecture = DeepGazeII
    signature = SIGNATURE
    smallest = SMALLEST
