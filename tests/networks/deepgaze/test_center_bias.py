"""Centre biases: densities of the image's size, from OSIE, from files and from nothing."""

from __future__ import annotations

import importlib.util
import json
from pathlib import Path

import cv2
import numpy as np
import pytest
from scipy.ndimage import zoom
from scipy.special import logsumexp

import salbox
from salbox.datasets import open_dataset
from salbox.evaluation import ModelSource
from salbox.networks.deepgaze.center_bias import OSIE, center_bias, nearest
from salbox.prediction.batch import BatchPlan


@pytest.fixture
def template():
    return np.random.default_rng(0).normal(size=(30, 47)).astype(np.float32)


@pytest.mark.parametrize("size", [(1, 1), (3, 500), (300, 400), (31, 7)])
@pytest.mark.parametrize("source", ["osie", "uniform", "array"])
def test_are_densities_of_the_size(source, size, template):
    found = center_bias(template if source == "array" else source, *size)
    assert found.shape == size
    assert found.dtype == np.float32
    assert np.exp(found.astype(np.float64)).sum() == pytest.approx(1, abs=1e-5)


def test_uniform_favours_no_place():
    np.testing.assert_allclose(center_bias("uniform", 20, 30), -np.log(600), rtol=1e-6)


@pytest.mark.parametrize("size", [(30, 47), (60, 20), (13, 471), (299, 302)])
def test_files_are_brought_to_size_as_the_authors_do(size, template, tmp_path):
    np.save(tmp_path / "bias.npy", template)
    resized = zoom(template, (size[0] / 30, size[1] / 47), order=0, mode="nearest")
    expected = resized - logsumexp(resized)
    np.testing.assert_array_equal(nearest(template, *size), resized)
    for source in (tmp_path / "bias.npy", str(tmp_path / "bias.npy"), template):
        np.testing.assert_allclose(center_bias(source, *size), expected, rtol=1e-5)


def test_a_file_that_changes_is_read_again(tmp_path, template):
    path = tmp_path / "bias.npy"
    np.save(path, template)
    before = center_bias(path, 30, 47)
    np.save(path, template[::-1, :-1])
    assert np.abs(center_bias(path, 30, 47) - before).max() > 0.1


def test_osie_s_is_where_its_people_look():
    """A bump a little above the middle, low in the corners: an order of magnitude apart and more."""
    bias = center_bias("osie", 300, 400)
    row, column = np.unravel_index(bias.argmax(), bias.shape)
    assert 90 < row < 180
    assert 160 < column < 240
    assert bias[[0, 0, -1, -1], [0, -1, 0, -1]].max() < bias.max() - np.log(20)


@pytest.mark.slow
def test_osie_s_is_what_the_script_learns(shared):
    path = Path(__file__).resolve().parents[3] / "scripts" / "learn_center_bias.py"
    spec = importlib.util.spec_from_file_location("learn_center_bias", path)
    script = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(script)
    osie = open_dataset(f"osie:{shared / 'data' / 'OSIE'}", split="train")
    learned = script.learn(osie)
    np.testing.assert_allclose(np.load(OSIE), learned, atol=1e-6)
    # Another way: counts in cells, blurred by OpenCV.
    counts = np.zeros(script.GRID)
    for index in range(len(osie)):
        fixations = osie.fixations(index).inside((600, 800))
        np.add.at(counts, ((fixations.y / 12.5).astype(int), (fixations.x / 12.5).astype(int)), 1)
    sigma = 24 * 64 / 800
    blurred = cv2.GaussianBlur(counts, (0, 0), sigma, borderType=cv2.BORDER_REFLECT)
    density = 0.99 * blurred / blurred.sum() + 0.01 / blurred.size
    inside = np.s_[5:-5, 5:-5]  # borders are treated in different ways
    assert np.abs(np.log(density) - learned)[inside].max() < 0.2
    assert np.corrcoef(density[inside].ravel(), np.exp(learned)[inside].ravel())[0, 1] > 0.995


def several(path):
    with path.open("wb") as file:
        np.savez(file, a=np.zeros((5, 5)))


