"""DUTS and ECSSD: photos with masks."""

from __future__ import annotations

import hashlib

import numpy as np
import pytest
from PIL import Image
from trees import mask_pair, photo

from salbox.datasets import open_dataset
from salbox.errors import UsageError
from salbox.metrics import as_mask


@pytest.fixture
def duts(tmp_path):
    for part, names in (("TR", [f"n0{k}_{k}" for k in range(40)]), ("TE", ["a", "b"])):
        folder = tmp_path / f"DUTS-{part}"
        for name in names:
            mask_pair(folder / f"DUTS-{part}-Image", folder / f"DUTS-{part}-Mask", name, mode="1")
    return tmp_path


def test_duts_splits(duts):
    def names(which):
        return {item.image.name for item in open_dataset(f"duts:{duts}", which).items}

    expected = {
        f"n0{k}_{k}.jpg" for k in range(40) if int(hashlib.sha1(f"n0{k}_{k}.jpg".encode()).hexdigest(), 16) % 18 == 0
    }
    assert expected
    assert names("held-out") == expected
    assert names("train") == {f"n0{k}_{k}.jpg" for k in range(40)} - expected
    assert names("test") == names(None) == {"a.jpg", "b.jpg"}
    assert len(names("all")) == 42


def test_one_part_alone_is_enough(duts):
    assert len(open_dataset(f"duts:{duts / 'DUTS-TE'}")) == 2
    with pytest.raises(UsageError, match="expected DUTS-TR/DUTS-TR-Image with DUTS-TR/DUTS-TR-Mask there for split"):
        open_dataset(f"duts:{duts / 'DUTS-TE'}", "train")


def test_masks_of_1_bit_of_grey_and_of_rgb_are_the_same(tmp_path):
    for mode in ("1", "L", "RGB"):
        mask_pair(tmp_path / "images", tmp_path / "ground_truth_mask", mode, mode=mode)
    data = open_dataset(f"ecssd:{tmp_path}")
    masks = [as_mask(data.mask(i)) for i in range(3)]
    assert masks[0].sum() == 150
    np.testing.assert_array_equal(masks[0], masks[1])
    np.testing.assert_array_equal(masks[0], masks[2])


def test_a_mask_of_0_and_1_is_not_read_as_empty(tmp_path):
    mask_pair(tmp_path / "images", tmp_path / "ground_truth_mask", "a")
    path = tmp_path / "ground_truth_mask" / "a.png"
    Image.fromarray((np.asarray(Image.open(path)) > 0).astype(np.uint8)).save(path)
    assert as_mask(open_dataset(f"ecssd:{tmp_path}").mask(0)).sum() == 150


def test_what_has_no_partner_is_skipped_and_counted(tmp_path):
    mask_pair(tmp_path / "images", tmp_path / "ground_truth_mask", "a")
    photo(tmp_path / "images" / "b.jpg", 40, 30)
    photo(tmp_path / "ground_truth_mask" / "c.png", 40, 30)
    photo(tmp_path / "ground_truth_mask" / "a.jpg", 40, 30)  # DUTS-TR's folder of masks holds stray photos
    data = open_dataset(f"ecssd:{tmp_path}")
    assert [item.name for item in data.items] == ["a"]
    assert data.notes[:-2] == (
        "1 photos without a mask skipped, b the first",
        "1 masks without a photo skipped, c the first",
    )
    (tmp_path / "images" / "a.jpg").unlink()
    with pytest.raises(UsageError, match="none of the 1 photos has a mask of its name"):
        open_dataset(f"ecssd:{tmp_path}")


def test_the_published_data(shared):
    data = shared / "data"
    assert len(open_dataset(f"duts:{data}", "held-out")) == 207
    assert len(open_dataset(f"duts:{data}", "train")) == 3600 - 207
    assert len(open_dataset(f"duts:{data}")) == 200
    ecssd = open_dataset(f"ecssd:{data / 'ECSSD'}")
    assert len(ecssd) == 120
    assert all(as_mask(ecssd.mask(i)).shape == ecssd.shape(i) for i in range(0, 120, 10))
