"""`salbox bench` and `salbox export` as people use them."""

from __future__ import annotations

import csv
import io
import json
import subprocess
import sys
from dataclasses import replace

import numpy as np
import onnx_writer as ow
import pytest
from checkpoints import checkpoint
from PIL import Image

from salbox.bench import bench as measure_costs
from salbox.cli.bench import _print


@pytest.fixture
def folder(tmp_path):
    """A run folder with a student of one head."""
    weight = np.zeros((1, 3, 1, 1), np.float32)
    weight[0, 1] = 1 / 255
    folder = tmp_path / "run"
    folder.mkdir()
    content = ow.student(
        metadata=ow.notes(heads=("green",), parameters=3),
        initializers=[ow.tensor("weight", weight)],
        outputs=[ow.port("maps", "float32", ("n", 1, "a", "b"))],
    )
    (folder / "student.onnx").write_bytes(content)
    return folder


@pytest.mark.slow
def test_bench_prints_a_table_and_writes_csv(cli, folder, tmp_path):
    target = tmp_path / "costs.csv"
    code, out, said = cli(
        "bench", "-m", f"{folder},gaussian", "--size", "64x48", "--threads", "1", "--repeat", "2", "--csv", target
    )
    assert (code, said) == (0, "")
    header, student, gaussian, footer = out.splitlines()
    assert header.split()[:4] == ["model", "size", "parameters", "MACs"]
    assert student.split()[1:6] == ["64x48", "3", "576", "1.2", "k"]
    assert gaussian.split()[:6] == ["gaussian", "64x48", "-", "-", "-", "-"]
    assert footer.startswith("1 threads")
    rows = list(csv.DictReader(io.StringIO(target.read_text())))
    assert [row["macs"] for row in rows] == ["576", ""]
    assert rows[0]["file_bytes"] == str((folder / "student.onnx").stat().st_size)


@pytest.mark.slow
def test_bench_json(cli, folder):
    code, out, _ = cli("bench", "-m", folder, "--size", "32x24", "--size", "20x30", "--repeat", "1", "--json")
    assert code == 0
    assert [(row["width"], row["height"]) for row in json.loads(out)] == [(32, 24), (20, 30)]


@pytest.mark.parametrize("size", ["640", "x", "640x", "-1x5", "0x5", "1e3x2"])
def test_bench_refuses_a_size(cli, size):
    code, _, said = cli("bench", "-m", "gaussian", "--size", size)
    assert code == 2
    assert said.startswith(f"salbox: size {size}" if size == "0x5" else f"salbox: size '{size}'")
    assert said.count("\n") == 1


def test_bench_of_weights_that_are_not_there(cli, monkeypatch):
    monkeypatch.delenv("SALBOX_WEIGHTS", raising=False)
    code, _, said = cli("bench", "-m", "glimpse")
    assert code == 2
    assert said.startswith("salbox: model 'glimpse' needs weights")
    assert measure_costs.__doc__


@pytest.mark.slow
def test_the_table_of_networks_run_another_way(folder, capsys):
    """Columns that not every run has stand behind the others."""
    (plain,) = measure_costs({str(folder): {}}, [(32, 24)], threads=1, repeat=1)
    assert (plain.precision, plain.channels_last) == ("float32", False)
    assert (plain.difference, plain.gpu_memory_bytes) == (None, None)
    other = replace(plain, precision="half", channels_last=True, difference=0.0123, gpu_memory_bytes=5_000_000)
    _print([other])
    header, row, footer = capsys.readouterr().out.splitlines()
    assert header.split()[-3:] == ["on", "GPU", "difference"]
    assert row.split()[-3:] == ["5", "MB", "1.2e-02"]
    assert footer.startswith("1 threads, half, channels last; ")
    _print([plain])
    header, row, _ = capsys.readouterr().out.splitlines()
    assert header.split()[-1] == "memory"
    assert len(header) == len(row)  # the last column stands to the right


