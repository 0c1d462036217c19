"""The recipes of salient objects, against their source: the optimizer that results, the loss, the pictures."""

from __future__ import annotations

import math

import pytest

torch = pytest.importorskip("torch")
pytest.importorskip("lightning")

from salbox.errors import UsageError  # noqa: E402
from salbox.networks.trainable.factory import build_network  # noqa: E402
from salbox.training.module import NetworkTraining  # noqa: E402
from salbox.training.optimizer import make_optimizer, set_rate  # noqa: E402
from salbox.training.recipe import read_recipe  # noqa: E402
from salbox.training.schedule import rate  # noqa: E402

RECIPES = ("fs-scfnet", "kd-scfnet")
SMALL = ("size=[64, 64]", "sizes=[]")


@pytest.fixture(scope="module")
def network():
    with pytest.warns(UserWarning, match="random weights"):
        return build_network("scfnet", ["object"], size=(64, 64))


def rates(network, recipe, epochs_done):
    """Return (learning rate, weight decay) of the encoder's parameters, and of all others, after so many epochs."""
    optimizer = make_optimizer(NetworkTraining(network, recipe, given=("mask",)))
    set_rate(optimizer, recipe.optimizer.learning_rate * rate(recipe, epochs_done))
    assert type(optimizer) is torch.optim.SGD
    of_encoder = {id(p) for p in network.encoder.parameters()}
    found = {True: set(), False: set()}
    for group in optimizer.param_groups:
        assert group["momentum"] == 0.9
        for parameter in group["params"]:
            found[id(parameter) in of_encoder].add((group["lr"], group["weight_decay"]))
    assert sum(len(group["params"]) for group in optimizer.param_groups) == len(list(network.parameters()))
    (encoder,), (other,) = found[True], found[False]
    return encoder, other


@pytest.mark.parametrize("name", RECIPES)
@pytest.mark.parametrize(
    ("epoch", "expected"),
    [
        (0, 6.4e-4),
        (2.5, (6.4e-4 + 6.4e-2) / 2),
        (5, 6.4e-2),
        (37, (6.4e-4 + 6.4e-2) / 2),  # midway from 5 to 69
        (53, 6.4e-4 + (6.4e-2 - 6.4e-4) * (1 + math.cos(0.75 * math.pi)) / 2),
        (69, 6.4e-4),
    ],
)
def test_rates_rise_for_five_epochs_and_fall_as_a_cosine(network, name, epoch, expected):
    encoder, other = rates(network, read_recipe(name, SMALL), epoch)
    assert other == pytest.approx((expected, 5e-4))
    assert encoder == pytest.approx((expected / 10, 5e-4))


@pytest.mark.parametrize("name", RECIPES)
def test_what_was_published(name):
    recipe = read_recipe(name)
    assert (recipe.student, recipe.encoder, recipe.epochs, recipe.batch_size) == ("scfnet", None, 69, 128)
    assert (recipe.epoch_images, recipe.size, recipe.select) == ("all", (352, 352), "mae")
    assert recipe.sizes == [(side, side) for side in (224, 256, 288, 320, 352)]
    assert recipe.flips
    assert recipe.crop < 1
    assert recipe.blur > 0
    assert recipe.brightness > 0
    assert recipe.side_weights == [1 / 2 ** (i - 2) for i in (3, 4, 5)]  # equation 6


def test_losses():
    """On masks boundaries count, a teacher's are too rough: section 3.3."""
    assert read_recipe("fs-scfnet").loss == {"structure-polishing": 1}
    assert read_recipe("kd-scfnet").loss == {"dice": 1}


@pytest.mark.parametrize("name", RECIPES)
def test_every_setting_can_be_another(network, name):
    settings = (
        "optimizer.learning_rate=0.008",
        "optimizer.weight_decay=0",
        "optimizer.encoder_factor=0.5",
        "schedule.warm_up_epochs=2",
        "schedule.start=0.1",
        "schedule.floor=0",
        "epochs=20",
        "batch_size=16",
        "loss={bce: 1, soft-iou: 1}",
        "boundary.every=3",
        "crop=1",
    )
    recipe = read_recipe(name, [*SMALL, *settings])
    assert rates(network, recipe, 0) == (pytest.approx((0.0004, 0)), pytest.approx((0.0008, 0)))
    assert rates(network, recipe, 20)[1] == pytest.approx((0, 0), abs=1e-12)
    assert (recipe.boundary.every, recipe.batch_size, recipe.crop) == (3, 16, 1)
    with pytest.raises(UsageError, match="sizes: 288x288 is larger than size, 256x256"):
        read_recipe(name, size=(256, 256))


def test_a_batch_of_every_size_has_a_loss_with_gradients_everywhere(network):
    """Main map and three side outputs, at whatever size a batch comes."""
    from salbox.training.batches import Batch

    module = NetworkTraining(network, read_recipe("fs-scfnet", SMALL), given=("mask",))
    for side in (64, 96):
        images = torch.randint(0, 256, (4, 3, side, side), dtype=torch.uint8, generator=torch.manual_seed(0))
        maps = torch.zeros(4, 1, side, side)
        maps[..., : side // 2] = 1
        network.zero_grad()
        loss = module(Batch(images, maps, torch.ones(4, 1, dtype=torch.bool)))
        loss.backward()
        assert 0 < loss.item() < 2 * (1 + 0.5 + 0.25 + 0.125)
        assert all(p.grad is not None for p in network.parameters())
