"""MIT1003: from the list of fixations, from pictures of them, from raw gaze by salbox's own rule."""

from __future__ import annotations

import hashlib

import numpy as np
import pytest
from PIL import Image
from trees import cell, eye_data, marked, mat, nus_tree, photo

from salbox.datasets import open_dataset
from salbox.datasets._gaze import find_fixations
from salbox.errors import UsageError

NAME = "i05june05_static_street_boston_p1010764"
SIZE = (1024, 768)
SPLITS = {"train": range(4, 9), "validation": [9], "held-out": range(4)}


@pytest.fixture
def tree(tmp_path):
    photo(tmp_path / "ALLSTIMULI" / f"{NAME}.jpeg", *SIZE)
    return tmp_path


def listed(tree, people):
    structs = [
        {"fix_x": np.array([x], float), "fix_y": np.array([y], float), "fix_duration": np.full((1, len(x)), 200)}
        for x, y in people
    ]
    return mat(tree / "fixations.mat", {"fixations": cell([{"img": f"{NAME}.jpeg", "subjects": cell(structs)}])})


def raw(tree, person, stays, name=NAME):
    held = {name[:63]: {"DATA": {"eyeData": eye_data(stays)}}}
    return mat(tree / "DATA" / person / f"{name}.mat", held)


def test_the_list_of_fixations_counts_from_1_and_keeps_order_and_durations(tree):
    listed(tree, [([1, 1024], [1, 768]), ([512.5, 2000], [384.5, 3])])
    data = open_dataset(f"mit1003:{tree}")
    fixations = data.fixations(0)
    assert fixations.x.tolist() == [0, 1023, 511.5]
    assert fixations.y.tolist() == [0, 767, 383.5]
    assert fixations.subject.tolist() == [0, 0, 1]
    assert fixations.order.tolist() == [0, 1, 0]
    assert fixations.duration.tolist() == [200, 200, 200]
    assert data.notes == ("fixations from fixations.mat",)
    assert data.sigma(0) == 35


@pytest.mark.parametrize(("width", "height"), [(512, 384), (384, 512)])
def test_positions_and_sigma_follow_the_longest_side(tmp_path, width, height):
    photo(tmp_path / "ALLSTIMULI" / f"{NAME}.jpeg", width, height)
    listed(tmp_path, [([1, 2 * width], [1, 2 * height])])
    data = open_dataset(f"mit1003:{tmp_path}")
    rows, columns = data.fixations(0).pixels((height, width))
    assert (rows.tolist(), columns.tolist()) == ([0, height - 1], [0, width - 1])
    assert data.sigma(0) == 17.5


def test_pictures_of_the_fixated_pixels_survive_jpeg(tree):
    folder = tree / "ALLFIXATIONMAPS"
    folder.mkdir()
    places = [(0, 0), (1023, 767), (100, 50)]
    picture = Image.fromarray(marked(places, SIZE, 255))
    picture.save(folder / f"{NAME}_fixPts.jpg", quality=95)
    picture.save(folder / f"{NAME}fixPts.jpg", quality=95)  # published twice, once without the line
    Image.new("L", SIZE, 7).save(folder / f"{NAME}_fixMap.jpg")
    data = open_dataset(f"mit1003:{tree}")
    fixations = data.fixations(0)
    assert set(zip(fixations.x.tolist(), fixations.y.tolist(), strict=True)) == set(places)
    assert data.density(0).max() == 7
    assert data.notes == ("fixations from *_fixPts",)


def test_raw_gaze_by_the_stated_rule(tree):
    # At the centre, where all begin; at the top left; too short; blinks; at the bottom right.
    raw(tree, "ajs", [(512, 384, 48), (3, 3, 60), (700, 100, 20), (-32000, -32000, 30), (1020, 760, 36)])
    raw(tree, "CNG", [(512, 384, 48), (100, 200, 24)])
    photo(tree / "DATA" / ".svn" / "x.jpg", 8, 8)
    data = open_dataset(f"mit1003:{tree}")
    fixations = data.fixations(0)
    assert fixations.subject.tolist() == [0, 1, 1]
    np.testing.assert_allclose(fixations.x, [100, 3, 1020], atol=1)
    np.testing.assert_allclose(fixations.y, [200, 3, 760], atol=1)
    assert fixations.order.tolist() == [1, 1, 2]
    assert fixations.duration.tolist() == [100, 250, 150]
    assert data.notes == ("fixations from the raw gaze",)


def test_the_rule_for_raw_gaze():
    def found(stays, wide=2.0):
        places, durations = find_fixations(eye_data(stays, wide)[:, :2], 240, 35)
        return [(round(x), round(y), ms) for (x, y), ms in zip(places.tolist(), durations.tolist(), strict=True)]

    assert found([(50, 60, 24)]) == [(50, 60, 100)]
    assert found([(50, 60, 23)]) == []  # shorter than 100 ms
    assert found([(50, 60, 48), (90, 60, 48)], wide=0.1) == [
        (50, 60, 200),
        (90, 60, 200),
    ]  # 40 pixels are over 1 degree
    assert len(found([(50, 60, 48), (80, 60, 48)], wide=0.1)) == 1
    assert found([(50, 60, 30), (np.nan, 60, 1), (50, 60, 30)], wide=0.1) == [(50, 60, 125), (50, 60, 125)]
    assert find_fixations(np.zeros((0, 2)), 240, 35)[0].shape == (0, 2)


