"""`salbox evaluate` as people use it."""

from __future__ import annotations

import csv
import json
import os
import signal
import subprocess
import sys
import time
from functools import partial

import numpy as np
import pytest
from PIL import Image
from trees import mask_pair, nus_tree, photo, random_osie

from salbox.cli.main import run
from salbox.evaluation.store import Store, default_folder


@pytest.fixture
def cli(cli):
    """`salbox evaluate`."""
    return partial(cli, "evaluate")


@pytest.fixture
def osie(tmp_path):
    return f"osie:{random_osie(tmp_path / 'OSIE')}"


def test_the_table_says_what_one_needs_to_repeat_it(cli, osie):
    code, out, err = cli(
        "-m", "gaussian,bms", "--param", "gaussian:sigma=.25", "--dataset", osie, "--metrics", "nss,cc", "--sigma", "3",
        "--baseline", "--ceiling", "--mixture-ceiling", "--against", "bms",
        "--do-smoothing", "proportional", "--smooth-prop", "0.02",
    )  # fmt: skip
    assert (code, err) == (0, "")
    for row in ("gaussian", "bms", "centre bias", "human ceiling", "human ceiling, mixture", "gaussian − bms"):
        assert any(line.startswith(f"{row} ") for line in out.splitlines()), row
    for part in (
        "NSS ↑", "CC ↑", "split test, 6 images", "95% percentile bootstrap over images", "sigma=0.25",
        "do_smoothing=proportional", "smooth_prop=0.02", "3 pixels (given)", "nss: mean over fixations",
    ):  # fmt: skip
        assert part in out, part
    assert len(list((default_folder() / "osie-test").glob("*.jsonl"))) == 5


def test_formats(cli, osie, tmp_path):
    common = ["-m", "gaussian", "--dataset", osie, "--metrics", "nss", "-o", tmp_path / "kept"]
    _, out, _ = cli(*common, "--json")
    value = json.loads(out)["results"][0]["value"]
    _, out, _ = cli(*common, "--csv")
    assert float(next(csv.DictReader(out.splitlines()))["value"]) == value
    _, out, _ = cli(*common, "--csv", "--per-image")
    by_image = [float(row["nss"]) for row in csv.DictReader(out.splitlines())]
    assert np.mean(by_image) == pytest.approx(value)
    _, out, _ = cli(*common, "--markdown")
    assert f"| gaussian | {value:.3f} [" in out
    _, out, _ = cli(*common, "--latex")
    assert rf"{{@{{}}r@{{}}}}{value:.3f}" in out
    _, out, _ = cli(*common, "--per-image")
    assert sum(line.startswith("10") for line in out.splitlines()) == 6
    code, _, err = cli(*common, "--plot", tmp_path / "bars.png")
    assert "wrote" in err
    with Image.open(tmp_path / "bars.png") as picture:
        assert picture.width > 300
    assert code == 0


def test_a_second_run_resumes(cli, osie, tmp_path):
    common = ["-m", "gaussian", "--dataset", osie, "--metrics", "nss", "-o", tmp_path / "kept", "--csv"]
    _, first, _ = cli(*common)
    (path,) = (tmp_path / "kept").rglob("*.jsonl")
    head, line, *_ = map(json.loads, path.read_text().splitlines())
    Store(path.parent, "gaussian", head["settings"]).add(line["image"], {"nss": line["metrics"]["nss"] + 6})
    _, second, _ = cli(*common)
    values = [float(next(csv.DictReader(text.splitlines()))["value"]) for text in (first, second)]
    assert values[1] - values[0] == pytest.approx(1)  # six images, one of which was read and not computed


def test_fixations_outside_are_an_error_unless_allowed(cli, tmp_path):
    tree = nus_tree(tmp_path / "OSIE", {"1003.jpg": [([400.0, 900.0], [300.0, 300.0])]}, (80, 60))
    common = ["-m", "gaussian", "--dataset", f"osie:{tree}", "--metrics", "nss", "--json"]
    code, out, err = cli(*common)
    assert (code, out) == (2, "")
    assert "1 of 2 fixations (50 %) lie outside their image" in err
    code, out, _ = cli(*common, "--allow-outside")
    assert code == 0
    assert any(note.startswith("1 of 2 fixations (50 %) lie outside") for note in json.loads(out)["notes"])


