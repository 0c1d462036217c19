"""The registry: names, hints, parameters, and what importing costs."""

from __future__ import annotations

import subprocess
import sys

import numpy as np
import pytest

import salbox
from salbox.models.registry import PEOPLE, STUDENTS

CLASSICAL = ["aim", "ikn", "gbvs", "bms", "imsig", "rare2012", "sun", "gaussian"]


def test_lists_models_by_task():
    assert set(CLASSICAL) <= set(salbox.list_models())
    assert set(salbox.list_models("fixation")) | set(salbox.list_models("object")) == set(salbox.list_models())
    with pytest.raises(salbox.UsageError, match="unknown task"):
        salbox.list_models("fixations")  # type: ignore[arg-type]


def test_models_that_need_no_files_are_ready():
    assert set(salbox.list_models(ready=True)) == {
        *CLASSICAL,
        "gaze",
        "gaze.large",
        "scfnet",
        "scfnet.kd",
        *PEOPLE,
        *(f"{name}.student" for name in STUDENTS),
    }


def test_what_comes_with_its_weights_takes_no_others():
    with pytest.raises(salbox.UsageError, match="comes with its weights; leave weights out"):
        salbox.load("aim.student", weights="box.onnx")


def test_unknown_model_proposes_the_nearest():
    with pytest.raises(salbox.UsageError, match="'gbvs'"):
        salbox.load("gvbs")


def test_unknown_parameter_proposes_the_nearest():
    with pytest.raises(salbox.UsageError, match="'sigma'"):
        salbox.load("gaussian", sigm=0.2)


def test_weights_are_refused_where_there_are_none():
    with pytest.raises(salbox.UsageError, match="no weights"):
        salbox.load("bms", weights="bms.pth")


@pytest.mark.parametrize("device", ["banana", "", "cuda:", "cuda:x", "cpu ", None, 0])
@pytest.mark.parametrize("name", ["gbvs", "gaze", "aim.student", "fastgaze", "ensemble:bms+gaussian"])
def test_a_device_is_spelled_right_for_every_model(name, device):
    with pytest.raises(salbox.UsageError, match=rf"^device '{device}': expected cpu, cuda, cuda:N or mps$"):
        salbox.load(name, device=device)


@pytest.mark.parametrize("name", ["gaze", "gbvs.student"])
def test_what_comes_with_its_weights_computes_where_it_is_told_or_not_at_all(name, monkeypatch):
    onnxruntime = pytest.importorskip("onnxruntime")
    monkeypatch.setattr(onnxruntime, "get_available_providers", lambda: ["CPUExecutionProvider"])
    with pytest.raises(salbox.UsageError, match=r"^device 'cuda': .*onnxruntime-gpu"):
        salbox.load(name, device="cuda")


def test_predict_gives_each_model_its_map():
    image = np.random.default_rng(0).integers(0, 256, (60, 80, 3), dtype=np.uint8)
    maps = salbox.predict(image, ["bms", "gaussian"])
    assert list(maps) == ["bms", "gaussian"]
    np.testing.assert_array_equal(maps["bms"], salbox.load("bms")(image))
    np.testing.assert_array_equal(salbox.predict(image, "gaussian")["gaussian"], maps["gaussian"])


def test_predict_takes_loaded_models_among_names():
    image = np.random.default_rng(0).integers(0, 256, (60, 80, 3), dtype=np.uint8)
    narrow = salbox.load("gaussian", sigma=0.1)
    maps = salbox.predict(image, ["bms", narrow, "bms", narrow])
    assert list(maps) == ["bms", "gaussian"]
    np.testing.assert_array_equal(maps["gaussian"], narrow(image))
    (alone,) = salbox.predict([image], models=narrow)
    np.testing.assert_array_equal(alone["gaussian"], narrow(image))


@pytest.mark.parametrize("other", ["gaussian", salbox.load("gaussian", sigma=0.2)])
def test_two_models_of_one_name_have_no_place_beside_each_other(other):
    image = np.zeros((4, 4, 3), np.uint8)
    with pytest.raises(salbox.UsageError, match="two models are called 'gaussian'"):
        salbox.predict(image, [salbox.load("gaussian", sigma=0.1), other])


def test_weights_for_a_loaded_model_are_refused():
    with pytest.raises(salbox.UsageError, match="weights for 'gaussian', which is not among bms"):
        salbox.predict(np.zeros((4, 4, 3), np.uint8), ["bms", salbox.load("gaussian")], weights={"gaussian": "w.npz"})


def test_density_is_not_made_up_from_a_score():
    with pytest.raises(salbox.UsageError, match="not a density"):
        salbox.load("gaussian").log_density(np.zeros((4, 4), np.uint8))


def test_importing_and_listing_stay_light():
    code = (
        "import sys, salbox; salbox.list_models();"
        "heavy = {'numpy', 'scipy', 'cv2', 'matplotlib', 'torch', 'onnxruntime', 'skimage', 'pandas'};"
        "heavy &= set(sys.modules);"
        "sys.exit(', '.join(sorted(heavy)) or None)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
