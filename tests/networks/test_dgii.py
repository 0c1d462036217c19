"""DeepGaze II against its authors' modules, put together and run with generated weights on one photo of OSIE."""

from __future__ import annotations

import authors_files as files
import numpy as np
import pytest
from generated_weights import arrays_of, facts_of, saved_every
from scipy.ndimage import gaussian_filter

torch = pytest.importorskip("torch")

# ruff: noqa: E402 - what follows needs torch

import salbox
from salbox.networks.deepgaze.center_bias import center_bias
from salbox.networks.deepgaze.layers import Finalizer, GaussianBlur, gathered, halve, nearest
from salbox.networks.dgii.network import DeepGazeII
from salbox.networks.dgii.predictor import DeepGazeIIPredictor

TOLERANCE = 1e-4  # of the map's range


@pytest.fixture(scope="module")
def model():
    torch.manual_seed(0)
    network = DeepGazeII()
    with torch.no_grad():
        for name, value in network.named_parameters():
            if name.endswith("weight") and value.ndim == 4:
                value.normal_(0, (2 / value[0].numel()) ** 0.5)
    return DeepGazeIIPredictor(network, "nowhere")


def image(height: int, width: int) -> np.ndarray:
    return np.random.default_rng(height * width).integers(0, 256, (height, width, 3), np.uint8)


def test_names_and_shapes_are_the_oracle_s(shared):
    facts = facts_of(shared, "deepgaze2_torch")
    with torch.device("meta"):
        network = DeepGazeII()
    own = {key: [list(t.shape), str(t.dtype)] for key, t in network.state_dict().items()}
    assert own == {key: [shape, f"torch.{dtype}"] for key, shape, dtype in facts["keys"]}
    assert sum(p.numel() for p in network.parameters()) == facts["n_params"]


@pytest.mark.slow
def test_equals_the_authors_modules(shared, tmp_path):
    arrays = arrays_of(shared, "deepgaze2_torch")
    np.save(tmp_path / "bias.npy", files.deepgaze_center_bias(600, 800))
    model = DeepGazeIIPredictor.load(files.dgii(shared, tmp_path))
    photo = salbox.read_image(files.photo_path(shared))
    found, expected = saved_every(arrays, "osie1001", model(photo, center_bias=tmp_path / "bias.npy"))
    assert np.abs(found - expected).max() <= TOLERANCE * np.ptp(expected)
    # By default another centre bias, and so another map.
    assert np.abs(model(photo)[::4, ::4] - expected).max() > 0.1


@pytest.mark.parametrize("size", [(1, 1), (1, 90), (70, 3), (33, 47)])
@pytest.mark.parametrize("bias", ["osie", "uniform"])
def test_maps_are_densities_of_the_image_s_size(model, size, bias):
    saliency = model(image(*size), center_bias=bias)
    assert saliency.shape == size
    assert saliency.dtype == np.float32
    assert np.exp(saliency.astype(np.float64)).sum() == pytest.approx(1, abs=1e-5)


def test_a_network_that_sees_nothing_gives_the_centre_bias(model):
    network = DeepGazeII()
    network.load_state_dict(model.network.state_dict())
    with torch.no_grad():
        network.readout_network.conv3.weight.zero_()
    found = DeepGazeIIPredictor(network, "nowhere")(image(40, 60), center_bias="osie")
    expected = center_bias("osie", 40, 60)[::2, ::2].repeat(2, 0).repeat(2, 1)
    np.testing.assert_allclose(found, expected - np.log(np.exp(expected).sum()), atol=1e-5)


def test_large_images_are_seen_small(model, monkeypatch):
    monkeypatch.setattr(model, "largest", (25, 40))
    seen = []
    hook = model.network.register_forward_pre_hook(lambda _, given: seen.append([t.shape[-2:] for t in given]))
    try:
        saliency = model(image(90, 60))
    finally:
        hook.remove()
    assert saliency.shape == (90, 60)
    assert np.exp(saliency.astype(np.float64)).sum() == pytest.approx(1, abs=1e-5)
    assert seen == [[(38, 25), (38, 25)]]


