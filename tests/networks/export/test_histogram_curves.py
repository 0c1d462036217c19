"""Histogram curves are written into an exported network, and nothing else of it changes."""

from __future__ import annotations

import numpy as np
import onnx_writer as ow
import pytest

pytest.importorskip("onnx")

from salbox.errors import UsageError
from salbox.networks.export.cards import put_cards
from salbox.networks.export.histogram_curves import put_curves
from salbox.runtime.fingerprint import weights_fingerprint
from salbox.runtime.histogram_curves import HistogramCurves
from salbox.runtime.network import copy_network, open_network


@pytest.fixture
def network(tmp_path):
    path = tmp_path / "colors.onnx"
    path.write_bytes(ow.student())
    return path


def curves(path, **heads) -> HistogramCurves:
    return HistogramCurves(weights_fingerprint(path), (0.5, 1.0), heads or {"red": (0.0, 1.0)})


def test_curves_are_written_in_the_place_of_older_ones(network):
    before = weights_fingerprint(network)
    put_curves(network, curves(network, red=(0.0, 2.0), blue=(1.0, 3.0)))
    put_curves(network, curves(network))
    assert weights_fingerprint(network) == before
    found = open_network(network)
    assert found.histogram_curves == curves(network)
    assert found.histogram_matched().heads == ("red",)


def test_maps_stay_and_curves_outlast_new_cards_and_copies(network, tmp_path):
    image = np.random.default_rng(0).integers(0, 256, (12, 16, 3), np.uint8)
    (before,) = open_network(network).maps([image])
    put_curves(network, curves(network))
    put_cards(network, open_network(network).cards)
    copy_network(network, tmp_path / "copy.onnx")
    found = open_network(tmp_path / "copy.onnx")
    assert found.histogram_curves == curves(network)
    for head, saliency in found.maps([image])[0].items():
        np.testing.assert_array_equal(saliency, before[head])


def test_what_does_not_fit_is_refused(network, tmp_path):
    content = network.read_bytes()
    with pytest.raises(UsageError, match="fitted to other weights"):
        put_curves(network, HistogramCurves("f" * 64, (0.5, 1.0), {"red": (0.0, 1.0)}))
    with pytest.raises(UsageError, match="a histogram curve of green, which it does not have"):
        put_curves(network, curves(network, green=(0.0, 1.0)))
    assert network.read_bytes() == content
    density = tmp_path / "density.onnx"
    density.write_bytes(ow.student(metadata=ow.notes(output="log_density")))
    with pytest.raises(UsageError, match="no scores but a log_density"):
        put_curves(density, curves(density))
