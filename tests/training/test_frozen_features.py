"""Features of a frozen encoder that are kept: the same training, and the encoder runs once."""

from __future__ import annotations

import csv
import shutil
import warnings
from dataclasses import replace

import numpy as np
import pytest

torch = pytest.importorskip("torch")
pytest.importorskip("lightning")

from salbox.errors import UsageError  # noqa: E402
from salbox.networks.trainable.factory import build_network  # noqa: E402
from salbox.system.progress import Progress  # noqa: E402
from salbox.training import frozen_features  # noqa: E402
from salbox.training.batches import Drawn, load  # noqa: E402
from salbox.training.cache import Sample, prepare  # noqa: E402
from salbox.training.feature_files import FeatureFiles  # noqa: E402
from salbox.training.frozen_features import with_features  # noqa: E402
from salbox.training.job import Job  # noqa: E402
from salbox.training.logs import LOG  # noqa: E402
from salbox.training.recipe import read_recipe  # noqa: E402
from salbox.training.trainer import fit  # noqa: E402

SIZE = (64, 64)
QUICK = ("batch_size=4", "size=[64, 64]", "epochs=3", "freeze_encoder_epochs=3", "optimizer.learning_rate=0.01")


@pytest.fixture(autouse=True)
def _one_thread():
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


class Lines(Progress):
    def __init__(self, stop=lambda done: None):
        self.lines, self.done, self.stop = [], [], stop

    def say(self, text):
        self.lines.append(text)

    def update(self, title, done, total):
        if title.startswith("features"):
            self.done.append((done, total))
            self.stop(done)


def sample(i: int) -> Sample:
    random = np.random.default_rng(i)
    image = random.integers(0, 256, (*SIZE, 3), np.uint8)
    saliency = random.random((32, 32)).astype(np.float32)
    return Sample(f"p{i}", lambda: image, (lambda: saliency,), ("h",), lambda: random.random((5, 2)))


def untrained(name="dgii", heads=("a",), **more):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return build_network(name, heads, size=SIZE, seed=1, **more)


