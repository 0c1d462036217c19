"""The files of the page that needs no server: where its runtime comes from, what is written, how it is served."""

from __future__ import annotations

import hashlib
import io
import json
import os
import tarfile
import threading
import urllib.request

import pytest

import salbox
from salbox.cli.main import run
from salbox.web.page import runtime_files as runtime
from salbox.web.page import write_page
from salbox.web.page.serving import page_server

CONTENT = {name: f"{name}\n".encode() for name in runtime.FILES}


@pytest.fixture
def known(monkeypatch, tmp_path):
    """A release of small files, and an empty cache."""
    hashes = {name: hashlib.sha256(content).hexdigest() for name, content in CONTENT.items()}
    monkeypatch.setattr(runtime, "FILES", hashes)
    monkeypatch.setenv("SALBOX_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("PATH", "")


@pytest.fixture
def package(known, tmp_path):
    """The folder of the package, unpacked."""
    folder = tmp_path / "package" / "dist"
    folder.mkdir(parents=True)
    for name, content in CONTENT.items():
        (folder / name).write_bytes(content)
    return folder.parent


@pytest.fixture
def npm(known, tmp_path, monkeypatch):
    """A command that fetches the package, and notes that it was called."""
    with tarfile.open(tmp_path / "package.tgz", "w:gz") as packed:
        for name, content in {**CONTENT, "../../evil": b"nothing of ours"}.items():
            member = tarfile.TarInfo(f"package/dist/{name}")
            member.size = len(content)
            packed.addfile(member, io.BytesIO(content))
    command = tmp_path / "bin" / "npm"
    command.parent.mkdir()
    script = f"#!/bin/sh\necho $@ >> {tmp_path}/calls\n/bin/cp {tmp_path}/package.tgz onnxruntime-web.tgz\n"
    command.write_text(script)
    command.chmod(0o755)
    monkeypatch.setenv("PATH", str(command.parent))
    return tmp_path / "calls"


class TestRuntime:
    @pytest.mark.parametrize("place", ["dist", ".", ".."])
    def test_of_a_folder(self, package, place):
        assert runtime.runtime_files(package / place) == CONTENT

    def test_another_release_is_refused(self, package):
        (package / "dist" / "ort.wasm.min.mjs").write_bytes(b"another")
        with pytest.raises(salbox.UsageError, match="not the file of onnxruntime-web"):
            runtime.runtime_files(package)

    def test_a_folder_without_it_is_refused(self, known, tmp_path):
        with pytest.raises(salbox.UsageError, match="does not hold"):
            runtime.runtime_files(tmp_path)

    def test_npm_fetches_it_once(self, npm, tmp_path):
        assert runtime.runtime_files() == CONTENT
        assert npm.read_text().startswith(f"pack onnxruntime-web@{runtime.VERSION} --ignore-scripts")
        assert runtime.runtime_files() == CONTENT
        assert len(npm.read_text().splitlines()) == 1
        kept = [path.name for path in (tmp_path / "home").rglob("*") if path.is_file()]
        assert sorted(kept) == sorted(CONTENT)
        (tmp_path / "home" / runtime.PACKAGE / runtime.VERSION / "ort.wasm.min.mjs").write_bytes(b"damaged")
        assert runtime.runtime_files() == CONTENT

    def test_what_npm_brings_is_checked(self, npm, monkeypatch):
        monkeypatch.setattr(runtime, "FILES", dict.fromkeys(CONTENT, "0" * 64))
        with pytest.raises(salbox.UsageError, match="by its sha256"):
            runtime.runtime_files()

    @pytest.mark.parametrize(
        ("script", "message"),
        [
            ("echo 'npm error network is down' >&2; exit 1", "network is down"),
            ("exit 0", "no package came"),
            ("echo nothing > a.tgz", "not onnxruntime-web"),
        ],
    )
    def test_what_npm_cannot_do_is_one_line(self, npm, tmp_path, script, message):
        (tmp_path / "bin" / "npm").write_text(f"#!/bin/sh\n{script}\n")
        with pytest.raises(salbox.SalboxError, match=message) as found:
            runtime.runtime_files()
        assert "\n" not in str(found.value)

    def test_without_npm_it_says_how(self, known):
        with pytest.raises(salbox.SalboxError, match=r"--runtime DIR.*npm pack onnxruntime-web@"):
            runtime.runtime_files()


class TestWritten:
    def test_all_that_the_page_asks_for_is_there(self, package, tmp_path):
        sizes = write_page(tmp_path / "public", package)
        found = {path.name: path.stat().st_size for path in (tmp_path / "public").iterdir()}
        assert found == sizes
        head = (tmp_path / "public" / "service-worker.js").read_text().partition("\n")[0]
        kept = json.loads(head.removeprefix("const PAGE = ").removesuffix(";"))
        assert kept["onDemand"] == ["unisal.people.onnx", "scfnet.onnx"]
        assert set(kept["files"]) == {"./", *found} - {"service-worker.js", *kept["onDemand"]}
        page = json.loads((tmp_path / "public" / "page.json").read_text())
        heads = [name for network in page["networks"] for name in network["heads"]]
        assert heads[0] == "gaze"
        assert set(heads) <= set(salbox.list_models())
        assert set(page["titles"]) == set(heads)
        for network in page["networks"]:
            content = (tmp_path / "public" / network["file"]).read_bytes()
            assert content[:1] == b"\x08"  # of an ONNX file
            assert len(content) == network["bytes"]
            assert network["isOnDemand"] is (network["file"] in kept["onDemand"])

    def test_other_content_is_another_version(self, package, tmp_path, monkeypatch):
        write_page(tmp_path / "public", package)
        before = (tmp_path / "public" / "service-worker.js").read_text()
        write_page(tmp_path / "public", package)
        assert (tmp_path / "public" / "service-worker.js").read_text() == before
        other = {**CONTENT, "ort.wasm.min.mjs": b"newer"}
        monkeypatch.setattr(runtime, "FILES", {n: hashlib.sha256(c).hexdigest() for n, c in other.items()})
        (package / "dist" / "ort.wasm.min.mjs").write_bytes(b"newer")
        write_page(tmp_path / "public", package)
        assert (tmp_path / "public" / "service-worker.js").read_text() != before

    def test_other_files_are_left_alone(self, package, tmp_path):
        (tmp_path / "index.html").write_text("mine")
        with pytest.raises(salbox.UsageError, match="holds other files"):
            write_page(tmp_path, package)
        with pytest.raises(salbox.UsageError, match="a file"):
            write_page(tmp_path / "index.html", package)
        assert (tmp_path / "index.html").read_text() == "mine"


def test_it_is_served_isolated_and_as_what_it_is(tmp_path):
    for name in ("a.mjs", "a.js", "a.wasm", "a.json"):
        (tmp_path / name).write_text("x")
    with page_server(tmp_path, 0) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        kinds = {}
        for name in ("a.mjs", "a.js", "a.wasm", "a.json"):
            with urllib.request.urlopen(f"http://127.0.0.1:{server.server_port}/{name}") as answer:
                kinds[name] = answer.headers["Content-Type"]
                assert answer.headers["Cross-Origin-Opener-Policy"] == "same-origin"
                assert answer.headers["Cross-Origin-Embedder-Policy"] == "require-corp"
        with (
            pytest.raises(salbox.UsageError, match=f"port {server.server_port}"),
            page_server(tmp_path, server.server_port),
        ):
            pass
        server.shutdown()
        thread.join()
    assert kinds == {
        "a.mjs": "text/javascript",
        "a.js": "text/javascript",
        "a.wasm": "application/wasm",
        "a.json": "application/json",
    }


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ([], "where to?"),
        (["-o", "public", "--port", "9000"], "--port does nothing without --serve"),
        (["-o", "public"], "npm is not there"),
        (["-o", "public", "--runtime", "."], "does not hold"),
    ],
)
def test_the_command_says_what_is_missing(known, tmp_path, monkeypatch, capsys, arguments, message):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(SystemExit) as left:
        run(["page", *arguments])
    assert left.value.code == 2
    assert message in capsys.readouterr().err
    assert not os.path.lexists("public")


def test_a_port_that_is_taken_is_said_before_anything_is_fetched(known, tmp_path, capsys):
    with page_server(tmp_path, 0) as other, pytest.raises(SystemExit) as left:
        run(["page", "--serve", "--port", str(other.server_port)])
    assert left.value.code == 2
    assert "--port N takes another" in capsys.readouterr().err


def test_the_command_writes_it(package, tmp_path, capsys):
    with pytest.raises(SystemExit) as left:
        run(["page", "-o", str(tmp_path / "public"), "--runtime", str(package)])
    assert not left.value.code
    assert "files" in capsys.readouterr().out
    assert (tmp_path / "public" / "index.html").is_file()
