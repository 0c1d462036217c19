"""`--threshold`, wherever maps are post-processed."""

from __future__ import annotations

import numpy as np
import pytest
from trees import photo

import salbox


def test_predict_keeps_the_brightest_tenth(cli, tmp_path):
    photo(tmp_path / "a.png", 40, 30)
    given = ("predict", tmp_path / "a.png", "-m", "gaussian", "-o", tmp_path, "--format", "npy")
    code, _, complaints = cli(*given, "--threshold", "90%")
    assert code == 0, complaints
    found = np.load(tmp_path / "gaussian" / "a.npy")
    plain = salbox.predict(tmp_path / "a.png", models=["gaussian"])["gaussian"]
    np.testing.assert_array_equal(found, np.where(plain >= np.percentile(plain, 90), plain, plain.min()))
    code, _, complaints = cli(*given, "--threshold", "p80")
    assert code == 1
    assert "made otherwise" in complaints
    assert "threshold: 'p90' there, 'p80' now" in complaints


@pytest.mark.parametrize(
    "arguments",
    [
        ("predict", "a.png", "-m", "gaussian", "-o", "o", "--threshold", "half"),
        ("compare", "a.png", "-m", "gaussian", "-o", "g.png", "--threshold", "half"),
        ("evaluate", "-m", "gaussian", "--dataset", "folder:x", "--threshold", "half"),
        ("teach", "-m", "gaussian", "--images", ".", "-o", "o", "--pre-threshold", "half"),
    ],
)
def test_what_is_none_is_one_line(cli, tmp_path, monkeypatch, arguments):
    monkeypatch.chdir(tmp_path)
    code, _, complaints = cli(*arguments)
    assert code == 2
    assert complaints == (
        "salbox: threshold='half': expected none, a number, a percentile such as p90 (0 to 100), or otsu\n"
    )
