"""The mean teacher maps of a run: written, read, and scored as any other row."""

from __future__ import annotations

import pickle

import numpy as np
import pytest
from trees import photo

from salbox.datasets.folder import open_images
from salbox.distillation.fidelity.mean_map import FILE, ConstantSource, read_means, write_means
from salbox.distillation.fidelity.measure import CONSTANT
from salbox.errors import UsageError
from salbox.evaluation import ModelSource, evaluate
from salbox.metrics import fidelity_cc

MEAN = np.linspace(0, 1, 240 * 320).reshape(240, 320)


def test_what_is_written_is_read(tmp_path):
    write_means(tmp_path / "run", {"imsig": MEAN, "fast/gaze": 1 - MEAN})
    found = read_means(tmp_path / "run")
    np.testing.assert_allclose(found["fast/gaze"], 1 - MEAN, atol=1e-7)
    assert found["imsig"].dtype == np.float32
    assert read_means(tmp_path) == {}


@pytest.mark.parametrize("content", [b"", b"PK\x03\x04broken", b"\x93NUMPY"])
def test_a_broken_file_is_one_line(tmp_path, content):
    (tmp_path / FILE).write_bytes(content)
    with pytest.raises(UsageError, match="not readable as mean teacher maps"):
        read_means(tmp_path)


@pytest.mark.parametrize("array", [np.zeros((2, 2), np.float32), np.full((240, 320), np.nan, np.float32)])
def test_another_array_is_refused(tmp_path, array):
    np.savez(tmp_path / FILE, imsig=array)
    with pytest.raises(UsageError, match="'imsig' is not a map of 320x240"):
        read_means(tmp_path)


def test_objects_are_never_unpickled(tmp_path):
    np.savez(tmp_path / FILE, imsig=np.array([{"a": 1}], object))
    with pytest.raises(UsageError, match="not readable"):
        read_means(tmp_path)


def test_a_row_of_an_evaluation(tmp_path):
    path = photo(tmp_path / "photos" / "a.png", 64, 48)
    source = pickle.loads(pickle.dumps(ConstantSource(MEAN.astype(np.float32), FILE)))
    table = evaluate(
        open_images(path.parent), ["gaussian", source], ["fidelity_cc"], teacher=ModelSource("bms"),
        folder=tmp_path / "kept",
    )  # fmt: skip
    import salbox

    expected = fidelity_cc(MEAN, salbox.load("bms")(path))
    assert table.estimate(CONSTANT, "fidelity_cc").value == pytest.approx(expected, abs=1e-6)
