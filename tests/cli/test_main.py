"""The list of verbs: complete, in groups, on one screen, and quick."""

from __future__ import annotations

import io
import pkgutil
import subprocess
import sys

import pytest
from rich.cells import cell_len

import salbox.cli
from salbox.cli.main import GROUPS, VERBS, load_verb

NO_VERBS = {"main", "options", "output", "progress", "help", "model_table", "engine_options", "shard_options"}


def test_every_module_is_a_verb():
    modules = {module.name for module in pkgutil.iter_modules(salbox.cli.__path__)}
    assert modules - NO_VERBS == VERBS.keys()


@pytest.mark.parametrize("name", VERBS)
def test_each_verb_is_there_with_a_sentence_that_fits_a_line(name):
    assert callable(load_verb(name))
    sentence = VERBS[name]
    assert sentence[0].isupper()
    assert sentence.endswith(".")
    assert len(sentence) <= 64


def test_each_verb_stands_in_one_group():
    assert sum(len(verbs) for verbs in GROUPS.values()) == len(VERBS)


def test_the_list_is_one_screen(cli, monkeypatch):
    monkeypatch.setenv("COLUMNS", "80")
    code, out, _ = cli("--help")
    assert code == 0
    lines = out.splitlines()
    assert len(lines) <= 50
    assert max(map(cell_len, lines)) <= 80
    for name, sentence in VERBS.items():
        (line,) = [line for line in lines if f" {name} " in line[:14]]
        assert sentence in line
    assert [line for group in GROUPS for line in lines if f" {group} " in line and "─" in line] != []
    assert cli()[1].split() == out.split()


@pytest.mark.parametrize("encoding", ["ascii", "cp1252"])
def test_help_is_written_in_any_encoding(encoding):
    command = [sys.executable, "-m", "salbox"]
    environment = {"PYTHONIOENCODING": encoding, "PYTHONUTF8": "0", "COLUMNS": "80"}
    for arguments in ([], ["metrics", "--help"]):
        done = subprocess.run([*command, *arguments], capture_output=True, env=environment, check=True)
        assert b"Usage: salbox" in done.stdout
        assert done.stderr == b""
        done.stdout.decode(encoding)


@pytest.mark.parametrize(("arguments", "loaded"), [(["--help"], []), (["doctor", "--help"], ["doctor"])])
def test_a_verb_loads_no_other(arguments, loaded):
    """The list loads none, so that neither NumPy nor OpenCV keep anybody waiting."""
    code = (
        "import sys\nfrom salbox.cli.main import VERBS, run\n"
        f"try:\n    run({arguments})\nexcept SystemExit as left:\n    assert not left.code\n"
        "print([name for name in VERBS if f'salbox.cli.{name}' in sys.modules], 'numpy' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == f"{loaded} False"


def test_the_page_of_a_verb(cli, monkeypatch):
    """What matters first stands first, nothing is cut off, and an example is one line, to be copied."""
    monkeypatch.setenv("COLUMNS", "80")
    code, out, _ = cli("predict", "--help")
    assert code == 0
    first, rest = out.split("─ Models ", 1)
    for option in ("-m, --models NAMES", "-o, --output DIR", "--format FORMAT", "--overlay", "-r, --recursive"):
        assert option in first
    for option in ("--histogram-matching-reference", "--[no-]center-prior-scale-first", "[MODEL:]KEY=VALUE"):
        assert option in rest
    assert rest.index("─ Post-processing ") < rest.index("--smooth-prop N") < rest.index("Examples")
    assert "  salbox predict photos -m sun -o maps --do-smoothing proportional --smooth-prop 0.02\n" in out
    boxes = [line for line in out.splitlines() if line.startswith("│")]
    assert {cell_len(line) for line in boxes} == {80}


def test_what_reads_like_markup_is_shown(cli):
    assert "[default: png; of videos mp4]" in " ".join(cli("predict", "--help")[1].replace("│", " ").split())


def test_a_script_writes_no_help_where_standard_output_is_closed(monkeypatch):
    monkeypatch.setattr(sys, "stdout", None)
    monkeypatch.setattr(sys, "stderr", io.StringIO())
    with pytest.raises(SystemExit) as left:
        salbox.cli.main.run(["predict", "--help"])
    assert not left.value.code
