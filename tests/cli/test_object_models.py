"""Object models, whose maps are probabilities, as people use them on the command line."""

from __future__ import annotations

import csv
import json

import numpy as np
import pytest
from object_models import object_network, object_photos
from PIL import Image
from trees import random_osie

import salbox
from salbox.evaluation import read_map


@pytest.fixture
def network(tmp_path):
    return object_network(tmp_path / "colours.onnx")


@pytest.fixture
def photos(tmp_path):
    return object_photos(tmp_path / "photos")


@pytest.mark.parametrize(("file_format", "white"), [("png", 255), ("png16", 65535)])
def test_pictures_hold_the_probability_itself(cli, network, photos, tmp_path, file_format, white):
    photo = photos / "images" / "p0.png"
    assert cli("predict", photo, "-m", f"{network}#red", "-o", tmp_path / "maps", "--format", file_format)[0] == 0
    expected = salbox.load(f"{network}#red")(photo)
    assert 0.1 < expected.max() < 0.8  # far from white
    path = tmp_path / "maps" / "colours.red" / "p0.png"
    np.testing.assert_allclose(np.asarray(Image.open(path)), expected.astype(np.float64) * white, atol=0.51)
    np.testing.assert_allclose(read_map(path), expected, atol=0.51 / white)


def test_an_overlay_of_nothing_found_is_dark(cli, network, tmp_path):
    """Min-max scaled, noise of a hundredth would glow."""
    noise = np.random.default_rng(0).integers(0, 3, (36, 48, 3), np.uint8)
    Image.fromarray(noise).save(tmp_path / "empty.png")
    assert cli("predict", tmp_path / "empty.png", "-m", f"{network}#red", "-o", tmp_path / "maps", "--overlay")[0] == 0
    drawn = np.asarray(Image.open(tmp_path / "maps" / "colours.red" / "empty.overlay.png"))
    assert drawn.max() < 20


def test_figures_are_those_of_the_object_metrics(cli, network, photos):
    pytest.importorskip("py_sod_metrics")
    code, out, _ = cli("evaluate", "-m", network, "--dataset", f"folder:{photos}", "--json")
    assert code == 0
    found = json.loads(out)
    assert [m["name"] for m in found["metrics"]] == [
        "mae", "max_f", "mean_f", "adaptive_f", "weighted_f", "max_e", "mean_e", "adaptive_e", "s_measure"
    ]  # fmt: skip
    assert "each map at its mask's own size" in found["facts"]["objects"]
    best = {r["metric"]: r for r in found["results"] if r["model"] == f"{network}#red"}
    worst = {r["metric"]: r["value"] for r in found["results"] if r["model"] == f"{network}#blue"}
    assert best["mae"]["value"] < worst["mae"]
    assert best["max_f"]["value"] > worst["max_f"]
    assert best["mae"]["low"] <= best["mae"]["value"] <= best["mae"]["high"]


def test_other_verbs_take_them(cli, network, photos, tmp_path):
    photo = photos / "images" / "p0.png"
    assert cli("compare", photo, "-m", f"{network},bms", "-o", tmp_path / "grid.png")[0] == 0
    assert cli("export", network, "-o", tmp_path / "copy.onnx")[0] == 0
    code, out, _ = cli("models", f"{tmp_path / 'copy.onnx'}#red")
    assert code == 0
    assert "object" in out
    assert "probability" in out


def test_what_does_not_fit_is_a_line(cli, network, photos, tmp_path):
    osie = random_osie(tmp_path / "OSIE")
    code, _, said = cli("evaluate", "-m", network, "--dataset", f"osie:{osie}", "--metrics", "max_f")
    assert (code, said.count("\n")) == (2, 1)
    assert "needs mask, which osie does not give" in said
    code, _, said = cli("evaluate", "-m", "gaze", "--dataset", f"folder:{photos}", "--metrics", "mae")
    assert (code, said.count("\n")) == (2, 1)
    assert "not defined for a log_density" in said
    code, _, said = cli("evaluate", "-m", network, "--dataset", f"folder:{photos}", "--baseline")
    assert (code, said.count("\n")) == (2, 1)
    assert "need a dataset with fixations" in said


def test_a_task_without_models_is_a_line(cli, monkeypatch):
    monkeypatch.setattr("salbox.cli.models.list_models", lambda task, ready=False: [])
    code, out, said = cli("models", "--task", "object")
    assert (code, out) == (0, "")
    assert said == "there is no model for the task 'object'; one of your own is named by its path\n"


class TestBenchPlot:
    @pytest.mark.slow
    def test_on_a_dataset_and_from_a_table(self, cli, network, photos, tmp_path):
        pytest.importorskip("py_sod_metrics")
        models = f"{network}#red,gaussian"
        common = ("bench", "-m", models, "--size", "48x36", "--threads", "1", "--repeat", "1")
        for name in ("a.png", "b.svg"):
            given = ("--dataset", f"folder:{photos}", "--metric", "mae")
            if name == "b.svg":
                code, out, _ = cli("evaluate", "-m", models, "--dataset", f"folder:{photos}", "--csv")
                (tmp_path / "table.csv").write_text(out)
                given = ("--against", tmp_path / "table.csv", "--published", "ecssd")
            code, _, said = cli(*common, "--plot", tmp_path / name, *given)
            assert code == 0
            assert f"wrote {tmp_path / name}" in said.replace("\n", "")
        assert np.asarray(Image.open(tmp_path / "a.png")).std() > 0
        drawn = (tmp_path / "b.svg").read_text()
        assert "max F_β" in drawn or "<!-- max F_" in drawn
        assert "KD-SCFNet" in drawn

    @pytest.mark.parametrize(
        ("given", "said"),
        [
            ((), "--plot needs figures"),
            (("--dataset", "folder:x", "--against", "x.csv"), "--plot needs figures"),
            (("--against", "x.csv"), "x.csv: cannot be read"),
            (("--against", "x.csv", "--metric", "maxf"), "no metric 'maxf'"),
            (("--against", "x.csv", "--published", "ecsd"), "did you mean"),
        ],
    )
    def test_is_refused_before_anything_is_measured(self, cli, given, said, tmp_path, monkeypatch):
        monkeypatch.chdir(tmp_path)
        monkeypatch.setattr("salbox.cli.bench.measure_costs", lambda *_, **__: pytest.fail("measured"))
        code, _, complaint = cli("bench", "-m", "gaussian", "--plot", "x.png", *given)
        assert (code, complaint.count("\n")) == (2, 1)
        assert said in complaint

    def test_a_model_without_a_figure(self, cli, tmp_path, monkeypatch):
        monkeypatch.chdir(tmp_path)
        with (tmp_path / "t.csv").open("w", newline="") as file:
            csv.writer(file).writerows([["model", "metric", "value"], ["bms", "mae", 0.2]])
        code, _, said = cli("bench", "-m", "gaussian", "--plot", "x.png", "--against", "t.csv")
        assert (code, said) == (2, "salbox: no mae of gaussian (t.csv has bms)\n")
