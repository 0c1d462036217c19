"""An option that does nothing without another is refused, in one line."""

from __future__ import annotations

import importlib.util

import pytest
from trees import photo

MODEL = ("-m", "gaussian")
DATA = ("--dataset", "folder:set", "--sigma", "5")
SUBMIT = ("--benchmark", "mit300", "--images", ".", "-o", "s.h5")


@pytest.mark.parametrize(
    ("arguments", "needed"),
    [
        (("predict", "a.png", *MODEL, "-o", "o", "--alpha", "0.3"), "--alpha does nothing without --overlay"),
        (("predict", "a.png", *MODEL, "-o", "o", "--contours"), "--contours does nothing without --overlay"),
        (("predict", "a.png", *MODEL, "-o", "o", "--stride", "2"), "--stride does nothing without a video"),
        (("predict", "a.png", *MODEL, "-o", "o", "--smooth-seconds", "1"), "does nothing without a video"),
        (("predict", "a.png", *MODEL, "-o", "-", "--json"), "--json does nothing without files as inputs"),
        (("predict", "a.png", *MODEL, "-o", "-", "--stride", "2"), "--stride does nothing without a video"),
        (("predict", "a.png", *MODEL, "-o", "o", "--smooth-size", "5"), "without --do-smoothing custom"),
        (("predict", "a.png", *MODEL, "-o", "o", "--smooth-std", "5"), "without --do-smoothing custom"),
        (("predict", "a.png", *MODEL, "-o", "o", "--smooth-prop", ".1", "--do-smoothing", "custom"), "proportional"),
        (("compare", "a.png", *MODEL, "-o", "g.png", "--center-prior-weight", "1"), "without --center-prior prop"),
        (("compare", "a.png", *MODEL, "-o", "g.png", "--center-prior-prop", "1"), "without --center-prior prop"),
        (("compare", "a.png", *MODEL, "-o", "g.png", "--no-center-prior-scale-first"), "without --center-prior"),
        (("evaluate", *MODEL, *DATA, "--scale-max", "5"), "--scale-max does nothing without --scale-output min-max"),
        (("report", *MODEL, *DATA, "-o", "p.html", "--scale-min", "-1"), "without --scale-output min-max"),
        (("predict", "a.png", *MODEL, "-o", "o", "--histogram-matching-reference", "a.png"), "biased or image-based"),
        (("teach", *MODEL, "--images", ".", "-o", "t", "--pre-smooth-std", "2"), "--pre-do-smoothing custom"),
        (("models", "gaussian", "--task", "fixation"), "--task does nothing without the list of all"),
        (("models", "--json", "--bibtex"), "exclude each other"),
        (("datasets", "--json", "--bibtex"), "exclude each other"),
        (("datasets", "osie", "--read"), "--read goes with a folder"),
        (("evaluate", *MODEL, *DATA, "--maps-output", "score"), "--maps-output does nothing without --maps"),
        (("evaluate", *MODEL, *DATA, "--teacher-size", "64"), "--teacher-size does nothing without --teacher"),
        (("evaluate", "--maps", "m", *DATA, "--param", "sigma=1"), "--param does nothing without models (-m)"),
        (("evaluate", "--maps", "m", *DATA, "--device", "cpu"), "--device does nothing without models (-m)"),
        (("evaluate", *MODEL, "--images", ".", "--teacher", "bms", "--split", "test"), "without --dataset"),
        (("evaluate", *MODEL, "--images", ".", "--teacher", "bms", "--sigma", "4"), "without --dataset"),
        (("evaluate", *MODEL, "--images", ".", "--teacher", "bms", "--allow-outside"), "without --dataset"),
        (("evaluate", *MODEL, *DATA, "--agreement"), "--sigma does nothing without metrics"),
        (("evaluate", *MODEL, *DATA[:2], "--agreement", "--baseline"), "--baseline does nothing without metrics"),
        (("evaluate", *MODEL, *DATA[:2], "--agreement", "--against", "bms"), "--against does nothing without metrics"),
        (("evaluate", *MODEL, *DATA[:2], "--agreement", "--teacher", "bms"), "--teacher does nothing without metrics"),
        (("report", "--maps", "m", *DATA, "-o", "p.html", "--weights", "w"), "--weights does nothing without models"),
        (("report", *MODEL, *DATA, "-o", "p.html", "--maps-output", "score"), "without --maps"),
        (("submit", *SUBMIT, "--maps", ".", "--param", "a=1"), "--param does nothing without a model (-m)"),
        (("submit", *SUBMIT, *MODEL, "--maps-output", "score"), "--maps-output does nothing without --maps"),
        (("submit", *SUBMIT, "--check", "--overwrite"), "--overwrite does nothing without a file to write"),
        (("submit", *SUBMIT, "--check", "--scale-output", "normalized"), "post-processing does nothing"),
    ],
)  # fmt: skip
def test_it_is_refused(cli, tmp_path, monkeypatch, arguments, needed):
    monkeypatch.chdir(tmp_path)
    photo(tmp_path / "a.png", 20, 20)
    code, out, said = cli(*arguments)
    assert (code, out) == (2, "")
    assert needed in said
    assert said.count("\n") == 1
    assert [path.name for path in tmp_path.iterdir()] == ["a.png"]


@pytest.mark.skipif(importlib.util.find_spec("lightning") is None, reason="needs the extra 'train'")
@pytest.mark.parametrize(
    ("arguments", "needed"),
    [
        (("--teacher", "bms", "--map-flips", "h"), "--map-flips does nothing without --teacher-maps"),
        (("--teacher-maps", "m", "--param", "max_dim=200"), "--param does nothing without --teacher"),
        (("--teacher", "bms", "--compress-schedule"), "--compress-schedule needs --max-time"),
        (("--teacher", "bms", "--pre-smooth-std", "3.5"), "without --pre-do-smoothing custom"),
    ],
)
def test_of_distill_too(cli, tmp_path, arguments, needed):
    for number in range(10):
        photo(tmp_path / "photos" / f"{number}.png", 20, 20, seed=number)
    code, _, said = cli("distill", "--images", tmp_path / "photos", "-o", tmp_path / "run", *arguments)
    assert code == 2
    assert needed in said
    assert said.count("\n") == 1


def test_with_what_they_need_they_do_something(cli, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    photo(tmp_path / "a.png", 20, 20)
    common = ("predict", "a.png", *MODEL, "-o", "o", "--overlay", "--alpha", "0.3", "--contours")
    assert cli(*common, "--do-smoothing", "custom", "--smooth-size", "5", "--smooth-std", "2")[0] == 0
    assert cli(*common, "--overwrite", "--scale-output", "min-max", "--scale-max", "5")[0] == 0
