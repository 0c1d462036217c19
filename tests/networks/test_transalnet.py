"""TranSalNet against its authors' program, run with generated weights on one photo of OSIE."""

from __future__ import annotations

import hashlib

import authors_files as files
import numpy as np
import pytest
from generated_weights import arrays_of, facts_of, saved_every

torch = pytest.importorskip("torch")

# ruff: noqa: E402 - what follows needs torch

import salbox
from salbox.networks.backbones.densenet161 import DenseNet161
from salbox.networks.backbones.resnet50 import ResNet50
from salbox.networks.ops.letterbox import fit, unfit
from salbox.networks.transalnet.network import HEIGHT, WIDTH, Attention, TranSalNet, TransformerLayer
from salbox.networks.transalnet.predictor import TranSalNetPredictor

TOLERANCE = 1e-4  # of the map's range
ENCODERS = {"transalnet_res": ResNet50, "transalnet_dense": DenseNet161}


class Small(torch.nn.Module):
    """An encoder of three convolutions, so that what is around it can be looked at quickly."""

    channels = (4, 5, 6)

    def __init__(self):
        super().__init__()
        self.stages = torch.nn.ModuleList(
            [torch.nn.Conv2d(i, o, s, s) for i, o, s in ((3, 4, 8), (4, 5, 2), (5, 6, 2))]
        )

    def forward(self, images):
        found = []
        for stage in self.stages:
            images = stage(images)
            found.append(images)
        return found


@pytest.fixture(scope="module")
def small():
    torch.manual_seed(0)
    return TranSalNetPredictor(TranSalNet(Small()), "nowhere")


def image(height: int, width: int) -> np.ndarray:
    return np.random.default_rng(height * width).integers(0, 256, (height, width, 3), np.uint8)


@pytest.mark.parametrize("name", ENCODERS)
def test_names_and_shapes_are_the_authors(name, shared):
    facts = facts_of(shared, name)
    with torch.device("meta"):
        network = TranSalNet(ENCODERS[name]())
    own = {key: [list(t.shape), str(t.dtype)] for key, t in network.state_dict().items()}
    assert own == {key: [shape, f"torch.{dtype}"] for key, shape, dtype in facts["keys"]}
    assert sum(p.numel() for p in network.parameters()) == facts["n_params"]


@pytest.mark.slow
@pytest.mark.parametrize("name", ENCODERS)
def test_equals_the_authors_program(name, shared, tmp_path):
    model, arrays = TranSalNetPredictor.load(files.transalnet(shared, tmp_path, name)), arrays_of(shared, name)
    photo = salbox.read_image(files.photo_path(shared))
    for order in ("RGB", "BGR"):
        framed = fit(photo, HEIGHT, WIDTH, 1)[:, :, :: 1 if order == "RGB" else -1]
        images = torch.from_numpy(framed.transpose(2, 0, 1).copy())[None].float()
        with torch.inference_mode():
            saliency = model.network.maps(images)[0, 0].numpy()
        found, expected = saved_every(arrays, f"osie1001_{order}", saliency)
        assert np.abs(found - expected).max() <= TOLERANCE * np.ptp(expected)
        assert saliency.mean() == pytest.approx(float(arrays[f"osie1001_{order}__output__mean"]), abs=1e-5)
        whole = model(photo, channel_order=order)
        np.testing.assert_allclose(whole, unfit(saliency, (600, 800)), atol=1e-6)


def test_pixels_in_the_frame_are_the_authors(shared):
    expected = facts_of(shared, "transalnet_res")["padded_input_uint8_sha256_BGR"]
    photos = {"osie1001": "OSIE/data/stimuli/1001.jpg", "ecssd": "ECSSD/images/0005.jpg"}
    assert set(expected) == set(photos)
    for name, path in photos.items():
        framed = fit(salbox.read_image(shared / "data" / path), HEIGHT, WIDTH, 1)[:, :, ::-1]
        assert hashlib.sha256(np.ascontiguousarray(framed).tobytes()).hexdigest() == expected[name]


