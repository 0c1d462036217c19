"""CAT2000: categories, folders of others' maps, images that must not be turned, malformed files."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image
from trees import cat2000_tree, mat, photo

from salbox.datasets import dataset_card, open_dataset
from salbox.errors import UsageError

SIZE = (96, 54)


@pytest.fixture
def tree(tmp_path):
    return cat2000_tree(tmp_path, {"Action/001": [(0, 0), (95, 53)], "Satelite/120": [(7, 4)]}, SIZE)


def test_fixated_pixels_come_out_where_they_are(tree):
    data = open_dataset(f"cat2000:{tree}")
    assert (data.split, [item.name for item in data.items]) == ("train", ["Action/001", "Satelite/120"])
    assert [item.category for item in data.items] == ["Action", "Satelite"]
    assert data.fixations(0).x.tolist() == [0, 95]
    assert data.fixations(0).y.tolist() == [0, 53]
    assert (data.fixations(1).x.tolist(), data.fixations(1).y.tolist()) == ([7], [4])
    assert data.fixations(0).order is None
    assert data.sigma(0) == 40 * 96 / 1920
    assert data.notes[:-1] == ()


@pytest.mark.parametrize("below", ["trainSet", "."])
def test_with_and_without_the_top_folder_junk_ignored(tree, below):
    photo(tree / "trainSet" / "__MACOSX" / "Stimuli" / "Action" / "001.jpg", *SIZE)
    photo(tree / "trainSet" / "Stimuli" / "Action" / ".svn" / "a.jpg", *SIZE)
    (tree / "trainSet" / "Stimuli" / "Action" / "Thumbs.db").write_bytes(b"x")
    assert len(open_dataset(f"cat2000:{tree / below}", "all")) == 2


def test_the_archive_in_a_folder_of_its_name(tree, tmp_path):
    (tmp_path / "outer" / "inner").mkdir(parents=True)
    (tree / "trainSet").rename(tmp_path / "outer" / "inner" / "trainSet")
    assert len(open_dataset(f"cat2000:{tmp_path / 'outer'}")) == 2


def test_positions_follow_the_size_of_the_image_at_hand(tree):
    photo(tree / "trainSet" / "Stimuli" / "Action" / "001.jpg", 48, 27)
    rows, columns = open_dataset(f"cat2000:{tree}").fixations(0).pixels((27, 48))
    assert (rows.tolist(), columns.tolist()) == ([0, 26], [0, 47])


def test_entries_without_a_stimulus_are_skipped_and_counted(tree):
    (tree / "trainSet" / "Stimuli" / "Action" / "001.jpg").unlink()
    data = open_dataset(f"cat2000:{tree}")
    assert data.notes[:-1] == ("1 of 2 files of FIXATIONLOCS present as images, the others skipped",)
    (tree / "trainSet" / "Stimuli" / "Satelite" / "120.jpg").unlink()
    with pytest.raises(UsageError, match="none of the 2 files of FIXATIONLOCS is of one of the 0 images"):
        open_dataset(f"cat2000:{tree}")


def test_published_maps_are_the_density(tree):
    for name in ("Action/001", "Satelite/120"):
        photo(tree / "trainSet" / "FIXATIONMAPS" / f"{name}.jpg", *SIZE)
        Image.new("L", SIZE, 9).save(tree / "trainSet" / "FIXATIONMAPS" / f"{name}.jpg")
    assert open_dataset(f"cat2000:{tree}").density(0).max() == 9
    (tree / "trainSet" / "FIXATIONLOCS").rename(tree / "elsewhere")
    data = open_dataset(f"cat2000:{tree}")
    assert (len(data), data.gives) == (2, {"density"})


def test_the_test_images_have_no_fixations_and_one_is_not_turned(tree):
    exif = Image.Exif()
    exif[0x0112] = 6
    for name in ("134", "2"):
        path = photo(tree / "testSet" / "Stimuli" / "Pattern" / f"{name}.jpg", *SIZE)
        Image.open(path).save(path, exif=exif)
    data = open_dataset(f"cat2000:{tree}", "test")
    assert [item.name for item in data.items] == ["Pattern/2", "Pattern/134"]
    assert data.gives == frozenset()
    assert (data.shape(0), data.shape(1)) == ((96, 54), (54, 96))
    assert data.pixels(1).shape == (54, 96, 3)
    assert len(open_dataset(f"cat2000:{tree / 'testSet'}", "test")) == 2
    with pytest.raises(UsageError, match="expected testSet/Stimuli there for split 'test'"):
        open_dataset(f"cat2000:{tree / 'trainSet'}", "test")


@pytest.mark.parametrize(
    ("held", "message"),
    [
        ({"other": 1.0}, "expected the variable fixLocs, the file holds other"),
        ({}, "the file holds none"),
        ({"fixLocs": "text"}, "expected the picture of fixated pixels"),
        ({"fixLocs": np.zeros((0, 0))}, "expected the picture of fixated pixels"),
        ({"fixLocs": np.zeros((2, 2, 2))}, "expected the picture of fixated pixels"),
    ],
)
def test_a_malformed_mat_is_one_line(tree, held, message):
    path = mat(tree / "trainSet" / "FIXATIONLOCS" / "Action" / "001.mat", held)
    data = open_dataset(f"cat2000:{tree}")
    with pytest.raises(UsageError, match=message) as caught:
        data.fixations(0)
    assert str(path) in str(caught.value)


def test_a_truncated_mat_is_one_line(tree):
    path = tree / "trainSet" / "FIXATIONLOCS" / "Action" / "001.mat"
    path.write_bytes(path.read_bytes()[:-20])
    with pytest.raises(UsageError, match=r"001\.mat: damaged MATLAB file"):
        open_dataset(f"cat2000:{tree}").fixations(0)


def test_what_is_expected(tmp_path):
    with pytest.raises(UsageError, match="no such folder"):
        open_dataset(f"cat2000:{tmp_path / 'nowhere'}")
    with pytest.raises(UsageError, match="expected trainSet/Stimuli and trainSet/FIXATIONLOCS there for split 'train'"):
        open_dataset(f"cat2000:{tmp_path}")
    assert dataset_card("cat2000").images == {"train": 2000, "test": 2000}
