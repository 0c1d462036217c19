"""Fixations as pictures of pixels: faint ones are no empty ones."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image

from salbox import ImageError
from salbox.datasets._marked import read_marked


@pytest.mark.parametrize("value", [np.uint8(1), np.uint8(255), np.uint16(65535), np.uint16(1)])
def test_marks_of_any_depth(value, tmp_path):
    marked = np.zeros((6, 8), value.dtype)
    marked[2, 5] = value
    Image.fromarray(marked).save(tmp_path / "a.png")
    fixations = read_marked(tmp_path / "a.png", (6, 8))
    assert (fixations.x.tolist(), fixations.y.tolist()) == ([5], [2])


@pytest.mark.parametrize("value", [np.uint8(2), np.uint8(100), np.uint16(255)])
def test_marks_on_another_scale_are_refused(value, tmp_path):
    Image.fromarray(np.eye(6, dtype=value.dtype) * value).save(tmp_path / "a.png")
    with pytest.raises(ImageError, match="no value above half of white"):
        read_marked(tmp_path / "a.png", (6, 8))