def test_attention_is_pytorch_s():
    torch.manual_seed(0)
    own, theirs = Attention(24, 3), torch.nn.MultiheadAttention(24, 3, batch_first=True)
    parts = (own.query, own.key, own.value)
    with torch.no_grad():
        theirs.in_proj_weight.copy_(torch.cat([part.weight for part in parts]))
        theirs.in_proj_bias.copy_(torch.cat([part.bias for part in parts]))
        theirs.out_proj.load_state_dict(own.out.state_dict())
        tokens = torch.randn(2, 7, 24)
        torch.testing.assert_close(own(tokens), theirs(tokens, tokens, tokens)[0])


def test_layers_are_pytorch_s():
    torch.manual_seed(0)
    own = TransformerLayer(24, 3)
    theirs = torch.nn.TransformerEncoderLayer(
        24, 3, 96, 0, torch.nn.functional.gelu, layer_norm_eps=1e-6, batch_first=True, norm_first=True
    )
    parts = (own.attn.query, own.attn.key, own.attn.value)
    pairs = (
        (theirs.self_attn.out_proj, own.attn.out),
        (theirs.linear1, own.ffn["fc1"]),
        (theirs.linear2, own.ffn["fc2"]),
        (theirs.norm1, own.attention_norm),
        (theirs.norm2, own.ffn_norm),
    )
    with torch.no_grad():
        theirs.self_attn.in_proj_weight.copy_(torch.cat([part.weight for part in parts]))
        theirs.self_attn.in_proj_bias.copy_(torch.cat([part.bias for part in parts]))
        for mine, other in pairs:
            mine.load_state_dict(other.state_dict())
        tokens = torch.randn(2, 7, 24)
        torch.testing.assert_close(own(tokens), theirs(tokens))


@pytest.mark.parametrize("size", [(1, 1), (1, 500), (300, 2), (33, 47)])
def test_maps_have_the_image_s_size(small, size):
    saliency = small(image(*size))
    assert saliency.shape == size
    assert saliency.dtype == np.float32
    assert 0 <= saliency.min() <= saliency.max() <= 1


@pytest.mark.slow
def test_channels_can_be_swapped(small):
    pixels = image(40, 50)
    swapped = np.ascontiguousarray(pixels[:, :, ::-1])
    found = small(pixels, channel_order="BGR")
    np.testing.assert_array_equal(found, small(swapped))
    assert np.abs(found - small(pixels)).max() > 0


def test_everything_learns():
    torch.manual_seed(0)
    network = TranSalNet(Small(), (32, 64))
    network(torch.rand(2, 3, 32, 64) * 255).square().mean().backward()
    assert all(p.grad is not None and torch.isfinite(p.grad).all() for p in network.parameters())


def test_other_files_get_one_line(tmp_path):
    cases = {
        "student": ({"encoder.18.0.weight": 0, "decoder.conv7_3.bias": 0, "decoder.output.bias": 0}, "student of KDS"),
        "nobody": ({"weight": 0}, "lacks 'encoder.encoder.0.weight'"),
    }
    for name, (keys, message) in cases.items():
        torch.save({key: torch.zeros(1) for key in keys}, tmp_path / f"{name}.pth")
        with pytest.raises(salbox.WeightsError, match=message) as caught:
            TranSalNetPredictor.load(tmp_path / f"{name}.pth")
        assert "\n" not in str(caught.value)


@pytest.mark.slow
def test_weights_that_overflow(small):
    network = TranSalNet(Small())
    network.load_state_dict(small.network.state_dict())
    with torch.no_grad():
        network.decoder.conv7.weight.fill_(float("nan"))
    with pytest.raises(salbox.WeightsError, match="nowhere: the weights make numbers"):
        TranSalNetPredictor(network, "nowhere")(image(8, 8))
