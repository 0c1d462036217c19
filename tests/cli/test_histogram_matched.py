"""`salbox predict --histogram-matched`: students' maps with the values of their matched teachers'."""

from __future__ import annotations

import json

import numpy as np
import pytest
from trees import photo

import salbox


def test_the_maps_are_those_of_python(cli, tmp_path):
    photo(tmp_path / "a.png", 60, 40)
    given = ("predict", tmp_path / "a.png", "-m", "gbvs.student,bms.student", "-o", tmp_path, "--format", "npy")
    code, _, complaints = cli(*given, "--histogram-matched")
    assert code == 0, complaints
    names = ["gbvs.student", "bms.student"]
    expected = salbox.predict(tmp_path / "a.png", models=names, histogram_matched=True)
    plain = salbox.predict(tmp_path / "a.png", models=names)
    for name in names:
        found = np.load(tmp_path / name / "a.npy")
        np.testing.assert_array_equal(found, expected[name])
        assert not np.array_equal(found, plain[name])
    code, out, _ = cli(*given, "--json")
    assert code == 1
    assert "histogram_matched: True there, False now" in json.dumps(json.loads(out))


def test_a_parameter_does_the_same(cli, tmp_path):
    photo(tmp_path / "a.png", 60, 40)
    one, other = tmp_path / "one", tmp_path / "other"
    given = ("predict", tmp_path / "a.png", "-m", "gbvs.student", "--format", "npy", "-o")
    assert cli(*given, one, "--histogram-matched")[0] == 0
    assert cli(*given, other, "--param", "histogram_matched=true")[0] == 0
    maps = [np.load(folder / "gbvs.student" / "a.npy") for folder in (one, other)]
    np.testing.assert_array_equal(*maps)


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (("-m", "gbvs"), "model 'gbvs' has no histogram-matched maps of its own"),
        (("-m", "gbvs.student,gaze"), "model 'gaze' has no histogram-matched maps of its own"),
        (("-m", "gbvs.student", "--histogram-matching", "biased"), "give one of the two"),
    ],
)
def test_what_cannot_be_is_one_line(cli, tmp_path, arguments, complaint):
    photo(tmp_path / "a.png", 30, 20)
    code, out, complaints = cli("predict", tmp_path / "a.png", *arguments, "--histogram-matched", "-o", tmp_path / "o")
    assert code == 2
    assert not out
    assert complaint in complaints
    assert complaints.startswith("salbox: ")
    assert complaints.count("\n") == 1
    assert not (tmp_path / "o").exists()
