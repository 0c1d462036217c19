"""Models as a command line names them."""

from __future__ import annotations

import pytest

import salbox
from salbox.models.registry import STUDENTS
from salbox.models.specs import expanded, parse_models, split_loading


def test_parse_models_splits_names_and_spreads_parameters():
    chosen = parse_models(["ikn, gbvs", "gaussian"], ["channels=CIO", "gaussian:is-square=yes"])
    assert chosen == {"ikn": {"channels": "CIO"}, "gbvs": {"channels": "CIO"}, "gaussian": {"is_square": "yes"}}


@pytest.mark.parametrize(
    ("names", "parameters", "message"),
    [
        ([""], [], "no model named"),
        (["bsm"], [], "'bms'"),
        (["bms"], ["max_dim"], "expected KEY=VALUE"),
        (["bms"], ["maxdim=300"], "'max_dim'"),
        (["bms"], ["aim:basis=x"], "not among bms"),
        (["bms"], ["max_dim=many"], "^model 'bms': parameter max_dim='many': expected a whole number"),
        (["gaze,gbvs"], ["gaze.center_prior=0"], r"; did you mean 'gaze:center_prior'\?$"),
        (["gaze"], ["gaze.centre-prior=0"], r"; did you mean 'gaze:center_prior'\?$"),
        (["aim.student,ikn"], ["aim.student.channels=CIO"], r"has 'aim.student.channels'$"),
        (["attention-center"], ["attention-center.sharpness=1"], r"; did you mean 'attention-center:sharpness'\?$"),
    ],
)
def test_parse_models_refuses(names, parameters, message):
    with pytest.raises(salbox.UsageError, match=message):
        parse_models(names, parameters)


def test_weights_go_to_the_models_that_take_them():
    chosen = parse_models(["fastgaze,bms,glimpse"], weights=["fastgaze=a/b=c.npz", "glimpse=g.onnx"], device="cpu")
    assert chosen["fastgaze"] == {"weights": "a/b=c.npz", "device": "cpu"}
    assert chosen["glimpse"] == {"weights": "g.onnx", "device": "cpu"}
    assert chosen["bms"] == {"device": "cpu"}


def test_the_only_model_that_takes_weights_need_not_be_named():
    url = "https://example.org/f.npz?version=2"
    chosen = parse_models(["fastgaze,bms"], weights=[url], sha256=["a" * 64])
    assert chosen == {"fastgaze": {"weights": url, "sha256": "a" * 64}, "bms": {}}


def test_weights_of_an_ensemble_s_members():
    name = "ensemble:fastgaze+glimpse+bms"
    chosen = parse_models([name], weights=["glimpse=g.onnx", "fastgaze=f.npz"])
    assert chosen == {name: {"weights": {"glimpse": "g.onnx", "fastgaze": "f.npz"}}}


@pytest.mark.parametrize(
    ("names", "weights", "message"),
    [
        (["bms"], ["fastgaze=f.npz"], "'fastgaze' takes none here"),
        (["fastgaze,glimpse"], ["f.npz"], "say for which model"),
        (["fastgaze,glimpse"], ["fastgase=f.npz"], "did you mean 'fastgaze'"),
    ],
)
def test_weights_for_nobody_are_refused(names, weights, message):
    with pytest.raises(salbox.UsageError, match=message):
        parse_models(names, weights=weights)


def test_splits_parameters_from_what_loading_needs():
    assert split_loading({"sigma": 1, "device": "cpu", "weights": "w"}) == (
        {"sigma": 1},
        {"device": "cpu", "weights": "w"},
    )


def test_a_pattern_stands_for_the_models_that_need_no_further_files():
    assert expanded(["gbvs", "*.student"]) == ["gbvs", *(f"{name}.student" for name in STUDENTS)]
    assert expanded(["[ai]*n", "ikn"]) == ["ikn"]
    with pytest.raises(salbox.UsageError, match=r"fits '\*\.kdsalbox'"):
        expanded(["*.kdsalbox"])
