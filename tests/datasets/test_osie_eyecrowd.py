"""OSIE and EyeCrowd: positions come out where they belong, and what is missing or malformed is named."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.io import savemat
from trees import cell, nus_tree, photo

from salbox.datasets import dataset_card, open_dataset
from salbox.errors import UsageError


def test_the_top_left_pixel_comes_out_at_0_0_and_observers_are_told_apart(tmp_path):
    entries = {"1003.jpg": [([1.0, 800.0], [1.0, 600.0]), ([], []), ([400.5], [300.5])]}
    data = open_dataset(f"osie:{nus_tree(tmp_path, entries, (800, 600))}", "all")
    fixations = data.fixations(0)
    np.testing.assert_array_equal(fixations.x, [0, 799, 399.5])
    np.testing.assert_array_equal(fixations.y, [0, 599, 299.5])
    np.testing.assert_array_equal(fixations.subject, [0, 0, 2])
    rows, columns = fixations.pixels(data.shape(0))
    assert (rows[0], columns[0]) == (0, 0)
    assert (rows[1], columns[1]) == (599, 799)


@pytest.mark.parametrize(
    ("name", "image", "recorded"), [("osie", "1001", (800, 600)), ("eyecrowd", "001", (1024, 768))]
)
def test_positions_and_sigma_follow_the_size_of_the_image_at_hand(tmp_path, name, image, recorded):
    width, height = recorded
    entries = {f"{image}.jpg": [([1.0, width / 2 + 1, width], [1.0, height / 2 + 1, height])]}
    tree = nus_tree(tmp_path, entries, (width // 2, height // 2))
    data = open_dataset(f"{name}:{tree}", "all")
    rows, columns = data.fixations(0).pixels((height // 2, width // 2))
    np.testing.assert_array_equal(columns, [0, width // 4, width // 2 - 1])
    np.testing.assert_array_equal(rows, [0, height // 4, height // 2 - 1])
    assert data.sigma(0) == dataset_card(name).sigma / 2 == 12


def test_fixations_outside_the_stimulus_are_left_out(tmp_path):
    entries = {"1003.jpg": [([0.5, 400.0, 801.0], [300.0, 300.0, 300.0])]}
    data = open_dataset(f"osie:{nus_tree(tmp_path, entries, (800, 600))}", "all")
    np.testing.assert_array_equal(data.fixations(0).x, [399])


def test_entries_without_a_stimulus_are_skipped_and_counted(tmp_path):
    entries = {f"{k:03}.jpg": [([5.0], [5.0])] for k in range(1, 5)}
    tree = nus_tree(tmp_path, entries, (64, 48), absent=["002.jpg", "004.jpg"])
    data = open_dataset(f"eyecrowd:{tree}", "all")
    assert [item.name for item in data.items] == ["001", "003"]
    assert data.notes[:-1] == ("2 of 4 entries of eye/fixations.mat present as images, the others skipped",)


def test_an_error_when_no_stimulus_is_left(tmp_path):
    tree = nus_tree(tmp_path, {"001.jpg": [([5.0], [5.0])]}, (64, 48), absent=["001.jpg"])
    photo(tree / "data" / "stimuli" / "other.jpg", 64, 48)
    with pytest.raises(UsageError, match=r"none of the 1 images that eye/fixations\.mat names is in"):
        open_dataset(f"eyecrowd:{tree}")


def test_splits(tmp_path):
    names = ["1001.jpg", "1003.jpg", "1007.jpg", "1011.jpg"]
    tree = nus_tree(tmp_path, {n: [([5.0], [5.0])] for n in names}, (80, 60))

    def split(which):
        return [item.name for item in open_dataset(f"osie:{tree}", which).items]

    assert split("test") == split(None) == ["1003", "1007"]
    assert split("train") == ["1001", "1011"]
    assert split("all") == ["1001", "1003", "1007", "1011"]
    crowd = nus_tree(tmp_path / "crowd", {n: [([5.0], [5.0])] for n in ("001.jpg", "003.jpg")}, (80, 60))
    assert [item.name for item in open_dataset(f"eyecrowd:{crowd}", "test").items] == ["001"]


def test_the_folder_data_itself_and_the_home_folder_work_too(tmp_path, monkeypatch):
    nus_tree(tmp_path / "OSIE", {"1003.jpg": [([5.0], [5.0])]}, (80, 60))
    monkeypatch.setenv("HOME", str(tmp_path))
    assert len(open_dataset("osie:~/OSIE")) == len(open_dataset("osie:~/OSIE/data")) == 1


@pytest.mark.parametrize(
    ("spec", "split", "message"),
    [
        ("osei:x", None, "no dataset 'osei'; did you mean 'osie'"),
        ("osie", None, "expected osie:PATH, where PATH holds data/stimuli"),
        ("osie:nowhere", None, "osie:nowhere: no such folder; expected one that holds stimuli and eye/fixations.mat"),
        ("osie:.", None, "expected stimuli and eye/fixations.mat in data"),
        ("osie:.", "tset", "no split 'tset'; did you mean 'test'.*train, test, all"),
    ],
)
def test_what_was_expected_and_where(spec, split, message, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(UsageError, match=message):
        open_dataset(spec, split)


def test_order_and_durations_are_kept(tmp_path):
    tree = nus_tree(tmp_path, {"1003.jpg": [([5.0, 7.0], [5.0, 9.0]), ([1.0], [1.0])]}, (800, 600))
    fixations = open_dataset(f"osie:{tree}").fixations(0)
    assert fixations.order.tolist() == [0, 1, 0]
    assert fixations.duration.tolist() == [200, 200, 200]


def test_durations_that_are_not_of_every_fixation_are_left_out(tmp_path):
    tree = nus_tree(tmp_path, {"1003.jpg": [([5.0], [5.0])]}, (80, 60))
    savemat(tree / "data" / "eye" / "fixations.mat", {"fixations": cell([struct(fix_duration=np.zeros((1, 3)))])})
    assert open_dataset(f"osie:{tree}").fixations(0).duration is None


def struct(**changes):
    looked = {"fix_x": np.array([[5.0]]), "fix_y": np.array([[5.0]]), "fix_duration": np.array([[200]])}
    looked.update({k: v for k, v in changes.items() if k in looked})
    entry = {"img": "1003.jpg", "subjects": cell([looked])}
    return {**entry, **{k: v for k, v in changes.items() if k in entry}}


@pytest.mark.parametrize(
    ("held", "message"),
    [
        ({"other": 1.0}, "expected the variable fixations, the file holds other"),
        ({"fixations": np.zeros((3, 1))}, "element 1 is not a struct"),
        ({"fixations": cell([{"name": "1003.jpg"}])}, "no field 'img'"),
        ({"fixations": cell([struct(img=np.zeros((2, 2)))])}, "'img' is not a text"),
        ({"fixations": cell([struct(fix_x=np.zeros((2, 2)))])}, "'fix_x' is not a vector"),
        ({"fixations": cell([struct(fix_x="many")])}, "'fix_x' is not a vector"),
        ({"fixations": cell([struct(fix_y=np.array([[1.0, 2.0]]))])}, "observer 1 has 1 fix_x and 2 fix_y"),
        ({"fixations": cell([struct(fix_x=np.array([[np.nan]]))])}, "not a finite number"),
        ({"fixations": cell([struct(subjects="nobody")])}, "element 1 is not a struct"),
    ],
)
def test_a_malformed_mat_is_one_line_that_names_file_and_place(tmp_path, held, message):
    tree = nus_tree(tmp_path, {"1003.jpg": [([5.0], [5.0])]}, (80, 60))
    savemat(tree / "data" / "eye" / "fixations.mat", held)
    with pytest.raises(UsageError, match=message) as caught:
        open_dataset(f"osie:{tree}")
    assert "fixations.mat" in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("cut", [0, 60, 127, 128, 140, 300])
def test_a_broken_mat_is_one_line(tmp_path, cut):
    tree = nus_tree(tmp_path, {"1003.jpg": [([5.0], [5.0])]}, (80, 60))
    path = tree / "data" / "eye" / "fixations.mat"
    path.write_bytes(path.read_bytes()[:cut])
    with pytest.raises(UsageError, match=r"fixations\.mat"):
        open_dataset(f"osie:{tree}")


@pytest.mark.slow
def test_the_published_data(shared):
    osie = open_dataset(f"osie:{shared / 'data' / 'OSIE'}", "all")
    assert (len(osie), len(open_dataset(f"osie:{shared / 'data' / 'OSIE'}"))) == (700, 140)
    assert sum(len(osie.fixations(i)) for i in range(700)) == 98_321
    assert {len(osie.fixations(i).subjects) for i in range(700)} == {15}
    crowd = open_dataset(f"eyecrowd:{shared / 'data' / 'EyeCrowd'}", "all")
    assert (len(crowd), len(open_dataset(f"eyecrowd:{shared / 'data' / 'EyeCrowd'}"))) == (250, 50)
    assert crowd.notes[0].startswith("250 of 500 ")
    assert crowd.shape(0) == (384, 512)
    assert all(len(crowd.fixations(i)) > 50 for i in range(250))