@pytest.mark.slow
@pytest.mark.parametrize("verb", [("bench",), ("predict", "photo.png", "-o", "maps")])
def test_what_runs_in_one_way_says_so(cli, verb, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Image.fromarray(np.zeros((4, 5, 3), np.uint8)).save("photo.png")
    code, _, said = cli(*verb, "-m", "gaussian", "--channels-last")
    assert (code, said) == (2, "salbox: model 'gaussian' runs in one way: leave precision and channels-last out\n")
    code, _, said = cli(*verb, "-m", "gaussian", "--precision", "double")
    assert (code, said) == (2, "salbox: precision 'double': expected float32 or half\n")
    assert not (tmp_path / "maps").exists()


@pytest.mark.slow
def test_maps_in_half_precision_say_so(cli, tmp_path):
    from salbox.writing import read_notes

    path = checkpoint("fastgaze")
    Image.fromarray(np.random.default_rng(0).integers(0, 256, (30, 40, 3), np.uint8)).save(tmp_path / "photo.png")
    given = ("predict", tmp_path / "photo.png", "-m", "fastgaze", "--weights", path)
    assert cli(*given, "-o", tmp_path / "a", "--precision", "half")[0] == 0
    assert cli(*given, "-o", tmp_path / "b")[0] == 0
    half, plain = (read_notes(tmp_path / folder / "fastgaze" / "photo.png") for folder in "ab")
    assert half.pop("precision") == "half"
    assert plain.keys() == half.keys()
    assert half["maximum"] != plain["maximum"]
    assert half["maximum"] == pytest.approx(plain["maximum"], rel=0.1)


def test_export_copies_a_run(cli, folder, tmp_path):
    target = tmp_path / "out" / "mine.onnx"
    code, out, _ = cli("export", folder, "-o", target)
    assert code == 0
    assert out.startswith(f"wrote {target}")
    assert target.read_bytes() == (folder / "student.onnx").read_bytes()
    Image.fromarray(np.full((20, 30, 3), (0, 51, 0), np.uint8)).save(tmp_path / "green.png")
    assert cli("predict", tmp_path / "green.png", "-m", target, "-o", tmp_path / "maps", "--format", "npy")[0] == 0
    np.testing.assert_allclose(np.load(tmp_path / "maps" / "mine" / "green.npy"), 0.2, atol=1e-6)


def test_export_half(cli, folder, tmp_path):
    pytest.importorskip("onnx")
    pytest.importorskip("torch")
    from salbox.formats.onnx_file import inspect

    assert cli("export", folder, "-o", tmp_path / "half.onnx", "--half")[0] == 0
    assert {i.name: i.dtype for i in inspect(tmp_path / "half.onnx").initializers}["weight"] == "float16"


def test_export_int8(cli, tmp_path):
    pytest.importorskip("onnx")
    pytest.importorskip("torch")
    from salbox.formats.onnx_file import inspect
    from salbox.models.exported import packaged

    assert cli("export", packaged("box.onnx"), "-o", tmp_path / "small.onnx", "--int8")[0] == 0
    assert "int8" in {i.dtype for i in inspect(tmp_path / "small.onnx").initializers}


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["gaussian", "-o", "a.onnx"], "no network"),
        (["gbsv", "-o", "a.onnx"], "did you mean"),
        (["gaussian", "-o", "a.pt"], "ends in .onnx"),
        (["RUN", "-o", "a.onnx", "--weights", "x"], "leave --weights out"),
        (["none.onnx", "-o", "a.onnx"], "no file of that name"),
        (["gaussian,aim", "-o", "a.onnx"], "one model a file"),
        (["RUN", "-o", "a.onnx", "--half", "--int8"], "give one of the two"),
    ],
)
def test_export_says_what_is_wrong(cli, folder, tmp_path, monkeypatch, arguments, said):
    monkeypatch.chdir(tmp_path)
    code, _, complaint = cli("export", *[folder if a == "RUN" else a for a in arguments])
    assert code == 2
    assert said in complaint
    assert complaint.count("\n") == 1
    assert not (tmp_path / "a.onnx").exists()


def test_without_the_extra_one_line_says_what_to_install(tmp_path, folder):
    code = (
        "import sys; sys.modules['onnx'] = None; "
        f"from salbox.cli.main import run; run(['export', {str(folder)!r}, '--half', '-o', 'a.onnx'])"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, timeout=60)
    assert done.returncode == 2
    expected = "storing weights in fewer bits needs an optional part of salbox: pip install 'salbox[train]'"
    assert done.stderr == f"salbox: {expected}\n"
