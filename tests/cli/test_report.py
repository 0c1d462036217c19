"""`salbox report` as people use it."""

from __future__ import annotations

import html
import re
import shlex
from functools import partial

import numpy as np
import pytest
from PIL import Image
from trees import random_osie

from salbox.cli.main import run


@pytest.fixture
def cli(cli):
    """`salbox report`."""
    return partial(cli, "report")


@pytest.fixture
def osie(tmp_path):
    return f"osie:{random_osie(tmp_path / 'my data' / 'OSIE')}"


def command_of(page) -> str:
    found = re.search("<code>(salbox report .*?)</code>", page.read_text(encoding="utf-8"))
    return html.unescape(found.group(1))


def without_dates(page) -> str:
    return re.sub(r"\d{4}-\d\d-\d\d \d\d:\d\d UTC", "", page.read_text(encoding="utf-8"))


def test_the_command_on_the_page_repeats_it(cli, osie, tmp_path):
    np.save(_folder(tmp_path / "maps" / "mine") / "1003.npy", np.eye(60, 80))
    for name in ("1023", "1033"):
        Image.fromarray(np.eye(60, 80, dtype=np.uint8)).save(tmp_path / "maps" / "mine" / f"{name}.png")
    page = tmp_path / "a page.html"
    code, out, err = cli(
        "--dataset", osie, "-m", "gaussian", "-m", "bms,imsig", "--param", "gaussian:sigma=.25", "--limit", 4,
        "--maps", tmp_path / "maps", "--metrics", "nss,cc", "--metrics", "ig", "--sigma", "3", "--baseline",
        "--ceiling", "--examples", 1, "--title", "It's <mine>", "--scale-output", "log-density",
        "--center-prior", "proportional_add", "--no-center-prior-scale-first",
        "--do-smoothing", "proportional", "--smooth-prop", "0.03", "-o", page,
    )  # fmt: skip
    assert (code, out) == (0, "")
    assert "wrote" in err
    command = command_of(page)
    words = shlex.split(command)
    assert words[:2] == ["salbox", "report"]
    assert words[words.index("--dataset") + 1] == osie
    assert words[words.index("--split") + 1] == "test"
    assert {"--no-center-prior-scale-first", "--ceiling", "--baseline"} <= set(words)
    first = without_dates(page)
    page.unlink()
    assert cli(*words[2:])[0] == 0
    assert without_dates(page) == first
    assert "<title>It&#x27;s &lt;mine&gt;</title>" in first
    assert "4 of the split&#x27;s 6 images, evenly spaced" in first
    assert "3 pixels (given)" in first


def test_figures_are_shared_with_evaluate(cli, osie, tmp_path, capsys):
    with pytest.raises(SystemExit):
        run(["evaluate", "-m", "gaussian", "--dataset", osie, "--metrics", "nss", "-o", str(tmp_path / "kept")])
    capsys.readouterr()
    before = sorted((tmp_path / "kept").rglob("*.jsonl"))
    common = ["--dataset", osie, "-m", "gaussian", "--metrics", "nss", "--results", tmp_path / "kept"]
    assert cli(*common, "-o", tmp_path / "page.html")[0] == 0
    assert sorted((tmp_path / "kept").rglob("*.jsonl")) == before


@pytest.mark.slow
def test_no_agreement_and_no_pictures(cli, osie, tmp_path):
    page = tmp_path / "page.html"
    common = ["--dataset", osie, "-m", "gaussian,bms", "--metrics", "nss", "-o", page]
    cli(*common, "--no-agreement", "--examples", 0)
    text = page.read_text(encoding="utf-8")
    assert 'id="agreement"' not in text
    assert "<img" not in text
    assert "--no-agreement --examples 0" in command_of(page)
    cli(*common)
    text = page.read_text(encoding="utf-8")
    assert 'id="agreement"' in text
    assert "<img" in text


def test_a_broken_image_is_named_and_the_exit_code_is_1(cli, osie, tmp_path):
    path = tmp_path / "my data" / "OSIE" / "data" / "stimuli" / "1023.jpg"
    path.write_bytes(path.read_bytes()[:900])
    code, _, err = cli("--dataset", osie, "-m", "gaussian", "--metrics", "nss", "-o", tmp_path / "page.html")
    assert code == 1
    assert "failed: 1023, gaussian: " in err
    assert "failed: 1023, gaussian: " in (tmp_path / "page.html").read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["-m", "gaussian", "-o", "page.pdf"], "page.pdf: a page is written as .html or .htm"),
        (["-o", "page.html"], "nothing to report on"),
        (["-m", "gausian", "-o", "page.html"], "did you mean 'gaussian'?"),
        (["-m", "gaussian", "--metrics", "ncc", "-o", "page.html"], "no metric 'ncc'"),
        (["-m", "gaussian", "--split", "tests", "-o", "page.html"], "did you mean 'test'?"),
        (["-m", "gaussian", "--maps", "nowhere", "-o", "page.html"], "nowhere: no such folder"),
    ],
)
def test_wrong_usage_costs_one_line(cli, osie, tmp_path, monkeypatch, arguments, message):
    monkeypatch.chdir(tmp_path)
    code, out, err = cli("--dataset", osie, *arguments)
    assert code == 2
    assert message in err
    assert len(err.splitlines()) == 1
    assert out == ""
    assert not (tmp_path / "page.html").exists()


def _folder(path):
    path.mkdir(parents=True)
    return path
