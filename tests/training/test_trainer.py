"""Training: what learns, what is kept, and that a run that dies goes on as if it had not."""

from __future__ import annotations

import csv
import itertools
import os
import signal
import warnings

import numpy as np
import pytest

torch = pytest.importorskip("torch")
pytest.importorskip("lightning")

from salbox.datasets import Fixations  # noqa: E402
from salbox.errors import UsageError  # noqa: E402
from salbox.losses import correlations  # noqa: E402
from salbox.metrics import nss  # noqa: E402
from salbox.metrics.fidelity import EPS  # noqa: E402
from salbox.networks.trainable.factory import build_network  # noqa: E402
from salbox.system.progress import Progress  # noqa: E402
from salbox.training import trainer  # noqa: E402
from salbox.training.batches import in_order  # noqa: E402
from salbox.training.cache import Sample, prepare  # noqa: E402
from salbox.training.checkpoints import LAST, read_state  # noqa: E402
from salbox.training.devices import make_fabric  # noqa: E402
from salbox.training.job import Job  # noqa: E402
from salbox.training.logs import LOG  # noqa: E402
from salbox.training.module import NetworkTraining  # noqa: E402
from salbox.training.online_teacher import OnlineTeacher  # noqa: E402
from salbox.training.optimizer import make_optimizer  # noqa: E402
from salbox.training.recipe import read_recipe  # noqa: E402
from salbox.training.recipe_parts import Hint  # noqa: E402
from salbox.training.trainer import fit, learn  # noqa: E402
from salbox.training.validation import (  # noqa: E402
    absolute_errors,
    cross_entropies,
    divergences,
    expected_nss,
    validate,
)

SIZE = (32, 32)
QUICK = ("batch_size=4", "size=[32, 32]", "epoch_images=8")


@pytest.fixture(autouse=True)
def _one_thread():
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


def sample(i: int, heads: int = 1) -> Sample:
    image = np.full((*SIZE, 3), 40, np.uint8)
    y, x = np.random.default_rng(i).integers(4, 28, 2)
    image[y - 4 : y + 4, x - 4 : x + 4] = 220
    saliency = (image[:, :, 0] == 220).astype(np.float32)
    return Sample(f"p{i}", lambda: image, (lambda: saliency,) * heads, ("hv",) * heads)


def student(name="box", heads=("a",), **more):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return build_network(name, heads, size=SIZE, seed=1, **more)


def make_job(folder, *settings, recipe="box", network=None, pictures=8, **more) -> Job:
    network = student() if network is None else network
    with torch.no_grad():
        outputs = network.eval().outputs(torch.zeros(1, 3, *SIZE)).joined
    count, size = more.pop("count", outputs.shape[1]), outputs.shape[2:]
    options = {"resize": network.preprocessing.prepare, "map_size": lambda h, w: tuple(size), "heads": count}
    return Job(
        network=network.train(),
        recipe=read_recipe(recipe, [*QUICK, *settings]),
        training=prepare([sample(i, count) for i in range(pictures)], folder / "training", **options),
        validation=prepare([sample(i, count) for i in (50, 51)], folder / "validation", **options),
        folder=folder,
        names=tuple(f"t{i}" for i in range(count)),
        **more,
    )


class Steps(Progress):
    """Notes the title and how many pictures are done, and stops a training where it is asked to."""

    def __init__(self, stop=lambda title, done, total: None):
        self.steps, self.stop = [], stop

    def update(self, title, done, total):
        self.steps.append((title, done))
        self.stop(title, done, total)


def weights(network) -> dict:
    return {name: tensor.clone() for name, tensor in network.state_dict().items()}


def equal(one, other, tolerance=0.0) -> bool:
    return all(torch.allclose(one[k].double(), other[k].double(), rtol=0, atol=tolerance) for k in one)