BROKEN = {
    "missing": (lambda path: None, "No such file or directory; give an .npy, osie or uniform"),
    "text": (lambda path: path.write_text("0, 1"), "not readable as an .npy"),
    "objects": (lambda path: np.save(path, np.array([[{}]], object), allow_pickle=True), "not readable as an .npy"),
    "flat": (lambda path: np.save(path, np.zeros(5)), r"float64 of shape \(5,\), expected a log density"),
    "empty": (
        lambda path: np.save(path, np.zeros((0, 5))),
        r"not readable as an .npy|shape \(0, 5\), expected a log density",
    ),
    "whole": (lambda path: np.save(path, np.zeros((5, 5), int)), r"int64 of shape \(5, 5\), expected a log density"),
    "infinite": (lambda path: np.save(path, np.full((5, 5), -np.inf)), "not finite"),
    "several": (several, "not readable as an .npy .it is a zip archive, as PyTorch and NumPy write"),
    "bomb": (lambda path: path.write_bytes(header((10**6, 10**6))), "not readable as an .npy"),
}


def header(shape):
    text = f"{{'descr': '<f8', 'fortran_order': False, 'shape': {shape}, }}".ljust(117) + "\n"
    return b"\x93NUMPY\x01\x00" + len(text).to_bytes(2, "little") + text.encode()


@pytest.mark.parametrize("kind", BROKEN)
def test_broken_files_get_one_line(kind, tmp_path):
    write, message = BROKEN[kind]
    write(tmp_path / "bias.npy")
    with pytest.raises(salbox.UsageError, match=message) as caught:
        center_bias(tmp_path / "bias.npy", 10, 10)
    assert "\n" not in str(caught.value)
    assert "bias.npy" in str(caught.value)


def test_none_is_no_centre_bias():
    with pytest.raises(salbox.UsageError, match="choose osie, uniform or an"):
        center_bias(None, 3, 4)


@pytest.mark.slow
def test_arrays_go_in_by_name(template, tmp_path):
    """Through `salbox.load`, and into what figures and files say of how they were made."""
    torch = pytest.importorskip("torch")
    from salbox.distillation.plan import HeadTarget
    from salbox.distillation.teachers.teacher import Teacher
    from salbox.networks.dgii.network import DeepGazeII

    torch.save(DeepGazeII().state_dict(), tmp_path / "dgii.pth")
    np.save(tmp_path / "bias.npy", template)
    given = {
        "array": template,
        "file": tmp_path / "bias.npy",
        "other": template[:-1],
        "uniform": "uniform",
        "osie": "osie",
    }
    arguments = {name: {"weights": tmp_path / "dgii.pth", "center_bias": value} for name, value in given.items()}
    loaded = {name: salbox.load("dgii", **keywords) for name, keywords in arguments.items()}
    image = np.random.default_rng(0).integers(0, 256, (30, 47, 3), np.uint8)
    maps = {name: model(image) for name, model in loaded.items()}
    np.testing.assert_array_equal(maps["array"], maps["file"])
    np.testing.assert_array_equal(maps["osie"], salbox.load("dgii", weights=tmp_path / "dgii.pth")(image))
    assert len({saliency.tobytes() for saliency in maps.values()}) == 4
    assert repr(loaded["array"]) == "salbox.load('dgii', center_bias=float32 array (30, 47))"
    settings = {name: json.dumps(ModelSource("dgii", keywords).settings()) for name, keywords in arguments.items()}
    teachers = {name: json.dumps(Teacher("dgii", k).identity(loaded[name])) for name, k in arguments.items()}
    lessons = {name: json.dumps(HeadTarget("a", Teacher("dgii", k)).identity()) for name, k in arguments.items()}
    for told in (settings, teachers, lessons):
        assert len(set(told.values())) == len(given)
    plan = BatchPlan(arguments, tmp_path)
    noted = json.loads(json.dumps(plan.notes(loaded["array"])))
    assert noted["parameters"]["center_bias"].startswith("float32 array (30, 47) (sha256 ")
    with pytest.raises(salbox.UsageError, match=r"center_bias=float32 array \(30\): expected a text, or finite"):
        salbox.load("dgii", weights=tmp_path / "dgii.pth", center_bias=template[:, 0])
