"""The notebooks run from their first cell to their last, and what stands below the cells came from them."""

from __future__ import annotations

import importlib.util
import json
import re
import shutil
from pathlib import Path
from types import ModuleType

import pytest

ROOT = Path(__file__).resolve().parents[2]
NOTEBOOKS = sorted((ROOT / "examples").glob("*.ipynb"))
NEEDS = {  # what one needs beside salbox
    "distil-your-own-model": ("lightning",),
    "explain-a-model": ("torch", "pyarrow"),
    "a-web-service": ("fastapi", "uvicorn", "prometheus_client"),
    "onnx-in-javascript": ("torch", "onnx"),
}
LARGEST = 250_000  # bytes of a notebook with what came out


@pytest.fixture(scope="module")
def notebooks() -> ModuleType:
    path = ROOT / "scripts" / "document_notebooks.py"
    spec = importlib.util.spec_from_file_location("document_notebooks", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.slow
@pytest.mark.filterwarnings("default")  # of the machinery that starts a notebook
@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_it_runs(path, notebooks, tmp_path, monkeypatch):
    for package in ("nbclient", "ipykernel", *NEEDS.get(path.stem, ())):
        pytest.importorskip(package)
    folder = Path(shutil.copytree(ROOT / "examples", tmp_path / "examples"))
    monkeypatch.setenv("SALBOX_THREADS", "1")
    run = json.loads(notebooks.kept(notebooks.executed(path, folder), folder))
    before = json.loads(path.read_text("utf-8"))
    # The same cells bring forth the same kinds of things as when it ran last; figures may differ in their last digits.
    assert [kinds(cell) for cell in run["cells"]] == [kinds(cell) for cell in before["cells"]]


def kinds(cell: dict) -> list[list[str]]:
    """Return what kinds of things a cell brought forth."""
    return [sorted(output.get("data", {output["output_type"]: ""})) for output in cell.get("outputs", [])]


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_it_is_kept_as_it_ran(path):
    cells = json.loads(path.read_text("utf-8"))["cells"]
    code = [cell for cell in cells if cell["cell_type"] == "code"]
    assert [cell["execution_count"] for cell in code] == list(range(1, len(code) + 1))
    assert any(cell["outputs"] for cell in code)
    text = path.read_text("utf-8")
    assert len(text.encode()) <= LARGEST
    assert not re.search(r"\\u001b|Traceback|/root/|/home/|/tmp/", text)


def test_pages_have_text_code_and_outputs(notebooks):
    pages = notebooks.notebook_pages()
    assert {f"notebooks/{path.stem}.md" for path in NOTEBOOKS} == {name for name in pages if name.endswith(".md")}
    for path in NOTEBOOKS:
        page = pages[f"notebooks/{path.stem}.md"]
        for cell in json.loads(path.read_text("utf-8"))["cells"]:
            for line in "".join(cell["source"]).splitlines():
                # Links are moved; all else stands there as it is.
                assert line in page or "](" in line or line == "%%bash"
        for picture in re.findall(r"!\[[^\]]*\]\(([^)]+)\)", page):
            assert pages[f"notebooks/{picture}"][:3] in (b"\xff\xd8\xff", b"\x89PN")


def test_every_notebook_is_listed():
    listed = re.findall(r"\(notebooks/([^)]+)\.md\)", (ROOT / "docs" / "notebooks.md").read_text("utf-8"))
    assert sorted(listed) == [path.stem for path in NOTEBOOKS]
