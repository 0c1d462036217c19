"""Trials with objects: equal beginnings and steps, first weights that are learned, changes of paired photos."""

from __future__ import annotations

import hashlib
import importlib
import json
import sys
from pathlib import Path
from types import SimpleNamespace

import cv2
import numpy as np
import pytest

torch = pytest.importorskip("torch")
pytest.importorskip("lightning")
pytest.importorskip("timm")

from salbox.errors import WeightsError  # noqa: E402
from salbox.models.loading import load  # noqa: E402
from salbox.networks.trainable.imagenet import read_imagenet  # noqa: E402
from salbox.training.cache import Sample, prepare  # noqa: E402
from salbox.training.recipe import read_recipe  # noqa: E402

BENCHMARKS = Path(__file__).resolve().parents[2] / "benchmarks"
SIZE = 64
SMALL = "mobilenetv3_large_050"


@pytest.fixture(scope="module")
def modules():
    """Return the programs by name: "object_trials" and what it is made of."""
    sys.path.insert(0, str(BENCHMARKS))
    names = ("object_trials", *(f"_object_trials_{part}" for part in ("base", "data", "page", "settings", "start")))
    yield {name.removeprefix("_object_trials_"): importlib.import_module(name) for name in names}
    sys.path.remove(str(BENCHMARKS))


def discs(folder, number=40, seed=0):
    """Return photos of one bright disc on noise each, with its mask."""
    random = np.random.default_rng(seed)
    samples = []
    for i in range(number):
        mask = np.zeros((SIZE, SIZE), np.uint8)
        centre = [int(c) for c in random.integers(16, 48, 2)]
        cv2.circle(mask, centre, int(random.integers(8, 16)), 1, -1)
        photo = (random.integers(0, 90, (SIZE, SIZE, 3)) + 150 * mask[..., None]).astype(np.uint8)
        truth = mask.astype(np.float32)
        samples.append(Sample(f"{i}", lambda photo=photo: photo, (lambda truth=truth: truth,), ("h",)))
    return prepare(samples, folder, resize=lambda p: p, map_size=lambda h, w: (h, w), heads=1)


