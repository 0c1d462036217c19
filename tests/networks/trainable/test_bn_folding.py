"""Batch norms had back from folded weights, against the folded network computed layer by layer."""

from __future__ import annotations

import numpy as np
import pytest
from skimage import data

torch = pytest.importorskip("torch")

from torch import nn  # noqa: E402
from torch.nn import functional  # noqa: E402

import salbox  # noqa: E402
from salbox.networks.trainable.bn_folding import (  # noqa: E402
    convolutions_and_norms,
    mobilenet_v2_units,
    read_folded_mobilenet_v2,
    restore_batch_norm,
)
from salbox.networks.trainable.factory import build_network  # noqa: E402
from salbox.runtime.preprocessing import resize  # noqa: E402

# Expansion, channels, blocks and stride of each stage (Sandler et al. 2018, table 2).
STAGES = [(1, 16, 1, 1), (6, 24, 2, 2), (6, 32, 3, 2), (6, 64, 4, 2), (6, 96, 3, 1), (6, 160, 3, 2), (6, 320, 1, 1)]


class Small(nn.Module):
    """Convolutions and norms under names that nothing can be guessed from."""

    def __init__(self):
        super().__init__()
        self.x = nn.Conv2d(3, 4, 3, bias=False)
        self.y = nn.BatchNorm2d(4)
        self.z = nn.ModuleList([nn.Conv2d(4, 5, 1, bias=False), nn.BatchNorm2d(5, eps=1e-3)])

    def forward(self, images):
        return self.z[1](self.z[0](torch.relu(self.y(self.x(images)))))


def folded_small():
    generator = torch.Generator().manual_seed(0)
    return {
        "x": (torch.randn(4, 3, 3, 3, generator=generator), torch.randn(4, generator=generator)),
        "z.0": (torch.randn(5, 4, 1, 1, generator=generator), torch.randn(5, generator=generator)),
    }


def test_norms_have_the_statistics_and_leave_the_output():
    network, folded = Small(), folded_small()
    images = torch.randn(6, 3, 9, 7, generator=torch.Generator().manual_seed(1))
    assert convolutions_and_norms(network, images) == {"x": "y", "z.0": "z.1"}
    assert restore_batch_norm(network, folded, [images[:4], images[4:]]) == 6
    (w1, b1), (w2, b2) = folded["x"], folded["z.0"]
    first = functional.conv2d(images.double(), w1.double())
    second = functional.conv2d(torch.relu(first + b1.double()[:, None, None]), w2.double())
    with torch.no_grad():
        torch.testing.assert_close(network(images).double(), second + b2.double()[:, None, None], rtol=1e-5, atol=1e-5)
    for norm, seen in ((network.y, first), (network.z[1], second)):
        torch.testing.assert_close(norm.running_mean.double(), seen.mean(dim=(0, 2, 3)), rtol=1e-5, atol=1e-6)
        torch.testing.assert_close(
            norm.running_var.double(), seen.var(dim=(0, 2, 3), correction=0), rtol=1e-5, atol=1e-6
        )
    # So does training mode, whose norms take the statistics of the batch at hand.
    with torch.no_grad():
        evaluated = network(images)
        torch.testing.assert_close(network.train()(images), evaluated, rtol=1e-4, atol=1e-4)


def test_a_channel_that_is_constant_stays_finite():
    network, folded = Small(), folded_small()
    folded["x"][0][2] = 0
    restore_batch_norm(network, folded, [torch.randn(2, 3, 8, 8)])
    with torch.no_grad():
        assert torch.isfinite(network(torch.randn(2, 3, 8, 8))).all()
    assert network.y.running_var[2] == 0


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda folded: folded.pop("x"), "'x' is in one of the two only"),
        (lambda folded: folded.update(more=folded["x"]), "'more' is in one of the two only"),
        (
            lambda folded: folded.update({"x": (torch.ones(4, 3, 1, 1), torch.ones(4))}),
            r"'x' has the shape \(4, 3, 1, 1",
        ),
    ],
)
def test_refuses_weights_of_another_network(change, message):
    folded = folded_small()
    change(folded)
    with pytest.raises(salbox.WeightsError, match=message):
        restore_batch_norm(Small(), folded, [torch.ones(1, 3, 8, 8)])


def test_refuses_to_take_statistics_from_nothing():
    with pytest.raises(salbox.WeightsError, match="no photos"):
        restore_batch_norm(Small(), folded_small(), [])


