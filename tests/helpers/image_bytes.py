"""Pictures packed as files in memory."""

from __future__ import annotations

import io
from typing import Any

import numpy as np
from PIL import Image


def image_bytes(pixels: np.ndarray, kind: str = "PNG", **options: Any) -> bytes:
    """Return pixels as a file of one of Pillow's kinds; options are those of its writer."""
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, kind, **options)
    return buffer.getvalue()
