"""MSI-Net against its authors' program, run with generated weights on one photo of OSIE."""

from __future__ import annotations

import authors_files as files
import numpy as np
import pytest
import weight_writers as writers
from generated_weights import arrays_of, facts_of, saved_every

torch = pytest.importorskip("torch")

# ruff: noqa: E402 - what follows needs torch

import salbox
from salbox.networks.msinet.network import SIZES, MSINet
from salbox.networks.msinet.predictor import MSINetPredictor, framed, stored_name, unframed

TOLERANCE = 1e-4  # of the map's range
TAGS = {"salicon": "osie1001_salicon_240x320", "mit1003": "osie1001_mit1003_360x360"}


@pytest.fixture(scope="module")
def network():
    torch.manual_seed(0)
    return MSINet()


@pytest.fixture(scope="module")
def model(network):
    return MSINetPredictor(network, "nowhere")


def image(height: int, width: int) -> np.ndarray:
    return np.random.default_rng(height * width).integers(0, 256, (height, width, 3), np.uint8)


def test_names_and_shapes_are_the_authors(shared, network):
    facts = facts_of(shared, "msinet")
    own = MSINetPredictor.reads.layout.shapes(network)
    assert own == {key: tuple(shape) for key, shape, _ in facts["keys"]}
    assert sum(p.numel() for p in network.parameters()) == facts["n_params"] == 24_934_209


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["checkpoint", "graph"])
def test_equals_the_authors_program(shared, tmp_path, kind):
    """From the file to the map, at both sizes; what is written has 8 bits, so it is half a step away at most."""
    path = files.msinet(shared, tmp_path, kind)
    model, arrays = MSINetPredictor.load(path), arrays_of(shared, "msinet")
    photo = files.as_tensorflow_decodes(files.photo_path(shared))
    for dataset, tag in TAGS.items():
        seen = framed(photo, SIZES[dataset])
        assert seen.mean() == pytest.approx(float(arrays[f"{tag}__input__mean"]), abs=1e-4)
        with torch.inference_mode():
            logits = model.network(torch.from_numpy(seen).permute(2, 0, 1)[None])
        assert [logits.min(), logits.max()] == pytest.approx(
            list(arrays[f"{tag}__raw_before_minmax__minmax"]), rel=1e-4
        )
        found, expected = saved_every(arrays, tag, model.network.scaled(logits)[0, 0].numpy())
        assert np.abs(found - expected).max() < TOLERANCE * np.ptp(expected)
        found, expected = saved_every(arrays, f"{tag}_postprocessed", 255 * model(photo, dataset=dataset))
        assert np.abs(found - expected).max() < 0.5 + TOLERANCE * np.ptp(expected)
        assert np.mean(np.rint(found) == expected) > 0.999


@pytest.mark.slow
def test_the_photo_as_salbox_decodes_it(shared, tmp_path):
    """What the card says about TensorFlow's decoder."""
    model = MSINetPredictor.load(files.msinet(shared, tmp_path))
    path = files.photo_path(shared)
    exact, fast = model(salbox.read_image(path)), model(files.as_tensorflow_decodes(path))
    assert 0.01 < np.abs(exact - fast).max() < 0.02
    assert np.corrcoef(exact.ravel(), fast.ravel())[0, 1] == pytest.approx(0.9997, abs=1e-4)


def test_a_frame_of_126():
    wide = framed(np.full((10, 40, 3), 200, np.uint8), (24, 32))
    np.testing.assert_allclose(wide[8:16], 200, rtol=1e-5)
    assert (wide[:8] == 126).all()
    assert (wide[16:] == 126).all()
    tall = framed(np.full((30, 10, 3), 200, np.uint8), (24, 32))  # 24 by 8, in the middle
    assert (tall[:, :12] == 126).all()
    np.testing.assert_allclose(tall[:, 12:20], 200, rtol=1e-5)


def test_the_map_of_the_frame_covers_the_image():
    columns = np.tile(np.linspace(0, 1, 32, dtype=np.float32), (24, 1))
    np.testing.assert_array_equal(unframed(columns, (24, 32)), columns)
    np.testing.assert_allclose(unframed(columns, (24, 16))[:, 0], columns[:, 8], atol=1e-6)
    np.testing.assert_allclose(unframed(columns, (48, 20))[0].mean(), 0.5, atol=0.02)


@pytest.mark.parametrize("size", [(1, 1), (1, 500), (3, 2), (300, 90)])
@pytest.mark.parametrize("dataset", ["salicon", "fiwi"])
def test_maps_have_the_image_s_size(model, size, dataset, monkeypatch):
    monkeypatch.setattr(model, "sizes", {"salicon": (24, 32), "fiwi": (40, 24)})
    saliency = model(image(*size), dataset=dataset)
    assert saliency.shape == size
    assert saliency.dtype == np.float32
    assert ((saliency >= 0) & (saliency <= 1)).all()


def test_unknown_data_set(model):
    with pytest.raises(salbox.UsageError, match="dataset 'coco': expected one of salicon, osie"):
        model(image(8, 8), dataset="coco")


def test_learns_and_images_of_a_batch_do_not_mix(network):
    torch.manual_seed(0)
    images = 255 * torch.rand(2, 3, 24, 40)
    network.requires_grad_(True)
    try:
        logits = network(images)
        logits.square().mean().backward()
        assert logits.shape == (2, 1, 24, 40)
        assert all(p.grad is not None and p.grad.abs().sum() > 0 for p in network.parameters())
    finally:
        network.zero_grad(set_to_none=True)
        network.requires_grad_(False)
    torch.testing.assert_close(network(images[1:]), logits[1:].detach())


@pytest.mark.slow
def test_weights_that_overflow(network):
    loud = MSINet()
    loud.load_state_dict({name: torch.full_like(value, 1e30) for name, value in network.state_dict().items()})
    with pytest.raises(salbox.WeightsError, match=r"^here: the weights make numbers too large for a map"):
        MSINetPredictor(loud, "here")(image(8, 8))


def test_other_files_get_one_line(tmp_path):
    ones = np.ones(3, np.float32)
    own = {stored_name(name): ones for name in MSINet().state_dict()}
    cases = {
        "it looks like those of 'dinet'": {f"{k}/kernel": ones for k in ("res2a_branch2a", "conv2d_4", "conv2d_7")},
        r"'conv1/conv1_1/kernel' has shape \(3,\), expected \(3, 3, 3, 64\)": own,
        r"lacks 'aspp/conv2/bias' \(1 of 46 missing\)": {k: v for k, v in own.items() if k != "aspp/conv2/bias"},
        "it holds 'decoder/conv5/bias'": {**own, "decoder/conv5/bias": ones},
    }
    for message, arrays in cases.items():
        path = writers.write_graph(tmp_path / "a.pb", arrays)
        with pytest.raises(salbox.WeightsError, match=message) as caught:
            MSINetPredictor.load(path)
        assert "\n" not in str(caught.value)


def test_a_device_that_is_not_there(tmp_path):
    with pytest.raises(salbox.UsageError, match="device 'cuda:99'"):
        MSINetPredictor.load(tmp_path / "none.pb", "cuda:99")
