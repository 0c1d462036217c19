"""`adapt` and `blend`, in Python and at the command line, on small data sets."""

from __future__ import annotations

import json

import numpy as np
import pytest
from PIL import Image
from trees import mask_pair

import salbox
from salbox.calibration import adapt, blend, blend_masks
from salbox.calibration.held_out import CEILING, choose, gap_closed
from salbox.calibration.masks import measured
from salbox.datasets import open_dataset
from salbox.errors import UsageError
from salbox.evaluation import Evaluation, ModelSource
from salbox.metrics import get_metric
from salbox.models.profile_files import read_profile

PHOTOS, SIZE = 14, (80, 60)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Photos with a bright spot each, which four people look at."""
    root = tmp_path_factory.mktemp("people")
    rng = np.random.default_rng(0)
    for part in ("images", "fixations"):
        (root / part).mkdir()
    y, x = np.mgrid[: SIZE[1], : SIZE[0]]
    for k in range(PHOTOS):
        spot = rng.uniform((15, 12), (65, 48))
        pixels = 60 + 150 * np.exp(-((x - spot[0]) ** 2 + (y - spot[1]) ** 2) / 40) + rng.normal(0, 3, y.shape)
        image = Image.fromarray(np.repeat(pixels.clip(0, 255).astype(np.uint8)[..., None], 3, 2))
        image.save(root / "images" / f"p{k:02}.png")
        looked = [spot + rng.normal(0, 4, (4, 2)) for _ in range(4)]
        rows = [(*xy, person) for person, own in enumerate(looked) for xy in own]
        table = np.array(rows).clip([0, 0, 0], [79, 59, 9])
        np.savetxt(root / "fixations" / f"p{k:02}.csv", table, delimiter=",", header="x,y,subject", comments="")
    return root


@pytest.fixture
def data(folder):
    return open_dataset(f"folder:{folder}", "all")


def test_adapt_improves_held_out_photos(data, monkeypatch, tmp_path):
    monkeypatch.setenv("SALBOX_HOME", str(tmp_path))
    found = adapt(ModelSource("bms"), data, sigma=4.0, parts=2)
    assert found.gain("ig").low > 0
    assert found.profile.reads == "score"
    assert found.profile.about["photos"] == PHOTOS
    assert len(found.table.images) == PHOTOS
    closed = found.gap_closed()
    assert closed.low <= closed.value <= closed.high
    held_out = found.profile.about["held_out"]["figures"]
    assert held_out["after"]["ig"] == pytest.approx(found.table.estimate(found.after, "ig").value, abs=1e-4)


def test_a_profile_says_the_parameters_and_not_where_it_was_computed(data, monkeypatch, tmp_path):
    monkeypatch.setenv("SALBOX_HOME", str(tmp_path))
    found = adapt(ModelSource("gaussian", {"sigma": 0.3, "device": "cpu"}), data, sigma=4.0, parts=2)
    assert found.profile.about["parameters"] == {"sigma": 0.3}


def test_blend_is_a_model_and_no_worse_than_its_members(data, monkeypatch, tmp_path, folder):
    monkeypatch.setenv("SALBOX_HOME", str(tmp_path))
    sources = [ModelSource("bms"), ModelSource("gaussian", {"sigma": 0.3})]
    found = blend(sources, data, sigma=4.0, parts=2)
    assert found.best == "bms"
    assert found.gain("ig").value > -0.05
    weights = {member.model: member.weight for member in found.blend.members}
    assert weights["bms"] > 1
    assert found.blend.members[1].parameters == {"sigma": 0.3}


def test_blend_of_masks(tmp_path):
    for k in range(12):
        mask_pair(tmp_path / "images", tmp_path / "masks", f"m{k:02}")
    data = open_dataset(f"folder:{tmp_path}", "all")
    found = blend_masks([ModelSource("bms"), ModelSource("gaussian")], data, parts=2)
    assert found.blend.task == "object"
    assert found.estimate("blend", "log_loss").value < found.estimate("gaussian", "log_loss").value
    assert found.estimate("blend", "f").value > 0.6
    assert found.gain("mae").value < 0.05
    # Where the likelihood is greatest, the bias has no slope: as much is predicted as there is, mean over photos.
    models = {"bms": salbox.load("bms"), "gaussian": salbox.load("gaussian")}
    shares = []
    for index in range(len(data)):
        pixels, mask = data.pixels(index), data.mask(index) > 0
        predicted = found.blend({name: model(pixels) for name, model in models.items()})
        shares.append((predicted.mean(), mask.mean()))
    predicted, there = np.mean(shares, axis=0)
    assert predicted == pytest.approx(there, abs=0.003)
    with pytest.raises(UsageError, match="no fixations, which"):
        adapt(ModelSource("bms"), data)
    with pytest.raises(UsageError, match="12 photos, 99 were asked for"):
        blend_masks([ModelSource("bms"), ModelSource("gaussian")], data, photos=99)


def test_measures_of_masks_by_hand():
    probability, mask = np.array([[0.9, 0.6], [0.2, 0.1]]), np.array([[1.0, 0.0], [1.0, 0.0]])
    loss, mae, f = measured(probability, mask)
    assert loss == pytest.approx(-np.log([0.9, 0.4, 0.2, 0.9]).mean())
    assert mae == pytest.approx((0.1 + 0.6 + 0.8 + 0.1) / 4)
    assert f == pytest.approx(0.5)  # precision and recall are one half each
    assert measured(1 - mask, mask)[2] == 0
    assert measured(np.ones((2, 2)), np.array([[1.0, 0.0], [0.0, 0.0]]))[2] == pytest.approx(
        1.3 * 0.25 / (0.3 * 0.25 + 1)
    )


def test_gap_closed_is_the_ratio_of_means():
    values = {"a": [0.0, 1.0], "b": [1.0, 2.0], CEILING: [2.0, 3.0]}
    rows = {name: {"ig": np.array(own)} for name, own in values.items()}
    table = Evaluation("d", "all", (get_metric("ig"),), ("x", "y"), rows, {}, (), ())
    closed = gap_closed(table, "a", "b")
    assert (closed.value, closed.low, closed.high) == pytest.approx((0.5, 0.5, 0.5))
    assert gap_closed(table, CEILING, "a") is None


def test_photos_are_drawn_by_the_seed(data):
    assert choose(data, 5, 1) == choose(data, 5, 1) != choose(data, 5, 2)
    assert choose(data, None, 0) == list(range(PHOTOS))
    with pytest.raises(UsageError, match="99 were asked for"):
        choose(data, 99, 0)


def test_at_the_command_line(cli, folder, tmp_path):
    profile, mixed = tmp_path / "ours.json", tmp_path / "mixed.json"
    common = ["--dataset", f"folder:{folder}", "--sigma", 4, "--folds", 2]
    code, out, err = cli("adapt", "-m", "bms", *common, "--ppd", 8, "-o", profile)
    assert code == 0, err
    assert "human ceiling" in out
    assert "closed" in out
    assert "wrote" in err
    assert read_profile(profile).tail.degrees == 10
    code, out, err = cli("adapt", "-m", "bms", *common, "--json", "-o", profile, "--photos", 12)
    assert code == 0, err
    assert json.loads(out)["photos"] == 12
    code, out, err = cli("blend", "-m", "bms,gaussian", *common, "-o", mixed)
    assert code == 0, err
    assert "weights in nats: bms" in out
    code, out, err = cli(
        "evaluate", "-m", f"bms,{mixed}", "--param", f"bms:profile={profile}", *common[:4], "--metrics", "nss,cc,ig",
        "--maps-for-metrics", "--json",
    )  # fmt: skip
    assert code == 0, err
    figures = {(r["model"], r["metric"]): r["value"] for r in json.loads(out)["results"]}
    assert figures[str(mixed), "ig"] > 0.5
    assert figures["bms, map for each metric", "cc"] >= figures["bms", "cc"]
    assert figures["bms, map for each metric", "nss"] == pytest.approx(figures["bms", "nss"], abs=1e-6)
    code, _, err = cli("predict", folder / "images" / "p00.png", "-m", mixed, "-o", tmp_path / "maps")
    assert code == 0, err
    assert (tmp_path / "maps" / "mixed" / "p00.png").is_file()


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["adapt", "-m", "bms", "-o", "x.txt"], "end in .json"),
        (["adapt", "-m", "bms,gaussian", "-o", "x.json"], "a profile is of one model"),
        (["adapt", "-m", "bms", "-o", "x.json", "--center", "gird"], "did you mean 'grid'"),
        (["adapt", "-m", "bms", "-o", "x.json", "--ppd", "5", "--view", "lab"], "exclude each other"),
        (["blend", "-m", "bms", "-o", "x.json"], "two or more"),
        (["blend", "-m", "bms,ensemble:bms+gaussian", "-o", "x.json"], "cannot be members"),
        (["evaluate", "-m", "bms", "--maps-for-metrics"], "made of densities"),
    ],
)
def test_what_does_not_fit_is_one_line(cli, folder, words, message):
    code, out, err = cli(*words, "--dataset", f"folder:{folder}", "--sigma", 4)
    assert (code, out) == (2, "")
    assert message in err
    assert "Traceback" not in err


def test_what_has_no_masks_is_refused(data):
    with pytest.raises(UsageError, match="neither fixations nor masks"):
        blend_masks([ModelSource("bms"), ModelSource("gaussian")], data)


def test_map_for_of_a_model():
    photo = np.zeros((40, 60, 3), np.uint8)
    photo[10:20, 20:30] = 255
    gaze = salbox.load("gaze")
    np.testing.assert_allclose(gaze.map_for("nss", photo), np.exp(gaze(photo).astype(float)))
    assert gaze.map_for("sim", photo, sigma=3).sum() == pytest.approx(1)
    with pytest.raises(UsageError, match="not a density"):
        salbox.load("gaussian").map_for("nss", photo)
