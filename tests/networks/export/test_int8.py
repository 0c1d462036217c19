"""Weights stored in 8 bits."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pytest

torch = pytest.importorskip("torch")

import onnx  # noqa: E402
from onnx import numpy_helper  # noqa: E402

import salbox  # noqa: E402
from salbox.formats.onnx_file import inspect  # noqa: E402
from salbox.networks.export import models  # noqa: E402
from salbox.networks.export.models import shrink_exported  # noqa: E402
from salbox.networks.export.onnx import export_onnx  # noqa: E402
from salbox.networks.trainable.box import Box  # noqa: E402
from salbox.networks.trainable.reload import read_exported  # noqa: E402
from salbox.runtime.network import open_network  # noqa: E402
from salbox.runtime.preprocessing import Preprocessing  # noqa: E402


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    folder = tmp_path_factory.mktemp("int8")
    torch.manual_seed(0)
    network = Box(["a"], encoder="mobilenetv3_small_050", width=16, head_width=4)
    whole, small = folder / "whole.onnx", folder / "small.onnx"
    export_onnx(network, whole, {"a": salbox.card("gaussian")}, {"a": "gaussian"})
    shrink_exported(whole, small, "int8")
    return network, whole, small


def test_large_weights_take_a_byte_and_small_ones_two(files):
    _, whole, small = files
    dtypes = {i.name: (i.dtype, i.size) for i in inspect(small).initializers}
    stored = {name for name, (dtype, _) in dtypes.items() if dtype == "int8"}
    assert stored
    assert all(dtypes[name][1] >= 4096 for name in stored)
    assert "float16" in {dtype for dtype, _ in dtypes.values()}
    assert small.stat().st_size < 0.6 * whole.stat().st_size


def test_each_weight_is_within_half_a_step(files):
    _, whole, small = files
    before = {i.name: numpy_helper.to_array(i) for i in onnx.load(whole).graph.initializer}
    after = read_exported(small).state_dict()
    stored = [i.name for i in inspect(small).initializers if i.dtype == "int8"]
    for name in stored:
        steps = np.abs(before[name]).max(axis=tuple(range(1, before[name].ndim)), keepdims=True) / 127
        assert (np.abs(after[name].numpy() - before[name]) <= 0.5001 * steps).all()


def test_maps_change_a_little_and_the_card_not_at_all(files):
    _, whole, small = files
    image = np.random.default_rng(0).integers(0, 256, (120, 160, 3), np.uint8)
    (first,), (second,) = (open_network(path, threads=1).maps([image]) for path in (whole, small))
    assert 0 < np.abs(first["a"] - second["a"]).max() < 0.1 * np.ptp(first["a"])
    assert open_network(small, threads=1).metadata == open_network(whole, threads=1).metadata


def test_a_weight_of_zeros_stays_zero(tmp_path):
    torch.manual_seed(0)
    network = Box(["a"], encoder="mobilenetv3_small_050", width=16, head_width=4)
    name, weight = max(network.named_parameters(), key=lambda named: named[1].numel())
    with torch.no_grad():
        weight.zero_()
    export_onnx(network, tmp_path / "a.onnx", {"a": salbox.card("gaussian")}, {"a": "gaussian"})
    shrink_exported(tmp_path / "a.onnx", tmp_path / "b.onnx", "int8")
    assert not read_exported(tmp_path / "b.onnx").state_dict()[name].any()


@pytest.mark.parametrize(("output", "expected"), [("probability", 0.03), ("score", 0.3)])
def test_of_a_picture_without_an_object_probabilities_are_compared_as_they_are(output, expected):
    """A map of 0 to 0.1 that differs by 0.03: of a score that is much, of a probability it is not."""
    before = np.linspace(0, 0.1, 12, dtype=np.float32).reshape(1, 1, 3, 4)
    after = before.copy()
    after[0, 0, 1, 2] += 0.03
    metadata = SimpleNamespace(output=output, preprocessing=Preprocessing("area", 96, 128, 32))
    whole, small = (SimpleNamespace(run=lambda feed, names, maps=maps: (maps,)) for maps in (before, after))
    found = models._difference(SimpleNamespace(metadata=metadata, session=whole), small)
    assert found == pytest.approx(expected, abs=1e-3)
