"""The network of `gaze`: a log density with a centre prior beside what it sees."""

from __future__ import annotations

import numpy as np
import pytest

torch = pytest.importorskip("torch")

import salbox  # noqa: E402
from salbox.networks.export.onnx import export_onnx  # noqa: E402
from salbox.networks.trainable.gaze import Gaze, log_center  # noqa: E402
from salbox.networks.trainable.reload import read_exported  # noqa: E402
from salbox.runtime import gaze as running  # noqa: E402
from salbox.runtime.network import open_network  # noqa: E402


def small(center: float = 0.3) -> Gaze:
    torch.manual_seed(0)
    return Gaze(["gaze"], encoder="mobilenetv3_small_050", width=16, head_width=4, centre=center).eval()


def test_maps_are_log_densities():
    with torch.no_grad():
        maps = small().maps(torch.full((2, 3, 64, 96), 90.0))
    assert maps.shape == (2, 1, 16, 24)
    np.testing.assert_allclose(maps.exp().sum(dim=(2, 3)).numpy(), 1, rtol=1e-5)


@pytest.mark.parametrize(("height", "width"), [(8, 12), (5, 3), (1, 1)])
def test_the_prior_is_the_same_where_it_is_learned_and_where_it_is_used(height, width):
    learned = log_center(torch.zeros(1, 1, height, width))
    np.testing.assert_allclose(learned.numpy(), running.log_center(height, width), rtol=1e-5, atol=1e-6)
    assert learned.max() <= 0


def test_the_priors_weight_is_learned_and_told():
    network = small(0.7)
    assert network.settings["centre"] == pytest.approx(0.7)
    network.maps(torch.zeros(1, 3, 64, 64))[..., 8, 8].sum().backward()
    assert network.centre.grad is not None
    assert network.centre.grad.abs().sum() > 0


def test_without_the_prior_it_is_the_same_picture_less_the_prior():
    with_prior, without = small(0.9), small(0.0)
    images = torch.from_numpy(np.random.default_rng(0).integers(0, 256, (1, 3, 64, 96))).float()
    with torch.no_grad():
        difference = with_prior(images) - without(images)
    torch.testing.assert_close(difference[0, 0], 0.9 * log_center(difference), rtol=1e-4, atol=1e-4)


def test_exported_for_images_of_any_size_and_read_back(tmp_path):
    network = small(0.5)
    export_onnx(network, tmp_path / "gaze.onnx", {"gaze": salbox.card("gaussian")}, {"gaze": "people"})
    again = read_exported(tmp_path / "gaze.onnx")
    assert isinstance(again, Gaze)
    assert float(again.centre.detach()) == pytest.approx(0.5)
    image = np.random.default_rng(0).integers(0, 256, (300, 90, 3), np.uint8)
    (found,) = open_network(tmp_path / "gaze.onnx", threads=1).maps([image])
    assert np.exp(found["gaze"].astype(float)).sum() == pytest.approx(1, abs=1e-4)