def test_learns_and_keeps_the_best(tmp_path):
    reports = []
    result = fit(make_job(tmp_path, "epochs=6"), on_epoch=reports.append)
    assert [r.epoch for r in reports] == [1, 2, 3, 4, 5, 6]
    assert reports[-1].loss < reports[0].loss
    best = max(reports, key=lambda r: r.validation.score)
    assert (result.best_epoch, result.score, result.stopped) == (best.epoch, best.validation.score, False)
    with (tmp_path / LOG).open() as file:
        lines = list(csv.DictReader(file))
    assert [float(line["validation_cc"]) for line in lines] == pytest.approx(
        [r.validation.score for r in reports], rel=1e-5
    )
    assert list((tmp_path / "tensorboard").glob("events.*"))


def test_the_best_weights_come_back(tmp_path):
    job = make_job(tmp_path, "epochs=3")
    result = fit(job)
    found = validate(job.network, in_order(job.validation, 4))
    assert found.score == pytest.approx(result.score, abs=1e-6)


class KilledError(Exception):
    pass


@pytest.mark.parametrize("every", [1e9, 0.0], ids=["at the end of an epoch", "within an epoch"])
@pytest.mark.parametrize("settings", [(), ("batch_size=2", "accumulate=2", "optimizer.name=rmsprop")])
def test_a_run_that_dies_goes_on_as_if_it_had_not(tmp_path, monkeypatch, every, settings):
    settings = ("epochs=3", *settings)
    whole = make_job(tmp_path / "whole", *settings)
    expected = fit(whole)
    monkeypatch.setattr(trainer, "CHECKPOINT_EVERY", every)

    def die(title, done, total):
        if title == "epoch 2 of 3" and done == total:
            raise KilledError

    with pytest.raises(KilledError):
        fit(make_job(tmp_path / "killed", *settings), Steps(die))
    left = read_state(tmp_path / "killed")
    batches = 2 if "accumulate=2" in settings else 1  # of a step
    assert (left.epoch, left.batch) == (1, 0 if every else batches)
    job = make_job(tmp_path / "killed", *settings)
    progress = Steps()
    found = fit(job, progress)
    assert progress.steps[0] == ("epoch 2 of 3", 4 if every else 8)
    assert (found.best_epoch, found.epochs) == (expected.best_epoch, expected.epochs)
    assert found.score == expected.score
    assert equal(weights(job.network), weights(whole.network))
    last = [torch.load(tmp_path / n / LAST, weights_only=True) for n in ("whole", "killed")]
    assert equal(last[0]["module"], last[1]["module"])
    assert last[0]["progress"]["loss_sum"] == last[1]["progress"]["loss_sum"] == 0
    with (tmp_path / "killed" / LOG).open() as file:
        assert [line["epoch"] for line in csv.DictReader(file)] == ["1", "2", "3"]


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupt_leaves_a_checkpoint(tmp_path, number):
    def interrupt(title, done, total):
        if title == "epoch 1 of 2":
            os.kill(os.getpid(), number)

    before = signal.getsignal(number)
    with pytest.raises(KeyboardInterrupt):
        fit(make_job(tmp_path, "epochs=2"), Steps(interrupt))
    assert signal.getsignal(number) is before
    left = read_state(tmp_path)
    assert (left.epoch, left.batch, left.losses) == (0, 1, 1)
    assert fit(make_job(tmp_path, "epochs=2")).epochs == 2


def test_a_second_interrupt_ends_it_at_once(tmp_path):
    def interrupt(title, done, total):
        os.kill(os.getpid(), signal.SIGINT)
        os.kill(os.getpid(), signal.SIGINT)

    with pytest.raises(KeyboardInterrupt):
        fit(make_job(tmp_path), Steps(interrupt))
    assert not (tmp_path / LAST).exists()


@pytest.fixture
def ticks(monkeypatch):
    """A clock that goes on by a second each time it is read, however fast the machine is."""
    seconds = itertools.count()
    monkeypatch.setattr(trainer, "now", lambda *_: float(next(seconds)))


