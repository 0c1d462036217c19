"""FIGRIM and iSUN: one file of all fixations, a struct an image, decoded when it is asked for."""

from __future__ import annotations

import numpy as np
import pytest
from trees import figrim_entry, gaze, isun_tree, mat, photo, struct_array

from salbox.datasets import open_dataset
from salbox.errors import UsageError

NOBODY = {}
PEOPLE = [
    {"enc": [(0.3, 0.4), (999.9, 999.5)], "rec": [(500, 250)]},
    NOBODY,
    {"enc": [(-3, 5), (10, 20)], "rec2": [(30, 40)]},
]


@pytest.fixture
def figrim(tmp_path):
    entries = [figrim_entry("sun_b.jpg", PEOPLE), figrim_entry("sun_a.jpg", [NOBODY, {"enc": [(7, 8)]}, NOBODY])]
    for category, name in (("airport", "sun_b"), ("castle", "sun_a")):
        photo(tmp_path / "Targets" / category / f"{name}.jpg", 100, 100)
    mat(tmp_path / "targetData" / "allImages_release.mat", {"allImages": struct_array(entries)})
    return tmp_path


def test_figrim(figrim):
    data = open_dataset(f"figrim:{figrim}")
    assert [(item.name, item.category) for item in data.items] == [
        ("Targets/airport/sun_b", "airport"),
        ("Targets/castle/sun_a", "castle"),
    ]
    fixations = data.fixations(0)
    rows, columns = fixations.pixels((100, 100))
    assert (rows.tolist(), columns.tolist()) == ([0, 99, 25, 2, 4], [0, 99, 50, 1, 3])
    assert fixations.subject.tolist() == [0, 0, 0, 2, 2]
    assert fixations.order.tolist() == [0, 1, 0, 1, 0]  # anew each time; the first of the third person lay outside
    assert data.fixations(1).subject.tolist() == [1]
    assert data.sigma(0) == 3.3
    assert data.notes[:-1] == ()


def test_figrim_fillers_beside_targets(figrim):
    photo(figrim / "Fillers" / "castle" / "sun_c.jpg", 1000, 1000)
    entries = struct_array([figrim_entry("sun_c.jpg", PEOPLE), figrim_entry("sun_d.jpg", PEOPLE)])
    mat(figrim / "fillerData" / "allImages_fillers.mat", {"allImages": entries})
    assert [len(open_dataset(f"figrim:{figrim}", split)) for split in ("targets", "fillers", "all")] == [2, 1, 3]
    fillers = open_dataset(f"figrim:{figrim}", "fillers")
    assert fillers.fixations(0).x.tolist() == [0.3, 999.9, 500, 10, 30]
    assert fillers.notes == ("fillers: 1 of 2 entries of allImages_fillers.mat present as images, the others skipped",)


@pytest.mark.parametrize(
    ("held", "message"),
    [
        ({"other": 1.0}, "expected the variable allImages, the file holds other"),
        ({"allImages": 1.0}, "element 1 is not a struct"),
        ({"allImages": struct_array([{"name": "sun_a.jpg"}])}, "no field 'filename'"),
        ({"allImages": np.zeros((0, 0))}, "none of the 0 entries"),
    ],
)
def test_a_malformed_figrim_is_one_line(figrim, held, message):
    mat(figrim / "targetData" / "allImages_release.mat", held)
    with pytest.raises(UsageError, match=message):
        open_dataset(f"figrim:{figrim}")


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"userdata": 1.0}, "element 1 is not a struct"),
        ({"userdata": struct_array([{"trial": 1.0}])}, "no field 'fixations'"),
        ({"userdata": struct_array([{"fixations": {"enc": "text"}}])}, "'enc' is not a table"),
        ({"userdata": struct_array([{"fixations": {"enc": np.ones((3, 1))}}])}, "'enc' is not a table"),
    ],
)
def test_a_malformed_entry_of_figrim_leaves_the_others_readable(figrim, changed, message):
    entries = [{**figrim_entry("sun_b.jpg", PEOPLE), **changed}, figrim_entry("sun_a.jpg", PEOPLE)]
    mat(figrim / "targetData" / "allImages_release.mat", {"allImages": struct_array(entries)})
    data = open_dataset(f"figrim:{figrim}")
    with pytest.raises(UsageError, match=message):
        data.fixations(0)
    assert len(data.fixations(1)) == 5


