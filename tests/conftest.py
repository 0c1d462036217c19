"""Fixtures shared by all tests."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from salbox.cli.main import run
from salbox.models.own import REGISTERED

TESTS = Path(__file__).resolve().parent
ROOT = TESTS.parent

# What can differ where PyTorch and the other extras are missing: what is opened by its name, what ONNX Runtime
# computes, the verbs, and the public names. The rest computes the same in both environments, whose packages are pinned.
CORE = (
    "cli/test_cli.py",
    "cli/test_datasets.py",
    "cli/test_evaluate.py",
    "cli/test_main.py",
    "formats/test_hdf5.py",
    "interop/test_missing_pysaliency.py",
    "losses/test_table.py",
    "models",
    "networks/test_cards.py",
    "networks/test_kdsalbox_cards.py",
    "prediction",
    "runtime",
    "test_api.py",
    "test_bench.py",
    "test_doctests.py",
)


def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    """With `-m core` leave other files alone: to import them all takes longer than many a test."""
    if config.option.markexpr != "core" or not collection_path.is_relative_to(TESTS):
        return None
    places = [TESTS / core for core in CORE]
    return not any(collection_path.is_relative_to(p) or p.is_relative_to(collection_path) for p in places) or None


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark what `make test` runs without PyTorch as well."""
    gone = [core for core in CORE if not (TESTS / core).exists()]
    assert not gone, f"CORE names what is not there: {gone}"
    for item in items:
        place = item.path.relative_to(TESTS)
        if any(place.is_relative_to(core) for core in CORE):
            item.add_marker(pytest.mark.core)


def pytest_sessionfinish(session: pytest.Session) -> None:
    """With SALBOX_NO_SKIPS=1 a test that was skipped fails the run: what it needs was to be there."""
    if os.environ.get("SALBOX_NO_SKIPS") != "1":
        return
    reporter = session.config.pluginmanager.getplugin("terminalreporter")
    if reporter is not None and reporter.stats.get("skipped"):
        session.exitstatus = pytest.ExitCode.TESTS_FAILED


@pytest.fixture(scope="session")
def shared() -> Path:
    """The folder with the original programs' maps and the data sets; tests that need it skip without it."""
    folder = Path(os.environ.get("SALBOX_SHARED", ROOT.parent / "shared"))
    if not (folder / "oracle").is_dir():
        pytest.skip("the reference data is not beside this checkout (set SALBOX_SHARED to its folder)")
    return folder


@pytest.fixture(autouse=True)
def forget_registered_models():
    """What a test registers is there for no other."""
    before = dict(REGISTERED)
    yield
    REGISTERED.clear()
    REGISTERED.update(before)


@pytest.fixture
def cli(capsys, tmp_path_factory, monkeypatch):
    """Run the command line in this process, with a cache of its own; return exit code, output and complaints."""
    monkeypatch.setenv("SALBOX_HOME", str(tmp_path_factory.mktemp("home")))
    monkeypatch.delenv("SALBOX_WEIGHTS", raising=False)

    def call(*arguments: object) -> tuple[int, str, str]:
        with pytest.raises(SystemExit) as left:
            run([str(argument) for argument in arguments])
        captured = capsys.readouterr()
        return int(left.value.code or 0), captured.out, captured.err

    return call
