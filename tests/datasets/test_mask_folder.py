"""A folder of masks of one's own."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image

from salbox.datasets import open_dataset
from salbox.errors import UsageError


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "images").mkdir()
    for name in ("a", "b"):
        Image.fromarray(np.zeros((4, 6, 3), np.uint8)).save(tmp_path / "images" / f"{name}.png")
    for concept, name, place in (("Face", "a", (0, 0)), ("car", "a", (1, 2)), ("car", "gone", (0, 0))):
        mask = np.zeros((2, 3), np.uint8)
        mask[place] = 255
        (tmp_path / "masks" / concept).mkdir(parents=True, exist_ok=True)
        Image.fromarray(mask).save(tmp_path / "masks" / concept / f"{name}.png")
    return tmp_path


def test_masks_by_the_names_of_folders(folder):
    data = open_dataset(f"masks:{folder}")
    assert [item.name for item in data.items] == ["a", "b"]
    assert any("1 masks without a photo skipped" in note for note in data.notes)
    masks = data.concepts(0).masks()
    assert list(masks) == ["car", "face"]
    assert np.argwhere(masks["face"]).tolist() == [[0, 0], [0, 1], [1, 0], [1, 1]]
    assert masks["car"].sum() == 4
    assert data.concepts(1).names == ()


def test_a_folder_without_any_is_refused(folder):
    for file in (folder / "masks").rglob("*.png"):
        file.unlink()
    with pytest.raises(UsageError, match="no mask has a photo's name"):
        open_dataset(f"masks:{folder}")