def test_what_figrim_expects(figrim):
    with pytest.raises(UsageError, match=r"expected Fillers with allImages_fillers\.mat there for split 'fillers'"):
        open_dataset(f"figrim:{figrim}", "fillers")
    path = figrim / "targetData" / "allImages_release.mat"
    path.write_bytes(path.read_bytes()[:400])
    with pytest.raises(UsageError, match="damaged MATLAB file"):
        open_dataset(f"figrim:{figrim}")
    path.unlink()
    with pytest.raises(UsageError, match=r"expected Targets with allImages_release\.mat or Fillers"):
        open_dataset(f"figrim:{figrim}")


def test_isun(tmp_path):
    isun_tree(tmp_path, "training", {"sun_a": [[(1, 1)]]})
    isun_tree(tmp_path, "validation", {"sun_b": [[(1, 1), (64, 48)], [], [(9, 5)]], "sun_c": [[(2, 2)]]})
    data = open_dataset(f"isun:{tmp_path}")
    assert (data.split, [item.name for item in data.items]) == ("val", ["sun_b", "sun_c"])
    fixations = data.fixations(0)
    assert fixations.x.tolist() == [0, 63, 8]
    assert fixations.y.tolist() == [0, 47, 4]
    assert fixations.subject.tolist() == [0, 0, 2]
    assert fixations.order.tolist() == [0, 1, 0]
    assert (data.notes, len(open_dataset(f"isun:{tmp_path}", "all"))) == ((), 3)


def test_isun_at_another_size_and_without_stimuli(tmp_path):
    isun_tree(tmp_path, "training", {"sun_a": [[(1, 1), (64, 48)]], "sun_b": [[(1, 1)]]})
    photo(tmp_path / "images" / "sun_a.jpg", 32, 24)
    (tmp_path / "images" / "sun_b.jpg").unlink()
    data = open_dataset(f"isun:{tmp_path}", "train")
    rows, columns = data.fixations(0).pixels((24, 32))
    assert (rows.tolist(), columns.tolist()) == ([0, 23], [0, 31])
    assert data.notes == ("1 of 2 entries of training.mat present as images, the others skipped",)


def test_isun_tests_have_no_fixations(tmp_path):
    photo(tmp_path / "images" / "sun_a.jpg", 64, 48)
    mat(tmp_path / "testing.mat", {"testing": struct_array([{"image": "sun_a"}])})
    data = open_dataset(f"isun:{tmp_path}", "test")
    assert (len(data), data.gives) == (1, frozenset())
    with pytest.raises(UsageError, match=r"expected images/ and validation\.mat there for split 'val'"):
        open_dataset(f"isun:{tmp_path}")


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"gaze": 1.0}, "element 1 is not a struct"),
        ({"gaze": struct_array([{"places": 1.0}])}, "no field 'fixation'"),
        ({"gaze": struct_array([{"fixation": "text"}])}, "'fixation' is not a table of 2 columns"),
        ({"resolution": np.array([[0.0, 5.0]])}, "resolution: expected a height and a width"),
        ({"resolution": "text"}, "resolution: expected a height and a width"),
    ],
)
def test_a_malformed_entry_of_isun_is_one_line(tmp_path, changed, message):
    photo(tmp_path / "images" / "sun_a.jpg", 64, 48)
    entry = {"image": "sun_a", "resolution": np.array([[48, 64]]), "gaze": gaze([[(1, 1)]])["gaze"], **changed}
    mat(tmp_path / "validation.mat", {"validation": struct_array([entry])})
    with pytest.raises(UsageError, match=message):
        open_dataset(f"isun:{tmp_path}").fixations(0)
