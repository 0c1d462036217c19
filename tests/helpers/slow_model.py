"""A model of a user's own that takes its time, in tests that end processes while they work."""

from __future__ import annotations

import time

import numpy as np


def slow(image):
    """Return the mean of an image's channels, (H, W), a while later."""
    time.sleep(0.1)
    return image.mean(axis=2, dtype=np.float32)
