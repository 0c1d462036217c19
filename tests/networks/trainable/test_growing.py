"""A trained box with another encoder's end, or details added: what stays, and what it draws at first."""

from __future__ import annotations

import pytest

torch = pytest.importorskip("torch")

from torch.nn import functional  # noqa: E402

from salbox.networks.trainable.box import Box  # noqa: E402
from salbox.networks.trainable.gaze import Gaze  # noqa: E402
from salbox.networks.trainable.growing import can_become, regrown  # noqa: E402


@pytest.fixture(scope="module")
def trained():
    """A box with weights and statistics that no other box has."""
    torch.manual_seed(0)
    network = Box(["a", "b"], encoder="mobilenetv3_small_050", size=(64, 96), width=16, head_width=4, deepest=32)
    with torch.no_grad():
        for values in network.state_dict().values():
            if values.is_floating_point():
                values.add_(0.05 * torch.rand_like(values))
    network.output = "log_density"
    return network.eval()


def test_details_begin_as_if_they_were_not_there(trained):
    grown = regrown(trained, {"detail": 8})
    images = 255 * torch.rand(2, 3, 128, 192, generator=torch.Generator().manual_seed(1))
    with torch.no_grad():
        expected, found = trained(functional.avg_pool2d(images, 2)), grown(images)
    torch.testing.assert_close(found, expected, rtol=1e-4, atol=1e-4)
    assert (grown.preprocessing.height, grown.preprocessing.width) == (128, 192)
    assert grown.settings == {**trained.settings, "detail": 8}
    assert not grown.training


def test_a_gaze_stays_one():
    torch.manual_seed(0)
    encoder = {"encoder": "mobilenetv3_small_050", "width": 16, "head_width": 4}
    trained = Gaze(["gaze"], deepest=32, centre=0.7, **encoder).eval()
    cut = regrown(trained, {"deepest": 16})
    assert type(cut) is Gaze
    assert cut.settings == {**trained.settings, "deepest": 16}
    assert torch.equal(cut.centre, trained.centre)


def test_details_learn(trained):
    grown = regrown(trained, {"detail": 8})
    images = torch.zeros(1, 3, 128, 192)
    images[..., ::2, :] = 255  # the mean of 2x2 pixels is grey everywhere
    grown(images).square().sum().backward()
    assert grown.detail[-1][1].weight.grad.abs().max() > 0


def test_layers_of_the_strides_that_are_left_keep_their_weights(trained):
    before = {name: values.clone() for name, values in trained.state_dict().items()}
    cut = regrown(trained, {"deepest": 16})
    assert cut.levels == trained.levels[1:]
    for kind in ("lateral", "context", "mix"):
        for own, old in zip(getattr(cut, kind), list(getattr(trained, kind))[1:], strict=True):
            assert same(own.state_dict(), old.state_dict())
    assert same(cut.head_layers.state_dict(), trained.head_layers.state_dict())
    encoder = trained.encoder.state_dict()
    assert same(cut.encoder.state_dict(), {name: encoder[name] for name in cut.encoder.state_dict()})
    assert len(cut.encoder.state_dict()) < len(encoder)
    assert same(trained.state_dict(), before)


def same(one, other):
    return list(one) == list(other) and all(torch.equal(one[name], other[name]) for name in one)


@pytest.mark.parametrize(
    ("key", "own", "wanted", "can"),
    [
        ("deepest", 32, 16, True),
        ("deepest", 16, 32, False),
        ("deepest", 16, None, False),
        ("deepest", 16, "deep", False),
        ("detail", None, 16, True),
        ("detail", 0, 16, True),
        ("detail", 16, 8, False),
        ("detail", 16, 0, False),
        ("width", 48, 16, False),
    ],
)
def test_what_can_become_another(key, own, wanted, can):
    assert can_become(key, own, wanted) is can
