"""Curves from a student's ranks to its matched teacher's values, and what becomes of them where a network ships."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import onnx_writer as ow
import programs
import pytest

pytest.importorskip("torch")
pytest.importorskip("onnx")
pytest.importorskip("lightning")

from salbox.distillation.teachers.augmentations import View
from salbox.distillation.teachers.maps_folder import TeacherMaps
from salbox.imaging.writing import write_picture
from salbox.runtime.fingerprint import weights_fingerprint
from salbox.runtime.histogram_curves import HistogramCurves
from salbox.runtime.network import open_network


@pytest.fixture(scope="module")
def script():
    return programs.script("fit_histogram_curves")


def test_a_teacher_that_is_a_function_of_the_rank_is_found(script):
    """Whatever the student's own values: its k-th of n pixels has k/n, squared by the teacher."""
    bins = script.Bins()
    for seed in range(4):
        order = np.random.default_rng(seed).permutation(64 * 64).reshape(64, 64)
        bins.add(np.exp(seed + order / 900).astype(np.float32), ((order + 1) / 64**2).astype(np.float32) ** 2)
    expected = np.array(script.QUANTILES) ** 2
    np.testing.assert_allclose(bins.curve(), expected, atol=2e-3)


def test_of_what_descends_the_mean_is_taken(script):
    bins = script.Bins()
    student = np.arange(64 * 64, dtype=np.float32).reshape(64, 64)
    bins.add(student, np.where(student < 2048, 0.75, 0.25).astype(np.float32))
    np.testing.assert_allclose(bins.curve(), 0.5, atol=1e-3)


def test_a_network_is_fitted_head_by_head(script, tmp_path):
    """A photo at the network's size, of which its maps are the mean red and blue of 2x2 pixels."""
    (tmp_path / "a.onnx").write_bytes(ow.student())
    network = open_network(tmp_path / "a.onnx", threads=1)
    image = np.random.default_rng(0).integers(0, 256, (12, 16, 3), np.uint8)
    write_picture(tmp_path / "photo.png", image)
    view = View(tmp_path / "photo.png", "photo")
    small = image.reshape(6, 2, 8, 2, 3).mean(axis=(1, 3))
    maps = {}
    for channel, head in ((0, "red"), (2, "blue")):
        np.testing.assert_allclose(script.own_maps(network, view)[head], small[..., channel] / 255, atol=1e-6)
        (tmp_path / head).mkdir()
        np.save(tmp_path / head / "photo.npy", small[..., channel] ** (1 if head == "red" else 3))
        maps[head] = TeacherMaps(tmp_path / head)
    found = script.fitted(network, maps, [view])
    assert found.weights == weights_fingerprint(tmp_path / "a.onnx")
    # One photo, whose values are learned by heart: the teachers' come back.
    for channel, head in ((0, "red"), (2, "blue")):
        again = found.apply(head, small[..., channel].astype(np.float32))
        np.testing.assert_allclose(again, maps[head].read("photo"), atol=0.05)
    np.save(tmp_path / "red" / "photo.npy", -small[..., 0])
    with pytest.raises(SystemExit, match="red: no curve that rises fits its teacher"):
        script.fitted(network, {"red": TeacherMaps(tmp_path / "red")}, [view])


def test_other_heads_keep_their_curves(script):
    old = HistogramCurves("before", (0.5, 1.0), {"a": (0.0, 1.0), "b": (0.2, 0.3)})
    new = HistogramCurves("after", (0.5, 1.0), {"b": (0.4, 0.5)})
    assert script.joined(old, new) == HistogramCurves("after", (0.5, 1.0), {"a": (0.0, 1.0), "b": (0.4, 0.5)})
    assert script.joined(None, new) == new
    assert script.joined(replace(old, quantiles=(0.6, 1.0)), new) == new


def test_teachers_are_those_of_the_file_unless_told(script, tmp_path):
    (tmp_path / "a.onnx").write_bytes(ow.student(metadata=ow.notes(heads=("gbvs", "bms"))))
    network = open_network(tmp_path / "a.onnx", threads=1)
    found = script.teachers_of(network, {"bms": "imsig"})
    assert {head: who.model for head, who in found.items()} == {"gbvs": "gbvs", "bms": "imsig"}
    assert {who.preprocess.histogram_matching for who in found.values()} == {"biased"}
    with pytest.raises(SystemExit, match="no head sun"):
        script.teachers_of(network, {"sun": "sun"})
