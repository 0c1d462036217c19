"""SAMNet against its authors' program, run with generated weights on one photo of OSIE."""

from __future__ import annotations

import authors_files as files
import numpy as np
import pytest
from generated_weights import arrays_of, facts_of, saved_every

torch = pytest.importorskip("torch")

# ruff: noqa: E402 - what follows needs torch

from torch.nn import functional

import salbox
from salbox.networks.samnet.blocks import StereoAttention, enlarged, exported_part_means
from salbox.networks.samnet.network import SIDES, SIZE, SAMNet
from salbox.networks.samnet.predictor import SAMNetPredictor

TAG = "osie1001"
TOLERANCE = 1e-4  # of the map's range
INNER = {  # theirs: ours
    "context_path.layer1": "stride2",
    "context_path.layer3": "stride8",
    "context_path.layer5": "stride32",
    "pyramid_pooling": "pooled",
    "fuse.0": "fused32",
    "fuse.4": "fused2",
}


@pytest.fixture(scope="module")
def model():
    torch.manual_seed(0)
    return SAMNetPredictor(SAMNet(["saliency"]), "nowhere")


def test_names_and_shapes_are_the_authors(shared):
    facts = facts_of(shared, "samnet")
    with torch.device("meta"):
        network = SAMNet(["saliency"])
    listed = {SAMNetPredictor.reads._own(key): tuple(shape) for key, shape, _ in facts["keys"]}
    assert {key: tuple(value.shape) for key, value in network.state_dict().items()} == listed
    assert sum(p.numel() for p in network.parameters()) == facts["n_params"] == 1_330_129


@pytest.mark.slow
def test_equals_the_authors_program(shared, tmp_path):
    """From the file to the map, what is between, and the map before it is brought to the image's size."""
    model = SAMNetPredictor.load(files.samnet(shared, tmp_path))
    arrays = arrays_of(shared, "samnet")
    photo = salbox.read_image(files.photo_path(shared))
    height, width = SIZE
    small = np.asarray(functional.interpolate(model._tensor(photo), size=(height, width), mode="bilinear"))
    seen = torch.from_numpy(small)
    with torch.inference_mode():
        features = model.network.features(seen)
        whole = enlarged(model.network.read(features)[0].sigmoid(), seen)[0, 0].numpy()
    for theirs, ours in INNER.items():
        assert float(features[ours].mean()) == pytest.approx(float(arrays[f"{TAG}__feat__{theirs}__mean"]), rel=1e-4)
    for tag, values in ((TAG, whole), (f"{TAG}_resized", model(photo))):
        found, expected = saved_every(arrays, tag, values)
        assert np.abs(found - expected).max() < TOLERANCE * np.ptp(expected)


@pytest.mark.parametrize("size", [(1, 1), (2, 5), (5, 5), (11, 11), (7, 12), (24, 6)])
@pytest.mark.parametrize("parts", [1, 2, 3, 6])
def test_means_of_parts_are_pytorch_s(size, parts):
    values = torch.rand(2, 3, *size, generator=torch.Generator().manual_seed(0))
    torch.testing.assert_close(exported_part_means(values, parts), functional.adaptive_avg_pool2d(values, parts))


def test_attention_shares_out_one_among_the_branches():
    """What is fused lies between the branches: with equal gates it is their mean."""
    torch.manual_seed(0)
    module = StereoAttention(8, (1, 2)).eval()
    module.fuse = torch.nn.Identity()
    module.fc2.weight.data.zero_()
    features = torch.rand(1, 8, 6, 7)
    with torch.no_grad():
        looked_at = module.conv(features)
        branches = torch.stack([*(branch(looked_at) for branch in module.branches), looked_at])
        torch.testing.assert_close(module(features) - features, branches.mean(0))
        module.fc2.weight.data.normal_(0, 100)
        fused = module(features) - features
    assert (fused >= branches.amin(0) - 1e-5).all()
    assert (fused <= branches.amax(0) + 1e-5).all()


def test_the_size_of_its_maps_is_known_without_computing_them(model):
    assert model.network.map_size(64, 96) == (64, 96)


def test_side_outputs_are_of_the_map_s_size(model):
    found = model.network.outputs(torch.zeros(1, 3, 64, 96))
    assert found.main.shape == (1, 1, 64, 96)
    assert [side.shape for side in found.side] == [found.main.shape] * len(SIDES)
    torch.testing.assert_close(found.main, model.network(torch.zeros(1, 3, 64, 96)))


@pytest.mark.parametrize("size", [(1, 1), (1, 500), (3, 2), (300, 90)])
def test_maps_have_the_image_s_size(model, size, monkeypatch):
    monkeypatch.setattr(model, "size", (32, 48))
    saliency = model(np.random.default_rng(0).integers(0, 256, (*size, 3), np.uint8))
    assert (saliency.shape, saliency.dtype) == (size, np.float32)
    assert 0 <= saliency.min() <= saliency.max() <= 1


def test_a_file_of_another_network(tmp_path):
    names = ("stage1.rebnconvin.x", "side6.x", "outconv.x")
    torch.save({name: torch.zeros(1) for name in names}, tmp_path / "a.pth")
    match = "not the weights of 'samnet': it looks like those of u2net or u2netp"
    with pytest.raises(salbox.WeightsError, match=match):
        SAMNetPredictor.load(tmp_path / "a.pth")
