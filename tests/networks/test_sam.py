"""SAM against its authors' program, run with generated weights on one photo of OSIE."""

from __future__ import annotations

import authors_files as files
import numpy as np
import pytest
import weight_writers as writers
from generated_weights import arrays_of, facts_of, saved_every
from scipy.ndimage import gaussian_filter

torch = pytest.importorskip("torch")
pytest.importorskip("h5py")

# ruff: noqa: E402 - what follows needs torch

import salbox
from salbox.networks.ops.letterbox import fit, unfit
from salbox.networks.sam import network as sam
from salbox.networks.sam.files import COUNTED, expected_layers
from salbox.networks.sam.network import PRIORS, SIZE, AttentiveLSTM, LearnedPriors, Sam
from salbox.networks.sam.predictor import SamPredictor

TAG = "osie1001"
TOLERANCE = 1e-4  # of the map's range
PARAMETERS = {"vgg": 51_835_841, "resnet": 70_146_561}  # moving statistics counted, as Keras does


class Small(torch.nn.Module):
    """An encoder of one convolution, so that what is around it can be looked at quickly."""

    def __init__(self):
        super().__init__()
        self.convolution = torch.nn.Conv2d(3, 512, 8, 8)

    def forward(self, images):
        return torch.relu(self.convolution(images))


@pytest.fixture(scope="module")
def network():
    torch.manual_seed(0)
    network = Sam("vgg")
    network.encoder = Small()
    torch.nn.init.ones_(network.output.bias)  # so that its ReLU lets something through
    return network.requires_grad_(False)


@pytest.fixture(scope="module")
def model(network):
    return SamPredictor(network, "nowhere")


def image(height: int, width: int) -> np.ndarray:
    return np.random.default_rng(height * width).integers(0, 256, (height, width, 3), np.uint8)


@pytest.mark.parametrize("encoder", PARAMETERS)
def test_layers_and_shapes_are_the_authors(shared, encoder):
    listed = [(layer, arrays) for layer, arrays in facts_of(shared, f"sam_{encoder}")["h5_layers_in_order"] if arrays]
    expected = list(expected_layers(encoder))
    assert [[tuple(shape) for _, shape in arrays] for _, arrays in listed] == [
        [shape for _, shape in layer.tensors] for layer in expected
    ]
    assert all(theirs.startswith(own.name) for (theirs, _), own in zip(listed, expected, strict=True))
    with torch.device("meta"):
        own = {k: tuple(v.shape) for k, v in Sam(encoder).state_dict().items() if "num_batches" not in k}
    assert own == {name: shape for layer in expected for name, shape in layer.tensors}
    assert sum(int(np.prod(shape)) for shape in own.values()) == PARAMETERS[encoder]
    assert facts_of(shared, f"sam_{encoder}")["n_params"] == PARAMETERS[encoder]


@pytest.mark.slow
@pytest.mark.parametrize("encoder", PARAMETERS)
def test_equals_the_authors_program(shared, tmp_path, encoder):
    """From the file to the map, and inner layers' means."""
    model = SamPredictor.load(files.sam(shared, tmp_path, encoder))
    arrays = arrays_of(shared, f"sam_{encoder}")
    photo = salbox.read_image(files.photo_path(shared))
    seen = torch.from_numpy(fit(photo, *SIZE)).permute(2, 0, 1)[None].float()
    with torch.inference_mode():
        features = model.network.features(seen)
        whole = sam.enlarged_by(features["map"], sam.SCALE, sam.OFFSET)[0, 0].numpy()
        features["prior"] = model.network.prior_1.maps(30, 40)
    inner = {
        "block5_conv3" if encoder == "vgg" else "convolution2d_1": "encoder",
        "attentiveconvlstm_1": "lstm",
        "learningprior_1": "prior",
        "atrousconvolution2d_1": "mix_1",
        "atrousconvolution2d_2": "mix_2",
    }
    for theirs, own in inner.items():
        assert float(features[own].mean()) == pytest.approx(float(arrays[f"{TAG}__feat__{theirs}__mean"]), rel=1e-4)
    for tag, values in ((TAG, whole), (f"{TAG}_postprocessed", 255 * model(photo))):
        found, expected = saved_every(arrays, tag, values)
        assert np.abs(found - expected).max() < TOLERANCE * np.ptp(expected)


def test_the_lstm_written_out():
    """Three by three convolutions of which only the middle is not zero mix channels; the rest is NumPy."""
    torch.manual_seed(1)
    lstm = AttentiveLSTM(4)
    mixes, biases = {}, {}
    for name, layer in lstm.named_children():
        middle = torch.zeros_like(layer.weight)
        middle[:, :, 1, 1] = torch.randn(layer.weight.shape[:2])
        layer.weight.data.copy_(middle)
        mixes[name] = middle[:, :, 1, 1].double().numpy()
        biases[name] = 0 if layer.bias is None else layer.bias.data.double().numpy()[:, None, None]

    def mixed(name, values):
        return np.einsum("oi,ihw->ohw", mixes[name], values) + biases[name]

    def sigmoid(values):
        return 1 / (1 + np.exp(-values))

    features = np.random.default_rng(0).standard_normal((4, 3, 5))
    hidden = cell = np.zeros_like(features)
    for _ in range(4):
        scores = np.exp(mixed("attend", np.tanh(mixed("hidden_a", hidden) + mixed("input_a", features))))
        seen = features * scores / scores.sum()
        i, f, c, o = (mixed(f"input_{g}", seen) + mixed(f"hidden_{g}", hidden) for g in "ifco")
        cell = sigmoid(f) * cell + sigmoid(i) * np.tanh(c)
        hidden = sigmoid(o) * np.tanh(cell)
    with torch.no_grad():
        found = lstm(torch.from_numpy(features)[None].float())[0].numpy()
    np.testing.assert_allclose(found, hidden, atol=1e-5)


