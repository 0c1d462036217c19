"""Tables on standard output, in a terminal and in a pipe, and CSV."""

from __future__ import annotations

import csv

import pytest

from salbox.cli import output
from salbox.cli.output import SafeConsole, facts_table, figures_table, plain_table, standard_output, to_csv

SENTENCE = "a sentence that is longer than a narrow terminal is wide, which is where a table has to be folded"


@pytest.fixture
def terminal(monkeypatch):
    """Standard output is a terminal of 40 columns."""

    def narrow(**options) -> SafeConsole:
        return SafeConsole(force_terminal=True, color_system=None, **{"width": 40, **options})

    monkeypatch.setattr(output, "SafeConsole", narrow)


def test_a_pipe_has_no_width_to_fold_into(capsys):
    standard_output().print(facts_table([("what", SENTENCE)]))
    assert capsys.readouterr().out.rstrip() == f"what  {SENTENCE}"


def test_a_terminal_folds_what_is_said(terminal, capsys):
    standard_output().print(facts_table([("what", SENTENCE)]))
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) > 1
    assert all(len(line) <= 40 for line in lines)
    assert [line[:6].strip() for line in lines] == ["what", *[""] * (len(lines) - 1)]


def test_figures_are_not_folded_where_they_must_not(terminal, capsys):
    cells = ["model", *[f"{n}.2345" for n in range(9)]]
    standard_output(fold=False).print(figures_table(cells, [cells]))
    head, row = capsys.readouterr().out.splitlines()
    assert head.split() == row.split() == cells


def test_names_stand_to_the_left_and_figures_to_the_right(capsys):
    table = figures_table(["image", "model", "NSS"], [["a", "bms", "1.25\n[0, 2]"], ["long", "x", "3"]], names=2)
    standard_output().print(table)
    assert capsys.readouterr().out.splitlines() == [
        "image  model     NSS",
        "a      bms      1.25",
        "              [0, 2]",
        "long   x           3",
    ]


def test_no_text_is_taken_for_markup(capsys):
    console = standard_output()
    console.print(facts_table([("a", "[bold]b[/bold]")]))
    console.print(figures_table(["[red]c", "[d]"], [["[/]", "[0, 1]"]]))
    console.print(plain_table(["[e]"]))
    out = capsys.readouterr().out
    assert all(text in out for text in ("[bold]b[/bold]", "[red]c", "[d]", "[/]", "[0, 1]", "[e]"))


def test_csv_quotes_what_holds_a_comma():
    rows = [["ensemble:a,b", 0.1, None], ['"x"', float("nan"), 2]]
    text = to_csv(["", "p", "q"], rows)
    assert not text.endswith("\n")
    assert "\r" not in text
    assert list(csv.reader(text.split("\n"))) == [["", "p", "q"], ["ensemble:a,b", "0.1", ""], ['"x"', "nan", "2"]]
