"""The pages as Streamlit runs them, without a browser."""

from __future__ import annotations

from importlib import import_module

import numpy as np
import pandas as pd
import pytest
from image_bytes import image_bytes

testing = pytest.importorskip("streamlit.testing.v1")

from salbox.web.app import settings  # noqa: E402
from salbox.web.app.navigation import PAGES  # noqa: E402
from salbox.web.app.regions import Region  # noqa: E402

FEW = ["gaze", "gbvs.student"]


def _script():
    from importlib import import_module

    import streamlit as st

    import_module(f"salbox.web.app.views.{st.session_state['page']}").page()


def run(page: str, **state):
    """Run a page with what stands in the session; no error may be shown but as a sentence."""
    app = testing.AppTest.from_function(_script, default_timeout=60)
    app.session_state["page"] = page
    for key, value in state.items():
        app.session_state[key.replace("_", "-")] = value
    return checked(app.run())


def checked(app):
    assert not app.exception, app.exception
    return app


def sentences(app) -> str:
    return " ".join(each.value for kind in (app.error, app.info, app.warning, app.caption) for each in kind)


@pytest.fixture
def drawn(monkeypatch):
    """Regions as if somebody had drawn them."""
    found = [Region("cup", 100, 60, 200, 160)]
    for view in ("choose", "cut", "layouts"):
        monkeypatch.setattr(import_module(f"salbox.web.app.views.{view}"), "draw_regions", lambda *_: found)
    return found


@pytest.mark.parametrize("page", [path for _, _, path in PAGES])
def test_an_empty_page_says_what_to_do(page):
    app = run(page)
    assert app.title[0].value
    assert sentences(app)


def test_look_shows_every_model_in_every_style():
    app = run("look", look_sample="chelsea", look_models=FEW)
    assert len(app.get("image")) == 1 + len(FEW)  # the photo, the maps
    before = [image.proto.imgs[0].url for image in app.get("image")]
    for style in ("map", "contours"):
        app.get("button_group")[1].set_value(style)
        app = checked(app.run())
        now = [image.proto.imgs[0].url for image in app.get("image")]
        assert now[0] == before[0]
        assert not set(now[1:3]) & set(before[1:3])
        before = now


def test_look_shows_how_two_models_differ_once_somebody_asks():
    app = run("look", look_sample="chelsea", look_models=FEW)
    assert "Correlation of the two" not in sentences(app)
    app = run("look", look_sample="chelsea", look_models=FEW, look_difference=True)
    assert len(app.get("image")) == 1 + len(FEW) + 2  # a difference and its legend
    assert "Correlation of the two" in sentences(app)


def test_look_changes_maps_at_once_and_says_what_does_not_fit():
    app = run("look", look_sample="chelsea", look_models=["imsig.student", "gbvs.student"])
    before = [image.proto.imgs[0].url for image in app.get("image")]
    app.selectbox(key="look-prior").select("proportional_mult")
    app = checked(app.run())
    after = [image.proto.imgs[0].url for image in app.get("image")]
    assert after[0] == before[0]
    assert after[1] != before[1]
    app.get("button_group")[2].set_value([])
    app = checked(app.run())
    assert "Choose at least one model" in sentences(app)


def test_a_broken_upload_is_a_sentence_and_others_are_shown():
    app = run("look", look_models=FEW)
    app.file_uploader[0].set_value(
        [("good.png", image_bytes(np.eye(64, dtype=np.uint8) * 255), "image/png"), ("bad *x*.png", b"no", "image/png")]
    )
    app = checked(app.run())
    (error,) = app.error
    assert error.value.replace("\\", "").startswith("bad *x*.png: not an image")
    assert len(app.get("image")) == 1 + len(FEW)


def test_choosing_ranks_models_for_what_was_marked(drawn):
    app = run("choose", choose_sample="coffee", choose_models=FEW)
    table = app.dataframe[0].value
    assert sorted(table.index) == FEW
    assert table["f1"].is_monotonic_decreasing
    assert app.subheader[0].value.replace("\\", "") == f"{table.index[0]} fits best"


def test_a_mask_can_be_given_instead_of_drawn():
    mask = np.zeros((300, 451), np.uint8)
    mask[60:200, 100:300] = 255
    app = run("choose", choose_sample="chelsea", choose_models=FEW)
    assert "Mark what matters" in sentences(app)
    app.file_uploader[1].set_value(("mask.png", image_bytes(mask), "image/png"))
    app = checked(app.run())
    assert len(app.dataframe[0].value) == len(FEW)