def test_a_name_longer_than_matlab_takes(tree):
    name = "i" + 70 * "x"
    photo(tree / "ALLSTIMULI" / f"{name}.jpeg", *SIZE)
    raw(tree, "ajs", [(512, 384, 48), (3, 3, 60)], name)
    data = open_dataset(f"mit1003:{tree}")
    assert [item.name for item in data.items] == [name]
    assert len(data.fixations(0)) == 1
    assert data.notes[1] == f"1 images without entries of the raw gaze skipped, {NAME} the first"


@pytest.mark.parametrize(("size", "scale"), [((1024, 768), 1), ((384, 512), 0.5)])
def test_the_copy_in_osies_layout(tmp_path, size, scale):
    width, height = (round(side / scale) for side in size)
    looked = {f"{NAME}.jpg": [([1, width, width + 1], [1, height, 1]), ([502, 901], [449, 101])]}
    data = open_dataset(f"mit1003:{nus_tree(tmp_path, looked, size)}")
    fixations = data.fixations(0)
    np.testing.assert_array_equal(fixations.x, np.array([0, width - 1, 501, 900])[: len(fixations)] * scale)
    np.testing.assert_array_equal(fixations.y, np.array([0, height - 1, 448, 100])[: len(fixations)] * scale)
    assert data.outside(0) == (1 if width > 901 else 2)
    assert data.sigma(0) == 35 * scale
    assert data.notes[0] == "fixations from eye/fixations.mat"


def test_splits_are_by_a_hash_of_the_name(tmp_path):
    names = [f"i{number}" for number in range(1000, 1030)]
    nus_tree(tmp_path, {f"{name}.jpg": [([5], [5])] for name in names}, (32, 24))
    parts = {split: {item.name for item in open_dataset(f"mit1003:{tmp_path}", split).items} for split in SPLITS}
    for split, remainders in SPLITS.items():
        hashes = {name: int(hashlib.sha1(f"{name}.jpg".encode()).hexdigest(), 16) % 10 for name in names}
        assert parts[split] == {name for name in names if hashes[name] in remainders}
    # The archives' files are called .jpeg, and a photo is of the same part.
    jpeg = tmp_path / "jpeg"
    photo(jpeg / "ALLSTIMULI" / f"{NAME}.jpeg", *SIZE)
    listed(jpeg, [([1], [1])])
    mine = int(hashlib.sha1(f"{NAME}.jpg".encode()).hexdigest(), 16) % 10
    split = next(split for split, remainders in SPLITS.items() if mine in remainders)
    assert len(open_dataset(f"mit1003:{jpeg}", split)) == 1


def test_the_part_at_hand(shared):
    folder = shared / "data" / "MIT1003"
    if not folder.is_dir():
        pytest.skip("MIT1003 is not beside this checkout")
    numbers = {split: len(open_dataset(f"mit1003:{folder}", split)) for split in ("test", "train", "validation")}
    assert numbers == {"test": 610, "train": 521, "validation": 89}
    data = open_dataset(f"mit1003:{folder}", "validation")
    outside = sum(data.outside(index) for index in range(len(data)))
    total = outside + sum(len(data.fixations(index)) for index in range(len(data)))
    assert outside <= 0.0005 * total
    assert len(data.notes) == 2  # from which file, and that the photos are smaller than published


def test_entries_without_a_stimulus_are_counted(tree):
    raw(tree, "ajs", [(512, 384, 48)])
    raw(tree, "ajs", [(512, 384, 48)], "other")
    assert open_dataset(f"mit1003:{tree}").notes[1].startswith("1 of 2 entries of the raw gaze present as images")


@pytest.mark.parametrize(
    ("held", "message"),
    [
        ({"other": 1.0}, f"expected the variable {NAME}, the file holds other"),
        ({NAME: 1.0}, "element 1 is not a struct"),
        ({NAME: {"DATA": 1.0}}, "element 1 is not a struct"),
        ({NAME: {"TADA": 1.0}}, "no field 'DATA'"),
        ({NAME: {"DATA": {"eyeData": "text"}}}, "'eyeData' is not a table of 2 columns"),
        ({NAME: {"DATA": {"eyeData": np.ones((5, 1))}}}, "'eyeData' is not a table of 2 columns"),
        ({NAME: np.zeros((0, 0))}, "no recording in it"),
    ],
)
def test_malformed_raw_gaze_is_one_line(tree, held, message):
    path = mat(tree / "DATA" / "ajs" / f"{NAME}.mat", held)
    with pytest.raises(UsageError, match=message) as caught:
        open_dataset(f"mit1003:{tree}").fixations(0)
    assert str(path) in str(caught.value)


def test_truncated_files_are_one_line(tree):
    path = raw(tree, "ajs", [(512, 384, 48)])
    path.write_bytes(path.read_bytes()[:150])
    with pytest.raises(UsageError, match="damaged MATLAB file"):
        open_dataset(f"mit1003:{tree}").fixations(0)
    path = listed(tree, [([1], [1])])
    path.write_bytes(path.read_bytes()[:150])
    with pytest.raises(UsageError, match=r"fixations\.mat: damaged MATLAB file"):
        open_dataset(f"mit1003:{tree}")


def test_what_is_expected(tree):
    with pytest.raises(UsageError, match=r"expected fixations\.mat, ALLFIXATIONMAPS or DATA beside ALLSTIMULI"):
        open_dataset(f"mit1003:{tree}")
    with pytest.raises(UsageError, match="expected ALLSTIMULI there"):
        open_dataset(f"mit1003:{tree / 'ALLSTIMULI'}")
