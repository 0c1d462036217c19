"""`salbox explain` on the command line."""

from __future__ import annotations

import pytest
from shapes_world import write_world

pytest.importorskip("torch")
pytest.importorskip("pyarrow")


def test_a_network_as_it_is_and_one_of_its_channels(cli, tmp_path, monkeypatch):
    monkeypatch.setenv("SALBOX_THREADS", "1")
    write_world(tmp_path, 6)
    command = ("explain", "gbvs.student", "--no-train", "--concepts", f"masks:{tmp_path / 'things'}")
    command += ("--min-photos", "2", "-o", tmp_path / "why")
    code, output, complaints = cli(*command)
    assert code == 0, complaints
    assert "of 48 have a name" in output
    assert "red circle  IoU" in output
    code, output, complaints = cli(*command, "--basis", "3")
    assert code == 0, complaints
    assert output.startswith("basis 3: active above")
    assert "most active on\n  masks/" in output
    whole = output
    code, output, complaints = cli("explain", "gbvs.student", "--basis", "3", "-o", tmp_path / "why")
    assert code == 0, complaints
    assert output == whole
    code, _, complaints = cli("explain", "aim.student", "--basis", "3", "-o", tmp_path / "why")
    assert code == 2
    assert "explains gbvs.student, not aim.student" in complaints
    code, _, complaints = cli("explain", "gbvs.student", "--basis", "3", "-o", tmp_path / "elsewhere")
    assert code == 2
    assert "no photos are dissected there yet; give --concepts" in complaints


def test_two_explanations_on_a_page(cli, tmp_path, monkeypatch):
    monkeypatch.setenv("SALBOX_THREADS", "1")
    write_world(tmp_path, 6)
    for head in ("gbvs", "aim"):
        command = ("explain", f"{head}.student", "--no-train", "--layer", "head", "--min-photos", "2")
        code, output, complaints = cli(*command, "--concepts", f"masks:{tmp_path / 'things'}", "-o", tmp_path / head)
        assert code == 0, complaints
        assert "makes salient" in output
        assert output.strip().endswith("report.html")
    command = ("explain", tmp_path / "gbvs", "--against", tmp_path / "aim", "-o")
    code, output, complaints = cli(*command, tmp_path / "page.html")
    assert code == 0, complaints
    assert "more in aim.student" in output
    assert "From gbvs.student to aim.student" in (tmp_path / "page.html").read_text(encoding="utf-8")
    code, _, complaints = cli(*command, tmp_path / "page")
    assert code == 2
    assert "the page of a comparison is one file" in complaints


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("gbvs.student",), "nothing to learn from: give --dataset"),
        (("gbvs.student", "--no-train", "--layer", "decode"), "no feature 'decode'"),
        (("gbvs.student", "--step", "dissects"), "no step 'dissects'"),
        (("gbvs.student", "--no-train", "--step", "factorize", "--dataset", "folder:looks"), "leave --no-train out"),
        (("gbvs.studen", "--no-train"), "gbvs.student"),
    ],
)
def test_errors_are_one_line(cli, tmp_path, arguments, message):
    write_world(tmp_path, 2)
    concepts = ("--concepts", f"masks:{tmp_path / 'things'}", "--min-photos", "1")
    code, _, complaints = cli("explain", *arguments, *concepts, "-o", tmp_path / "why")
    assert code == 2
    assert message in complaints
    assert len(complaints.strip().splitlines()) == 1


def test_concepts_have_to_name_what_photos_show(cli, tmp_path):
    write_world(tmp_path, 2)
    code, _, complaints = cli("explain", "gaze", "--concepts", f"folder:{tmp_path / 'looks'}", "-o", tmp_path / "why")
    assert code == 2
    assert "folder: does not name what its photos show" in complaints
