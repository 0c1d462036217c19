"""What reaches a terminal: no command of a file's, in any encoding, also where there is nowhere to write to."""

from __future__ import annotations

import os
import subprocess
import sys
import warnings
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from rich.console import Console
from trees import photo

import salbox
from salbox.cli.main import run
from salbox.cli.output import SafeConsole, escape, facts_table, figures_table, say
from salbox.cli.progress import ConsoleProgress
from salbox.errors import one_line, printable

COMMANDS = "\x1b[31mred\x1b[0m \x9b1m \x07 \u202egnp.exe \udcff \x7f \u2028"
SHOWN = r"\x1b[31mred\x1b[0m \x9b1m \x07 \u202egnp.exe \xff \x7f \u2028"


def start(*arguments: object, folder: Path, code: str | None = None, **environment: str) -> subprocess.Popen[bytes]:
    program = code or "from salbox.cli.main import run; run()"
    return subprocess.Popen(
        [sys.executable, "-c", program, *map(str, arguments)],
        cwd=folder,
        env={**os.environ, "SALBOX_HOME": str(folder / "home"), **environment},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )


@pytest.fixture
def dataset(tmp_path) -> str:
    for number in range(2):
        photo(tmp_path / "set" / "images" / f"{number}é.png", 40, 30, seed=number)
        fixations = tmp_path / "set" / "fixations" / f"{number}é.csv"
        fixations.parent.mkdir(exist_ok=True)
        fixations.write_text("10,20\n30,14\n")
    return f"folder:{tmp_path / 'set'}"


def test_what_would_command_a_terminal_is_shown_as_an_escape():
    assert printable(COMMANDS) == SHOWN
    assert printable(SHOWN) == SHOWN
    for text in ("a\nb\tc", "größer ↑ β 日本 👩‍🚀", ""):
        assert printable(text) == text


def test_a_librarys_text_loses_its_colours_before_it_is_cut():
    said = one_line("failed. \x1b[1mDo it only if\x1b[0m you \x1b]8;;http://x\x07trust\x1b]8;;\x07\nit", 30)
    assert said == "failed. Do it only if you trus"


def test_every_way_to_print_passes_the_door(capsys):
    say(COMMANDS)
    console = SafeConsole(force_terminal=True, width=200, highlight=False)
    console.print(COMMANDS, markup=False, emoji=False)
    console.print(facts_table([(COMMANDS, COMMANDS)]))
    console.print(figures_table([COMMANDS], [[COMMANDS]]))
    console.print(f"[bold]{escape(COMMANDS)}[/bold]")
    with ConsoleProgress() as progress:
        progress.say(COMMANDS)
        progress.update(COMMANDS, 1, 2)
    out, err = capsys.readouterr()
    assert out.count(r"\x1b[31mred\x1b[0m \x9b1m") == out.count(r"\u202egnp.exe \xff \x7f \u2028") == 7
    assert SHOWN in err
    styles = {"\x1b[1m", "\x1b[0m", "\x1b[1;"}  # rich's own
    for found in (out, err):
        assert not {c for c in found if not c.isprintable()} - {"\n", "\x1b"}
        assert "\x1b[31mred" not in found
    assert any(style in out for style in styles)


def test_a_progress_bar_in_a_terminal(monkeypatch, capsys):
    monkeypatch.setattr("salbox.cli.progress.console", SafeConsole(stderr=True, force_terminal=True, width=200))
    with ConsoleProgress() as progress:
        progress.update(COMMANDS, 1, 2)
    err = capsys.readouterr().err
    assert "\\x1b[31mred" in err
    assert "\x1b[31mred" not in err


def test_errors_and_warnings_pass_it_too(cli, monkeypatch):
    def list_models(_):
        warnings.simplefilter("always")
        warnings.warn(COMMANDS, UserWarning, stacklevel=1)
        warnings.warn(COMMANDS, salbox.cli.main.ModelWarning, stacklevel=1)
        raise ValueError(COMMANDS)

    monkeypatch.setattr("salbox.cli.models.list_models", list_models)
    code, _, said = cli("models")
    assert code == 1
    assert said.count("\\x1b[31mred") == 3
    code, _, more = cli("models", f"no{COMMANDS}")
    assert code == 2
    code, _, usage = cli("models", f"--no{COMMANDS}")
    assert code == 2
    assert not {c for c in said + more + usage if not c.isprintable()} - {"\n"}


