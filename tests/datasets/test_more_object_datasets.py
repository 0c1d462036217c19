"""HKU-IS and KD-SOD80K, and archives with a folder around what they hold."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image
from trees import mask_pair, photo

from salbox.datasets import open_dataset
from salbox.errors import UsageError
from salbox.metrics import as_mask


@pytest.fixture
def hku(tmp_path):
    root = tmp_path / "download" / "HKU-IS"
    for name in ("0004", "0005", "0006"):
        mask_pair(root / "imgs", root / "gt", name)
        Image.open(root / "imgs" / f"{name}.jpg").save(root / "imgs" / f"{name}.png")  # its photos are PNG
        (root / "imgs" / f"{name}.jpg").unlink()
    return root


def test_hku_is(hku):
    data = open_dataset(f"hku-is:{hku}")
    assert [item.image.name for item in data.items] == ["0004.png", "0005.png", "0006.png"]
    assert as_mask(data.mask(0)).sum() == 150
    assert len(open_dataset(f"hku-is:{hku.parent}")) == len(open_dataset(f"hku-is:{hku.parent.parent}")) == 3


def test_splits_of_hku_is_are_lists_of_names(hku):
    with pytest.raises(UsageError, match=r"split 'test' needs test\.txt, a list of file names"):
        open_dataset(f"hku-is:{hku}", "test")
    (hku / "test.lst").write_text("0004.png gt/0004.png\n\nimgs/0006.png\n0009.png\n")
    data = open_dataset(f"hku-is:{hku}", "test")
    assert [item.name for item in data.items] == ["0004", "0006"]
    assert data.notes[:-1] == ("2 of the 3 listed are there",)
    (hku / "valid.txt").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(UsageError, match=r"valid\.txt: not a text"):
        open_dataset(f"hku-is:{hku}", "val")


def test_photos_and_masks_in_one_folder(tmp_path):
    for name in ("a", "b"):
        mask_pair(tmp_path / "HKU-IS" / "Imgs", tmp_path / "HKU-IS" / "Imgs", name)
    data = open_dataset(f"hku-is:{tmp_path}")
    assert [(item.image.name, item.mask.name) for item in data.items] == [("a.jpg", "a.png"), ("b.jpg", "b.png")]


def test_hku_is_elsewhere(tmp_path):
    with pytest.raises(UsageError, match="expected there or in a folder within imgs and gt, or Imgs"):
        open_dataset(f"hku-is:{tmp_path}")
    with pytest.raises(UsageError, match="no such folder"):
        open_dataset(f"hku-is:{tmp_path / 'nowhere'}")


def test_kd_sod80k_is_photos_alone(tmp_path):
    root = tmp_path / "KD-SOD80K"
    mask_pair(root / "image", root / "mask", "n01532829_1")
    photo(root / "image" / "n01532829_2.JPEG", 40, 30)
    photo(root / "__MACOSX" / "image" / "n0_2.jpg", 40, 30)
    for path in (root, tmp_path, root / "image"):
        data = open_dataset(f"kd-sod80k:{path}")
        assert [item.name for item in data.items] == ["n01532829_1", "n01532829_2"]
        assert data.gives == frozenset()
    with pytest.raises(UsageError, match="no images"):
        open_dataset(f"kd-sod80k:{root / 'mask'}")
    with pytest.raises(UsageError, match=r"no such folder; expected one that holds image/\*\.jpg"):
        open_dataset(f"kd-sod80k:{tmp_path / 'nowhere'}")


def test_duts_and_ecssd_with_folders_around_them(tmp_path):
    for part in ("TR", "TE"):
        folder = tmp_path / "DUTS" / f"DUTS-{part}" / f"DUTS-{part}"
        mask_pair(folder / f"DUTS-{part}-Image", folder / f"DUTS-{part}-Mask", part)
    assert [item.name for item in open_dataset(f"duts:{tmp_path}", "all").items] == ["TR", "TE"]
    folder = tmp_path / "y" / "ECSSD"
    mask_pair(folder / "images", folder / "ground_truth_mask", "0001")
    photo(folder / "ground_truth_mask" / ".svn" / "0002.png", 40, 30)
    photo(folder / "__MACOSX" / "images" / "0001.jpg", 40, 30)
    (folder / "images" / "Thumbs.db").write_bytes(b"junk")
    data = open_dataset(f"ecssd:{tmp_path / 'y'}")
    assert (len(data), data.notes[:-1]) == (1, ())


def test_masks_of_duts_that_are_known_to_be_bad_are_left_out_and_counted(tmp_path):
    for part, name in (("TR", "n01532829_13482"), ("TR", "n01532829_1"), ("TE", "n01532829_13482")):
        mask_pair(tmp_path / f"DUTS-{part}-Image", tmp_path / f"DUTS-{part}-Mask", name)
    photo(tmp_path / "DUTS-TR-Mask" / "n01532829_13482.jpg", 40, 30)
    data = open_dataset(f"duts:{tmp_path}", "all")
    assert [(item.name, item.image.parent.name) for item in data.items] == [
        ("n01532829_1", "DUTS-TR-Image"),
        ("n01532829_13482", "DUTS-TE-Image"),
    ]
    assert data.notes == ("DUTS-TR: 1 photos whose mask is known to be bad left out",)


def test_soft_edges_of_a_mask_are_cut_at_128(tmp_path):
    mask_pair(tmp_path / "DUTS-TE-Image", tmp_path / "DUTS-TE-Mask", "n01532829_1")
    path = tmp_path / "DUTS-TE-Mask" / "n01532829_1.png"
    values = np.asarray(Image.open(path)).copy()
    values[0, :4] = (127, 128, 129, 200)
    Image.fromarray(values).save(path)
    assert as_mask(open_dataset(f"duts:{tmp_path}").mask(0)).sum() == 152
    assert open_dataset(f"duts-wordnet:{tmp_path}").concepts(0).masks()["n01532829"].sum() == 152