def test_time_that_is_over_ends_a_run_with_what_it_has(tmp_path, ticks):
    result = fit(make_job(tmp_path, "epochs=500", max_seconds=20.0))
    assert result.stopped
    assert 20 <= result.seconds < 24  # the batch at hand and the last validation are finished
    assert result.score > -1
    again = fit(make_job(tmp_path, "epochs=500", max_seconds=20.0))
    assert again.seconds == result.seconds


@pytest.mark.slow
def test_one_cycle_ends_low_where_the_time_ends_it(tmp_path, ticks):
    reports = []
    fit(make_job(tmp_path, "epochs=500", max_seconds=60.0), on_epoch=reports.append)
    assert 5 < reports[-1].epoch < 500
    assert reports[-1].learning_rate < 0.1 * max(report.learning_rate for report in reports)


def test_a_finished_training_does_nothing_more(tmp_path):
    fit(make_job(tmp_path, "epochs=1"))
    job = make_job(tmp_path, "epochs=1")
    progress = Steps()
    assert fit(job, progress).epochs == 1
    assert not progress.steps


def test_a_broken_checkpoint_is_one_line(tmp_path):
    fit(make_job(tmp_path, "epochs=1"))
    (tmp_path / LAST).write_bytes(b"no checkpoint")
    with pytest.raises(UsageError, match="cannot be continued from") as raised:
        fit(make_job(tmp_path, "epochs=1"))
    assert "\n" not in str(raised.value)


def test_a_checkpoint_of_the_loop_before_is_one_line_that_says_what_to_do(tmp_path):
    torch.save({"format": 1, "progress": {}}, tmp_path / LAST)
    with pytest.raises(UsageError, match=f"another release of salbox wrote it.*; remove {tmp_path} to train anew"):
        fit(make_job(tmp_path))


def test_the_encoder_is_frozen_for_the_first_epochs(tmp_path):
    job = make_job(tmp_path, "epochs=2", "freeze_encoder_epochs=1")
    after = []
    start = weights(job.network.encoder)
    fit(job, on_epoch=lambda report: after.append(weights(job.network.encoder)))
    assert equal(start, after[0])
    assert not equal(start, after[1])


def test_only_new_heads_learn(tmp_path):
    network = student(heads=("old", "new"))
    start = weights(network)
    job = make_job(tmp_path, "epochs=2", network=network, count=1, trainable=[network.head_layers[1]], first=1)
    fit(job)
    changed = {name for name, tensor in network.state_dict().items() if not torch.equal(tensor, start[name])}
    assert changed
    assert all(name.startswith("head_layers.1.") for name in changed)


def test_a_side_output_learns_too(tmp_path):
    network = student("resnet18-b")
    start = weights(network)
    result = fit(make_job(tmp_path, "epochs=1", "optimizer.name=sgd", recipe="resnet18-kd", network=network))
    assert result.epochs == 1
    assert not torch.equal(network.feature.weight, start["feature.weight"])
    with (tmp_path / LOG).open() as file:
        (line,) = csv.DictReader(file)
    # Both targets are the same here, and both are compared with the saliency map.
    assert line["kl t0"] == line["kl t1"]


@pytest.mark.parametrize("precision", ["bf16-mixed", "32"])
def test_precisions(tmp_path, precision):
    assert fit(make_job(tmp_path, "epochs=1", f"precision={precision}")).score > -1


def test_validation_is_the_mean_over_the_maps_that_exist(tmp_path):
    network = student(heads=("a", "b"))
    maps = [sample(1).maps[0], None], [sample(2).maps[0], sample(2).maps[0]]
    samples = [Sample(f"p{i}", sample(i + 1).picture, tuple(m)) for i, m in enumerate(maps)]
    pictures = prepare(
        samples, tmp_path / "p", resize=network.preprocessing.prepare, map_size=lambda h, w: (16, 16), heads=2
    )
    (batch,) = in_order(pictures, 4)
    with torch.no_grad():
        expected = correlations(network.eval().maps(batch.images.float()), batch.maps)
    found = validate(network, [batch])
    assert found.cc[0] == pytest.approx(expected[:, 0].mean().item(), abs=1e-6)
    assert found.cc[1] == pytest.approx(expected[1, 1].item(), abs=1e-6)
    assert found.score == pytest.approx(np.mean(found.cc))


