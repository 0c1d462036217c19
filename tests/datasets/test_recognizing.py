"""What a folder holds: every layout is recognised, what is not there is counted, and a plain folder is called so."""

from __future__ import annotations

import re

import numpy as np
import pytest
from PIL import Image
from trees import mask_pair, nus_tree, photo

from salbox.datasets import DATASETS, recognizing
from salbox.datasets.integrity import inspect
from salbox.datasets.known import KNOWN, REPACKED
from salbox.datasets.recognizing import Candidate, describe, recognize
from salbox.errors import UsageError

LAYOUTS = [(name, needs) for name, known in KNOWN.items() for needs in known.layouts if name in DATASETS]


def make(root, needs):
    """Create empty files and folders that a layout's patterns match."""
    for need in needs:
        path = root / re.sub(r"\[(.).*?\]", r"\1", need).replace("*", "x")
        if need.endswith("/"):
            path.mkdir(parents=True, exist_ok=True)
        else:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.touch()


def names(path):
    return [candidate.name for candidate in recognize(path)]


def test_every_dataset_can_be_recognised():
    assert set(DATASETS) <= set(KNOWN)
    assert all(known.layouts and all(known.layouts) for known in KNOWN.values())


@pytest.mark.parametrize(("name", "needs"), LAYOUTS, ids=lambda value: value if isinstance(value, str) else "")
def test_every_layout_is_recognised_with_and_without_a_folder_around_it(tmp_path, name, needs):
    root = tmp_path / "around" / "within"
    root.mkdir(parents=True)
    make(root, needs)
    assert Candidate(name, root) in recognize(root)
    assert name in names(root.parent)
    for candidate in recognize(root.parent):
        assert root.is_relative_to(candidate.root) or candidate.root.is_relative_to(root.parent)
    (root.parent / "__MACOSX").mkdir()
    (root.parent / ".svn").mkdir()
    assert name in names(root.parent)


def test_the_folder_around_is_found_from_within(tmp_path):
    mask_pair(tmp_path / "images", tmp_path / "ground_truth_mask", "a")
    assert recognize(tmp_path / "ground_truth_mask") == [Candidate("ecssd", tmp_path.resolve())]
    (tmp_path / "other").mkdir()
    assert recognize(tmp_path / "other") == []


def test_what_two_datasets_share_is_told_by_name_or_listed(tmp_path):
    make(tmp_path / "HKU-IS", REPACKED)
    make(tmp_path / "some", REPACKED)
    assert names(tmp_path / "HKU-IS") == ["hku-is"]
    assert "hku-is" in names(tmp_path / "some")


def test_a_folder_of_several_datasets(tmp_path):
    mask_pair(tmp_path / "ECSSD" / "images", tmp_path / "ECSSD" / "ground_truth_mask", "a")
    mask_pair(tmp_path / "own" / "images", tmp_path / "own" / "masks", "a")
    nus_tree(tmp_path / "OSIE", {"1003.jpg": [([5.0], [5.0])]}, (40, 30))
    assert [(c.name, c.root.name) for c in recognize(tmp_path)] == [
        ("ecssd", "ECSSD"),
        ("osie", "OSIE"),
        ("folder", "own"),
    ]


def test_a_plain_folder(tmp_path):
    for k in range(3):
        photo(tmp_path / "photos" / f"{k}.jpg", 40, 30)
        (tmp_path / "maps").mkdir(exist_ok=True)
        Image.fromarray(np.full((30, 40), 40 * k, np.uint8)).save(tmp_path / "maps" / f"{k}.png")
        (tmp_path / "arrays").mkdir(exist_ok=True)
        np.save(tmp_path / "arrays" / f"{k}.npy", np.zeros((3, 4)))
    (tmp_path / "texts").mkdir()
    (tmp_path / "texts" / "a.txt").touch()
    assert "a plain folder of 3 photos" in describe(tmp_path / "photos")
    assert "a plain folder of 3 grey pictures" in describe(tmp_path / "maps")
    assert "a folder of 3 arrays" in describe(tmp_path / "arrays")
    assert describe(tmp_path / "texts") == "neither a dataset that is known nor pictures (1 other files)"
    (tmp_path / "photos" / "0.jpg").write_bytes(b"no picture")
    assert "photos" in describe(tmp_path / "photos")
    for folder in ("photos", "maps", "texts"):
        assert recognize(tmp_path / folder) == []
    with pytest.raises(UsageError, match="no such folder"):
        recognize(tmp_path / "nowhere")


