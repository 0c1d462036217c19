"""Bilinear enlarging by a whole factor as frameworks of old placed the samples; PyTorch's own places them otherwise."""

from __future__ import annotations

from torch import Tensor
from torch.nn import functional as F


def enlarged_by(values: Tensor, factor: int, offset: int = 0) -> Tensor:
    """Return values enlarged: (N, C, factor H, factor W).

    Sample k lies at (k - offset) / factor of the source, and takes the edge's value beyond it. An offset of 0 is how
    TensorFlow resized before half pixel centres; Keras on Theano had factor / 2 - 1.
    """
    # Between an edge and its copy the grid with both end points on each other has exactly these steps.
    padded = F.pad(values, (1, 1, 1, 1), mode="replicate")
    height, width = values.shape[2], values.shape[3]
    size = (factor * (height + 1) + 1, factor * (width + 1) + 1)
    fine = F.interpolate(padded, size=size, mode="bilinear", align_corners=True)
    start = factor - offset
    return fine[:, :, start : start + factor * height, start : start + factor * width]
