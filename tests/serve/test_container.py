"""The container: built without network once wheels are there, run as no root, read-only."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
import time
import urllib.request
from collections.abc import Sequence
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
BASE = re.compile(r"^FROM (\S+)$", re.MULTILINE)


def text() -> str:
    return (ROOT / "Containerfile").read_text(encoding="utf-8")


def test_it_needs_no_network_and_no_root():
    lines = [line for line in text().splitlines() if line and not line.startswith("#")]
    installs = [line for line in lines if "pip install" in line]
    assert installs
    assert all("--no-index" in line for line in installs)
    users = [line.split()[1] for line in lines if line.startswith("USER ")]
    assert users
    assert all(user.isdigit() and int(user) > 0 for user in users)
    assert not [line for line in lines if re.search(r"https?://(?!127\.0\.0\.1)|curl|wget|apt", line)]


def told(command: Sequence[str], seconds: float) -> str:
    """Return why a command does not work here, in a line; "" if it does."""
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=seconds, check=False)
    except subprocess.TimeoutExpired:
        return "it takes too long"
    return "" if done.returncode == 0 else "".join((done.stderr or done.stdout).strip().splitlines()[-1:])


@pytest.mark.slow
def test_it_is_built_and_answers(tmp_path):
    engine = next((name for name in ("podman", "docker") if shutil.which(name)), None)
    if engine is None:
        pytest.skip("neither podman nor docker is here")
    if reason := told([engine, "info"], 30):
        pytest.skip(f"{engine} cannot be used here: {reason}")
    (base,) = BASE.findall(text())
    if told([engine, "image", "inspect", base], 30) and (reason := told([engine, "pull", base], 200)):
        pytest.skip(f"{base} is not here and cannot be fetched: {reason}")
    shutil.copy(ROOT / "Containerfile", tmp_path)
    wheels = [sys.executable, "-m", "pip", "wheel", "-q", "-w", str(tmp_path / "wheels"), "-c"]
    if reason := told([*wheels, str(ROOT / "constraints.txt"), f"{ROOT}[serve]"], 600):
        pytest.skip(f"the wheels cannot be collected: {reason}")
    build = [engine, "build", "--network", "none", "-f", "Containerfile", "-t", "salbox-test", "."]
    subprocess.run(build, cwd=tmp_path, check=True, timeout=600)
    run = [engine, "run", "-d", "--rm", "--read-only", "--tmpfs", "/tmp", "-p", "127.0.0.1::8000", "salbox-test"]
    name = subprocess.run([*run, "-m", "gaze"], check=True, capture_output=True, text=True).stdout.strip()
    try:
        port = subprocess.run([engine, "port", name, "8000"], check=True, capture_output=True, text=True).stdout.strip()
        assert health(f"http://{port.splitlines()[0]}/health")["status"] == "ok"
        user = subprocess.run([engine, "exec", name, "id", "-u"], check=True, capture_output=True, text=True).stdout
        assert int(user) != 0
    finally:
        subprocess.run([engine, "kill", name], check=False, capture_output=True)


def health(address: str) -> dict[str, str]:
    """Return what the service says of itself, once it is there."""
    end = time.monotonic() + 120
    while True:
        try:
            with urllib.request.urlopen(address, timeout=5) as answer:
                found: dict[str, str] = json.loads(answer.read())
                return found
        except OSError:
            assert time.monotonic() < end
            time.sleep(0.5)
