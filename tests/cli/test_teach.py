"""`salbox teach` as people use it."""

from __future__ import annotations

import json
from functools import partial

import numpy as np
import pytest
from PIL import Image
from scipy.stats import spearmanr
from skimage import data

from salbox.distillation.teachers.teacher import TeacherMaps
from salbox.imaging.histograms import mean_fixation_histogram


@pytest.fixture
def cli(cli):
    """`salbox teach`."""
    return partial(cli, "teach")


@pytest.fixture
def photos(tmp_path):
    folder = tmp_path / "photos"
    (folder / "more").mkdir(parents=True)
    Image.fromarray(data.chelsea()).save(folder / "cat.jpg")
    Image.fromarray(data.coffee()).save(folder / "more" / "cup.png")
    return folder


def test_maps_of_several_models_with_parameters(cli, photos, tmp_path):
    out = tmp_path / "maps"
    code, _, said = cli("-m", "imsig,gaussian", "--images", photos, "-r", "-o", out, "--param", "gaussian:sigma=0.3")
    assert code == 0
    assert "4 outputs of 4 inputs" in said
    written = sorted(p.relative_to(out).as_posix() for p in out.rglob("*.*"))
    assert written == [
        "gaussian/cat.png", "gaussian/more/cup.png", "gaussian/teacher.json",
        "imsig/cat.png", "imsig/more/cup.png", "imsig/teacher.json",
    ]  # fmt: skip
    assert TeacherMaps(out / "gaussian").record["teacher"]["parameters"]["sigma"] == 0.3


def test_a_second_run_says_what_is_there_and_another_teacher_is_refused(cli, photos, tmp_path):
    common = ("-m", "gaussian", "--images", photos, "-o", tmp_path / "maps")
    assert cli(*common)[0] == 0
    code, _, said = cli(*common)
    assert (code, "1 were there already" in said) == (0, True)
    code, _, said = cli(*common, "--param", "sigma=0.3")
    assert code == 2
    assert len(said.strip().splitlines()) == 1
    assert "--overwrite" in said
    assert cli(*common, "--param", "sigma=0.3", "--overwrite")[0] == 0


def test_maps_inside_the_folder_of_photos_are_no_photos(cli, photos):
    common = ("-m", "gaussian", "--images", photos, "-r", "-o", photos / "maps")
    for _ in range(2):
        code, out, _ = cli(*common, "--json")
        assert code == 0
    (summary,) = json.loads(out)
    assert (summary["written"], summary["skipped"], summary["failures"]) == (0, 2, [])
    assert summary["record"]["maps"] == 2


def test_histogram_matching_of_the_teacher(cli, photos, tmp_path):
    common = ("-m", "imsig", "--images", photos)
    assert cli(*common, "-o", tmp_path / "plain")[0] == 0
    assert cli(*common, "-o", tmp_path / "matched", "--pre-histogram-matching", "biased")[0] == 0
    plain, matched = (TeacherMaps(tmp_path / name).read("cat") for name in ("plain", "matched"))
    wanted = mean_fixation_histogram()
    shares = np.linspace(0.1, 0.9, 9)
    expected = np.interp(shares, wanted.quantiles, wanted.values) / wanted.values.max()
    np.testing.assert_allclose(np.quantile(matched, shares), expected, atol=0.03)
    assert spearmanr(plain.ravel(), matched.ravel()).statistic > 0.99
    code, _, said = cli(*common, "-o", tmp_path / "x", "--pre-histogram-matching", "bised")
    assert (code, "did you mean 'biased'" in said) == (2, True)


def test_a_teachers_own_smoothing_gives_way(cli, photos, tmp_path):
    common = ("-m", "aim", "--images", photos, "-o")
    assert cli(*common, tmp_path / "a", "--pre-do-smoothing", "none")[0] == 0
    assert TeacherMaps(tmp_path / "a").record["teacher"]["parameters"]["do_smoothing"] == "none"


def test_a_broken_photo_is_named_and_the_others_are_done(cli, photos, tmp_path):
    (photos / "broken.jpg").write_bytes(b"no photo")
    code, out, said = cli("-m", "gaussian", "--images", photos, "-o", tmp_path / "maps", "--json")
    assert code == 1
    assert "broken.jpg" in said
    (summary,) = json.loads(out)
    assert summary["written"] == 1
    assert len(summary["failures"]) == 1


def test_help_names_the_options(cli):
    code, out, _ = cli("--help")
    assert code == 0
    for option in ("--images", "--pre-histogram-matching", "--pre-smooth-std", "--weights", "--overwrite"):
        assert option in out
