"""Recipes of published trainings, against their sources: the optimizer that results, parameter by parameter."""

from __future__ import annotations

import pytest

torch = pytest.importorskip("torch")
pytest.importorskip("lightning")

from salbox.networks.salicon.network import PublishedInterpolation, enlarged  # noqa: E402
from salbox.networks.trainable.factory import build_network  # noqa: E402
from salbox.training.module import NetworkTraining  # noqa: E402
from salbox.training.optimizer import make_optimizer, set_rate  # noqa: E402
from salbox.training.recipe import read_recipe, recipe_names  # noqa: E402
from salbox.training.schedule import rate  # noqa: E402

PUBLISHED = ("dgii", "dinet", "msinet", "opensalicon", "sam", "transalnet", "unisal")


def training(name: str, *settings: str, size=(64, 64)) -> NetworkTraining:
    recipe = read_recipe(name, settings)
    keywords = dict(recipe.network)
    with pytest.warns(UserWarning, match="random weights"):
        network = build_network(recipe.student, ["people"], encoder=recipe.encoder, size=size, **keywords)
    return NetworkTraining(network, recipe, given=("density", "fixations"))


def rates(module: NetworkTraining, epochs_done: float = 0.0) -> dict[str, tuple[float, float]]:
    """Return parameter -> (learning rate, weight decay) of the optimizer after so many epochs."""
    recipe = module.recipe
    module.freeze_as_due(epochs_done)
    optimizer = make_optimizer(module)
    set_rate(optimizer, recipe.optimizer.learning_rate * rate(recipe, epochs_done))
    known = {id(p): n for n, p in module.network.named_parameters()}
    return {known[id(p)]: (g["lr"], g["weight_decay"]) for g in optimizer.param_groups for p in g["params"]}


def test_all_are_there():
    assert set(PUBLISHED) < set(recipe_names())


@pytest.mark.parametrize(
    ("name", "optimizer", "learning_rate", "decay", "batch", "epochs", "size"),
    [
        ("msinet", torch.optim.Adam, 1e-5, 0, 1, 10, (240, 320)),
        ("unisal", torch.optim.SGD, 0.04, 1e-4, 32, 16, (288, 384)),
        ("sam", torch.optim.RMSprop, 1e-4, 0, 1, 10, (240, 320)),
        ("dinet", torch.optim.Adam, 1e-4, 0, 10, 10, (320, 480)),
        ("transalnet", torch.optim.Adam, 1e-5, 0, 4, 30, (288, 384)),
        ("opensalicon", torch.optim.SGD, 1e-6, 5e-4, 1, 1000, (1200, 1600)),
        ("dgii", torch.optim.Adam, 1e-3, 0, 16, 20, (384, 512)),
    ],
)
def test_what_was_published(name, optimizer, learning_rate, decay, batch, epochs, size):
    module = training(name, "network.width=16") if name == "sam" else training(name)
    recipe = module.recipe
    assert isinstance(make_optimizer(module), optimizer)
    assert (recipe.optimizer.learning_rate, recipe.optimizer.weight_decay) == (learning_rate, decay)
    assert (recipe.batch_size, recipe.epochs, recipe.size, recipe.epoch_images) == (batch, epochs, size, "all")


def test_losses_of_the_papers():
    expected = {
        "msinet": {"kl": 1},
        "unisal": {"kl": 1, "nss": 0.1, "cc": 0.1},
        "sam": {"kl": 10, "cc": 2, "nss": 1},
        "dinet": {"tv": 1},
        "transalnet": {"kl": 10, "cc": 2, "nss": 1, "sim": 1},
        "dgii": {"nll": 1},
    }
    assert {name: read_recipe(name).loss for name in expected} == expected


def test_unisal_encoder_waits_two_epochs_then_learns_at_a_tenth():
    module = training("unisal")
    assert not any(name.startswith("encoder.") for name in rates(module, 1.9))
    found = rates(module, 2.0)
    of_encoder = {value for name, value in found.items() if name.startswith("encoder.")}
    others = {value for name, value in found.items() if not name.startswith("encoder.")}
    assert len(of_encoder) == len(others) == 1
    (own,), (other,) = of_encoder, others
    assert own == pytest.approx((0.04 * 0.8**2 / 10, 1e-5))
    assert other == pytest.approx((0.04 * 0.8**2, 1e-4))
    module.train()
    norms = [m for m in module.network.encoder.modules() if isinstance(m, torch.nn.BatchNorm2d)]
    assert norms
    assert not any(m.training for m in norms)
    assert module.recipe.clip_gradient == 2


def test_falls_of_the_learning_rate():
    dinet, transalnet = read_recipe("dinet"), read_recipe("transalnet")
    assert [rate(dinet, e) for e in (0, 1.9, 2, 4)] == pytest.approx([1, 1, 0.1, 0.01])
    assert [rate(transalnet, e) for e in (2.9, 3, 6)] == pytest.approx([1, 0.1, 0.01])
    assert (dinet.patience, transalnet.patience, read_recipe("sam").patience) == (3, 5, 3)


@pytest.mark.slow
def test_opensalicon_streams_start_alike_and_their_first_blocks_stay():
    """OpenSALICON sets lr_mult and decay_mult of conv1 and conv2 to 0; all later layers learn, of both streams."""
    module = training("opensalicon")
    network = module.network
    for a, b in zip(network.encoder.parameters(), network.coarse_encoder.parameters(), strict=True):
        assert torch.equal(a, b)
        assert a is not b
    found = rates(module)
    shapes = {name: tuple(p.shape) for name, p in network.named_parameters()}
    still = [name for name, (speed, decay) in found.items() if speed == 0 and decay == 0]
    # conv1_1, conv1_2, conv2_1, conv2_2, weights and biases, twice.
    assert len(still) == 16
    assert {shapes[name][0] for name in still} == {64, 128}
    assert all(value == pytest.approx((1e-6, 5e-4)) for name, value in found.items() if name not in still)
    assert len(found) == 2 * 26 + 2


def test_streams_with_weights_of_their_own_learn_apart():
    module = training("opensalicon", "encoder=resnet18")
    module.train()
    optimizer = make_optimizer(module)
    set_rate(optimizer, 1.0)
    images = torch.rand(1, 3, 64, 64, generator=torch.manual_seed(0)) * 255
    loss = (module.network(images) - 1).square().sum()
    loss.backward()
    gradients = [
        sum(float(p.grad.abs().sum()) for p in encoder.parameters() if p.grad is not None)
        for encoder in module.network.encoder_modules()
    ]
    assert min(gradients) > 0
    assert gradients[0] != gradients[1]


def test_the_published_backward_pass_of_the_interpolation():
    """It is the gradient brought to the small size bilinearly, corners on corners; the forward pass is the true one."""
    values = torch.rand(1, 2, 3, 4, generator=torch.manual_seed(0), dtype=torch.float64, requires_grad=True)
    found = PublishedInterpolation.apply(values, (6, 7))
    torch.testing.assert_close(found, enlarged(values, (6, 7)))
    gradient = torch.rand(found.shape, dtype=torch.float64)
    found.backward(gradient)
    expected = torch.nn.functional.interpolate(gradient, size=(3, 4), mode="bilinear", align_corners=True)
    torch.testing.assert_close(values.grad, expected)
    true = torch.autograd.grad(enlarged(values, (6, 7)), values, gradient)[0]
    assert not torch.allclose(true, expected)