def test_divergence_is_the_fidelity_measures():
    random = np.random.default_rng(0)
    s, t = random.random((2, 1, 3, 8, 9))
    found = divergences(torch.from_numpy(s), torch.from_numpy(t))[0]
    for i in range(3):
        a, b = ((m[0, i] - m[0, i].min()) / np.ptp(m[0, i]) for m in (s, t))
        a, b = a / a.sum(), b / b.sum()
        assert found[i].item() == pytest.approx((b * np.log(EPS + b / (a + EPS))).sum())


class Bright:
    """A teacher in the process: brightness is its map, and half of it its feature."""

    def __init__(self):
        self.pictures = []

    def with_features(self, image):
        self.pictures.append(image)
        gray = image.astype(np.float32).mean(axis=2)
        features = {"early": torch.ones(1, 2, 4, 4), "late": torch.from_numpy(gray)[None, None, ::4, ::4] / 2}
        return gray, features


def test_a_teacher_in_the_process_maps_the_flipped_picture(tmp_path):
    network, model = student(), Bright()
    teacher = OnlineTeacher(model, "score", Hint(weight=0.5), network, SIZE)
    assert teacher.hint is not None
    before = teacher.hint.regressor.weight.clone()
    job = make_job(tmp_path, "epochs=2", "hint.weight=0.5", network=network, online_teacher=teacher)
    assert fit(job).epochs == 2
    assert not torch.equal(teacher.hint.regressor.weight, before)
    mapped = {picture.tobytes() for picture in model.pictures}
    plain = {sample(i).picture().tobytes() for i in range(8)}
    assert mapped - plain - {np.zeros((*SIZE, 3), np.uint8).tobytes()}  # flipped ones are among them


def test_the_hint_is_part_of_the_loss(tmp_path):
    network = student()
    (batch,) = in_order(make_job(tmp_path, network=network, pictures=4).training, 4)
    losses = {}
    for weight in (0.0, 1.0):
        teacher = OnlineTeacher(
            Bright(), "score", Hint(weight=weight, student="stride8", teacher="late"), network, SIZE
        )
        training = NetworkTraining(network.eval(), read_recipe("box", QUICK), online_teacher=teacher)
        losses[weight] = training(batch).item()
        if weight:
            images = batch.images.float()
            feature = teacher(batch.images, (16, 16)).feature
            extra = teacher.hint(network.features(images)["stride8"], feature).item()
    assert losses[1.0] == pytest.approx(losses[0.0] + extra, rel=1e-4)
    plain = NetworkTraining(network, read_recipe("box", QUICK))(batch).item()
    assert losses[0.0] == pytest.approx(plain, rel=1e-2)  # the stored map is the same, less its rounding to 16 bits


def test_side_outputs_learn_from_a_teacher_in_the_process_too(tmp_path):
    network = student("resnet18-b")
    recipe = read_recipe("resnet18-kd", ["size=[32, 32]"])
    (batch,) = in_order(make_job(tmp_path, network=network, pictures=4).training, 4)
    found = {}
    for weight in (0.0, 1e-9):  # without features and with them
        teacher = OnlineTeacher(Bright(), "score", Hint(weight=weight), network, SIZE)
        found[weight] = NetworkTraining(network.eval(), recipe, online_teacher=teacher)(batch).item()
    expected = NetworkTraining(network, recipe)(batch).item()
    assert found == pytest.approx({0.0: expected, 1e-9: expected}, rel=1e-2)


