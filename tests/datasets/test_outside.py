"""Fixations outside their image are counted: more than a few are noted, more than a tenth refused."""

from __future__ import annotations

import pickle

import numpy as np
import pytest
from trees import nus_tree, photo

from salbox.datasets import Fixations, open_dataset
from salbox.datasets.integrity import inspect
from salbox.datasets.outside import outside_note
from salbox.errors import UsageError
from salbox.evaluation import evaluate


def folder(root, inside, outside):
    """Write two photos of 40x30 with as many fixations, in all, on them and beside them."""
    rng = np.random.default_rng(0)
    (root / "fixations").mkdir()
    for number, part in enumerate(np.array_split(np.arange(inside + outside), 2)):
        photo(root / "images" / f"{number}.png", 40, 30, seed=number)
        places = rng.integers(0, 30, (len(part), 2)) + np.where(part < outside, 50, 0)[:, None]
        np.save(root / "fixations" / f"{number}.npy", places)
    return root


@pytest.mark.parametrize(("inside", "outside", "expected"), [(98, 2, ""), (97, 3, "3 of 100 fixations (3 %) lie")])
def test_a_few_are_noted_under_the_table(tmp_path, inside, outside, expected):
    data = open_dataset(f"folder:{folder(tmp_path, inside, outside)}")
    table = evaluate(data, ["gaussian"], ["nss"], folder=tmp_path / "kept")
    notes = table.to_dict()["notes"]
    assert len(notes) == bool(expected)
    assert all(note.startswith(expected) for note in notes)
    assert data.notes == ()  # a second measurement begins anew
    assert inspect("folder", tmp_path).notes == tuple(notes)


def test_more_than_a_tenth_are_an_error_unless_told_otherwise(tmp_path):
    spec = f"folder:{folder(tmp_path, 80, 20)}"
    with pytest.raises(UsageError, match=r"20 of 100 fixations \(20 %\) lie outside .* --allow-outside"):
        evaluate(spec, ["gaussian"], ["nss"], folder=tmp_path / "kept")
    allowed = open_dataset(spec, allow_outside=True)
    table = evaluate(allowed.subset([0, 1], "x"), ["gaussian"], ["nss"], folder=tmp_path / "kept")
    assert table.notes[-1].startswith("20 of 100 fixations (20 %) lie outside")
    assert pickle.loads(pickle.dumps(allowed)).allow_outside
    assert "20 of 100" in inspect("folder", tmp_path, read_all=True).notes[0]


def test_all_outside_says_so(tmp_path):
    with pytest.raises(UsageError, match=r"20 of 20 fixations \(100 %\) lie outside"):
        evaluate(f"folder:{folder(tmp_path, 0, 20)}", ["gaussian"], ["nss"], folder=tmp_path / "kept")


def test_positions_of_another_screen_are_outside(tmp_path):
    # As if OSIE's files had positions of 1024x768: the image is 800x600, whatever its size here.
    entries = {f"10{k}3.jpg": [([100.0, 900.0, 1000.0], [100.0, 300.0, 700.0])] for k in range(3)}
    data = open_dataset(f"osie:{nus_tree(tmp_path, entries, (80, 60))}")
    assert [data.outside(index) for index in range(3)] == [2, 2, 2]
    assert outside_note(data, refused=False).startswith("6 of 9 fixations (67 %)")
    assert "6 of 9" in inspect("osie", tmp_path).notes[-1]


@pytest.mark.parametrize("new", [(30, 40), (333, 101), (1, 1)])
def test_what_lies_outside_stays_outside_when_resized(new):
    old = (683, 1023)
    places = Fixations([1023, -1e-12, 5, 1022.9999999], [5, 5, 683, 682.9999999])
    resized = places.resized(old, new)
    inside = [True] * 4
    for k in range(4):
        inside[k] = len(resized[np.array([k])].inside(new)) == 1
    assert inside == [False, False, False, True]