def test_photos_with_one_table_beside_them(tmp_path):
    (tmp_path / "images").mkdir()
    photo(tmp_path / "images" / "a.jpg", 20, 9)
    (tmp_path / "all.csv").write_text("image,x,y\na.jpg,1,2\n")
    said = describe(tmp_path)
    assert said.startswith("a plain folder of 1 photos without ground truth")
    assert said.endswith("put them into images/ and the truth into fixations/, maps/ or masks/ beside it")


def test_a_folder_that_lacks_a_part_of_a_layout(tmp_path):
    (tmp_path / "ground_truth_mask").mkdir()
    assert describe(tmp_path) == "it looks most like ecssd, but images/ is not there"
    (tmp_path / "ground_truth_mask").rmdir()
    (tmp_path / "images").mkdir()  # which nearly every layout has
    assert "neither" in describe(tmp_path)


def test_a_large_plain_folder_is_not_counted_to_its_end(tmp_path, monkeypatch):
    monkeypatch.setattr(recognizing, "MAX_FILES", 4)
    for k in range(7):
        photo(tmp_path / f"{k}.jpg", 8, 6)
    assert "a plain folder of 4 or more photos" in describe(tmp_path)


def test_what_is_there_against_what_was_published(tmp_path):
    for part, count in (("TR", 20), ("TE", 3)):
        folder = tmp_path / f"DUTS-{part}"
        for k in range(count):
            mask_pair(folder / f"DUTS-{part}-Image", folder / f"DUTS-{part}-Mask", f"n0153282{k % 10}_{k}")
    photo(tmp_path / "DUTS-TE" / "DUTS-TE-Image" / "stray.jpg", 40, 30)
    holding = inspect("duts", tmp_path)
    assert holding.splits["train"] + holding.splits["held-out"] == 20
    assert (holding.splits["test"], holding.splits["all"]) == (3, 23)
    assert [str(part) for part in holding.parts] == ["20 of 10553 present", "3 of 5019 present"]
    assert holding.gives == ("mask",)
    assert holding.notes == ("DUTS-TE: 1 photos without a mask skipped, stray the first",)
    assert holding.truth is None
    assert inspect("duts", tmp_path / "DUTS-TE").splits == {"test": 3, "all": 3}


def test_pictures_that_belong_to_no_image_are_counted(tmp_path):
    tree = nus_tree(tmp_path, {"1003.jpg": [([5.0], [5.0])]}, (40, 30))
    photo(tree / "data" / "stimuli" / "extra.jpg", 40, 30)
    assert inspect("osie", tree).unused == 1


def test_reading_everything_names_what_is_broken(tmp_path):
    tree = nus_tree(tmp_path, {f"{k:03}.jpg": [([5.0, 2000.0], [5.0, 5.0])] for k in (1, 2)}, (40, 30))
    holding = inspect("eyecrowd", tree, read_all=True)
    assert holding.truth is not None
    assert holding.truth.fixations == 2  # one of each lies outside
    assert holding.truth.broken == ()
    (tree / "data" / "stimuli" / "002.jpg").write_bytes(b"no picture")
    holding = inspect("eyecrowd", tree, read_all=True)
    assert len(holding.truth.broken) == 1
    assert "002.jpg" in holding.truth.broken[0]


def test_a_layout_that_cannot_be_opened_says_why(tmp_path):
    make(tmp_path, ("stimuli/1001.jpg", "eye/fixations.mat"))
    holding = inspect("osie", tmp_path)
    assert "fixations.mat" in holding.error
    assert holding.splits == {}


def test_the_data_at_hand(shared):
    data = shared / "data"
    found = {(c.name, c.root.name) for c in recognize(data)}
    assert {
        ("duts", "data"),
        ("duts-wordnet", "data"),
        ("ecssd", "ECSSD"),
        ("osie", "OSIE"),
        ("eyecrowd", "EyeCrowd"),
        ("mit1003", "MIT1003"),
        ("eyecrowd-faces", "EyeCrowd"),
        ("coco-semantic", "coco-semantic"),
        ("folder", "fixation-density-224"),
    } == found
    assert [str(part) for part in inspect("ecssd", data / "ECSSD").parts] == ["120 of 1000 present"]
    assert [str(part) for part in inspect("duts", data).parts] == ["3600 of 10553 present", "200 of 5019 present"]