@pytest.mark.parametrize("source", [1, 2, 3, 19, 38, 75])
def test_nearest_neighbours_are_pytorch_s(source):
    values = torch.arange(float(source))[None, None, None]
    for target in range(1, 400):
        expected = torch.nn.functional.interpolate(values, size=(2, target), mode="nearest")
        assert torch.equal(nearest(values, (2, target)), expected)


def test_the_blur_is_scipy_s():
    maps = np.random.default_rng(0).random((23, 31), np.float32)
    with torch.no_grad():
        found = GaussianBlur(2.3)(torch.from_numpy(maps)[None, None])[0, 0].numpy()
    # SciPy rounds the reach of its kernel, the authors round it up.
    expected = gaussian_filter(maps.astype(np.float64), 2.3, mode="nearest", radius=int(np.ceil(3 * 2.3)))
    np.testing.assert_allclose(found, expected, atol=1e-6)


def test_halving_takes_even_pixels():
    values = torch.arange(35.0).reshape(1, 1, 5, 7)
    np.testing.assert_array_equal(halve(values)[0, 0], [[0, 2, 4], [14, 16, 18]])
    expected = torch.nn.functional.interpolate(values, scale_factor=0.5, mode="nearest")
    torch.testing.assert_close(halve(values), expected)


def test_features_are_gathered_by_nearest_neighbours():
    first, second = torch.arange(4.0).reshape(1, 1, 2, 2), torch.zeros(1, 2, 1, 1)
    found = gathered([first, second], torch.zeros(1, 3, 13, 16), 4)
    assert found.shape == (1, 3, 4, 4)
    np.testing.assert_array_equal(found[0, 0], [[0, 0, 1, 1], [0, 0, 1, 1], [2, 2, 3, 3], [2, 2, 3, 3]])


def test_everything_learns():
    network = DeepGazeII()
    bias = torch.from_numpy(center_bias("osie", 40, 60))[None, None]
    with torch.no_grad():
        for index in range(4):
            network.readout_network.get_submodule(f"conv{index}").weight.abs_()
            network.readout_network.get_submodule(f"bias{index}").bias.fill_(0.1)
    network(torch.rand(1, 3, 40, 60) * 255, bias)[:, :, 7, 9].sum().backward()
    assert all(p.grad is not None and torch.isfinite(p.grad).all() for p in network.parameters())
    assert network.finalizer.gauss.sigma.grad != 0


def test_a_finalizer_of_any_size_gives_a_density():
    with torch.no_grad():
        found = Finalizer(3.0)(torch.rand(2, 1, 2, 3), torch.zeros(2, 1, 7, 11))
    torch.testing.assert_close(found.exp().sum((1, 2, 3)), torch.ones(2))


@pytest.mark.slow
def test_other_files_get_one_line(model, tmp_path):
    whole = model.network.state_dict()
    cases = {
        "iie": (dict.fromkeys(["models.0.saliency_networks.0", "models.3.finalizers.0"]), "those of 'deepgaze2e'"),
        "short": ({k: v for k, v in whole.items() if "readout" not in k}, "lacks 'readout_network.conv0.weight'"),
        "wide": ({**whole, "finalizer.gauss.sigma": torch.tensor(1e9)}, "'finalizer.gauss.sigma' is 1e[+]09"),
        "none": ({**whole, "finalizer.gauss.sigma": torch.tensor(-1.0)}, "'finalizer.gauss.sigma' is -1"),
    }
    for name, (state, message) in cases.items():
        tensors = {key: torch.zeros(1) if value is None else value for key, value in state.items()}
        torch.save(tensors, tmp_path / f"{name}.pth")
        with pytest.raises(salbox.WeightsError, match=message) as caught:
            DeepGazeIIPredictor.load(tmp_path / f"{name}.pth")
        assert "\n" not in str(caught.value)


def test_weights_that_overflow(model):
    network = DeepGazeII()
    network.load_state_dict(model.network.state_dict())
    with torch.no_grad():
        network.finalizer.center_bias_weight.fill_(float("nan"))
    with pytest.raises(salbox.WeightsError, match="nowhere: the weights make numbers"):
        DeepGazeIIPredictor(network, "nowhere")(image(8, 8))