def test_maps_of_predict_are_scored_as_the_model(cli, osie, tmp_path):
    with pytest.raises(SystemExit) as left:
        run(
            [
                "predict",
                str(tmp_path / "OSIE/data/stimuli"),
                "-m",
                "bms",
                "-o",
                str(tmp_path / "maps"),
                "--format",
                "npy",
            ]
        )
    assert not left.value.code
    photo(tmp_path / "maps" / "bms" / "elsewhere.png", 8, 6)
    code, out, _ = cli("-m", "gaussian", "--maps", tmp_path / "maps", "--dataset", osie, "--metrics", "nss", "--csv")
    rows = {row["model"]: row["value"] for row in csv.DictReader(out.splitlines())}
    _, alone, _ = cli("-m", "bms", "--dataset", osie, "--metrics", "nss", "--csv")
    assert code == 0
    assert rows.keys() == {"gaussian", "bms"}
    assert rows["bms"] == next(csv.DictReader(alone.splitlines()))["value"]
    _, out, _ = cli("--maps", tmp_path / "maps", "--dataset", osie, "--metrics", "nss")
    assert "note: bms: 1 maps of no image here: elsewhere" in out


def test_fidelity(cli, tmp_path):
    photo(tmp_path / "photos" / "a.png", 90, 60)
    photo(tmp_path / "photos" / "b.png", 60, 90, seed=1)
    code, out, _ = cli("-m", "gaussian", "--teacher", "bms", "--images", tmp_path / "photos")
    assert code == 0
    assert "images:" in out
    assert "2 images" in out
    assert "brought to a longest side of 640" in out
    with pytest.raises(SystemExit):
        run(["predict", str(tmp_path / "photos"), "-m", "bms", "-o", str(tmp_path / "t"), "--format", "npy"])
    same = ["-m", "bms", "--images", tmp_path / "photos", "--metrics", "fidelity_rmse", "--csv"]
    _, by_model, _ = cli(*same, "--teacher", "bms", "--teacher-size", "0")
    _, by_maps, _ = cli(*same, "--teacher-maps", tmp_path / "t")
    assert float(next(csv.DictReader(by_model.splitlines()))["value"]) == 0
    assert float(next(csv.DictReader(by_maps.splitlines()))["value"]) == pytest.approx(0, abs=1e-6)


def test_agreement(cli, tmp_path):
    photo(tmp_path / "photos" / "a.png", 90, 60)
    code, out, _ = cli("-m", "gaussian,bms", "--images", tmp_path / "photos", "--agreement")
    assert code == 0
    assert out.splitlines()[0].split() == ["gaussian", "bms"]
    assert out.splitlines()[1].split()[:2] == ["gaussian", "1.000"]
    assert "mean over 1 images" in out
    _, out, _ = cli("-m", "gaussian,bms", "--images", tmp_path / "photos", "--agreement", "--json")
    found = json.loads(out)
    assert found["models"] == ["gaussian", "bms"]
    _, out, _ = cli("-m", "gaussian,bms", "--images", tmp_path / "photos", "--agreement", "--csv")
    header, *rows = csv.reader(out.splitlines())
    assert header == ["", "gaussian", "bms"]
    assert [row[0] for row in rows] == ["gaussian", "bms"]
    assert [[float(value) for value in row[1:]] for row in rows] == found["cc"]


def test_agreement_in_every_form(cli, tmp_path):
    for number, name in enumerate("ab"):
        photo(tmp_path / "photos" / f"{name}.png", 90, 60, seed=number)
    common = ["-m", "gaussian,bms", "--images", tmp_path / "photos", "--agreement"]
    _, out, _ = cli(*common, "--json", "--per-image")
    found = json.loads(out)
    assert list(found["per_image"]) == ["a", "b"]
    np.testing.assert_allclose(np.mean([*found["per_image"].values()], axis=0), found["cc"])
    between = [f"{matrix[0][1]:.3f}" for matrix in found["per_image"].values()]
    assert between[0] != between[1]
    _, out, _ = cli(*common, "--per-image")
    assert [line.split() for line in out.splitlines()[:3]] == [
        ["image", "model", "gaussian", "bms"],
        ["a", "gaussian", "1.000", between[0]],
        ["a", "bms", between[0], "1.000"],
    ]
    _, out, _ = cli(*common, "--markdown", "--per-image")
    assert f"| b | gaussian | 1.000 | {between[1]} |" in out
    mean = f"{found['cc'][0][1]:.3f}"
    code, out, err = cli(*common, "--latex", "--plot", tmp_path / "a.png")
    assert (code, err) == (0, f"wrote {tmp_path / 'a.png'}\n")
    assert rf"gaussian & 1.000 & {mean} \\" in out
    assert r"\begin{tabular}{lrr}" in out
    with Image.open(tmp_path / "a.png") as picture:
        assert min(picture.size) > 200
    _, out, _ = cli(*common, "--csv", "--per-image")
    header, first, *_ = csv.reader(out.splitlines())
    assert (header, first[:2]) == (["image", "model", "gaussian", "bms"], ["a", "gaussian"])
    assert float(first[3]) == found["per_image"]["a"][0][1]