def test_photos_that_validate_are_those_that_training_keeps(modules):
    """Of the hash of a name divided by 18 every tenth."""
    names = [f"ILSVRC2012_test_{i:08}.jpg" for i in range(200)]
    wanted = [int(hashlib.sha1(n.encode()).hexdigest(), 16) // 18 % 10 == 0 for n in names]
    assert [modules["data"].validates(n) for n in names] == wanted
    assert 5 < sum(wanted) < 40


def test_masks_and_maps_begin_alike_and_take_as_many_steps(modules):
    trials, settings = modules["object_trials"], modules["settings"]
    fs, kd, other = (trials.make_network(settings.SETTINGS[name], SIZE, SMALL) for name in ("fs-1", "kd-1", "fs-2"))
    same = [torch.equal(a, b) for a, b in zip(fs.state_dict().values(), kd.state_dict().values(), strict=True)]
    assert all(same)
    assert not torch.equal(fs.decoder.linear2.weight, other.decoder.linear2.weight)
    for seed in settings.SEEDS:
        one, two = (settings.recipe_of(settings.SETTINGS[f"{name}-{seed}"], 3060, 128, 6) for name in ("fs", "kd"))
        differing = {key for key in type(one).model_fields if getattr(one, key) != getattr(two, key)}
        assert differing == {"loss", "boundary"}
    # 6 times 3060 pictures are 18,360: 37 epochs of 496 are 18,352. Their last seventh has the thinnest boundary.
    assert (one.epochs, one.epoch_images, one.epoch_images % one.batch_size) == (37, 496, 0)
    assert [one.boundary.width(done) for done in (0, 5.2, 5.3, 31.7, 31.8, 37)] == [13, 13, 11, 3, 1, 1]
    assert [list(size) for size in read_recipe("fs-scfnet").sizes] == settings.sizes_of(352)
    assert [side for side, _ in one.sizes] == [96, 128]
    thick = settings.recipe_of(settings.SETTINGS["sp-13"], 3060, 128, 6)
    assert [thick.boundary.width(done) for done in (0, 36.9)] == [13, 13]


@pytest.mark.parametrize("encoder", [SMALL, "tf_efficientnet_lite0"])
def test_the_base_decoder_is_one_convolution_of_all_features(modules, encoder):
    """Against the same written out; and as many numbers as the encoder's and those of one 3x3 convolution."""
    torch.manual_seed(0)
    arguments = modules["settings"].ENCODERS[encoder].arguments
    network = modules["base"].Base(["object"], encoder=encoder, **arguments).eval()
    strides = [stride for stride in (4, 8, 16, 32) if stride <= arguments.get("deepest", 32)]
    images = torch.rand(1, 3, 64, 96) * 255
    with torch.no_grad():
        taps = [network.taps(images)[f"stride{stride}"] for stride in strides]
        assert [tuple(tap.shape[2:]) for tap in taps] == [(64 // stride, 96 // stride) for stride in strides]
        enlarged = [torch.nn.functional.interpolate(t, (16, 24), mode="bilinear", align_corners=False) for t in taps]
        weights = network.readout.weight.split([tap.shape[1] for tap in taps], dim=1)
        read = sum(torch.conv2d(t, w, padding=1) for t, w in zip(enlarged, weights, strict=True))
        read = read + network.readout.bias.reshape(1, 1, 1, 1)
        wanted = torch.nn.functional.interpolate(read, scale_factor=4, mode="bilinear", align_corners=False)
        assert torch.allclose(network(images), wanted, atol=1e-4 * float(wanted.abs().max()))
    channels = sum(tap.shape[1] for tap in taps)
    assert sum(p.numel() for p in network.decoder_parameters()) == 9 * channels + 1


@pytest.mark.parametrize("mirrored", [False, True])
def test_first_weights_are_learned_once_and_fit_both_decoders(modules, tmp_path, mirrored):
    try:
        read_imagenet("tf_efficientnet_lite0")
    except WeightsError:
        pytest.skip("no ImageNet weights of EfficientNet-Lite0")
    start, settings = modules["start"], modules["settings"]
    photos = discs(tmp_path / "photos")
    how = start.Start(4, mirrored)
    file = start.first_weights(photos, tmp_path / "first.safetensors", how)
    found = start.how(file)
    assert (found["photos"], found["epochs"], found["mirrored"]) == (40, 4, mirrored)
    assert found["left"][-1] < found["left"][0]
    assert not file.with_suffix(".features").exists()
    written = file.stat().st_mtime_ns
    assert start.first_weights(photos, file, how).stat().st_mtime_ns == written
    one, other = (
        modules["object_trials"].make_network(settings.SETTINGS[n], SIZE, SMALL) for n in ("fs-0", "base-bce")
    )
    for network in (one, other):
        before = next(iter(network.encoder.state_dict().values())).clone()
        start.load_first_weights(network, file)
        assert not torch.equal(before, next(iter(network.encoder.state_dict().values())))
    for a, b in zip(one.encoder.state_dict().values(), other.encoder.state_dict().values(), strict=True):
        assert torch.equal(a, b)


def test_features_have_mean_0_and_deviation_1_in_each_channel(modules):
    random = np.random.default_rng(0)
    features = (random.normal(size=(16, 2, 8, 8)) * [[[[3]], [[0.5]]]] + [[[[2]], [[-1]]]]).astype(np.float16)
    sample = features[::8].astype(np.float64)
    mean, deviation = sample.mean(axis=(0, 2, 3)), sample.std(axis=(0, 2, 3))
    wanted = (features.astype(np.float64) - mean[:, None, None]) / deviation[:, None, None]
    assert np.allclose(modules["start"]._standardised(features), wanted, atol=5e-3)


def test_a_trial_is_trained_exported_and_not_repeated(modules, tmp_path, monkeypatch):
    trials, settings = modules["object_trials"], modules["settings"]
    photos = discs(tmp_path / "photos", 20)
    monkeypatch.setattr(trials, "TRIALS", tmp_path)
    monkeypatch.setattr(trials, "pictures", lambda source, size, teacher: photos)
    monkeypatch.setattr(trials, "first_weights", lambda *rest: tmp_path / "first.safetensors")
    monkeypatch.setattr(trials, "load_first_weights", lambda network, file: None)
    monkeypatch.setattr(settings, "EPOCH", 20)
    monkeypatch.setattr(settings, "COMMON", (*settings.COMMON, "epoch_images=20", "batch_size=10"))
    plan = trials.Plan(SIZE, 2, Path("teacher"), SMALL)
    trials.train("bce", plan)
    run = tmp_path / f"{SIZE}x2-teacher-{SMALL}" / "bce"
    assert plan.folder("bce") == run
    facts = json.loads((run / "run.json").read_text())
    assert (facts["photos"], facts["pictures"]) == (20, 40)
    assert facts["parameters"] == 788_298  # as published, in PyTorch's count
    model = load(str(run))
    assert (model.card.task, model.card.output) == ("object", "probability")
    assert model(np.zeros((48, 80, 3), np.uint8)).shape == (48, 80)
    monkeypatch.setattr(trials, "make_network", None)
    trials.train("bce", plan)
    assert list(trials.finished(plan)) == ["bce"]


def test_changes_are_of_paired_photos(modules):
    """A tenth less on every photo is a tenth less in every draw, however the photos differ."""
    page = modules["page"]
    errors = np.random.default_rng(0).random(50)
    found = page.change(errors, 0.9 * errors)
    assert (found.value, found.low, found.high) == pytest.approx((-0.1, -0.1, -0.1))
    assert page.shares(found) == "-10.0% [-10.0%, -10.0%]"
    # .1 less on every photo of a mean of .5: a fifth, in draws of a higher mean a smaller share.
    errors = errors - errors.mean() + 0.5
    found = page.change(errors, errors - 0.1)
    assert found.value == pytest.approx(-0.2)
    assert found.low < -0.2 < found.high < 0


class Table:
    def __init__(self, **rows):
        self.rows = {name: {"mae": np.array(values)} for name, values in rows.items()}


def figures_of(page, *tables):
    """Return figures on data sets "A", "B", .. that nobody has to measure."""
    figures = page.Figures({}, [SimpleNamespace(card=SimpleNamespace(title=title)) for title in "AB"[: len(tables)]])
    figures.__dict__["errors"] = list(tables)
    return figures


def test_the_mean_over_seeds_is_each_photo_s(modules):
    """Of seed 0 KD is a tenth below, of seed 1 two tenths; together 1 - (.9 + 1.6) / 3 = one sixth."""
    page = modules["page"]
    table = Table(fs0=[1.0, 1.0], kd0=[0.9, 0.9], fs1=[2.0, 2.0], kd1=[1.6, 1.6])
    pairs = [("seed 0", "fs0", "kd0"), ("seed 1", "fs1", "kd1")]
    figures = figures_of(page, table, Table(fs0=[1.0, 3.0], kd0=[2.0, 2.0], fs1=[1.0, 3.0], kd1=[2.0, 2.0]))
    lines = page.pairs_table(figures, pairs).splitlines()
    assert [cell.strip() for cell in lines[-1].split("|")[1:5]] == [
        "mean of 2",
        "1.5000",
        "1.2500",
        "-16.7% [-16.7%, -16.7%]",
    ]
    said = page.verdicts(figures, pairs)
    assert said == "By these photos, over 2 seeds: on A M of KD is below that of FS, on B they are not told apart."


def test_the_paper_s_rows_are_readable(modules):
    typeset = (r"FS-SCFNet & $SP_{5 \times 5}$", "FS-SCFNet & SP_{pbsm}", "KD-U ² Net", "BASE & BCE")
    plain = [modules["page"].plain(title) for title in typeset]
    assert plain == ["FS-SCFNet & SP 5x5", "FS-SCFNet & SP pbsm", "KD-U²Net", "BASE & BCE"]
