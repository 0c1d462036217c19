"""`salbox scanpath` as people use it."""

from __future__ import annotations

import csv
import json
from functools import partial

import numpy as np
import pytest
from PIL import Image


@pytest.fixture
def cli(cli):
    """`salbox scanpath`."""
    return partial(cli, "scanpath")


@pytest.fixture
def photo(tmp_path):
    path = tmp_path / "a.png"
    Image.fromarray(np.random.default_rng(0).integers(0, 256, (60, 80, 3), np.uint8)).save(path)
    return path


def test_a_picture_and_a_table_of_each_image(cli, photo, tmp_path):
    code, out, err = cli(photo, "-n", 4, "--paths", 2, "-o", tmp_path / "out")
    assert (code, out) == (0, "")
    assert "2 files of 1 inputs written" in err
    with Image.open(tmp_path / "out" / "a.scanpath.png") as picture:
        assert picture.size == (80, 60)
    rows = list(csv.DictReader((tmp_path / "out" / "a.scanpath.csv").read_text().splitlines()))
    numbers = [(str(p), str(n)) for p in (1, 2) for n in range(1, 5)]
    assert [(row["scanpath"], row["fixation"]) for row in rows] == numbers
    assert all(0 <= int(row["x"]) < 80 and 0 <= int(row["y"]) < 60 for row in rows)
    _, printed, _ = cli(photo, "-n", 4, "--paths", 2, "--csv")
    assert [list(row.values())[1:] for row in csv.DictReader(printed.splitlines())] == [list(r.values()) for r in rows]
    _, printed, _ = cli(photo, "-n", 4, "--paths", 2, "--json", "--seed", 1)
    (told,) = json.loads(printed)
    assert np.array(told["scanpaths"]).shape == (2, 4, 2)
    assert told["scanpaths"] != [[[int(r["x"]), int(r["y"])] for r in rows[k : k + 4]] for k in (0, 4)]


def test_what_does_not_fit_is_one_line(cli, photo, tmp_path):
    for given, message in (
        ((photo,), "nowhere to put scanpaths"),
        ((photo, "--csv", "--json"), "give one of the two"),
        ((photo, "--csv", "--saccades", "nobody"), "expected one of general"),
        ((photo, "--csv", "-m", "gaussian"), "gives a score"),
    ):
        code, _, err = cli(*given)
        assert code == 2, given
        assert message in err
        assert len(err.splitlines()) == 1
    (tmp_path / "b.png").write_bytes(b"no picture")
    code, out, err = cli(photo, tmp_path / "b.png", "--csv", "--workers", 1)
    assert code == 1
    assert "1 failed" in err
    assert len(out.splitlines()) == 9
