"""OpenSALICON against its authors' program, run with generated weights on one photo of OSIE."""

from __future__ import annotations

import authors_files as files
import numpy as np
import pytest
import weight_writers as writers
from generated_weights import arrays_of, facts_of, saved_every

torch = pytest.importorskip("torch")

# ruff: noqa: E402 - what follows needs torch

from scipy.interpolate import make_interp_spline

import salbox
from salbox.networks.salicon.network import COARSE, FINE, Salicon
from salbox.networks.salicon.predictor import SaliconPredictor, by_splines, stored_name

TAG = "osie1001"
TOLERANCE = 1e-4  # of the map's range


@pytest.fixture(scope="module")
def network():
    torch.manual_seed(0)
    return Salicon().requires_grad_(False)


@pytest.fixture(scope="module")
def model(network):
    return SaliconPredictor(network, "nowhere")


def image(height: int, width: int) -> np.ndarray:
    return np.random.default_rng(height * width).integers(0, 256, (height, width, 3), np.uint8)


def test_names_and_shapes_are_the_authors(shared, network):
    facts = facts_of(shared, "opensalicon")
    own = SaliconPredictor.reads.layout.shapes(network)
    assert own == {key: tuple(shape) for key, shape, _ in facts["keys"]}
    assert sum(p.numel() for p in network.parameters()) == facts["n_params"] == 29_430_401


@pytest.mark.slow
def test_equals_the_authors_program(shared, tmp_path):
    """From the file to the map, what the streams see and give, and the map before it is enlarged."""
    model = SaliconPredictor.load(files.salicon(shared, tmp_path))
    network, arrays = model.network, arrays_of(shared, "opensalicon")
    photo = salbox.read_image(files.photo_path(shared))
    small = []
    hook = network.register_forward_hook(lambda module, given, result: small.append((given, result)))
    whole = model(photo)
    hook.remove()
    ((seen, result),) = small
    for stream, given, size in zip(("fine", "coarse"), seen, (FINE, COARSE), strict=True):
        assert tuple(given.shape) == (1, 3, *size)
        mean = float(((given.flip(1) - network.means) / 255).mean())
        assert mean == pytest.approx(float(arrays[f"{TAG}_{stream}__input__mean"]), abs=1e-6)
    for tag, values in ((f"{TAG}_saliency_map_out", result[0, 0].numpy()), (TAG, whole)):
        found, expected = saved_every(arrays, tag, values)
        assert np.abs(found - expected).max() < TOLERANCE * np.ptp(expected)


def test_by_splines_goes_through_the_pixels():
    """Within the picture as SciPy's interpolating splines do; at 2 n - 1 every other sample is a pixel."""
    values = np.random.default_rng(0).random((40, 50)).astype(np.float32)
    found = by_splines(values, (79, 99))
    assert found.dtype == np.float32
    np.testing.assert_allclose(found[::2, ::2], values, atol=1e-6)
    line = make_interp_spline(np.arange(50), values[20].astype(float), k=3)(np.arange(99) / 2)
    np.testing.assert_allclose(found[40, 20:-20], line[20:-20], atol=1e-4)


def test_the_coarse_stream_is_enlarged_corner_on_corner(network):
    """The readout's first half is the coarse stream's."""
    fine, coarse = torch.zeros(1, 512, 3, 5), torch.zeros(1, 512, 2, 3)
    coarse[0, 7] = torch.tensor([[0.0, 2, 4], [10, 12, 14]])
    fine[0, 7, 2, 4] = 100
    weight = network.readout.weight.detach()
    logits = network.readout(network.joined(fine, coarse))[0, 0].detach() - network.readout.bias.detach()
    expected = weight[0, 7, 0, 0] * (torch.arange(5.0)[None] + 5 * torch.arange(3.0)[:, None])
    expected[2, 4] += 100 * weight[0, 519, 0, 0]
    torch.testing.assert_close(logits, expected)


@pytest.mark.parametrize("size", [(1, 1), (1, 500), (3, 2), (300, 90)])
def test_maps_have_the_image_s_size(model, size, monkeypatch):
    monkeypatch.setattr(model, "sizes", ((80, 112), (40, 56)))
    saliency = model(image(*size))
    assert saliency.shape == size
    assert saliency.dtype == np.float32
    assert np.isfinite(saliency).all()
    assert ((saliency > -0.5) & (saliency < 1.5)).all()


def test_learns_and_images_of_a_batch_do_not_mix(network):
    torch.manual_seed(0)
    fine, coarse = 255 * torch.rand(2, 3, 40, 72), 255 * torch.rand(2, 3, 20, 36)
    network.requires_grad_(True)
    try:
        maps = network(fine, coarse)
        maps.square().mean().backward()
        assert maps.shape == (2, 1, 2, 3)  # pools round up
        assert all(p.grad is not None and p.grad.abs().sum() > 0 for p in network.parameters())
    finally:
        network.zero_grad(set_to_none=True)
        network.requires_grad_(False)
    torch.testing.assert_close(network(fine[1:], coarse[1:]), maps[1:].detach())


def test_weights_that_overflow(model, network, monkeypatch):
    monkeypatch.setattr(model, "sizes", ((32, 32), (32, 32)))
    before = network.readout.weight.clone()
    try:
        network.readout.weight.fill_(float("nan"))
        with pytest.raises(salbox.WeightsError, match=r"^nowhere: the weights make numbers too large for a map"):
            model(image(8, 8))
    finally:
        network.readout.weight.copy_(before)


def test_other_files_get_one_line(tmp_path, network):
    ones = np.ones(3, np.float32)
    own = {stored_name(name): ones for name in network.state_dict()}
    cases = {
        "it looks like those of 'msinet'": dict.fromkeys(("conv1/conv1_1/0", "aspp/conv2/0", "decoder/conv1/0"), ones),
        r"'saliency_map/0' has shape \(3,\), expected \(1, 1024, 1, 1\)": own,
        r"lacks 'sec_conv5_3/1' \(1 of 54 missing\)": {k: v for k, v in own.items() if k != "sec_conv5_3/1"},
        "it holds 'fc6/0'": {**own, "fc6/0": ones},
    }
    for message, arrays in cases.items():
        path = writers.write_caffemodel(tmp_path / "a.caffemodel", arrays)
        with pytest.raises(salbox.WeightsError, match=message) as caught:
            SaliconPredictor.load(path)
        assert "\n" not in str(caught.value)


def test_a_device_that_is_not_there(tmp_path):
    with pytest.raises(salbox.UsageError, match="device 'cuda:99'"):
        SaliconPredictor.load(tmp_path / "none.caffemodel", "cuda:99")
