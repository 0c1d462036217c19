"""Toronto and MIT300: numbered photos, and fixations in one file or in none."""

from __future__ import annotations

import numpy as np
import pytest
from trees import cell, marked, mat, photo, toronto_tree

from salbox.datasets import open_dataset
from salbox.errors import UsageError

SIZE = (68, 51)
FIXDENS = "eyetrackingdata/fixdens"


@pytest.fixture
def tree(tmp_path):
    places = [[(0, 0), (67, 50)], [(5, 9)], *[[(k, k)] for k in range(9)]]
    return toronto_tree(tmp_path, places, SIZE)


@pytest.mark.parametrize("below", [".", "eyetrackingdata", FIXDENS])
def test_fixated_pixels_come_out_where_they_are(tree, below):
    data = open_dataset(f"toronto:{tree / below}")
    assert [item.name for item in data.items] == [str(k) for k in range(1, 12)]  # 10 after 9
    assert (data.fixations(0).x.tolist(), data.fixations(0).y.tolist()) == ([0, 67], [0, 50])
    assert (data.fixations(1).x.tolist(), data.fixations(1).y.tolist()) == ([5], [9])
    assert data.fixations(10).x.tolist() == [8]
    assert data.notes[:-1] == ()


def test_an_image_of_another_size(tree):
    photo(tree / FIXDENS / "Original Image Set" / "1.jpg", 34, 17)
    rows, columns = open_dataset(f"toronto:{tree}").fixations(0).pixels((17, 34))
    assert (rows.tolist(), columns.tolist()) == ([0, 16], [0, 33])


def test_entries_without_a_stimulus_are_skipped_and_counted(tree):
    for k in range(1, 11):
        (tree / FIXDENS / "Original Image Set" / f"{k}.jpg").unlink()
    data = open_dataset(f"toronto:{tree}")
    assert data.notes[:-1] == ("1 of 11 entries of origfixdata.mat present as images, the others skipped",)
    assert data.fixations(0).x.tolist() == [8]
    photo(tree / FIXDENS / "Original Image Set" / "12.jpg", *SIZE)
    assert (
        open_dataset(f"toronto:{tree}").notes[1] == "1 images without entries of origfixdata.mat skipped, 12 the first"
    )


@pytest.mark.parametrize(
    ("held", "message"),
    [
        ({"black": 1.0}, "expected the variable white, the file holds black"),
        ({"white": np.eye(3)}, r"white\{1\}: expected the picture of fixated pixels"),
        ({"white": cell([marked([], SIZE), "text"])}, r"white\{2\}: expected the picture"),
        ({"white": cell([{"a": 1.0}])}, r"white\{1\}: expected the picture"),
        ({"white": np.zeros((0, 0))}, "none of the 0 entries"),
    ],
)
def test_a_malformed_mat_is_one_line(tree, held, message):
    mat(tree / FIXDENS / "origfixdata.mat", held)
    with pytest.raises(UsageError, match=message):
        open_dataset(f"toronto:{tree}")


def test_a_truncated_mat_and_a_missing_one(tree):
    path = tree / FIXDENS / "origfixdata.mat"
    path.write_bytes(path.read_bytes()[:200])
    with pytest.raises(UsageError, match=r"origfixdata\.mat: damaged MATLAB file"):
        open_dataset(f"toronto:{tree}")
    path.unlink()
    with pytest.raises(
        UsageError, match=r"expected there or in a folder within Original Image Set and origfixdata\.mat"
    ):
        open_dataset(f"toronto:{tree}")


def test_mit300_in_the_order_of_its_numbers(tmp_path):
    for k in (1, 2, 10, 100):
        photo(tmp_path / "BenchmarkIMAGES" / f"i{k}.jpg", 40, 30)
    photo(tmp_path / "BenchmarkIMAGES" / "SM" / "i1.jpg", 40, 30)
    photo(tmp_path / "__MACOSX" / "BenchmarkIMAGES" / "i7.jpg", 40, 30)
    for below in (".", "BenchmarkIMAGES"):
        data = open_dataset(f"mit300:{tmp_path / below}")
        assert [item.name for item in data.items] == ["i1", "i2", "i10", "i100"]
        assert data.gives == frozenset()
    with pytest.raises(UsageError, match="no fixations are known of image 'i1'"):
        data.fixations(0)
    (tmp_path / "BenchmarkIMAGES" / "none").mkdir()
    with pytest.raises(UsageError, match="expected BenchmarkIMAGES"):
        open_dataset(f"mit300:{tmp_path / 'BenchmarkIMAGES' / 'none'}")