def test_titles_out_of_a_file_and_names_of_files(cli, tmp_path, monkeypatch):
    from dataclasses import replace

    from salbox.cli import models

    known = models.card
    monkeypatch.setattr(models, "card", lambda *a, **k: replace(known("gaze"), title=COMMANDS, limits=(COMMANDS,)))
    assert "\x1b" not in cli("models", "gaze")[1]
    name = tmp_path / "a\x1b[31m.png"
    name.write_bytes(b"no picture")
    code, out, said = cli("predict", name, "-m", "gaussian", "-o", tmp_path / "o\x1b[31m")
    assert code == 1
    assert "\x1b" not in out + said
    assert said.count(r"\x1b[31m") >= 3


@pytest.mark.slow
@pytest.mark.parametrize("encoding", ["ascii", "cp1252", "utf-8"])
def test_every_table_is_written_in_any_encoding(dataset, tmp_path, encoding):
    evaluate = ["evaluate", "-m", "gaussian", "--dataset", dataset, "--sigma", "5", "--metrics", "nss,cc", "-o", "r"]
    formats = ("--latex", "--markdown", "--per-image", "--csv", "--json")
    commands = [["models"], ["models", "gbvs"], ["models", "--bibtex"], ["datasets"], ["datasets", "osie"], ["doctor"]]
    commands += [evaluate, *([*evaluate, how] for how in formats)]
    code = (
        "import sys\nfrom salbox.cli.main import run\n"
        f"for arguments in {commands!r}:\n"
        "    try:\n        run(arguments)\n"
        "    except SystemExit as left:\n        assert not left.code, arguments\n"
    )
    begun = start(folder=tmp_path, code=code, PYTHONIOENCODING=encoding, PYTHONUTF8="0", SALBOX_THREADS="1")
    out, err = begun.communicate(timeout=100)
    assert begun.returncode == 0, err.decode(encoding)
    text = out.decode(encoding)
    assert ("NSS ↑" if encoding == "utf-8" else "NSS ?") in text
    assert "é" in text or encoding == "ascii"


def closed(arguments: str, folder: Path) -> subprocess.CompletedProcess[str]:
    """Run `salbox` in a shell, which can close standard streams."""
    command = f'"{sys.executable}" -c "from salbox.cli.main import run; run()" {arguments}'
    return subprocess.run(command, shell=True, cwd=folder, capture_output=True, text=True, timeout=100)


@pytest.mark.skipif(sys.platform == "win32", reason="closes streams through a shell")
@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        ("predict - -m gaussian -o o <&-", 2, "standard input is closed"),
        ("predict a.png -m gaussian -o - >&-", 2, "standard output is closed"),
        ("predict a.png -m gaussian -o o >&-", 0, "1 outputs of 1 inputs"),
        ("predict a.png -m gaussian -o o 2>&-", 0, ""),
        ("predict a.png -m nosuch -o o 2>&-", 2, ""),
        ("predict a.png -m gaussian -o o <&- >&- 2>&-", 0, ""),
        ("predict a.png -m gaussian -o - > /dev/full", 2, "No space left on device"),
        ("models > /dev/full", 2, "No space left on device"),
        ("models aim --bibtex > /dev/full", 2, "No space left on device"),
        ("models | true", 0, ""),
    ],
)
def test_streams_that_are_closed_or_full(tmp_path, arguments, code, said):
    if "/dev/full" in arguments and not Path("/dev/full").exists():
        pytest.skip("there is no /dev/full")
    photo(tmp_path / "a.png", 40, 30)
    done = closed(arguments, tmp_path)
    assert (done.returncode, done.stdout) == (code, ""), done.stderr
    assert said in done.stderr
    assert done.stderr.count("\n") == bool(said)
    if " o " in arguments and code == 0:
        with Image.open(tmp_path / "o" / "gaussian" / "a.png") as picture:
            assert np.ptp(np.asarray(picture)) == 255  # nothing that was said stands in it


def test_whoever_runs_it_within_python_keeps_his_streams(monkeypatch):
    monkeypatch.setattr(sys, "stdout", None)
    monkeypatch.setattr(sys, "stderr", None)
    with pytest.raises(SystemExit) as left:
        run(["models", "nosuch"])
    assert left.value.code == 2


def test_rich_knows_of_no_other_console():
    """Each console of the command line is a safe one."""
    folder = Path(salbox.__file__).parent / "cli"
    made = [f.name for f in folder.glob("*.py") if " Console(" in f.read_text(encoding="utf-8")]
    echoed = [f.name for f in folder.glob("*.py") if "typer.echo(" in f.read_text(encoding="utf-8")]
    assert (made, sorted(echoed)) == ([], ["main.py"])
    assert issubclass(SafeConsole, Console)
