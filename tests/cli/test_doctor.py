"""`salbox doctor` says what runs: everything is tried, and what fails is a line."""

from __future__ import annotations

from importlib import metadata

import pytest

import salbox
from salbox import doctor


@pytest.fixture
def core_only(monkeypatch):
    """No extra is tried: to import them all takes long."""
    monkeypatch.setattr(doctor, "_extra", lambda extra, _: doctor.Finding(f"extra {extra}", True, "left out", False))


def lines(out: str) -> dict[str, str]:
    return {line[:18].strip(): line[18:].strip() for line in out.splitlines()}


def test_everything_required_runs(cli, core_only, monkeypatch):
    monkeypatch.setenv("MPLBACKEND", "module://nowhere.to.be.found")
    code, out, _ = cli("doctor")
    said = lines(out)
    assert code == 0
    assert salbox.__version__ in said["salbox"]
    assert "CPUExecutionProvider" in said["ONNX Runtime"]
    assert said["map by gaze"].startswith("ok      made")
    assert "mp4" in said["video"]
    assert "JPEG, PNG" in said["pictures"]
    assert "module://nowhere" in said["figures"]
    assert "broken" not in out
    assert len(said) < 40


def test_what_does_not_run_is_broken(cli, core_only, monkeypatch, tmp_path):
    """Imports are not enough: a runtime that fails when it computes, a video library that writes nothing."""

    def fails(*_, **__):
        raise RuntimeError("no such\ninstruction")

    monkeypatch.setattr(doctor, "load", fails)
    monkeypatch.setattr(doctor, "_comes_back", lambda _: False)
    (tmp_path / "file").write_text("")
    monkeypatch.setattr("salbox.models.weights.home", lambda: tmp_path / "file")
    code, out, _ = cli("doctor")
    said = lines(out)
    assert code == 1
    assert said["map by gaze"] == "broken  does not run (RuntimeError: no such instruction)"
    assert said["video"].startswith("broken")
    assert said["cache"].startswith("broken")
    assert said["pictures"].startswith("ok")


def test_the_install_of_a_missing_extra(monkeypatch):
    real = metadata.version

    def without_streamlit(name: str) -> str:
        if name == "streamlit":
            raise metadata.PackageNotFoundError(name)
        return real(name)

    monkeypatch.setattr(metadata, "version", without_streamlit)
    found = doctor._extra("app", metadata.requires("salbox") or [])
    assert (found.ok, found.required) == (False, False)
    assert found.detail == "not installed (streamlit): pip install 'salbox[app]'"


def test_an_extra_that_is_there_is_tried(monkeypatch):
    """Here of a package of the core, so that the test runs everywhere."""
    requirements = ['numpy>=1; extra == "heic"']
    monkeypatch.setitem(doctor._ATTEMPTS, "heic", lambda: "read")
    assert doctor._extra("heic", requirements).detail == "read"
    monkeypatch.setitem(doctor._ATTEMPTS, "heic", lambda: 1 / 0)
    found = doctor._extra("heic", requirements)
    assert (found.ok, found.detail) == (False, "does not run (ZeroDivisionError: division by zero)")


@pytest.mark.slow
def test_the_extras_that_are_here_run():
    for extra, tried in doctor._ATTEMPTS.items():
        found = doctor._extra(extra, metadata.requires("salbox") or [])
        assert found.ok or "not installed" in found.detail, (extra, tried, found)


def test_the_folder_of_weights(monkeypatch, tmp_path):
    monkeypatch.delenv("SALBOX_WEIGHTS", raising=False)
    assert "set SALBOX_WEIGHTS" in doctor._weights().detail
    (tmp_path / "unisal.pth").write_bytes(b"x")
    monkeypatch.setenv("SALBOX_WEIGHTS", str(tmp_path))
    assert doctor._weights().detail.endswith("has those of unisal")
