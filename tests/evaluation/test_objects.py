"""Evaluations on object masks: against PySODMetrics on files, masks of other sizes, the curves of a page."""

from __future__ import annotations

import re
import shutil

import numpy as np
import pytest
from object_models import object_network, object_photos
from PIL import Image

import salbox
from salbox.datasets import open_dataset
from salbox.evaluation import MapSource, ModelSource, evaluate, map_folders
from salbox.imaging.scaling import min_max
from salbox.reporting import gather, page

library = pytest.importorskip("py_sod_metrics")


def test_figures_of_saved_maps_are_pysodmetrics_on_real_masks(shared, tmp_path):
    """Its evaluators over files as its example runs them, on maps that are the masks blurred and mixed with noise."""
    source = shared / "data" / "ECSSD"
    rng = np.random.default_rng(2)
    f = library.FmeasureV2({"f": library.FmeasureHandler(with_adaptive=True, with_dynamic=True, beta=0.3)})
    m, e, s, w = library.MAE(), library.Emeasure(), library.Smeasure(alpha=0.5), library.WeightedFmeasure()
    for kind in ("images", "ground_truth_mask", "maps"):
        (tmp_path / kind).mkdir()
    for path in sorted((source / "ground_truth_mask").glob("*.png"))[:3]:
        shutil.copy(path, tmp_path / "ground_truth_mask")
        shutil.copy(source / "images" / f"{path.stem}.jpg", tmp_path / "images")
        mask = np.asarray(Image.open(path).convert("L"))
        noisy = 0.6 * np.asarray(Image.fromarray(mask).resize((20, 20)).resize(mask.shape[::-1])) / 255
        predicted = np.rint((noisy + 0.3 * rng.random(mask.shape)) * 255).astype(np.uint8)
        Image.fromarray(predicted).save(tmp_path / "maps" / path.name)
        for evaluator in (f, m, e, s, w):
            evaluator.step(predicted, mask)
    data = open_dataset(f"ecssd:{tmp_path}")
    (folder,) = map_folders(tmp_path / "maps", data)
    table = evaluate(data, [MapSource(folder)], folder=tmp_path / "kept")
    curve, em = f.get_results()["f"], e.get_results()["em"]
    expected = {
        "mae": m.get_results()["mae"], "max_f": curve["dynamic"].max(), "mean_f": curve["dynamic"].mean(),
        "adaptive_f": curve["adaptive"], "weighted_f": w.get_results()["wfm"], "max_e": em["curve"].max(),
        "mean_e": em["curve"].mean(), "adaptive_e": em["adp"], "s_measure": s.get_results()["sm"],
    }  # fmt: skip
    for name, value in expected.items():
        assert table.estimate("maps", name).value == pytest.approx(float(value), abs=1e-9), name


def test_masks_of_another_size_are_noted_and_maps_brought_to_theirs(tmp_path):
    root = object_photos(tmp_path / "photos")
    network = object_network(tmp_path / "colours.onnx")
    path = root / "masks" / "p1.png"
    small = Image.open(path).resize((24, 24), Image.Resampling.NEAREST)  # of another shape, too
    small.save(path)
    data = open_dataset(f"folder:{root}")
    table = evaluate(data, [ModelSource(f"{network}#red")], ["mae"], folder=tmp_path / "kept")
    assert "1 masks of another size than their photo (p1): maps are brought to theirs" in table.notes
    assert table.estimate(f"{network}#red", "mae").value < 0.3
    plain = evaluate(open_dataset(f"folder:{object_photos(tmp_path / 'b')}"), [ModelSource(f"{network}#red")], ["mae"])
    assert not [note for note in plain.notes if "another size" in note]


def test_a_page_has_the_curves_of_precision_recall_and_f(tmp_path):
    root = object_photos(tmp_path / "photos")
    network = object_network(tmp_path / "colours.onnx")
    data = open_dataset(f"folder:{root}")
    sources = [ModelSource(f"{network}#{head}") for head in ("red", "blue")]
    report = gather(data, sources, agree=False, examples=0, folder=tmp_path / "kept")
    row = sources[0].name
    found = report.curves[row]
    f = library.FmeasureV2(
        {
            "p": library.PrecisionHandler(with_dynamic=True, with_adaptive=False),
            "r": library.RecallHandler(with_dynamic=True, with_adaptive=False),
        }
    )
    loaded = salbox.load(row)
    for item in data.items:
        mask = np.asarray(Image.open(item.mask))
        f.step(min_max(loaded(item.image)).astype(np.float64), mask > 128, normalize=False)
    expected = f.get_results()
    np.testing.assert_allclose(found.precision, expected["p"]["dynamic"], atol=1e-6)
    np.testing.assert_allclose(found.recall, expected["r"]["dynamic"], atol=1e-6)
    assert found.f.max() == pytest.approx(report.evaluation.estimate(row, "max_f").value)
    # They are no columns, and the page draws two plots of two curves.
    assert [m.name for m in report.evaluation.metrics if "curve" in m.name] == []
    text = page(report)
    assert len(re.findall("<polyline", text)) == 4
    assert "Precision over recall" in text


def test_a_page_without_the_f_measure_has_none(tmp_path):
    root, network = object_photos(tmp_path / "photos"), object_network(tmp_path / "colours.onnx")
    data = open_dataset(f"folder:{root}")
    report = gather(data, [ModelSource(f"{network}#red")], metrics=["mae"], examples=0, folder=tmp_path / "kept")
    assert report.curves == {}
    assert "Precision over recall" not in page(report)
