"""U²-Net and U²-Net-p against their authors' program, run with generated weights on one photo of OSIE."""

from __future__ import annotations

import authors_files as files
import cv2
import numpy as np
import pytest
from generated_weights import arrays_of, facts_of, saved_every

torch = pytest.importorskip("torch")

# ruff: noqa: E402 - what follows needs torch

from skimage.transform import resize

import salbox
from salbox.networks.u2net.blocks import ResidualUBlock
from salbox.networks.u2net.network import SIDES, U2Net, U2NetP, brightened
from salbox.networks.u2net.predictor import ENCODER, U2NetPPredictor, U2NetPredictor

TAG = "osie1001"
TOLERANCE = 1e-4  # of the map's range
PARAMETERS = {"u2netp": 1_131_181, "u2net": 44_009_869}
NETWORKS = {"u2netp": U2NetP, "u2net": U2Net}
PREDICTORS = {"u2netp": U2NetPPredictor, "u2net": U2NetPredictor}
INNER = ("stage1", "stage3", "stage6", "stage5d", "stage1d")


@pytest.fixture(scope="module")
def model():
    torch.manual_seed(0)
    return U2NetPredictor(U2Net(["saliency"], width=8), "nowhere")


def photo(shared) -> np.ndarray:
    return salbox.read_image(files.photo_path(shared))


def image(height: int, width: int) -> np.ndarray:
    return np.random.default_rng(height * width).integers(0, 256, (height, width, 3), np.uint8)


@pytest.mark.parametrize("name", NETWORKS)
def test_names_and_shapes_are_the_authors(shared, name):
    facts = facts_of(shared, name)
    with torch.device("meta"):
        network = NETWORKS[name](["saliency"])
    reader = PREDICTORS[name].reads
    listed = {reader._own(key): tuple(shape) for key, shape, _ in facts["keys"]}
    assert {key: tuple(value.shape) for key, value in network.state_dict().items()} == listed
    assert sum(p.numel() for p in network.parameters()) == facts["n_params"] == PARAMETERS[name]


@pytest.mark.slow
@pytest.mark.parametrize("name", NETWORKS)
def test_equals_the_authors_program(shared, tmp_path, name):
    """From the file to the map, and inner layers' means, of what a new release of scikit-image makes of the photo."""
    model = PREDICTORS[name].load(files.u2net(shared, tmp_path, name))
    arrays = arrays_of(shared, name)
    seen = brightened(model._tensor(255 * resize(photo(shared), (320, 320), mode="constant")))
    with torch.inference_mode():
        features = model.network.features(seen)
        whole = model.network.decoder_readout(features["sides"]).sigmoid()[0, 0].numpy()
    for inner in INNER:
        assert float(features[inner].mean()) == pytest.approx(float(arrays[f"{TAG}__feat__{inner}__mean"]), rel=1e-4)
    found, expected = saved_every(arrays, TAG, whole)
    assert np.abs(found - expected).max() < TOLERANCE * np.ptp(expected)
    found, expected = saved_every(arrays, f"{TAG}_normPRED", (whole - whole.min()) / np.ptp(whole))
    assert np.abs(found - expected).max() < TOLERANCE


@pytest.mark.slow
def test_sees_photos_as_the_release_that_its_authors_name(shared, tmp_path, monkeypatch):
    """Scikit-image 0.14 took no mean where it shrank a photo."""
    model = U2NetPPredictor.load(files.u2net(shared, tmp_path, "u2netp"))
    seen = []
    monkeypatch.setattr(
        model.network, "maps", lambda images: (seen.append(images), U2NetP.maps(model.network, images))[1]
    )
    saliency = model(photo(shared))
    with torch.inference_mode():
        coarse = U2NetP.maps(model.network, seen[0])[0, 0].numpy()
    found, expected = saved_every(arrays_of(shared, "u2netp"), f"{TAG}_no_antialias", coarse)
    assert np.abs(found - expected).max() < TOLERANCE * np.ptp(expected)
    np.testing.assert_array_equal(saliency, cv2.resize(coarse, (800, 600), interpolation=cv2.INTER_LINEAR))


def test_stretched_where_it_is_asked_for(model, monkeypatch):
    monkeypatch.setattr(model, "size", (32, 48))
    plain, stretched = model(image(40, 50)), model(image(40, 50), scaling="min-max")
    assert np.ptp(plain) < 1
    np.testing.assert_allclose(stretched, (plain - plain.min()) / np.ptp(plain), atol=1e-6)


