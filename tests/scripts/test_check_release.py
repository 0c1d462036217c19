"""What is asked of a release: its version everywhere, a wheel without what does not belong there."""

from __future__ import annotations

import importlib.util
import zipfile
from pathlib import Path
from types import ModuleType

import pytest

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def release() -> ModuleType:
    spec = importlib.util.spec_from_file_location("check_release", ROOT / "scripts" / "check_release.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def checkout(folder: Path, cited: str = "1.2.0", told: str = "## 1.2.0 - 2026-12-24\n") -> Path:
    (folder / "pyproject.toml").write_text('[project]\nversion = "1.2.0"\n')
    (folder / "CITATION.cff").write_text(f"title: a\nversion: {cited}\nlicense: b\n")
    (folder / "CHANGELOG.md").write_text(f"# Changelog\n\n{told}")
    return folder


def test_a_version_that_is_the_same_everywhere(release, tmp_path):
    release.check_version("v1.2.0", checkout(tmp_path))


@pytest.mark.parametrize(
    ("tag", "changes", "said"),
    [
        ("v1.2.1", {}, "pyproject.toml"),
        ("1.2.0", {}, "pyproject.toml"),
        ("v1.2.0", {"cited": "1.1.0"}, "CITATION.cff"),
        ("v1.2.0", {"told": "## Unreleased\n"}, "CHANGELOG.md"),
    ],
)
def test_a_version_that_is_not(release, tmp_path, tag, changes, said):
    with pytest.raises(SystemExit, match=f"{said}$"):
        release.check_version(tag, checkout(tmp_path, **changes))


def wheel(folder: Path, names: dict[str, int]) -> Path:
    path = folder / "a.whl"
    with zipfile.ZipFile(path, "w") as archive:
        for name, size in names.items():
            archive.writestr(name, bytes(size))  # stored as it is
    return path


def test_parts_are_networks_and_folders(release, tmp_path):
    sizes = {"salbox/runtime/data/a.onnx": 50, "salbox/cli/a.py": 20, "salbox/cli/b/c.py": 10, "salbox/errors.py": 5}
    assert release.parts(wheel(tmp_path, sizes)) == [
        ("salbox/runtime/data/a.onnx", 50),
        ("salbox/cli", 30),
        ("salbox", 5),
    ]


def test_a_wheel_that_holds_tests_is_refused(release, tmp_path):
    with pytest.raises(SystemExit, match=r"tests/test_a\.py"):
        release.check_parts(wheel(tmp_path, {"salbox/a.py": 1, "tests/test_a.py": 1}))


def test_a_wheel_that_is_too_large_is_refused(release, tmp_path, monkeypatch):
    monkeypatch.setattr(release, "LARGEST", 100)
    with pytest.raises(SystemExit, match="above"):
        release.check_parts(wheel(tmp_path, {"salbox/a.py": 101}))


DOCTOR = "salbox       ok  0.1.0\nextra serve  ok  loads\nextra heic   -   not installed\nextra video  broken  no\n"


def test_extras_that_the_doctor_finds_well(release):
    release.check_doctor(DOCTOR, ["serve"])


@pytest.mark.parametrize("extra", ["heic", "video", "train"])  # not there, broken, not named
def test_extras_that_do_not_run(release, extra):
    with pytest.raises(SystemExit, match=f"ok: {extra}\n"):
        release.check_doctor(DOCTOR, ["serve", extra])
