"""Evaluations: figures as the metrics give them, resumed, complete, and repeatable from what is printed."""

from __future__ import annotations

import csv
import json
import sys
from pathlib import Path

import numpy as np
import pytest
from own_models import write_module
from PIL import Image
from recording import Recorder, count_passes
from scipy import stats
from scipy.io import savemat
from trees import mask_pair, nus_tree, photo, random_osie

import salbox
from salbox import metrics
from salbox.datasets import center_bias, fixation_density, mixture_ceiling, open_dataset, pooled
from salbox.datasets.folder import open_images
from salbox.errors import MissingExtraError, UsageError, WeightsError
from salbox.evaluation import (
    CenterBias,
    Evaluation,
    HumanCeiling,
    MapSource,
    MixtureCeiling,
    ModelSource,
    agreement,
    evaluate,
    map_folders,
    read_map,
)
from salbox.evaluation.bars import bars
from salbox.evaluation.bootstrap import difference, estimate, resampled
from salbox.evaluation.formats import legend, markdown_table, to_csv, to_markdown
from salbox.evaluation.latex import to_latex
from salbox.evaluation.maps import resized
from salbox.evaluation.store import Store, default_folder
from salbox.imaging.scaling import at_size
from salbox.prediction.images import ImageMaps

FIXATION_METRICS = ["nss", "auc_judd", "sauc", "cc", "kl_mit"]


@pytest.fixture
def osie(tmp_path):
    return open_dataset(f"osie:{random_osie(tmp_path / 'OSIE')}")


def figures(evaluation: Evaluation, row: str, metric: str):
    return evaluation.rows[row][metric]


def test_figures_are_what_the_metrics_give_image_by_image(osie, tmp_path):
    table = evaluate(osie, [ModelSource("gaussian", {"sigma": 0.25})], FIXATION_METRICS, folder=tmp_path)
    model = salbox.load("gaussian", sigma=0.25)
    for index in range(len(osie)):
        saliency, fixations = model(osie.items[index].image), osie.fixations(index)
        density = fixation_density(fixations, (60, 80), 24 * 80 / 800)
        others = pooled([osie.fixations(i) for i in range(len(osie)) if i != index])
        by_hand = {
            "nss": metrics.nss(saliency, fixations),
            "auc_judd": metrics.auc_judd(saliency, fixations),
            "sauc": metrics.sauc(saliency, fixations, others),
            "cc": metrics.cc(saliency, density),
            "kl_mit": metrics.kl_mit(saliency, density),
        }
        for name, expected in by_hand.items():
            assert figures(table, "gaussian", name)[index] == pytest.approx(expected, rel=1e-12), name
    assert table.estimate("gaussian", "nss").value == pytest.approx(figures(table, "gaussian", "nss").mean())
    assert table.images == tuple(item.name for item in osie.items)
    assert not table.failures


@pytest.mark.slow
def test_two_workers_give_the_same_as_one(osie, tmp_path):
    one, two = (evaluate(osie, ["gaussian", "bms"], ["nss", "cc"], folder=tmp_path / str(n), workers=n) for n in (1, 2))
    assert one.to_dict()["results"] == two.to_dict()["results"]


def test_sigma_given_replaces_the_datasets_own(osie, tmp_path):
    own, given = (evaluate(osie, ["gaussian"], ["cc", "nss"], sigma=s, folder=tmp_path) for s in (None, 9.0))
    density = fixation_density(osie.fixations(0), (60, 80), 9.0)
    saliency = salbox.load("gaussian")(osie.items[0].image)
    assert figures(given, "gaussian", "cc")[0] == pytest.approx(metrics.cc(saliency, density), rel=1e-12)
    assert figures(own, "gaussian", "cc")[0] != pytest.approx(figures(given, "gaussian", "cc")[0], rel=1e-3)
    assert figures(own, "gaussian", "nss")[0] == figures(given, "gaussian", "nss")[0]
    assert "2.4 pixels: 24 at a width of 800" in own.facts["density"]
    assert "9 pixels (given)" in given.facts["density"]


# --- Resuming


def test_a_second_run_computes_nothing_and_a_new_metric_only_itself(osie, tmp_path, monkeypatch):
    first, second, third = Recorder(), Recorder(), Recorder()
    table = evaluate(osie, ["gaussian"], ["nss"], folder=tmp_path, progress=first)
    again = evaluate(osie, ["gaussian"], ["nss"], folder=tmp_path, progress=second)
    assert (len(first.items), second.updates) == (6, [])
    np.testing.assert_array_equal(figures(table, "gaussian", "nss"), figures(again, "gaussian", "nss"))
    broken = metrics.METRICS["nss"].__class__(**{**vars(metrics.METRICS["nss"]), "function": None})
    monkeypatch.setattr("salbox.evaluation.running.get_metric", {"nss": broken, "cc": metrics.METRICS["cc"]}.get)
    both = evaluate(osie, ["gaussian"], ["nss", "cc"], folder=tmp_path, progress=third)
    assert len(third.items) == 6
    assert both.rows["gaussian"].keys() == {"nss", "cc"}