def test_priors_are_held_within_bounds():
    """A Gaussian far out at the upper left, and one as wide as can be in the middle."""
    priors = LearnedPriors()
    with torch.no_grad():
        priors.gaussians.fill_(-1)
        priors.gaussians[[1, 17]] = 0.5
        priors.gaussians[[33, 49]] = 9
        corner, wide = priors.maps(61, 61)[0, :2].numpy()
    x = y = np.linspace(0, 1, 61)
    expected = np.exp(-((x - 0.25) ** 2) / 0.02)[None] * np.exp(-((y - 0.35) ** 2) / 0.08)[:, None]
    np.testing.assert_allclose(corner, expected / expected.max(), atol=1e-4)
    expected = np.exp(-((x - 0.5) ** 2) / 1.62)[None] * np.exp(-((y - 0.5) ** 2) / 1.28)[:, None]
    np.testing.assert_allclose(wide, expected, atol=1e-4)
    features = torch.rand(2, 3, 4, 6)
    assert priors(features).shape == (2, 3 + PRIORS, 4, 6)
    torch.testing.assert_close(priors(features)[:, :3], features)


def test_the_map_is_smoothed_and_its_maximum_is_1(model, monkeypatch):
    monkeypatch.setattr(model, "size", (24, 32))
    pixels = image(60, 50)
    seen = torch.from_numpy(fit(pixels, 24, 32)).permute(2, 0, 1)[None].float()
    with torch.inference_mode():
        whole = model.network(seen)[0, 0].numpy()
    assert whole.shape == (48, 64)
    expected = gaussian_filter(unfit(whole, (60, 50)), 7, mode="reflect")
    np.testing.assert_allclose(model(pixels), expected / expected.max(), atol=1e-5)


@pytest.mark.parametrize("size", [(1, 1), (1, 500), (3, 2), (300, 90)])
def test_maps_have_the_image_s_size(model, size, monkeypatch):
    monkeypatch.setattr(model, "size", (24, 32))
    saliency = model(image(*size))
    assert saliency.shape == size
    assert saliency.dtype == np.float32
    assert saliency.min() >= 0
    assert saliency.max() in (0, 1)


def test_learns_and_images_of_a_batch_do_not_mix(network):
    torch.manual_seed(0)
    images = 255 * torch.rand(2, 3, 24, 40)
    network.requires_grad_(True)
    try:
        maps = network(images)
        maps.square().mean().backward()
        assert maps.shape == (2, 1, 48, 80)
        assert all(p.grad is not None and p.grad.abs().sum() > 0 for p in network.parameters())
    finally:
        network.zero_grad(set_to_none=True)
        network.requires_grad_(False)
    torch.testing.assert_close(network(images[1:]), maps[1:].detach())


@pytest.mark.slow
def test_weights_that_overflow(network):
    before = network.output.weight.clone()
    try:
        network.output.weight.fill_(float("inf"))
        with pytest.raises(salbox.WeightsError, match=r"^here: the weights make numbers too large for a map"):
            SamPredictor(network, "here")(image(8, 8))
    finally:
        network.output.weight.copy_(before)


def small_layers(encoder):
    """Return the layers of a file, every array with one number, with names as Keras counts them."""
    found = []
    for expected in expected_layers(encoder):
        before = sum(name.rpartition("_")[0] == expected.name for name, _ in found)
        name = f"{expected.name}_{before + 1}" if expected.name in COUNTED else expected.name
        found.append((name, {str(k): np.ones(1, np.float32) for k in range(len(expected.tensors))}))
    return found


@pytest.mark.slow
def test_other_files_get_one_line(tmp_path):
    one, vgg, resnet = np.ones(1, np.float32), small_layers("vgg"), small_layers("resnet")
    swapped = [*resnet[:2], resnet[4], resnet[3], resnet[2], *resnet[5:]]
    cases = {
        "not the weights of SAM-VGG: 'block1_conv1/0' has shape": vgg,
        "not the weights of SAM-ResNet: 'conv1/0' has shape": resnet,
        "layer 3 is 'res2a_branch2b', expected 'res2a_branch2a'": swapped,
        "18 layers with weights, expected 19": vgg[:-1],
        "20 layers with weights, expected 19": [*vgg, ("dense_1", {"w": one})],
        "'block1_conv1' has 1 arrays, expected 2": [("block1_conv1", {"w": one})],
        "it looks like those of 'dinet'": [
            ("model_2", {f"{k}/kernel:0": one for k in ("res2a_branch2a", "conv2d_4", "conv2d_7")})
        ],
    }
    for message, layers in cases.items():
        path = writers.write_keras(tmp_path / "a.h5", layers)
        with pytest.raises(salbox.WeightsError, match=message) as caught:
            SamPredictor.load(path)
        assert "\n" not in str(caught.value)


def test_a_device_that_is_not_there(tmp_path):
    with pytest.raises(salbox.UsageError, match="device 'cuda:99'"):
        SamPredictor.load(tmp_path / "none.h5", "cuda:99")
