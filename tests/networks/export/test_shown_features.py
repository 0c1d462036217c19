"""The features that an exported network shows, beside those of PyTorch's."""

from __future__ import annotations

import numpy as np
import pytest

torch = pytest.importorskip("torch")
pytest.importorskip("onnx")

import salbox  # noqa: E402
from salbox.errors import UsageError  # noqa: E402
from salbox.models.exported import packaged  # noqa: E402
from salbox.models.registry import SHIPPED  # noqa: E402
from salbox.networks.export.models import shrink_exported  # noqa: E402
from salbox.networks.export.onnx import export_onnx  # noqa: E402
from salbox.networks.trainable.gaze import Gaze  # noqa: E402
from salbox.runtime.network import open_network  # noqa: E402


@pytest.fixture(scope="module")
def network():
    torch.manual_seed(0)
    return Gaze(size=(96, 128), width=16).eval()


@pytest.fixture(scope="module")
def file(network, tmp_path_factory):
    path = tmp_path_factory.mktemp("shown") / "gaze.onnx"
    export_onnx(network, path, {"gaze": salbox.card("gaze")}, {"gaze": "people"})
    return path


@pytest.mark.parametrize("how", ["whole", "int8"])
def test_features_are_the_decoder_s(network, file, tmp_path, how):
    path = file
    if how == "int8":  # weights are cast to single precision in the graph
        path = tmp_path / "small.onnx"
        shrink_exported(file, path, "int8")
    image = np.random.default_rng(0).integers(0, 256, (96, 128, 3), np.uint8)
    opened = open_network(path, threads=1)
    look = opened.look(image)
    np.testing.assert_array_equal(look.log_density, opened.maps([image])[0]["gaze"])
    pixels = torch.from_numpy(network.preprocessing.prepare(image).astype(np.float32)).permute(2, 0, 1)[None]
    with torch.inference_mode():
        decoded = network.decoder_features(pixels)[0].numpy()
    assert look.features.shape == decoded.shape
    np.testing.assert_allclose(look.features, decoded, atol=2e-3 if how == "whole" else 0.5)
    assert np.corrcoef(look.features.ravel(), decoded.ravel())[0, 1] > 0.99


def test_a_network_of_another_kind_shows_none():
    opened = open_network(packaged(SHIPPED), threads=1)
    assert opened.shown == ""
    with pytest.raises(UsageError, match="does not show the features"):
        opened.look(np.zeros((40, 60, 3), np.uint8))
