"""Side outputs and boundaries in a training: what the loss of a batch is, and that a run that dies goes on the same."""

from __future__ import annotations

import os
import signal
import warnings

import numpy as np
import pytest

torch = pytest.importorskip("torch")
pytest.importorskip("lightning")

from salbox.errors import UsageError  # noqa: E402
from salbox.losses import dice, structure_polishing  # noqa: E402
from salbox.networks.trainable.base import Outputs  # noqa: E402
from salbox.networks.trainable.box import Box  # noqa: E402
from salbox.system.progress import SILENT, Progress  # noqa: E402
from salbox.training.batches import in_order  # noqa: E402
from salbox.training.cache import Sample, prepare  # noqa: E402
from salbox.training.checkpoints import read_state  # noqa: E402
from salbox.training.job import Job  # noqa: E402
from salbox.training.module import NetworkTraining  # noqa: E402
from salbox.training.recipe import Recipe, read_recipe  # noqa: E402
from salbox.training.recipe_parts import Boundary  # noqa: E402
from salbox.training.trainer import fit  # noqa: E402

SIZE = (64, 64)


class Sided(Box):
    """A box with two side outputs: half and a quarter of its logits."""

    side_outputs = ("half", "quarter")

    def outputs(self, images):
        main = self(images)
        return Outputs(main, (main / 2, main / 4))


@pytest.fixture
def network():
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        torch.manual_seed(0)
        found = Sided(["a"], size=SIZE, width=8, head_width=8, deepest=4, context="none")
        found.output = "probability"
        return found


def recipe(*settings: str) -> Recipe:
    quick = ("student=box", "size=[64, 64]", "sizes=[[32, 32], [64, 64]]", "batch_size=4", "epochs=4", "network={}")
    return read_recipe("fs-scfnet", [*quick, "schedule.warm_up_epochs=1", "side_weights=[0.5, 0.25]", *settings])


def sample(i: int) -> Sample:
    image = np.full((*SIZE, 3), 40, np.uint8)
    top, left = np.random.default_rng(i).integers(4, 40, 2)
    image[top : top + 20, left : left + 20] = 220
    mask = (image[:, :, 0] == 220).astype(np.float32)
    return Sample(f"p{i}", lambda: image, (lambda: mask,), ("h",))


def pictures(folder, network, count=8):
    return prepare([sample(i) for i in range(count)], folder, resize=lambda p: p, map_size=network.map_size, heads=1)


@pytest.mark.parametrize(
    ("epochs_done", "width"), [(0, 13), (9.99, 13), (10, 11), (35, 7), (59.9, 3), (60, 1), (69, 1)]
)
def test_the_published_widths(epochs_done, width):
    """max(1, 13 - 2 floor(epoch / 10)), section 3.3: 13 for the first ten epochs, 1 in the last nine."""
    assert read_recipe("fs-scfnet").boundary.width(epochs_done) == width == max(1, 13 - 2 * int(epochs_done // 10))


def test_widths_go_with_a_compressed_schedule():
    whole = read_recipe("fs-scfnet")
    short = whole.compressed(1 / 6)
    for share in (0, 0.1, 0.3, 0.5, 0.8, 0.99):
        assert short.boundary.width(share * short.epochs) == whole.boundary.width(share * whole.epochs)
    assert Boundary(widths=[5]).width(1000) == 5
    with pytest.raises(UsageError, match=r"boundary.widths: 4: expected odd numbers of pixels"):
        read_recipe("fs-scfnet", ["boundary.widths=[4]"])


def test_the_loss_is_the_weighted_sum_at_the_width_that_is_due(network, tmp_path):
    (batch,) = in_order(pictures(tmp_path / "p", network), 8)
    module = NetworkTraining(network, recipe(), given=("mask",)).eval()
    logits = network(batch.images.float()).float()
    for epochs_done, width in ((0, 13), (25, 9), (65, 1), (12, 11)):
        module.thin_as_due(epochs_done)
        loss = lambda share: structure_polishing(share * logits, batch.maps, batch.valid, boundary_width=width)  # noqa: E731, B023
        expected = loss(1.0) + 0.5 * loss(0.5) + 0.25 * loss(0.25)
        assert module(batch).item() == pytest.approx(expected.item(), rel=1e-6)


def test_without_weights_it_is_the_mean_over_all_outputs(network, tmp_path):
    (batch,) = in_order(pictures(tmp_path / "p", network), 8)
    module = NetworkTraining(network, recipe("side_weights=[]", "loss={dice: 1}")).eval()
    logits = network(batch.images.float()).float()
    expected = sum(dice(share * logits, batch.maps, batch.valid) for share in (1.0, 0.5, 0.25)) / 3
    assert module(batch).item() == pytest.approx(expected.item(), rel=1e-6)


def test_weights_that_do_not_fit_the_network(network):
    with pytest.raises(UsageError, match="side_weights: 1 of them, but network 'box' has 2 side outputs"):
        NetworkTraining(network, recipe("side_weights=[1]"))


class Interrupting(Progress):
    """Interrupts a training, as Ctrl-C does, after so many steps."""

    def __init__(self, steps: int) -> None:
        self.left = steps

    def update(self, title, done, total):
        self.left -= title.startswith("epoch")
        if self.left == 0:
            self.left = -1
            os.kill(os.getpid(), signal.SIGINT)


def trained(network, folder, progress=SILENT):
    job = Job(
        network=network,
        recipe=recipe("boundary={widths: [5, 3, 1], every: 1}"),
        training=pictures(folder / "training", network, 12),
        validation=pictures(folder / "validation", network, 4),
        folder=folder,
        names=("a",),
        seed=3,
        given=("mask",),
    )
    return fit(job, progress)


def test_a_run_that_is_interrupted_ends_as_if_it_had_not_been(network, tmp_path):
    """With sizes, blur and brightness drawn anew, and boundaries that get thinner."""
    first = {name: tensor.clone() for name, tensor in network.state_dict().items()}
    whole = trained(network, tmp_path / "whole")
    expected = {name: tensor.clone() for name, tensor in network.state_dict().items()}
    network.load_state_dict(first)
    with pytest.raises(KeyboardInterrupt):
        trained(network, tmp_path / "stopped", Interrupting(5))  # in the second epoch of three steps each
    state = read_state(tmp_path / "stopped")
    assert (state.epoch, state.batch) == (1, 2)
    network.load_state_dict(first)
    again = trained(network, tmp_path / "stopped")
    assert (again.best_epoch, again.score) == (whole.best_epoch, whole.score)
    for name, tensor in network.state_dict().items():
        assert torch.equal(tensor, expected[name]), name