def test_a_block_written_out():
    """RSU-4 whose convolutions pass their first channel on: maxima of 2x2 on the way down, bilinear on the way up."""
    block = ResidualUBlock(4, 1, 1, 1).eval()
    for name, layer in block.named_children():
        layer.bn_s1 = torch.nn.Identity()
        layer.conv_s1.weight.data.zero_()
        layer.conv_s1.bias.data.zero_()
        layer.conv_s1.weight.data[:, :, 1, 1] = 0.5 if name.endswith("d") else 1
    values = torch.rand(1, 1, 8, 8, generator=torch.Generator().manual_seed(0)).double()
    block = block.double()
    with torch.no_grad():
        found = block(values)[0, 0].numpy()

    def halved(a):
        return a.reshape(a.shape[0] // 2, 2, a.shape[1] // 2, 2).max((1, 3))

    def doubled(a):
        return cv2.resize(a, (2 * a.shape[1], 2 * a.shape[0]), interpolation=cv2.INTER_LINEAR)

    first = values[0, 0].numpy()
    second, third = halved(first), halved(halved(first))
    up = third  # the deepest, of dilation 2, and the third, by halves
    up = (doubled(up) + second) / 2
    up = (doubled(up) + first) / 2
    np.testing.assert_allclose(found, up + first, atol=1e-6)


def test_the_result_is_made_of_the_sides_head_by_head():
    torch.manual_seed(0)
    network = U2NetP(["a", "b"], width=8).eval()
    with torch.no_grad():
        images = 255 * torch.rand(1, 3, 32, 48)
        found = network.outputs(images)
        assert len(found.side) == len(SIDES) == len(network.side_outputs)
        assert all(side.shape == found.main.shape == (1, 2, 32, 48) for side in found.side)
        weight, bias = network.outconv.weight[:, :, 0, 0], network.outconv.bias
        for head in (0, 1):
            expected = sum(w * side[:, head] for w, side in zip(weight[head], found.side, strict=True)) + bias[head]
            torch.testing.assert_close(found.main[:, head], expected)
        torch.testing.assert_close(found.main, network(images))


def test_a_black_image_is_not_divided_by_nothing():
    images = torch.tensor([0.0, 51.0]).reshape(2, 1, 1, 1).expand(2, 3, 4, 4)
    torch.testing.assert_close(brightened(images), torch.tensor([0.0, 255.0]).reshape(2, 1, 1, 1).expand(2, 3, 4, 4))


@pytest.mark.parametrize("size", [(1, 1), (1, 500), (3, 2), (300, 90)])
def test_maps_have_the_image_s_size(model, size, monkeypatch):
    monkeypatch.setattr(model, "size", (32, 48))
    saliency = model(image(*size))
    assert (saliency.shape, saliency.dtype) == (size, np.float32)
    assert 0 <= saliency.min() <= saliency.max() <= 1


def test_other_files_get_one_line(tmp_path):
    small = {f"{name}.x": torch.zeros(1) for name in ("stage1.rebnconvin", "side6", "outconv")}
    cases = {
        r"not the weights of u2net or u2netp: it looks like those of 'samnet'": {
            "context_path.a": torch.zeros(1),
            "heads.4.b": torch.zeros(1),
        },
        r"lacks 'encoder\.stage1\.": small,
    }
    for message, tensors in cases.items():
        torch.save(tensors, tmp_path / "a.pth")
        with pytest.raises(salbox.WeightsError, match=message) as caught:
            U2NetPPredictor.load(tmp_path / "a.pth")
        assert "\n" not in str(caught.value)
    assert set(ENCODER) == {f"stage{place}." for place in range(1, 7)}


def test_the_larger_network_s_file_is_not_the_smaller_one_s(tmp_path):
    back = {ours: theirs for theirs, ours in ENCODER.items()}
    names = U2Net(["saliency"], width=8).state_dict()
    stored = {}
    for name, values in names.items():
        beginning = next((ours for ours in back if name.startswith(ours)), "")
        stored[back.get(beginning, "") + name.removeprefix(beginning)] = values
    torch.save(stored, tmp_path / "a.pth")
    with pytest.raises(salbox.WeightsError, match=r"has the shape .*, expected is"):
        U2NetPPredictor.load(tmp_path / "a.pth")


@pytest.mark.parametrize("width", [4, 12, 8.0, True])
def test_widths_that_no_channel_count_goes_with(width):
    with pytest.raises(salbox.UsageError, match="expected a multiple of 8"):
        U2NetP(["a"], width=width)