def make_job(folder, *settings, **more) -> Job:
    network = untrained(encoder="resnet18", output="log_density", prior="own")
    options = {"resize": network.preprocessing.prepare, "map_size": lambda h, w: (h // 2, w // 2), "heads": 1}
    return Job(
        network=network,
        recipe=read_recipe("dgii", [*QUICK, *settings]),
        training=prepare([sample(i) for i in range(9)], folder / "training", **options),
        validation=prepare([sample(i) for i in (50, 51)], folder / "validation", **options),
        folder=folder,
        names=("a",),
        given=("density", "fixations"),
        **more,
    )


def test_the_same_training_and_the_encoder_runs_once(tmp_path):
    plain, kept = make_job(tmp_path / "plain", "cache_features=false"), make_job(tmp_path / "kept")
    expected = fit(plain)
    seen = []

    def see(module, images, found):
        if images[0].device.type != "meta":
            seen.append(len(images[0]))

    kept.network.encoder.register_forward_hook(see)
    lines = Lines()
    found = fit(kept, lines)
    assert sum(seen) == lines.done[-1][0] == lines.done[-1][1] == 9 * 2 + 2
    assert "MB on disk" in lines.lines[0]
    losses = []
    for folder in ("plain", "kept"):
        with (tmp_path / folder / LOG).open() as file:
            losses.append([[float(row["loss"]), float(row["validation_nll"])] for row in csv.DictReader(file)])
    np.testing.assert_allclose(losses[1], losses[0], rtol=2e-4)  # float16 keeps 11 bits
    assert found.score == pytest.approx(expected.score, rel=2e-4)
    start = make_job(tmp_path / "start").network
    for (name, one), other in zip(plain.network.state_dict().items(), kept.network.state_dict().values(), strict=True):
        assert torch.allclose(one, other, rtol=0, atol=5e-3), name
    assert not torch.equal(start.readout.conv0.weight, kept.network.readout.conv0.weight)
    assert torch.equal(start.encoder.conv1.weight, kept.network.encoder.conv1.weight)
    # Another run on the same pictures finds them.
    (tmp_path / "kept" / "last.pt").unlink()
    (tmp_path / "kept" / "best.pt").unlink()
    seen.clear()
    again = replace(kept, network=start)
    start.encoder.register_forward_hook(see)
    assert fit(again).score == found.score
    assert not seen


def test_features_are_those_of_pictures_and_of_their_mirror_images(tmp_path):
    job = make_job(tmp_path)
    kept = with_features(job, Lines())
    drawn = Drawn(0, (3, 7, 0), ("h", "", "h"))
    pictures, features = load(job.training, drawn), load(kept.training, drawn)
    with torch.no_grad():
        expected = job.network.eval().encode(pictures.images.float())
    assert features.images.shape == (3, 3, 0, 0)
    for one, other in zip(features.features, expected, strict=True):
        assert one.dtype == torch.float16
        assert torch.allclose(one.float(), other, rtol=1e-3, atol=1e-3)
    assert torch.equal(features.maps, pictures.maps)
    assert torch.equal(features.fixations, pictures.fixations)


def test_a_run_that_dies_goes_on_with_its_features(tmp_path):
    class KilledError(Exception):
        pass

    def die(done):
        if done >= 6:
            raise KilledError

    with pytest.raises(KilledError):
        with_features(make_job(tmp_path), Lines(die))
    files = sorted((tmp_path / "training" / "64x64.features").glob("plain.*"))
    with files[0].open("ab") as file:
        file.write(b"half a row")
    lines = Lines()
    found = with_features(make_job(tmp_path), lines)
    assert lines.done[0] == (9, 20)  # eight were there
    whole = with_features(make_job(tmp_path / "whole"), Lines())
    for flip in ("", "h"):
        drawn = Drawn(0, tuple(range(9)), (flip,) * 9)
        for one, other in zip(load(found.training, drawn).features, load(whole.training, drawn).features, strict=True):
            assert torch.equal(one, other)


def test_features_of_another_encoder_are_made_again(tmp_path):
    with_features(make_job(tmp_path), Lines())
    job, lines = make_job(tmp_path), Lines()
    with torch.no_grad():
        job.network.encoder.conv1.weight *= 1.5
    kept = with_features(job, lines)
    assert lines.done[-1] == (20, 20)
    drawn = Drawn(0, (2,), ("",))
    with torch.no_grad():
        expected = job.network.eval().encode(load(job.training, drawn).images.float())
    assert torch.allclose(load(kept.training, drawn).features[0].float(), expected[0], rtol=1e-3, atol=1e-3)


def test_a_disk_without_room_trains_without(tmp_path, monkeypatch):
    usage = shutil.disk_usage(tmp_path)._replace(free=int(frozen_features.LEFT_FREE))
    monkeypatch.setattr(frozen_features.shutil, "disk_usage", lambda path: usage)
    lines, job = Lines(), make_job(tmp_path)
    assert with_features(job, lines) is job
    assert "the encoder runs again in each epoch instead" in lines.lines[-1]


def test_numbers_beyond_16_bits_are_refused(tmp_path):
    job = make_job(tmp_path)
    with torch.no_grad():
        job.network.encoder.conv1.weight *= 1e7
        for norm in (module for module in job.network.encoder.modules() if hasattr(module, "running_var")):
            norm.running_var.fill_(1)
    with pytest.raises(UsageError, match="beyond the numbers of 16 bits; give cache_features=false"):
        with_features(job, Lines())


def test_files_say_how_far_they_are(tmp_path):
    files = FeatureFiles(tmp_path / "f", ((2, 3, 4), (1, 1, 2)), 5, ("", "h"))
    assert files.size == 2 * 5 * (24 + 2) * 2
    assert files.begin("a") == {"": 0, "h": 0}
    random = np.random.default_rng(0)
    values = [random.random((5, *shape)).astype(np.float16) for shape in files.shapes]
    files.append("", 0, [each[:3] for each in values])
    assert files.begin("a") == {"": 3, "h": 0}
    files.append("", 3, [each[3:] for each in values])
    files.append("h", 0, [each[::-1] for each in values])
    found = files.read((4, 0, 1), ("", "h", ""))
    for each, stored in zip(found, values, strict=True):
        np.testing.assert_array_equal(each, stored[[4, 4, 1]])
    assert files.begin("b") == {"": 0, "h": 0}


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        (("epochs=30",), r"the encoder learns \(freeze_encoder_epochs=20 of epochs=30\)"),
        (("crop=0.5",), "crop makes another picture of each"),
        (("blur=2",), "blur makes another picture of each"),
        (("sizes=[[192, 256]]",), "sizes makes another picture of each"),
    ],
)
def test_recipes_that_keep_what_changes_are_refused(settings, message):
    with pytest.raises(UsageError, match=message):
        read_recipe("dgii", settings)
    assert not read_recipe("dgii", (*settings, "cache_features=false")).cache_features


def test_a_network_that_does_not_split_is_refused(tmp_path):
    settings = ("cache_features=true", "freeze_encoder_epochs=32", "size=[64, 64]")
    job = replace(make_job(tmp_path), network=untrained("box"), recipe=read_recipe("box", settings))
    with pytest.raises(UsageError, match="network 'box' does not split"):
        fit(job)


def test_forward_is_decode_of_encode():
    network = untrained(heads=("a", "b"), output="log_density").double().eval()
    images = torch.rand(2, 3, 68, 100, dtype=torch.float64) * 255
    expected, found = network(images), network.decode(network.encode(images))
    assert torch.allclose(found, expected, rtol=0, atol=1e-12)
    weights = torch.rand_like(expected)
    gradients = [
        torch.autograd.grad((each * weights).sum(), network.decoder_parameters()) for each in (expected, found)
    ]
    for one, other in zip(*gradients, strict=True):
        assert torch.allclose(one, other, rtol=1e-9)