@pytest.mark.parametrize(
    ("teacher", "hint", "message"),
    [
        (object(), Hint(), "PyTorch network"),
        (Bright(), Hint(weight=1, teacher="lat"), "did you mean 'late'"),
        (Bright(), Hint(weight=1, student="stride9"), "did you mean 'stride"),
    ],
)
def test_teachers_and_hints_that_do_not_fit(teacher, hint, message):
    with pytest.raises(UsageError, match=message):
        OnlineTeacher(teacher, "score", hint, student(), SIZE)


def test_the_student_is_measured_every_so_many_epochs_and_after_the_last(tmp_path):
    job = make_job(tmp_path, "epochs=5", "validate_every=2")
    reports = []
    result = fit(job, on_epoch=reports.append)
    assert [report.validation is not None for report in reports] == [False, True, False, True, True]
    assert result.best_epoch in (2, 4, 5)
    with (tmp_path / LOG).open() as file:
        rows = list(csv.DictReader(file))
    assert [row["validation_cc"] == "nan" for row in rows] == [True, False, True, False, False]
    assert all(float(row["loss"]) > 0 for row in rows)


def norms(network) -> dict:
    return {n: tensor.clone() for n, tensor in network.state_dict().items() if "running" in n or "batches" in n}


def test_of_one_picture_norms_stay_as_they_are_and_weights_learn(tmp_path):
    network = student()
    start, statistics = weights(network), norms(network)
    assert statistics
    assert fit(make_job(tmp_path, "epochs=1", "batch_size=1", network=network)).epochs == 1
    assert all(torch.equal(tensor, network.state_dict()[name]) for name, tensor in statistics.items())
    assert not equal(start, weights(network))
    larger = student()
    fit(make_job(tmp_path / "larger", "epochs=1", "batch_size=2", network=larger))
    assert not equal(statistics, norms(larger))


def test_norms_of_one_picture_stay_while_the_encoder_is_frozen_and_after(tmp_path):
    network = student()
    statistics = norms(network)
    fit(make_job(tmp_path, "epochs=2", "batch_size=1", "freeze_encoder_epochs=1", network=network))
    assert all(torch.equal(tensor, network.state_dict()[name]) for name, tensor in statistics.items())


def test_accumulated_batches_are_one_batch(tmp_path):
    # Norms as they are, so that a picture's loss does not depend on what else is in its batch.
    recipe = read_recipe("box", ["batch_size=1", "optimizer={name: sgd, learning_rate: 0.1}"])
    job = make_job(tmp_path, pictures=4)
    found = []
    for size in (1, 2, 4):
        network = student()
        training = NetworkTraining(network, recipe)
        fabric = make_fabric(recipe)
        model, optimizer = fabric.setup(training, make_optimizer(training))
        losses = learn(fabric, model, optimizer, list(in_order(job.training, size)))
        found.append((losses.mean().item(), weights(network)))
    for loss, changed in found[1:]:
        assert loss == pytest.approx(found[0][0], rel=1e-5)
        assert equal(changed, found[0][1], 1e-5)
    assert not equal(found[0][1], weights(student()), 1e-5)


def test_accumulated_steps_are_counted(tmp_path):
    progress, reports = Steps(), []
    fit(make_job(tmp_path, "epochs=1", "batch_size=2", "accumulate=3"), progress, reports.append)
    assert [done for _, done in progress.steps] == [6, 8]  # of the last step only what is left
    assert reports[0].images == 8
    assert reports[0].loss > 0


def test_an_epoch_of_all_pictures(tmp_path):
    reports = []
    fit(make_job(tmp_path, "epochs=1", "epoch_images=all", pictures=11), on_epoch=reports.append)
    assert reports[0].images >= 11  # a small rest is filled up


