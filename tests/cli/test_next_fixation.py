"""`salbox evaluate --next-fixation` as people use it."""

from __future__ import annotations

import csv
from functools import partial

import pytest
from trees import random_osie


@pytest.fixture
def cli(cli):
    """`salbox evaluate --next-fixation`."""
    return partial(cli, "evaluate", "--next-fixation")


def test_each_row_of_densities_is_scored_as_it_is_and_as_a_scanpath_model(cli, tmp_path):
    given = ["-m", "gaussian", "--scale-output", "log-density", "--dataset", f"osie:{random_osie(tmp_path / 'OSIE')}"]
    code, out, _ = cli(*given, "--baseline", "--csv", "-o", tmp_path / "kept")
    assert code == 0
    rows = list(csv.DictReader(out.splitlines()))
    names = ["gaussian", "gaussian, scanpath", "centre bias", "centre bias, scanpath"]
    assert list(dict.fromkeys(row["model"] for row in rows)) == names
    assert [row["metric"] for row in rows[:3]] == ["nss", "ig", "ll"]
    for more, message in (
        (["--ceiling"], "--ceiling does nothing without figures of all fixations"),
        (["--metrics", "cc"], "expected nss, ig, ll"),
    ):
        code, _, err = cli(*given, *more)
        assert code == 2
        assert message in err
    code, _, err = cli("-m", "gaussian", *given[4:])
    assert code == 2
    assert "gives a score" in err