@pytest.mark.parametrize("workers", [1, 2])
def test_an_interrupted_run_goes_on_where_it_ended(osie, tmp_path, workers):
    whole = evaluate(osie, ["gaussian"], ["nss"], folder=tmp_path / "whole")
    with pytest.raises(KeyboardInterrupt):
        evaluate(osie, ["gaussian"], ["nss"], folder=tmp_path, progress=Recorder(stop_after=2), workers=workers)
    rest = Recorder()
    resumed = evaluate(osie, ["gaussian"], ["nss"], folder=tmp_path, progress=rest)
    assert len(rest.items) == 4
    np.testing.assert_array_equal(figures(whole, "gaussian", "nss"), figures(resumed, "gaussian", "nss"))


def test_a_line_that_was_not_finished_is_computed_again(osie, tmp_path):
    evaluate(osie, ["gaussian"], ["nss"], folder=tmp_path)
    (path,) = tmp_path.rglob("*.jsonl")
    path.write_text(path.read_text()[:-30])
    again = Recorder()
    table = evaluate(osie, ["gaussian"], ["nss"], folder=tmp_path, progress=again)
    assert len(again.items) == 1
    assert len(table.images) == 6
    assert all(json.loads(line) for line in path.read_text().splitlines() if line.endswith("}"))


@pytest.mark.parametrize(
    "change",
    [
        {"sigma": 5.0},
        {"source": ModelSource("gaussian", {"sigma": 0.2})},
        {"source": ModelSource("gaussian", postprocess=salbox.PostProcess(do_smoothing="proportional"))},
        {"images": slice(0, 5)},
        {"version": "9.9"},
        {"code": "other"},
    ],
    ids=lambda change: next(iter(change)),
)
def test_results_are_kept_apart_by_everything_that_matters(osie, tmp_path, change, monkeypatch):
    evaluate(osie, ["gaussian"], ["cc"], folder=tmp_path)
    if "version" in change:
        monkeypatch.setattr("salbox.evaluation.evaluating.__version__", "9.9")
    if "code" in change:
        monkeypatch.setattr("salbox.evaluation.sources.code_fingerprint", lambda model: "other")
    data = osie.subset(range(6)[change["images"]], "five") if "images" in change else osie
    progress = Recorder()
    source = change.get("source", "gaussian")
    evaluate(data, [source], ["cc"], sigma=change.get("sigma"), folder=tmp_path, progress=progress)
    assert len(progress.items) == len(data)


def test_results_go_to_the_cache_unless_told(monkeypatch, tmp_path):
    monkeypatch.setenv("SALBOX_HOME", str(tmp_path))
    assert default_folder() == tmp_path / "evaluations"
    monkeypatch.delenv("SALBOX_HOME")
    assert default_folder().parts[-2:] == ("salbox", "evaluations")


