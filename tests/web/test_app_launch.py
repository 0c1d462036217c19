"""How the app is started: where it listens, what it does not report, and what is wrong said in one line."""

from __future__ import annotations

import gc
import os
import socket
from importlib import import_module

import pytest

from salbox.errors import MissingExtraError, UsageError
from salbox.web.app import launch, settings


@pytest.fixture
def taken():
    with socket.socket() as server:
        server.bind(("127.0.0.1", 0))
        server.listen()
        yield server.getsockname()[1]


def test_it_listens_to_this_machine_alone_and_reports_nothing():
    options = launch.server_options(launch.LOOPBACK, 8501, opens_browser=False)
    assert options["server_address"] == "127.0.0.1"
    assert options["browser_gatherUsageStats"] is False
    assert options["server_allowedHosts"] == ["127.0.0.1", "localhost", "::1"]
    assert options["client_showErrorDetails"] == "none"
    assert options["server_enableXsrfProtection"]
    assert "server_allowedHosts" not in launch.server_options("0.0.0.0", 8501, opens_browser=False)


def test_streamlit_knows_every_option():
    config = pytest.importorskip("streamlit.config")
    known = set(config.get_config_options())
    assert {name.replace("_", ".") for name in launch.server_options("127.0.0.1", 1, opens_browser=True)} <= known


def test_telemetry_is_off_before_streamlit_is_imported(monkeypatch):
    bootstrap = pytest.importorskip("streamlit.web.bootstrap")
    started = {}
    monkeypatch.setattr(settings, "_settings", settings.Settings())
    monkeypatch.setattr(bootstrap, "load_config_options", lambda flag_options: started.update(flag_options))
    monkeypatch.setattr(import_module("salbox.web.app.readiness"), "get_ready", lambda: started.update(is_ready=True))
    monkeypatch.setattr(bootstrap, "run", lambda script, *_: started.update(script=script))
    monkeypatch.delenv("STREAMLIT_BROWSER_GATHER_USAGE_STATS", raising=False)
    said = []
    launch.run_app(settings.Settings(models=("bms",)), said.append, port=None, opens_browser=False)
    assert os.environ["STREAMLIT_BROWSER_GATHER_USAGE_STATS"] == "false"
    assert settings.current().models == ("bms",)
    assert started["script"].endswith("main.py")
    assert started["is_ready"]
    assert said == [f"http://localhost:{started['server_port']}"]


def test_quick_models_are_open_before_somebody_comes(monkeypatch):
    maps, readiness = (import_module(f"salbox.web.app.{name}") for name in ("maps", "readiness"))
    maps._loaded.cache_clear()  # of what other tests opened
    frozen = gc.get_freeze_count()
    try:
        readiness.get_ready().join(60)
        assert gc.get_freeze_count() > frozen
    finally:
        gc.unfreeze()
    monkeypatch.setattr(import_module("salbox.models.loading"), "load", lambda *_, **__: pytest.fail("was not open"))
    assert [maps.shared_model(name).name for name in maps.QUICK] == list(maps.QUICK)


def test_a_port_that_is_taken_is_said_or_the_next_is_taken(taken):
    with pytest.raises(UsageError, match=f"port {taken} is taken: give another with --port"):
        launch.free_port("127.0.0.1", taken)
    assert launch.free_port("127.0.0.1", None, range(taken, taken + 20)) > taken


def test_an_address_of_another_machine_is_said():
    with pytest.raises(UsageError, match=r"host '192\.0\.2\.1': not an address of this machine"):
        launch.free_port("192.0.2.1", 8501)


@pytest.mark.parametrize(
    ("host", "address"),
    [
        ("127.0.0.1", "http://localhost:1"),
        ("0.0.0.0", "http://0.0.0.0:1"),
        ("::1", "http://localhost:1"),
        ("fe80::1", "http://[fe80::1]:1"),
    ],
)
def test_addresses(host, address):
    assert launch.address(host, 1) == address


def test_without_streamlit_the_install_is_named(monkeypatch):
    monkeypatch.setattr(launch, "find_spec", lambda name: None)
    with pytest.raises(MissingExtraError, match=r"pip install 'salbox\[app\]'"):
        launch.run_app(settings.Settings(), lambda address: pytest.fail(f"{address} is not there"))


def test_the_command_line_says_what_is_wrong(cli, tmp_path, taken):
    code, _, err = cli("app", "--explain", tmp_path / "why")
    assert (code, err.count("\n")) == (2, 1)
    assert "no such folder" in err
    code, _, err = cli("app", "-m", "gase")
    assert code == 2
    assert "did you mean 'gaze'" in err
    code, _, err = cli("app", "--port", taken)
    assert code == 2
    assert "is taken" in err