def test_units_are_both_libraries_layers():
    import timm
    from torchvision.models import mobilenet_v2

    with torch.device("meta"):
        theirs = mobilenet_v2(weights=None).state_dict()
        ours = timm.create_model("mobilenetv2_100").state_dict()
    units = mobilenet_v2_units()
    for side, state in (("torchvision", theirs), ("timm", ours)):
        named = {name for unit in units for name in getattr(unit, side)}
        assert named == {k.rpartition(".")[0] for k in state if not k.startswith("classifier")}
    for unit in units:
        for first, second in zip(unit.torchvision, unit.timm, strict=True):
            assert theirs[f"{first}.weight"].shape == ours[f"{second}.weight"].shape


def plain(folded, images):
    """Return features at strides 2 to 32 and the logits of the folded network, written out; SAME by hand."""

    def layer(x, name, stride=1, groups=1, act=True):
        weight, bias = folded[name]
        if weight.shape[-1] == 3:
            x = functional.pad(x, (0, 1, 0, 1) if stride == 2 else (1, 1, 1, 1))
        x = functional.conv2d(x, weight, bias, stride=stride, groups=groups)
        return x.clamp(0, 6) if act else x

    x, taps, index = layer(images, "features.0.0", 2), [], 0
    for expansion, channels, blocks, stride in STAGES:
        for block in range(blocks):
            index += 1
            name, step, y = f"features.{index}.conv", stride if block == 0 else 1, x
            if expansion > 1:
                y = layer(y, f"{name}.0.0")
            deep = int(expansion > 1)
            y = layer(layer(y, f"{name}.{deep}.0", step, y.shape[1]), f"{name}.{deep + 1}", act=False)
            x = x + y if block else y
        if channels in (16, 24, 32, 96, 320):
            taps.append(x)
    pooled = layer(x, "features.18.0").mean(dim=(2, 3), keepdim=True)
    return taps, layer(pooled, "classifier.1", act=False)[:, :, 0, 0]


@pytest.fixture(scope="module")
def weights(shared):
    return shared / "weights" / "mobilenet_v2" / "mobilenet_v2_imagenet_folded.npz"


@pytest.mark.slow
def test_mobilenet_v2_is_read_and_the_box_s_encoder_is_that_network(weights, shared):
    labels = (weights.parent / "imagenet_labels.txt").read_text().splitlines()
    folded = read_folded_mobilenet_v2(weights)
    network = build_network("box", ["a"], init=weights, deepest=32).eval()
    assert network.init_note == (
        "encoder from mobilenet_v2_imagenet_folded.npz, statistics of its batch norms from 64 sample photos"
    )
    seen = {"coffee": "espresso", "chelsea": "Egyptian cat", "rocket": "missile"}
    for name, label in seen.items():
        photo = getattr(data, name)()
        side = min(photo.shape[:2])
        top, left = (photo.shape[0] - side) // 2, (photo.shape[1] - side) // 2
        square = resize(photo[top : top + side, left : left + side], 224, 224)
        images = torch.from_numpy(square.transpose(2, 0, 1).copy())[None].float()
        with torch.no_grad():
            taps, logits = plain(folded, images / 127.5 - 1)
            found = network.encoder(network.normalize(images))
        assert labels[int(logits.argmax())] == label
        for mine, theirs in zip(found, taps, strict=True):
            assert (mine - theirs).abs().max() < 1e-4 * (theirs.max() - theirs.min())


@pytest.mark.slow
def test_training_starts_near_the_released_network(weights):
    """In training mode the norms see a batch's own statistics; they should not be far from those of the 64 photos."""
    network = build_network("box", ["a"], init=weights)
    photos = [resize(getattr(data, n)(), 192, 256) for n in ("astronaut", "coffee", "chelsea", "rocket")]
    images = network.normalize(torch.from_numpy(np.stack(photos).transpose(0, 3, 1, 2).copy()).float())
    with torch.no_grad():
        trained = network.train().encoder(images)[2]
        evaluated = network.eval().encoder(images)[2]
    assert torch.corrcoef(torch.stack([trained.flatten(), evaluated.flatten()]))[0, 1] > 0.8


def test_other_archives_get_one_line(tmp_path):
    np.savez(tmp_path / "a.npz", x=np.zeros(3))
    with pytest.raises(salbox.WeightsError, match="not the weights of a folded MobileNetV2") as caught:
        read_folded_mobilenet_v2(tmp_path / "a.npz")
    assert "\n" not in str(caught.value)
