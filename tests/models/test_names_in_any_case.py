"""Names of models in any case, arrays of several images, and what cards say of use for money."""

from __future__ import annotations

import numpy as np
import pytest

import salbox
from salbox.models.loading import spelled
from salbox.models.specs import as_models, parse_models
from salbox.models.terms import OF_A_USERS_OWN

CARD = {"task": "fixation", "output": "score"}
IMAGES = np.random.default_rng(0).integers(0, 256, (3, 24, 32, 3), dtype=np.uint8)


def test_any_case_means_the_same_model():
    assert salbox.load("Gaussian").name == "gaussian"
    assert salbox.card("GBVS.Student") == salbox.card("gbvs.student")
    assert salbox.load("ensemble:0.7*IMSIG + 0.3*Gaussian").name == salbox.load("ensemble:0.7*imsig+0.3*gaussian").name
    assert list(parse_models(["AIM,*.STUDENT"]))[:2] == ["aim", "aim.student"]
    assert parse_models(["Gaussian"], ["GAUSSIAN:sigma=.3"]) == {"gaussian": {"sigma": ".3"}}
    assert parse_models(["UNISAL"], weights=["Unisal=a.pth"]) == {"unisal": {"weights": "a.pth"}}
    assert list(salbox.predict(IMAGES[0], models="GAUSSIAN")) == ["gaussian"]
    assert as_models("Gaze") == ["gaze"]


def test_a_name_that_is_there_goes_before_one_of_another_case():
    for name in ("Contrast", "contrast"):
        salbox.register(name, lambda image: image.mean(axis=2), card=CARD)
    assert [spelled(name) for name in ("Contrast", "contrast", "CONTRAST")] == ["Contrast", "contrast", "CONTRAST"]
    with pytest.raises(salbox.UsageError, match="no model 'CONTRAST'; did you mean"):
        salbox.load("CONTRAST")


def test_paths_and_functions_keep_their_case(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "GAZE").mkdir()
    (tmp_path / "GAZE" / "student.onnx").write_bytes(b"")
    assert [spelled(name) for name in ("GAZE", "Runs/GAZE", "A.onnx", "Module:Function")] == [
        "GAZE", "Runs/GAZE", "A.onnx", "Module:Function"
    ]  # fmt: skip


def test_an_array_of_images_gives_their_maps():
    model = salbox.load("gaze")
    maps = model(IMAGES)
    assert (maps.shape, maps.dtype) == ((3, 24, 32), np.float32)
    for image, saliency in zip(IMAGES, maps, strict=True):
        np.testing.assert_array_equal(saliency, model(image))
    found = salbox.predict(IMAGES, models=["gaussian", "imsig"])
    assert [list(each) for each in found] == [["gaussian", "imsig"]] * 3
    np.testing.assert_array_equal(found[2]["imsig"], salbox.load("imsig")(IMAGES[2]))


def test_every_card_says_whether_it_may_be_used_for_money():
    for name in salbox.list_models():
        sentence = salbox.card(name).commercial_use
        assert sentence.endswith("."), name
        assert 40 < len(sentence) < 260, name
        assert ("yes" in sentence.lower()) or ("not the weights" in sentence), name


def test_what_a_card_says_of_money_agrees_with_its_licences():
    """A licence that forbids it, or that nobody states, is no yes to the weights."""
    for name in salbox.list_models():
        card = salbox.card(name)
        if "not for commercial" in card.license.weights or "states none" in card.license.weights:
            assert "not the weights" in card.commercial_use, name
        if "research use" in card.license.training_data and not card.weights_from:
            assert "research" in card.commercial_use, name
    assert "not for commercial" in salbox.card("aim.kdsalbox").license.weights
    assert OF_A_USERS_OWN.endswith(".")