@pytest.mark.parametrize(("select", "choose"), [("mae", min), ("nss", max)])
def test_what_keeps_the_best_epoch(tmp_path, select, choose):
    reports = []
    job = make_job(tmp_path, "epochs=5", f"select={select}", "optimizer.learning_rate=0.02")
    result = fit(job, on_epoch=reports.append)
    scores = [report.validation.score for report in reports]
    assert (result.score, result.best_epoch) == (choose(scores), 1 + scores.index(choose(scores)))
    assert validate(job.network, in_order(job.validation, 4), select=select).score == pytest.approx(result.score)
    with (tmp_path / LOG).open() as file:
        rows = list(csv.DictReader(file))
    assert [float(row[f"validation_{select}"]) for row in rows] == pytest.approx(scores, rel=1e-5)
    assert [float(row["validation_cc"]) for row in rows] == pytest.approx(
        [report.validation.mean_cc for report in reports], rel=1e-4, abs=1e-6
    )


def test_a_criterion_that_the_network_gives_nothing_for_is_refused(tmp_path):
    with pytest.raises(UsageError, match="select=nll: the network gives a score; choose by cc, nss, mae"):
        fit(make_job(tmp_path, "select=nll"))


def test_a_density_is_chosen_by_its_likelihood(tmp_path):
    reports = []
    network = student("gaze", heads=("gaze",))
    result = fit(make_job(tmp_path, "epochs=2", "select=nll", recipe="gaze", network=network), on_epoch=reports.append)
    assert result.score == min(report.validation.score for report in reports)
    assert 0 < result.score < 20  # bits


def test_criteria_are_the_metrics_at_fixations_drawn_from_the_map():
    random = np.random.default_rng(0)
    maps, counts = random.random((1, 1, 6, 7)), random.integers(0, 3, (1, 1, 6, 7))
    density = maps / maps.sum()
    y, x = np.nonzero(counts[0, 0])
    times = counts[0, 0, y, x]
    x, y = np.repeat(x, times), np.repeat(y, times)
    here, target = torch.from_numpy(density), torch.from_numpy(counts / 2)
    assert expected_nss(here, target).item() == pytest.approx(nss(density[0, 0], Fixations(x=x, y=y)))
    bits = -np.log2(density[0, 0, y, x]).mean()
    assert cross_entropies(here, target).item() == pytest.approx(bits)
    assert absolute_errors(here, target).item() == pytest.approx(np.abs(density - counts / 2).mean())
    assert expected_nss(torch.ones_like(here), target).item() == 0


@pytest.mark.slow
def test_two_processes_that_are_interrupted_and_go_on_learn_what_one_learns(tmp_path):
    def job(name, devices):
        network = student()
        # No norms: their statistics would depend on each process's share of a batch.
        last = [network.head_layers[0][-1]]
        return make_job(tmp_path / name, "epochs=2", network=network, devices=devices, trainable=last)

    one = job("one", 1)
    expected = fit(one)
    stopped: list[str] = []

    def interrupt(title, done, total):
        if not stopped:
            os.kill(os.getpid(), signal.SIGTERM)
        stopped.append(title)

    with pytest.raises(KeyboardInterrupt):
        fit(job("two", 2), Steps(interrupt))
    left = read_state(tmp_path / "two")
    assert (left.epoch, left.batch) != (0, 0)
    two, progress, reports = job("two", 2), Steps(), []
    found = fit(two, progress, reports.append)
    assert found.epochs == 2
    assert [done for _, done in progress.steps][-1:] == [8][: not left.finished]
    assert [report.epoch for report in reports][-1:] == [2][: not left.finished]
    assert found.score == pytest.approx(expected.score, abs=1e-5)
    assert equal(weights(two.network), weights(one.network), 1e-5)


@pytest.mark.parametrize(
    ("device", "devices", "message"),
    [
        ("cpu", 0, "0 devices"),
        ("cpu", 3, "batch_size=4: 3 devices that share it need at least 6"),
        ("cuda:98", 2, "device 'cuda:99': PyTorch finds"),
    ],
)
def test_devices_that_cannot_share_a_batch(tmp_path, device, devices, message):
    with pytest.raises(UsageError, match=message):
        fit(make_job(tmp_path, "batch_size=4", device=device, devices=devices))