def test_a_place_that_cannot_be_written_to_is_named(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(UsageError, match="results cannot be kept there"):
        Store(tmp_path / "file", "a", {})


# --- Rows beside the models


def test_the_centre_bias_leaves_its_own_image_out_and_gains_no_information_over_itself(osie, tmp_path):
    table = evaluate(osie, [CenterBias()], ["nss", "ig", "ll"], folder=tmp_path)
    others = [osie.fixations(i) for i in range(1, len(osie))]
    density = center_bias(others, [(60, 80)] * 5, (60, 80), 2.4)
    assert figures(table, "centre bias", "nss")[0] == pytest.approx(metrics.nss(density, osie.fixations(0)), rel=1e-9)
    np.testing.assert_allclose(figures(table, "centre bias", "ig"), 0, atol=1e-12)


def test_the_ceiling_is_one_observer_by_the_others_and_half_by_half(osie, tmp_path):
    table = evaluate(osie, [HumanCeiling(), CenterBias()], ["nss", "auc", "ig", "cc"], folder=tmp_path)
    fixations = osie.fixations(0)
    by_observer = []
    for subject in fixations.subjects:
        own = fixations.subject == subject
        by_observer.append(metrics.nss(fixation_density(fixations[~own], (60, 80), 2.4), fixations[own]))
    assert figures(table, "human ceiling", "nss")[0] == pytest.approx(np.mean(by_observer), rel=1e-9)
    # Four observers have three partitions in halves; the mean over some of them lies between their extremes.
    halves = []
    for partner in (1, 2, 3):
        first = np.isin(fixations.subject, [0, partner])
        densities = [fixation_density(fixations[part], (60, 80), 2.4) for part in (first, ~first)]
        halves.append(metrics.cc(*densities))
    assert min(halves) <= figures(table, "human ceiling", "cc")[0] <= max(halves)
    assert (figures(table, "human ceiling", "ig") > 0).all()  # the fixations of an image lie around one place


def test_the_mixture_is_a_ceiling_of_its_own_never_less_likely(osie, tmp_path):
    rows = [HumanCeiling(), MixtureCeiling(), CenterBias()]
    table = evaluate(osie, rows, ["nss", "ll", "ig", "cc"], folder=tmp_path)
    assert list(table.rows) == ["human ceiling", "human ceiling, mixture", "centre bias"]
    plain, mixture = figures(table, "human ceiling", "ll"), figures(table, "human ceiling, mixture", "ll")
    assert (mixture >= plain - 1e-9).all()
    fixations, shape = osie.fixations(0), (60, 80)
    center = center_bias([osie.fixations(i) for i in range(1, len(osie))], [shape] * 5, shape, 2.4)
    pairs = list(mixture_ceiling(fixations, shape, 2.4, center))
    for name, score in (("ll", lambda p, own: metrics.ll(np.log(p), own)), ("nss", metrics.nss)):
        expected = np.mean([score(density, own) for density, own in pairs])
        assert figures(table, "human ceiling, mixture", name)[0] == pytest.approx(expected, rel=1e-9)
    assert "by which an image's observers predict each other best" in table.facts["human ceiling, mixture"]


def test_the_mixture_of_one_image_alone_does_without_a_centre(tmp_path):
    entries = {"1003.jpg": [([40.0, 42.0], [30.0, 31.0]), ([41.0, 9.0], [30.0, 9.0])]}
    data = f"osie:{nus_tree(tmp_path, entries, (80, 60))}"
    table = evaluate(data, [HumanCeiling(), MixtureCeiling()], ["ll"], folder=tmp_path)
    assert table.estimate("human ceiling, mixture", "ll").value >= table.estimate("human ceiling", "ll").value


def test_a_ceiling_needs_two_observers(tmp_path):
    tree = nus_tree(tmp_path, {f"10{k}3.jpg": [([40.0, 90.0], [30.0, 50.0])] for k in range(3)}, (80, 60))
    with pytest.raises(UsageError, match="leaving one out needs at least two"):
        evaluate(f"osie:{tree}", [HumanCeiling()], ["nss"], folder=tmp_path)


def test_images_without_fixations_are_left_out_and_counted(tmp_path):
    entries = {f"10{k}3.jpg": [([40.0, 90.0], [30.0, 50.0])] for k in range(3)} | {"1093.jpg": [([], [])]}
    table = evaluate(f"osie:{nus_tree(tmp_path, entries, (80, 60))}", ["gaussian"], ["nss"], folder=tmp_path)
    assert len(table.images) == 3
    assert "1 images without fixations left out" in table.notes


@pytest.mark.parametrize(
    ("size", "note"),
    [(100, "1 images could not be read"), (900, "5 of 6 images: those that every row has figures of")],
    ids=["head", "body"],
)
def test_a_broken_image_costs_itself_alone(osie, tmp_path, size, note):
    path = osie.items[2].image
    path.write_bytes(path.read_bytes()[:size])
    table = evaluate(osie, ["gaussian"], ["nss"], folder=tmp_path / "out")
    assert len(table.images) == 5
    assert len(table.failures) == 1
    assert osie.items[2].name in table.failures[0]
    assert note in table.notes


# --- Maps on disk


def test_maps_of_any_size_and_kind_and_what_does_not_match(osie, tmp_path):
    names = [item.name for item in osie.items]
    rng = np.random.default_rng(0)
    own = rng.random((6, 60, 80)).astype(np.float32)
    for folder in ("raw", "small", "8bit"):
        (tmp_path / "maps" / folder).mkdir(parents=True)
    for k, name in enumerate(names[:5]):
        np.save(tmp_path / "maps" / "raw" / f"{name}.npy", own[k])
        np.save(tmp_path / "maps" / "small" / f"{name}.jpg.npy", own[k, ::2, ::2])
        Image.fromarray(np.rint(own[k] * 255).astype(np.uint8)).save(tmp_path / "maps" / "8bit" / f"{name}.png")
        photo(tmp_path / "maps" / "8bit" / f"{name}.overlay.png", 80, 60)
    savemat(tmp_path / "maps" / "raw" / f"{names[5]}.mat", {"saliency_map": own[5]})
    np.save(tmp_path / "maps" / "raw" / "stranger.npy", own[0])
    folders = map_folders(tmp_path / "maps", osie)
    assert [folder.name for folder in folders] == ["8bit", "raw", "small"]
    table = evaluate(osie, [MapSource(folder) for folder in folders], ["nss"], folder=tmp_path / "out")
    assert table.images == tuple(names[:5])
    assert figures(table, "raw", "nss")[1] == pytest.approx(metrics.nss(own[1], osie.fixations(1)), rel=1e-12)
    assert figures(table, "8bit", "nss")[1] == pytest.approx(figures(table, "raw", "nss")[1], abs=0.01)
    enlarged = resized(own[1, ::2, ::2], "score", (60, 80))
    assert figures(table, "small", "nss")[1] == pytest.approx(metrics.nss(enlarged, osie.fixations(1)), rel=1e-12)
    assert f"small: 1 images without a map: {names[5]}" in table.notes
    assert "raw: 1 maps of no image here: stranger" in table.notes
    single = map_folders(tmp_path / "maps" / "raw", osie)
    assert [(folder.name, len(folder.files)) for folder in single] == [("raw", 6)]


def test_a_map_that_changed_is_scored_again(osie, tmp_path):
    for item in osie.items:
        np.save(tmp_path / f"{item.name}.npy", np.random.default_rng(0).random((60, 80)))
    first, second = Recorder(), Recorder()
    evaluate(osie, [MapSource(map_folders(tmp_path, osie)[0])], ["nss"], folder=tmp_path / "out", progress=first)
    np.save(tmp_path / f"{osie.items[0].name}.npy", np.random.default_rng(1).random((61, 80)))
    evaluate(osie, [MapSource(map_folders(tmp_path, osie)[0])], ["nss"], folder=tmp_path / "out", progress=second)
    assert (len(first.items), len(second.items)) == (6, 6)


def test_resizing_is_by_area_down_bilinear_up_and_keeps_a_density():
    values = np.random.default_rng(0).random((12, 16))
    np.testing.assert_allclose(resized(values, "score", (6, 8)), values.reshape(6, 2, 8, 2).mean((1, 3)), rtol=1e-6)
    step = resized(np.array([[0.0, 1.0]]), "score", (1, 4))
    np.testing.assert_allclose(step, [[0, 0.25, 0.75, 1]])  # centres of pixels at -.25, .25, .75, 1.25
    assert resized(values, "score", (12, 16)) is values
    log_density = np.log(values / values.sum())
    for shape in ((6, 8), (24, 30), (12, 20)):
        assert np.exp(resized(log_density, "log_density", shape)).sum() == pytest.approx(1, abs=1e-9)


def test_what_is_not_a_map_is_named(tmp_path, osie):
    with pytest.raises(salbox.ImageError, match="a colour picture"):
        read_map(photo(tmp_path / "a.png", 8, 6))
    np.save(tmp_path / "b.npy", np.full((3, 4), np.nan))
    with pytest.raises(salbox.ImageError, match="not finite"):
        read_map(tmp_path / "b.npy")
    with pytest.raises(UsageError, match="no map of the images of osie"):
        map_folders(tmp_path, osie)
    with pytest.raises(UsageError, match="no such folder"):
        map_folders(tmp_path / "nowhere", osie)


def test_post_processing_applies_to_maps_and_decides_what_they_are(osie, tmp_path):
    for item in osie.items:
        np.save(tmp_path / f"{item.name}.npy", np.random.default_rng(0).random((60, 80)))
    folder = map_folders(tmp_path, osie)[0]
    process = salbox.PostProcess(do_smoothing="proportional", scale_output="log-density")
    table = evaluate(osie, [MapSource(folder, postprocess=process)], ["ll", "nss"], folder=tmp_path / "out")
    saliency = process(np.load(tmp_path / f"{osie.items[0].name}.npy"))
    assert figures(table, folder.name, "ll")[0] == pytest.approx(metrics.ll(saliency, osie.fixations(0)), rel=1e-12)
    with pytest.raises(UsageError, match="'ll' is not defined for a score; turn the map into a density"):
        evaluate(osie, [MapSource(folder)], ["ll"], folder=tmp_path / "out")


@pytest.mark.parametrize(
    ("output", "options", "expected"),
    [
        ("score", {}, "score"),
        ("log_density", {}, "log_density"),
        ("log_density", {"scale_output": "min-max"}, "score"),
        ("log_density", {"do_smoothing": "proportional"}, "score"),
        ("log_density", {"do_smoothing": "none"}, "log_density"),
        ("log_density", {"histogram_matching": "equalization"}, "score"),
        ("log_density", {"do_smoothing": "proportional", "scale_output": "log-density"}, "log_density"),
        ("score", {"scale_output": "log-density"}, "log_density"),
        ("probability", {"scale_output": "min-max"}, "probability"),
        ("probability", {"scale_output": "normalized"}, "score"),
    ],
)
def test_what_numbers_are_after_post_processing(output, options, expected):
    assert salbox.PostProcess(**options).output_of(output) == expected


# --- Objects and fidelity


def test_object_metrics(tmp_path):
    pytest.importorskip("py_sod_metrics")
    for name in ("a", "b"):
        mask_pair(tmp_path / "images", tmp_path / "ground_truth_mask", name)
        (tmp_path / "maps").mkdir(exist_ok=True)
    Image.open(tmp_path / "ground_truth_mask" / "a.png").save(tmp_path / "maps" / "a.png")
    Image.fromarray(np.tile(np.arange(40, dtype=np.uint8) * 6, (30, 1))).save(tmp_path / "maps" / "b.png")
    data = open_dataset(f"ecssd:{tmp_path}")
    table = evaluate(data, [MapSource(map_folders(tmp_path / "maps", data)[0])], folder=tmp_path / "out")
    assert figures(table, "maps", "mae")[0] == 0
    assert figures(table, "maps", "max_f").shape == (2, 256)
    assert figures(table, "maps", "s_measure")[0] == pytest.approx(1, abs=1e-6)
    curve = figures(table, "maps", "max_f").mean(axis=0)
    assert table.estimate("maps", "max_f").value == pytest.approx(curve.max())


def test_object_metrics_without_their_package_fail_before_the_first_image(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "py_sod_metrics", None)
    mask_pair(tmp_path / "images", tmp_path / "ground_truth_mask", "a")
    with pytest.raises(MissingExtraError, match=r"pip install 'salbox\[eval\]'"):
        evaluate(f"ecssd:{tmp_path}", ["gaussian"], folder=tmp_path / "out")
    table = evaluate(f"ecssd:{tmp_path}", [ModelSource("gaussian", postprocess=salbox.PostProcess(
        scale_output="min-max"))], ["precision"], folder=tmp_path / "out")  # fmt: skip
    assert len(table.images) == 1


def test_fidelity_is_the_metric_of_both_maps_the_teacher_at_its_size(tmp_path):
    photo(tmp_path / "photos" / "a.png", 90, 60)
    data = open_images(tmp_path / "photos")
    teacher = ModelSource("bms", longest_side=120)
    table = evaluate(data, ["gaussian"], teacher=teacher, folder=tmp_path / "out")
    pixels = data.pixels(0)
    taught = salbox.load("bms")(at_size(pixels, 120))
    assert taught.shape == (80, 120)
    expected = metrics.fidelity_cc(salbox.load("gaussian")(pixels), taught)
    assert figures(table, "gaussian", "fidelity_cc")[0] == pytest.approx(expected, rel=1e-12)
    same = evaluate(data, ["bms"], ["fidelity_cc", "fidelity_rmse"], teacher=ModelSource("bms"), folder=tmp_path)
    assert figures(same, "bms", "fidelity_cc")[0] == pytest.approx(1)
    assert figures(same, "bms", "fidelity_rmse")[0] == 0


def test_a_teacher_that_gives_a_log_density_counts_as_a_density(tmp_path):
    photo(tmp_path / "photos" / "a.png", 90, 60)
    density = np.random.default_rng(0).random((60, 90)).astype(np.float32)
    (tmp_path / "teacher").mkdir()
    np.save(tmp_path / "teacher" / "a.npy", np.log(density / density.sum()))
    (tmp_path / "student").mkdir()
    np.save(tmp_path / "student" / "a.npy", density)
    data = open_images(tmp_path / "photos")
    teacher = MapSource(map_folders(tmp_path / "teacher", data)[0], "log_density")
    student = MapSource(map_folders(tmp_path / "student", data)[0])
    table = evaluate(data, [student], ["fidelity_cc"], teacher=teacher, folder=tmp_path / "out")
    assert figures(table, "student", "fidelity_cc")[0] == pytest.approx(1, abs=1e-5)


@pytest.mark.parametrize(
    ("sources", "names", "options", "message"),
    [
        ([], None, {}, "nothing to evaluate"),
        (["gaussian", "gaussian"], None, {}, "two rows would be called 'gaussian'"),
        (["gaussian"], ["nsss"], {}, "no metric 'nsss'; did you mean 'nss'"),
        (["gaussian"], ["mae"], {}, "metric 'mae' needs mask, which osie does not give here; possible are nss"),
        (["gaussian"], ["nss"], {"sigma": -1.0}, "expected a positive number"),
        (["gaussian"], ["nss"], {"workers": 0}, "0 workers"),
        (["gaussian"], ["ig"], {}, "'ig' is not defined for a score"),
    ],
)
def test_wrong_usage(osie, tmp_path, sources, names, options, message):
    with pytest.raises(UsageError, match=message):
        evaluate(osie, sources, names, folder=tmp_path, **options)


def test_all_metrics_are_those_that_the_data_and_some_row_allow(osie, tmp_path):
    table = evaluate(osie, ["gaussian", CenterBias()], ["all"], folder=tmp_path)
    assert {"nss", "auc_borji", "emd", "ig", "ll"} < {m.name for m in table.metrics}
    assert not {"mae", "fidelity_cc", "precision"} & {m.name for m in table.metrics}
    assert table.estimate("gaussian", "ig") is None
    assert "ig" not in table.rows["gaussian"]
    assert any(note.startswith("ll, ig not defined for a score (gaussian); ") for note in table.notes)


def test_agreement_is_the_fidelity_of_every_pair(osie):
    sources = [ModelSource("bms"), ModelSource("gaussian"), ModelSource("gaussian", {"sigma": 0.3})]
    matrix, images = agreement(osie, sources, workers=1)
    assert images == 6
    np.testing.assert_allclose(np.diag(matrix), 1)
    np.testing.assert_allclose(matrix, matrix.T, atol=1e-12)
    first, second = salbox.load("bms"), salbox.load("gaussian", sigma=0.3)
    photos = [item.image for item in osie.items]
    expected = np.mean([metrics.fidelity_cc(first(p), second(p)) for p in photos])
    assert matrix[0, 2] == pytest.approx(expected, rel=1e-9)
    with pytest.raises(UsageError, match="two models or more"):
        agreement(osie, sources[:1])


# --- Heads of one network

HEADS = ("aim.student", "gbvs.student")


def test_an_evaluation_runs_a_network_once_an_image(osie, tmp_path, monkeypatch):
    passes = count_passes(monkeypatch)
    smooth = salbox.PostProcess(do_smoothing="proportional")
    sources = [ModelSource(HEADS[0]), ModelSource(HEADS[1], postprocess=smooth), ModelSource("gaussian")]
    table = evaluate(osie, sources, ["nss", "cc"], folder=tmp_path)
    assert passes == [(1, ("aim", "gbvs"))] * 6
    process = salbox.PostProcess(do_smoothing="proportional")
    by_hand = metrics.nss(process(salbox.load(HEADS[1])(osie.pixels(0))), osie.fixations(0))
    assert figures(table, HEADS[1], "nss")[0] == pytest.approx(by_hand, rel=1e-12)
    # What is there already is not made with what is missing.
    passes.clear()
    evaluate(osie, [*sources, ModelSource("bms.student")], ["nss", "cc"], folder=tmp_path)
    assert passes == [(1, ("bms",))] * 6


def test_another_size_is_another_pass_and_a_teacher_shares_its_own(osie, tmp_path, monkeypatch):
    passes = count_passes(monkeypatch)
    small, large = ModelSource(HEADS[0], longest_side=64), ModelSource(HEADS[1])
    evaluate(osie, [small, large], ["fidelity_cc"], teacher=ModelSource("bms.student"), folder=tmp_path)
    # The teacher's map comes along with that of the row that looks at the image in the same size.
    assert sorted(passes) == sorted([(1, ("aim",)), (1, ("bms", "gbvs"))] * 6)


def test_agreement_runs_a_network_once_an_image(osie, monkeypatch):
    passes = count_passes(monkeypatch)
    matrix, _ = agreement(osie, [ModelSource(name) for name in HEADS])
    assert passes == [(1, ("aim", "gbvs"))] * 6
    first, second = map(salbox.load, HEADS)
    photos = [item.image for item in osie.items]
    assert matrix[0, 1] == pytest.approx(np.mean([metrics.fidelity_cc(first(p), second(p)) for p in photos]))


class Damaged(ModelSource):
    def scorer(self):
        raise WeightsError("damaged")


def test_a_model_that_cannot_be_loaded_costs_its_own_figures_alone(osie, tmp_path):
    recorder = Recorder()
    with pytest.raises(UsageError, match="no image could be scored"):
        evaluate(osie, [Damaged("bms"), "gaussian"], ["nss"], folder=tmp_path, progress=recorder)
    assert recorder.lines == [f"failed: {item.name}, bms: damaged" for item in osie.items]
    again = Recorder()
    assert len(evaluate(osie, ["gaussian"], ["nss"], folder=tmp_path, progress=again).images) == 6
    assert again.items == []  # the other row's figures were kept


def test_an_image_that_takes_too_much_memory_is_named(osie, tmp_path, monkeypatch):
    make = ImageMaps.of

    def limited(maps, pipeline):
        if pipeline.model.name == "bms":
            raise MemoryError
        return make(maps, pipeline)

    monkeypatch.setattr(ImageMaps, "of", limited)
    recorder = Recorder()
    with pytest.raises(UsageError, match="no image could be scored"):
        evaluate(osie, ["gaussian", "bms"], ["nss"], folder=tmp_path, progress=recorder)
    item = osie.items[0]
    line = f"failed: {item.name}, bms: {item.image}: not enough memory (fewer --workers may help)"
    assert (recorder.lines[0], len(recorder.lines)) == (line, 6)


# --- Intervals


def test_intervals_agree_with_scipys_bootstrap():
    values = np.random.default_rng(1).gamma(2, 1, 80)
    found = estimate(values.mean(), resampled([values])[0])
    scipys = stats.bootstrap((values,), np.mean, n_resamples=10_000, method="percentile", rng=np.random.default_rng(2))
    assert found.low == pytest.approx(scipys.confidence_interval.low, abs=0.01)
    assert found.high == pytest.approx(scipys.confidence_interval.high, abs=0.01)
    assert found.low < values.mean() < found.high
    np.testing.assert_array_equal(resampled([values])[0], resampled([values])[0])


def test_a_curve_is_resampled_as_a_curve():
    curves = np.random.default_rng(1).random((7, 3))
    (found,) = resampled([curves], resamples=50, seed=5)
    drawn = np.random.default_rng(5).integers(7, size=(50, 7))
    np.testing.assert_allclose(found, [curves[row].mean(axis=0).max() for row in drawn], rtol=1e-12)


def test_differences_are_paired():
    rng = np.random.default_rng(0)
    easy = rng.normal(0, 5, 50)  # images differ much, models by little
    first, second = resampled([easy + 0.1 + rng.normal(0, 0.01, 50), easy])
    apart = difference(0.1, first - second)
    assert 0.09 < apart.low < apart.high < 0.11
    assert apart.p == pytest.approx(2 / 10_001)
    same = difference(0.0, np.zeros(100))
    assert (same.low, same.high, same.p) == (0, 0, 1)


# --- Formats


@pytest.fixture
def table(osie, tmp_path):
    return evaluate(osie, ["gaussian", "bms", CenterBias()], ["nss", "ig"], folder=tmp_path)


def test_csv_is_unrounded_and_tidy(table):
    rows = list(csv.DictReader(to_csv(table, against="bms").splitlines()))
    assert [(r["model"], r["metric"]) for r in rows] == [
        ("gaussian", "nss"), ("bms", "nss"), ("centre bias", "nss"), ("centre bias", "ig"),
    ]  # fmt: skip
    gaussian, bms = (figures(table, name, "nss").mean() for name in ("gaussian", "bms"))
    assert float(rows[0]["value"]) == pytest.approx(gaussian, rel=1e-12)
    assert float(rows[0]["difference"]) == pytest.approx(gaussian - bms, rel=1e-9)
    assert float(rows[0]["difference_low"]) < float(rows[0]["difference"]) < float(rows[0]["difference_high"])
    by_image = list(csv.DictReader(to_csv(table, per_image=True).splitlines()))
    assert len(by_image) == 18
    assert float(by_image[1]["nss"]) == pytest.approx(figures(table, "bms", "nss")[0], rel=1e-12)
    assert by_image[1]["ig"] == ""


def test_json_says_everything(table):
    said = json.loads(json.dumps(table.to_dict(per_image=True, against="bms")))
    assert (said["split"], said["images"], len(said["per_image"])) == ("test", 6, 18)
    assert said["metrics"][0]["formula"] == metrics.METRICS["nss"].formula
    assert "seed 0" in said["interval"]
    assert said["results"][0]["difference"].keys() == {"value", "low", "high", "p"}


def test_markdown_and_latex(table):
    lines = to_markdown(table, against="bms").splitlines()
    assert lines[:2] == ["| model | NSS ↑ | IG ↑ |", "|---|---:|---:|"]
    assert lines[2].startswith("| gaussian | ")
    assert lines[2].endswith("| – |")
    assert any(line.startswith("| gaussian − bms | ") for line in lines)
    assert any("6 images" in line and "10,000 resamples, seed 0" in line for line in lines)
    latex = to_latex(table)
    assert r"NSS $\uparrow$" in latex
    assert latex.count(r"\\") >= 4
    body = [line for line in latex.splitlines() if not line.startswith("%")]
    assert body[0] == r"\begin{tabular}{lrr}"
    assert "_" not in "".join(body)


def test_cells_do_not_break_a_markdown_table():
    table = markdown_table(["", "a|b", "c"], [["p(x|y)", "1\n[0, 2]", "3"]], figures=1)
    assert table.splitlines() == ["|  | a\\|b | c |", "|---|---|---:|", "| p(x\\|y) | 1 [0, 2] | 3 |"]


def test_the_legend_names_what_figures_depend_on(table):
    text = "\n".join(legend(table))
    for part in ("split test", "6 images", "nss: mean over fixations", "sigma=0.1", "2.4 pixels", "INTER_AREA"):
        assert part in text
    assert salbox.__version__ in text


@pytest.mark.parametrize("suffix", ["png", "svg", "pdf"])
def test_bars(table, tmp_path, suffix):
    path = tmp_path / f"bars.{suffix}"
    figure = bars(table, path)
    assert path.stat().st_size > 1000
    drawn = [patch.get_width() for patch in figure.axes[0].patches]
    expected = [table.estimate(row, "nss").value for row in table.rows]
    np.testing.assert_allclose(drawn, expected)
    assert len(figure.axes[1].patches) == 1  # IG is defined for one row
    with pytest.raises(UsageError, match="written as one of"):
        bars(table, tmp_path / "bars.gif")


@pytest.mark.slow
def test_the_centred_gaussian_on_osie(shared, tmp_path):
    """The table that comes with the data: NSS .85, AUC-Judd .735, CC .318 with a density sigma of 27 pixels."""
    data = f"osie:{shared / 'data' / 'OSIE'}"
    table = evaluate(
        data, [ModelSource("gaussian", {"sigma": 0.25})], ["nss", "auc_judd", "cc"], split="test", sigma=27,
        folder=tmp_path,
    )  # fmt: skip
    assert len(table.images) == 140
    for name, expected in (("nss", 0.85), ("auc_judd", 0.735), ("cc", 0.318)):
        assert table.estimate("gaussian", name).value == pytest.approx(expected, abs=0.01)


def test_maps_stay_with_their_images_where_some_are_left_out(tmp_path):
    """The first image has no fixations; the others' maps lie on theirs."""
    columns = (None, 15, 30, 45)
    looked = {
        f"{1003 + 10 * i}.jpg": [([], [])] if x is None else [([10.0 * x], [300.0])] * 3 for i, x in enumerate(columns)
    }
    nus_tree(tmp_path / "OSIE", looked, (80, 60))
    (tmp_path / "maps").mkdir()
    for name, x in zip(looked, columns, strict=True):
        saliency = np.zeros((60, 80), np.float32)
        saliency[25:35, (x or 70) - 5 : (x or 70) + 5] = 1
        np.save(tmp_path / "maps" / f"{Path(name).stem}.npy", saliency)
    data = open_dataset(f"osie:{tmp_path / 'OSIE'}")
    maps = [MapSource(folder) for folder in map_folders(tmp_path / "maps", data)]
    table = evaluate(data, maps, ["nss"], folder=tmp_path / "results")
    assert len(table.images) == 3
    assert (table.rows["maps"]["nss"] > 4).all()


# --- Models as Python has them: loaded, functions, paths


def brightness(image, gain=1.0):
    return gain * image.mean(axis=2)


def test_models_are_taken_as_predict_takes_them(osie, tmp_path):
    salbox.register("mine", brightness, card={"task": "fixation", "output": "score"})
    model = salbox.load("gaussian", sigma=0.25)
    rows = [model, "bms", brightness, lambda image: image[:, :, 0] + 0.0]
    table = evaluate(osie, rows, ["nss"], folder=tmp_path)
    assert list(table.rows) == ["gaussian", "bms", "mine", "lambda"]
    own = [brightness(salbox.read_image(item.image)) for item in osie.items]
    expected = [metrics.nss(saliency, osie.fixations(k)) for k, saliency in enumerate(own)]
    np.testing.assert_allclose(figures(table, "mine", "nss"), expected, rtol=1e-5)
    assert figures(evaluate(osie, "bms", ["nss"], folder=tmp_path), "bms", "nss").size == len(osie)
    with pytest.raises(UsageError, match="int: expected a model"):
        evaluate(osie, [3], ["nss"], folder=tmp_path)
    with pytest.raises(UsageError, match="two rows would be called 'gaussian'"):
        evaluate(osie, [model, "gaussian"], ["nss"], folder=tmp_path)


def test_figures_of_a_loaded_model_are_those_of_its_name(osie, tmp_path):
    by_name = evaluate(osie, [ModelSource("gaussian", {"sigma": 0.25})], ["nss"], folder=tmp_path)
    again = Recorder()
    loaded = evaluate(osie, [salbox.load("gaussian", sigma="0.25")], ["nss"], folder=tmp_path, progress=again)
    assert again.items == []
    assert loaded.to_dict()["results"] == by_name.to_dict()["results"]
    other = Recorder()
    evaluate(osie, [salbox.load("gaussian", sigma=0.2)], ["nss"], folder=tmp_path, progress=other)
    assert len(other.items) == len(osie)


def test_a_model_that_is_loaded_is_not_loaded_again(osie, tmp_path, monkeypatch):
    model = salbox.load("ensemble:gaussian+bms")
    monkeypatch.setattr("salbox.evaluation.sources.load_for", None)
    assert list(evaluate(osie, [model], ["nss"], folder=tmp_path).rows) == ["ensemble:gaussian+bms"]


def test_figures_of_code_that_nobody_can_tell_are_not_kept(osie, tmp_path):
    made = salbox.Model(salbox.ModelCard("made", task="fixation", output="score"), brightness, {"gain": 2.0})
    for source in (made, lambda image: image[:, :, 0] + 0.0):
        for _ in range(2):
            progress = Recorder()
            table = evaluate(osie, [source], ["nss"], folder=tmp_path, progress=progress)
            assert len(progress.items) == len(osie)
            assert table.notes[-1] == f"{next(iter(table.rows))}: figures are not kept (there is no name to load it by)"
            assert table.facts["results"] == "not kept"
    assert not list(tmp_path.rglob("*.jsonl"))


def test_nor_are_those_that_such_a_teacher_is_measured_by(osie, tmp_path):
    salbox.register("mine", lambda image: image[:, :, 0] + 0.0, card={"task": "fixation", "output": "score"})
    table = evaluate(osie, ["gaussian"], ["fidelity_cc"], teacher=ModelSource("mine"), folder=tmp_path)
    assert "mine: figures are not kept (it lies in no module)" in table.notes
    assert not list(tmp_path.rglob("*.jsonl"))


def test_functions_of_a_module_are_shared_out(osie, tmp_path, monkeypatch):
    write_module(tmp_path, "shared_models")
    monkeypatch.syspath_prepend(tmp_path)
    plain = salbox.load("shared_models:plain")  # which registers `contrast`
    salbox.register("again", sys.modules["shared_models"].contrast, card={"task": "fixation", "output": "score"})
    rows = ["contrast", plain, salbox.load("again", power=1), sys.modules["shared_models"].Network, "gaussian"]
    one, two = (evaluate(osie, rows, ["nss"], folder=tmp_path / str(n), workers=n) for n in (1, 2))
    assert list(two.rows) == ["contrast", "shared_models:plain", "again", "Network", "gaussian"]
    assert one.to_dict()["results"] == two.to_dict()["results"]


def test_a_function_that_others_cannot_find_is_computed_here_or_refused(osie, tmp_path, monkeypatch):
    salbox.register("mine", lambda image: image[:, :, 0] + 0.0, card={"task": "fixation", "output": "score"})
    monkeypatch.setattr("salbox.system.workers.available_cores", lambda: 4)
    monkeypatch.setattr("salbox.system.workers._TASKS_A_WORKER", 1)
    for row in ("mine", lambda image: image[:, :, 0] + 0.0):
        assert len(evaluate(osie, [row], ["nss"], folder=tmp_path, workers=None).images) == len(osie)
    with pytest.raises(UsageError, match=r"model 'mine' lies in no module, .* workers=1"):
        evaluate(osie, ["mine"], ["nss"], folder=tmp_path, workers=2)
    with pytest.raises(UsageError, match=r"'lambda' cannot be sent to other processes \(.*\): use workers=1"):
        evaluate(osie, [lambda image: image[:, :, 0]], ["nss"], folder=tmp_path, workers=2)


def test_an_image_that_somebody_s_code_fails_at_costs_a_line(osie, tmp_path):
    def fails(image):
        if image.mean() > np.median(means):
            raise RuntimeError("too bright\nfor me")
        return image[:, :, 0] + 0.0

    means = [salbox.read_image(item.image).mean() for item in osie.items]
    table = evaluate(osie, [fails], ["nss"], folder=tmp_path)
    assert len(table.images) == len(table.failures) == 3
    assert "fails: model 'fails' failed: RuntimeError: too bright for me (test_evaluation.py, line" in table.failures[0]


def test_one_process_computes_where_a_teacher_is_on_a_gpu(osie, tmp_path, monkeypatch):
    """Rows on disk, and a teacher that would be copied to the GPU by every process."""
    from salbox.evaluation import running

    devices = []

    def in_this_process(begin, tasks, workers, *, device):
        devices.append(device)
        return map(begin(), tasks)

    monkeypatch.setattr(running, "in_workers", in_this_process)
    teacher = ModelSource("gaussian", {"device": "cuda"})
    evaluate(osie, ["gaussian"], ["fidelity_cc"], teacher=teacher, workers=None, folder=tmp_path / "kept")
    assert devices == ["cuda"]
