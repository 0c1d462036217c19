"""What an explanation is of."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace

from salbox.explain.plan import Plan, whole_path
from salbox.models.exported import packaged

PHOTOS = SimpleNamespace(identity=lambda: [])


def test_two_heads_of_a_file_are_two_explanations():
    file = packaged("box.onnx")
    known = [Plan(f"{file}#{head}", Path("why"), ()).identity(PHOTOS)["model"] for head in ("gbvs", "aim")]
    assert [path for path, _ in known] == [f"{Path(file).resolve()}#gbvs", f"{Path(file).resolve()}#aim"]
    assert known[0][1] == known[1][1]


def test_a_file_is_known_by_its_whole_path(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert whole_path("run#a") == f"{tmp_path.resolve() / 'run'}#a"
    assert whole_path("run") == str(tmp_path.resolve() / "run")
