"""DINet against its authors' program, run with generated weights on one photo of OSIE."""

from __future__ import annotations

import authors_files as files
import numpy as np
import pytest
import weight_writers as writers
from generated_weights import arrays_of, facts_of, saved_every

torch = pytest.importorskip("torch")
pytest.importorskip("h5py")

# ruff: noqa: E402 - what follows needs torch

import salbox
from salbox.formats.keras import open_keras
from salbox.networks.dinet import predictor as dinet
from salbox.networks.dinet.network import SIZE, DINet
from salbox.networks.dinet.predictor import DINetPredictor
from salbox.networks.ops.letterbox import fit

TAG = "osie1001"
TOLERANCE = 1e-4  # of the map's range


@pytest.fixture(scope="module")
def network():
    torch.manual_seed(0)
    return DINet()


@pytest.fixture(scope="module")
def model(network):
    return DINetPredictor(network, "nowhere")


def image(height: int, width: int) -> np.ndarray:
    return np.random.default_rng(height * width).integers(0, 256, (height, width, 3), np.uint8)


def test_names_and_shapes_are_the_authors(shared, network):
    facts = facts_of(shared, "dinet_keras")
    own = DINetPredictor.reads.layout.shapes(network)
    assert own == {key: tuple(shape) for key, shape, _ in facts["keys"]}
    assert sum(np.prod(shape) for shape in own.values()) == facts["n_params"] == 27_036_864


@pytest.mark.slow
def test_equals_the_authors_program(shared, tmp_path):
    """From the file of a whole model to the map, and inner layers' means."""
    model = DINetPredictor.load(files.dinet(shared, tmp_path))
    arrays = arrays_of(shared, "dinet_keras")
    photo = salbox.read_image(files.photo_path(shared))
    seen = torch.from_numpy(fit(photo, *SIZE)).permute(2, 0, 1)[None].float()
    with torch.inference_mode():
        whole, features = model.network(seen)[0, 0].numpy(), model.network.features(seen)
        stem = model.network.encoder.stem(seen.flip(1) - model.network.means)
    inner = {"max_pooling2d": stem, "encoder_sum": features["branches"], "conv2d_5": features["conv2d_5"]}
    for name, values in inner.items():
        assert float(values.mean()) == pytest.approx(float(arrays[f"{TAG}__feat__{name}__mean"]), rel=1e-4)
    for tag, values in ((TAG, whole), (f"{TAG}_postprocessed", 255 * model(photo))):
        found, expected = saved_every(arrays, tag, values)
        assert np.abs(found - expected).max() < TOLERANCE * np.ptp(expected)


def test_convolutions_may_be_counted_from_anywhere(tmp_path, monkeypatch):
    """A small file whose arrays have the right names once the counts are put in order."""
    kernels = {f"conv2d_{k}/kernel:0": np.full(1, k, np.float32) for k in (9, 12, 10, 11)}
    path = writers.write_keras(tmp_path / "a.h5", [("model_2", {**kernels, "conv1/kernel:0": np.zeros(1)})])
    with open_keras(path) as layers:
        found = {name: float(array.read()[0]) for name, array in dinet._by_name(layers, path).items()}
    expected = {f"conv2d_{k}/kernel": k + 8 for k in (1, 4, 2, 3)}
    assert found == {**expected, "conv1/kernel": 0}


@pytest.mark.parametrize("size", [(1, 1), (1, 500), (3, 2), (300, 90)])
def test_maps_have_the_image_s_size(model, size, monkeypatch):
    monkeypatch.setattr(model, "size", (32, 48))
    saliency = model(image(*size))
    assert saliency.shape == size
    assert saliency.dtype == np.float32
    assert saliency.min() == 0
    assert saliency.max() in (0, 1)


def test_learns_and_images_of_a_batch_do_not_mix(network):
    torch.manual_seed(0)
    images = 255 * torch.rand(2, 3, 32, 48)
    network.eval().requires_grad_(True)
    try:
        maps = network(images)
        maps.square().mean().backward()
        assert maps.shape == (2, 1, 32, 48)
        assert all(p.grad is not None and p.grad.abs().sum() > 0 for p in network.parameters())
    finally:
        network.zero_grad(set_to_none=True)
        network.requires_grad_(False)
    torch.testing.assert_close(network(images[1:]), maps[1:].detach())


@pytest.mark.slow
def test_weights_that_overflow(network):
    loud = DINet()
    loud.load_state_dict({name: value * 1e30 for name, value in network.state_dict().items()})
    with pytest.raises(salbox.WeightsError, match=r"^here: the weights make numbers too large for a map"):
        DINetPredictor(loud, "here")(image(8, 8))


def test_other_files_get_one_line(tmp_path, network):
    ones = np.ones(3, np.float32)
    own = {f"{name}:0": ones for name in DINetPredictor.reads.layout.shapes(network)}
    cases = {
        "it looks like those of 'sam'": [
            ("attentiveconvlstm_1", {"convolution2d_1_W": ones}),
            ("learningprior_1", {"w": ones}),
        ],
        r"'conv2d_1/kernel' has shape \(3,\), expected \(1, 1, 2048, 256\)": [("model_2", own)],
        r"lacks 'bn5c_branch2c/beta' \(1 of 272": [
            ("m", {k: v for k, v in own.items() if "bn5c_branch2c/beta" not in k})
        ],
        "it holds 'dense/kernel'": [("model_2", own), ("dense", {"dense/kernel:0": ones})],
        "holds 'conv1/kernel' twice": [("model_2", own), ("model_3", {"conv1/kernel:0": ones})],
    }
    for message, layers in cases.items():
        path = writers.write_keras(tmp_path / "a.h5", layers)
        with pytest.raises(salbox.WeightsError, match=message) as caught:
            DINetPredictor.load(path)
        assert "\n" not in str(caught.value)


def test_a_device_that_is_not_there(tmp_path):
    with pytest.raises(salbox.UsageError, match="device 'cuda:99'"):
        DINetPredictor.load(tmp_path / "none.h5", "cuda:99")
