"""Tables of fixations: positions and observers by the names of columns, and what is neither is refused."""

from __future__ import annotations

import numpy as np
import pytest

from salbox.datasets import read_fixations
from salbox.errors import UsageError

SHAPE = (100, 200)


def read(tmp_path, text, name="a.csv"):
    (tmp_path / name).write_text(text)
    return read_fixations(tmp_path / name, SHAPE)


@pytest.mark.parametrize(
    ("text", "observers"),
    [
        ("x,y\n10,20\n30,40\n", [0, 0]),
        ("y,x\n20,10\n40,30\n", [0, 0]),
        (",x,y\n0,10,20\n1,30,40\n", [0, 0]),  # as pandas writes its index
        ("subject,x,y\n7,10,20\n8,30,40\n", [7, 8]),
        ("x,y,Observer ID\n10,20,7\n30,40,8\n", [7, 8]),
        ("timestamp,x,y,pupil\n0.01,10,20,\n0.02,30,40,3.1\n", [0, 0]),
        ("x,y,duration\n10,20,0.35\n30,40,0.21\n", [0, 0]),
        ("x,y,x_deg,y_deg\n10,20,1,2\n30,40,3,4\n", [0, 0]),
        ("row;col\n20;10\n40;30\n", [0, 0]),
        ("FixX\tFixY\n10\t20\n30\t40\n", [0, 0]),
        ("CURRENT_FIX_X,CURRENT_FIX_Y\n10,20\n30,40\n", [0, 0]),
        ("image,x,y\na.jpg,10,20\na.jpg,30,40\n", [0, 0]),
        ("10 20\n30 40\n", [0, 0]),
        ("10\t20\t7\n30\t40\t8\n", [7, 8]),
    ],
)
def test_columns_by_name(tmp_path, text, observers):
    fixations = read(tmp_path, text)
    assert (fixations.x.tolist(), fixations.y.tolist()) == ([10, 30], [20, 40])
    assert fixations.subject.tolist() == observers


@pytest.mark.parametrize("text", ["10 20\n", "10\t20\n", "10;20\n", '"10","20"\n', "10,20"])
def test_one_fixation_is_one(tmp_path, text):
    assert read(tmp_path, text).x.tolist() == [10]


def test_what_numpy_saves(tmp_path):
    np.savetxt(tmp_path / "a.txt", [[10.0, 20.0]])
    assert read_fixations(tmp_path / "a.txt", SHAPE).y.tolist() == [20]
    np.savetxt(tmp_path / "a.txt", [[20.0, 10.0]], header="y x")
    assert read_fixations(tmp_path / "a.txt", SHAPE).y.tolist() == [20]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("timestamp,pupil\n1,2\n", "the columns are 'timestamp', 'pupil'; expected x and y"),
        ("x_deg,y_deg\n1,2\n", "the columns are 'x_deg', 'y_deg'; expected x and y"),
        ("x,y,x,y\n1,2,3,4\n", "which of the columns 'x' and 'x' is the x"),
        ("gaze_x,fix_x,y\n1,2,3\n", "which of the columns 'gaze_x' and 'fix_x' is the x"),
        ("image,x,y\na.jpg,1,2\nb.jpg,1,2\n", "fixations of 2 images .'a.jpg', 'b.jpg'.; expected a file for each"),
        ("0,10,20,3\n", "4 columns of numbers without names"),
        ("10\n", "1 column of numbers without names"),
        ("0,10,20\n1,30,40\n2,5,6\n3,7,7\n4,1,1\n", "the first column counts the rows"),
        ("x,y\nnan,nan\n1,2\n", "1 of 2 rows have no position .NaN"),
        ("x,y\n,\n1,2\n", "1 of 2 rows have no position"),
        ("x,y\n.,.\n1,2\n", "1 of 2 rows have no position"),
        ("x,y\ninf,1\n", "1 of 1 rows have no position"),
        ("x,y\n1,left\n", "row 1: 'left' is no number"),
        ('x,y\n"1,5",2\n', "decimal commas"),
        ("x,y\n1_000,2\n", "is no number"),
        ("0.2,0.5\n0.9,0.1\n", "between 0 and 1; expected pixels"),
        ("10,20,0.35\n", "row 1: the observer 0.35 is no whole number; if the third column is something else name"),
        ("x,y,subject\n1,2,1.5\n", "the observer 1.5 is no whole number$"),
        ("x,y,subject\n1,2,\n", "the observer nan is no whole number"),
        ("x,y,subject\n1,2,1e300\n", "is no whole number"),
        ("x,y,subject\n1,2,anna\n", "'anna' is no number"),
        ("1,2,211\n3,4,350\n5,6,180\n7,8,402\n9,9,96\n", "looks like durations or positions, not observers"),
    ],
)
def test_what_is_not_positions_is_one_line(tmp_path, text, message):
    with pytest.raises(UsageError, match=message) as caught:
        read(tmp_path, text)
    assert "a.csv" in str(caught.value)
    assert "\n" not in str(caught.value)


def test_arrays_are_checked_too(tmp_path):
    for values, message in (
        ([[1, 2, 0.5]], "the observer 0.5 is no whole number"),
        ([[np.nan, 2]], "1 of 1 rows have no position"),
        ([[0.1, 0.2], [0.3, 0.4]], "between 0 and 1"),
        ([1, 2], r"\(N, 2\) or \(N, 3\), got"),
    ):
        np.save(tmp_path / "a.npy", values)
        with pytest.raises(UsageError, match=message):
            read_fixations(tmp_path / "a.npy", SHAPE)


def test_many_observers_who_looked_several_times_are_observers(tmp_path):
    text = "".join(f"{k},{k},{100 + k % 3}\n" for k in (5, 9, 2, 8, 30, 12))
    assert read(tmp_path, text).subjects == (100, 102)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("0,10,20\n1,30,40\n2,50,61\n", "the first column counts the rows"),
        ("1000,10,20\n1010,30,45\n1020,50,60\n1030,55,66\n1040,5,6\n", "looks like durations or positions"),
        ("1;10;20\n1;30;25\n1;50;22\n2;55;26\n2;5;20\n2;9;27\n2;8;23\n", "observers come last, after x and y"),
        ("x,y,event\n10,20,Fixation\n30,40,Saccade\n", "some rows are a saccade; expected fixations only"),
    ],
)
def test_columns_without_names_in_another_order_are_refused(tmp_path, text, message):
    with pytest.raises(UsageError, match=message):
        read(tmp_path, text)


@pytest.mark.parametrize("observers", [range(1, 9), range(101, 109), [1, 1, 1, 2, 2, 2, 3, 3], [7] * 8])
def test_observers_without_a_name_are_known_by_their_numbers(tmp_path, observers):
    text = "".join(f"{10 + 7 * k} {90 - 9 * k} {observer}\n" for k, observer in enumerate(observers))
    assert read(tmp_path, text).subjects == tuple(sorted(set(observers)))
