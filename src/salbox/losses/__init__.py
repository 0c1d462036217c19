"""Losses of training: each takes logits, targets and which of these exist, and returns a scalar.

`loss(logits, target, valid)`: logits (N, K, h, w), target (N, K, h, w) in 0..1, valid (N, K) bool. The result is the
mean over the maps that exist, 0 with a gradient of 0 if there are none. PyTorch is needed.
"""

from .bce import bce
from .cc import cc, correlations
from .hint import FeatureHint
from .kl import kl
from .mse import mse
from .weighted import LOSSES, WeightedLoss

__all__ = ["LOSSES", "FeatureHint", "WeightedLoss", "bce", "cc", "correlations", "kl", "mse"]
