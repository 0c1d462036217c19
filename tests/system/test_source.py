"""The text of somebody's own code: changes with all that it is made of, and is none where nobody can tell."""

from __future__ import annotations

import sys
import time

import pytest
from own_models import run_afresh, write_module

from salbox.system import source
from salbox.system.source import UnknownSource, source_files, source_identity


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """A folder that Python looks in, with a module, what it imports, and a package."""
    files = {
        "top": "import numpy, json\nimport beside\nfrom pack.inner import f\nWEIGHTS = 'weights.npz'\n",
        "beside": "def f():\n    import lazy\n",
        "lazy": "x = 1\n",
        "unrelated": "x = 1\n",
        "pack/__init__": "from . import other\n",
        "pack/inner": "from .other import x\n",
        "pack/other": "x = 1\n",
        "pack/unrelated": "x = 1\n",
    }
    for name, text in files.items():
        file = tmp_path / f"{name}.py"
        file.parent.mkdir(exist_ok=True)
        file.write_text(text)
    for name in ("weights.npz", "other.npz"):
        (tmp_path / name).write_bytes(b"1")
    monkeypatch.syspath_prepend(tmp_path)
    yield tmp_path
    for name in [name for name in sys.modules if name.partition(".")[0] in {file.partition("/")[0] for file in files}]:
        sys.modules.pop(name)


@pytest.fixture
def later(monkeypatch):
    """As if the program began when all files were there."""
    monkeypatch.setattr(source, "_began", lambda: time.time() + 3600)


def test_what_a_module_imports_is_followed_but_installed_packages(folder):
    found = {file.relative_to(folder).as_posix() for file in source_files("top")}
    assert found == {"top.py", "beside.py", "lazy.py", "pack/__init__.py", "pack/inner.py", "pack/other.py"}


@pytest.mark.parametrize(
    ("name", "counts"),
    [
        ("top.py", True),
        ("beside.py", True),
        ("lazy.py", True),
        ("pack/other.py", True),
        ("weights.npz", True),
        ("unrelated.py", False),
        ("pack/unrelated.py", False),
        ("other.npz", False),
    ],
)
def test_a_change_changes_the_text(folder, later, name, counts):
    before = source_identity("top")
    with (folder / name).open("ab") as file:
        file.write(b"\n")
    assert (source_identity("top") != before) == counts


def test_an_installed_package_counts_as_far_as_it_is_its_own(tmp_path, monkeypatch, later):
    site = tmp_path / "site-packages"
    for name, text in {"mine/__init__": "import other\nfrom . import part\n", "mine/part": "", "other": ""}.items():
        (site / name).parent.mkdir(parents=True, exist_ok=True)
        (site / f"{name}.py").write_text(text)
    monkeypatch.syspath_prepend(site)
    assert {file.name for file in source_files("mine")} == {"__init__.py", "part.py"}


def test_code_of_salbox_counts_as_a_whole(later, monkeypatch, folder):
    assert source_identity("salbox.classical.gbvs") == source_identity("salbox.models.own")
    before = source_identity("top")
    monkeypatch.setattr(source, "package_identity", lambda: "another")
    assert source_identity("top") != before


def test_what_changed_after_the_program_began_is_not_known(folder):
    with pytest.raises(UnknownSource, match=r"^beside\.py changed after this program began$"):
        source_identity("top")


@pytest.mark.parametrize(
    ("module", "said"),
    [("math", "no source file"), ("not_there", "no source file"), ("__main__", "the script that runs")],
)
def test_what_has_no_source_is_not_known(module, said, later):
    with pytest.raises(UnknownSource, match=said):
        source_identity(module)


def test_what_is_no_python_is_not_known(folder, later):
    (folder / "beside.py").write_text("def f(:")
    with pytest.raises(UnknownSource, match=r"beside\.py cannot be read"):
        source_identity("top")


CODE = """
import sys
from pathlib import Path
from salbox.system.source import UnknownSource, source_identity
import mymodels
def said():
    try:
        return source_identity("mymodels")
    except UnknownSource as error:
        return str(error)
first = said()
file = Path(mymodels.__file__)
text = file.read_text()
file.write_text(text + "# changed\\n")
print(first, said(), sep="\\n")
file.write_text(text)
"""


@pytest.mark.slow
def test_a_program_knows_what_was_there_when_it_began(tmp_path):
    write_module(tmp_path)
    texts = [run_afresh(folder=tmp_path, paths=(tmp_path,), code=CODE).stdout.splitlines() for _ in range(2)]
    assert texts[0] == texts[1]
    assert len(texts[0][0]) == 16
    assert texts[0][1] == "mymodels.py changed after this program began"