def test_measuring_against_fixations_and_maps():
    app = run("measure", measure_sample="chelsea", measure_models=FEW)
    app.file_uploader[1].set_value(("eyes.csv", b"x,y\n200,120\n260,130\n230,180\n", "text/csv"))
    app = checked(app.run())
    table = app.dataframe[0].value
    assert [name.split()[0] for name in table.columns] == ["NSS", "CC", "SIM", "KL", "AUC"]
    assert table.iloc[0, 0] == table.iloc[:, 0].max() > 0
    truth = np.zeros((300, 451), np.uint8)
    truth[100:160, 180:280] = 255
    app.file_uploader[1].set_value(("truth.png", image_bytes(truth), "image/png"))
    app = checked(app.run())
    assert len(app.dataframe[0].value) == len(FEW)
    app.file_uploader[1].set_value(("eyes.csv", b"x,y\n9999,9999\n", "text/csv"))
    app = checked(app.run())
    assert "none of 1 fixations lies on the image" in app.error[0].value.replace("\\", "")


def test_a_student_is_shown_beside_its_teacher():
    app = run("distillation", distillation_sample="chelsea", distillation_models=["imsig"])
    assert [metric.label for metric in app.metric][:2] == ["CC", "KL"]
    assert float(app.metric[0].value) > 0.8
    assert len(app.get("image")) == 4


def test_two_layouts_on_one_scale_with_regions(drawn):
    app = run("layouts", layout_a_sample="coffee", layout_b_sample="rocket")
    shares = app.dataframe[0].value
    assert list(shares.columns) == ["region", "A: share %", "B: share %", "change", "A: order", "B: order"]
    assert [metric.label for metric in app.metric] == ["Clarity", "Clarity"]
    assert len(app.get("image")) == 2
    assert len(app.get("download_button")) == 2


def test_a_crop_is_found_and_a_wrong_size_is_a_sentence(monkeypatch):
    monkeypatch.setattr(import_module("salbox.web.app.views.cut"), "draw_regions", lambda *_: [])
    app = run("cut", cut_sample="rocket")
    assert app.metric[0].value.endswith("%")
    app = run("cut", cut_sample="rocket", crop_size="round")
    assert "expected an aspect such as 1:1" in app.error[0].value.replace("\\", "")


def test_an_explanation_is_browsed(tmp_path, monkeypatch):
    folder = tmp_path / "why"
    (folder / "dissection").mkdir(parents=True)
    table = pd.DataFrame({"concept": ["face", "sky"], "scaled": [1.0, -1.0], "low": [0.9, -1.1], "high": [1.1, -0.9]})
    table.to_parquet(folder / "contributions.parquet")
    monkeypatch.setattr(settings, "_settings", settings.Settings(explanations=(folder,)))
    app = run("explain")
    assert [frame.value["concept"].tolist() for frame in app.dataframe] == [["face"], ["sky"]]


def test_an_object_is_cut_out(monkeypatch):
    import_module("salbox").register("red", _red, card={"task": "object", "output": "probability"})
    monkeypatch.setattr(settings, "_settings", settings.Settings(models=("red",)))
    app = run("cut", cut_sample="coffee", cut_do="cut out")
    assert app.selectbox(key="cutout-model").options[:2] == ["red", "scfnet"]
    assert app.selectbox(key="cutout-model").value == "red"
    assert len(app.get("image")) == 1
    before = app.get("image")[0].proto.imgs[0].url
    app.slider(key="cutout-feather").set_value(6.0)
    assert checked(app.run()).get("image")[0].proto.imgs[0].url != before


def test_weights_that_come_while_the_app_runs_are_found(monkeypatch, tmp_path):
    object_models = import_module("salbox.web.app.cuts").object_models
    monkeypatch.setenv("SALBOX_WEIGHTS", str(tmp_path))
    assert "samnet" not in object_models()
    (tmp_path / "samnet.pth").write_bytes(b"weights")
    assert "samnet" in object_models()


def _red(image):
    return (image[..., 0] > 1.5 * image[..., 2]).astype(np.float32)


def test_pictures_of_one_page_are_there_on_others():
    app = run("look", look_sample="chelsea", look_models=["gaze"])
    app.session_state["page"] = "cut"
    assert checked(app.run()).metric