def test_agreement_of_two_rows_of_one_name_is_refused(cli, tmp_path):
    for folder in ("photos", "imsig"):
        photo(tmp_path / folder / "a.png", 40, 30)
    maps = tmp_path / "imsig"
    code, _, err = cli("-m", "imsig", "--maps", maps, "--images", tmp_path / "photos", "--agreement")
    assert (code, "two rows would be called 'imsig'" in err) == (2, True)


def test_agreement_says_what_failed_by_its_exit_code(cli, tmp_path):
    photo(tmp_path / "photos" / "a.png", 90, 60)
    broken = photo(tmp_path / "photos" / "b.png", 90, 60, seed=1)
    broken.write_bytes(broken.read_bytes()[:200])
    code, out, err = cli("-m", "gaussian,bms", "--images", tmp_path / "photos", "--agreement")
    assert code == 1
    assert "mean over 1 images" in out
    assert "failed: b, gaussian: " in err
    assert err.splitlines()[-1].startswith("1 failed: b, gaussian: ")


def test_a_broken_image_is_named_and_the_exit_code_is_1(cli, osie, tmp_path):
    path = tmp_path / "OSIE" / "data" / "stimuli" / "1023.jpg"
    path.write_bytes(path.read_bytes()[:900])
    code, out, err = cli("-m", "gaussian", "--dataset", osie, "--metrics", "nss")
    assert code == 1
    assert "failed: 1023, gaussian: " in err
    assert "split test, 5 images" in out


def test_object_metrics(cli, tmp_path):
    mask_pair(tmp_path / "ECSSD" / "images", tmp_path / "ECSSD" / "ground_truth_mask", "a")
    pytest.importorskip("py_sod_metrics")
    code, out, _ = cli("-m", "bms", "--dataset", f"ecssd:{tmp_path / 'ECSSD'}")
    assert code == 0
    assert "max F_β ↑" in out


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["-m", "bms"], "give --dataset NAME:PATH, or --images DIR"),
        (["-m", "bms", "--images", "x"], "--images alone has no ground truth"),
        (["--dataset", "DATA"], "nothing to evaluate"),
        (["-m", "bmss", "--dataset", "DATA"], "did you mean 'bms'"),
        (["-m", "bms", "--dataset", "osie"], "expected osie:PATH"),
        (["-m", "bms", "--dataset", "nusef:x"], "no dataset 'nusef'"),
        (["-m", "bms", "--dataset", "osie:nowhere"], "no such folder; expected one that holds"),
        (["-m", "bms", "--dataset", "DATA", "--metrics", "nns"], "did you mean 'nss'"),
        (["-m", "bms", "--dataset", "DATA", "--against", "gbvs"], "--against 'gbvs'"),
        (["-m", "bms", "--dataset", "DATA", "--plot", "a.gif"], "written as one of"),
        (["-m", "bms", "--dataset", "DATA", "--csv", "--json"], "exclude each other"),
        (["--maps", ".", "--maps-output", "probabilty", "--dataset", "DATA"], "did you mean 'probability'"),
        (["--maps", "nowhere", "--dataset", "DATA"], "no such folder"),
        (["-m", "bms", "--dataset", "DATA", "--teacher", "bms", "--teacher-maps", "x"], "exclude each other"),
    ],
)
def test_wrong_usage_is_one_line_and_exit_code_2(cli, osie, arguments, message, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    code, out, err = cli(*[osie if a == "DATA" else a for a in arguments])
    assert (code, out) == (2, "")
    assert message in err
    assert len(err.splitlines()) == 1


@pytest.mark.slow
def test_an_interrupt_leaves_what_was_done_and_says_so(tmp_path):
    tree = random_osie(tmp_path / "OSIE", images=40, size=(800, 600))
    command = [sys.executable, "-c", "from salbox.cli.main import run; run()", "evaluate", "-m", "bms"]
    command += ["--dataset", f"osie:{tree}", "--metrics", "nss", "-o", str(tmp_path / "kept"), "--workers", "2"]
    command += ["--csv"]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline and _lines(tmp_path) < 4:
        time.sleep(0.05)
    os.kill(process.pid, signal.SIGINT)
    out, err = process.communicate(timeout=60)
    assert (process.returncode, out, err.strip()) == (130, "", "salbox: interrupted")
    done = _lines(tmp_path)
    assert 4 <= done < 41
    again = subprocess.run(command, capture_output=True, text=True, timeout=100, check=True)
    assert _lines(tmp_path) == 41
    assert again.stdout.startswith("model,metric,value")


def _lines(folder) -> int:
    return sum(len(path.read_text().splitlines()) for path in (folder / "kept").rglob("*.jsonl"))
