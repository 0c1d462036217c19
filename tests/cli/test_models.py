"""`salbox models`: a table of one screen, cards, how to cite; `salbox metrics`."""

from __future__ import annotations

import json

import pytest

import salbox
from salbox.cli import model_table
from salbox.cli.model_table import fidelity, readiness, rows, speed
from salbox.metrics import METRICS


def test_the_table_is_one_screen_and_leaves_nobody_out(cli):
    code, out, _ = cli("models")
    table = out.split("\n\n")[0].splitlines()
    assert code == 0
    assert len(table) <= 48
    found = [line.split()[0] for line in table[1:]]
    for name in salbox.list_models():
        matching = [row for row in found if row == name or ("*" in row and all(p in name for p in row.split("*")))]
        assert matching, name
    assert set(salbox.list_models(ready=True)) <= set(found)
    gbvs = next(line for line in table if line.startswith("gbvs "))
    assert "Graph-Based Visual Saliency" in gbvs
    assert gbvs.split()[-1] == "equal"
    assert " ready " in gbvs


def test_a_narrow_terminal_cuts_what_a_model_is_and_nothing_else(monkeypatch, capsys):
    from salbox.cli import models
    from salbox.cli.output import SafeConsole

    narrow = SafeConsole(force_terminal=True, color_system=None, width=80)
    monkeypatch.setattr(models, "standard_output", lambda: narrow)
    models._print_table([salbox.card(name) for name in ("aim", "gbvs.student", "unisal.people", "isnet-general-use")])
    head, *lines = capsys.readouterr().out.split("\n\n")[0].splitlines()
    assert all(len(line) <= 80 for line in (head, *lines))
    assert any("…" in line for line in lines)
    for line, name in zip(lines, ("aim", "gbvs.student", "unisal.people", "isnet-general-use"), strict=True):
        assert line.startswith(f"{name} ")
    assert "NSS" in lines[2]


def test_ready_is_what_runs(cli, tmp_path, monkeypatch):
    assert readiness(salbox.card("glimpse")).short == "weights"
    assert "glimpse" not in cli("models", "--ready")[1]
    (tmp_path / "glimpse.onnx").write_bytes(b"x")
    monkeypatch.setenv("SALBOX_WEIGHTS", str(tmp_path))
    found = readiness(salbox.card("glimpse"))
    assert (found.short, found.label) == ("ready", "ready")
    assert str(tmp_path / "glimpse.onnx") in found.text
    assert "\nglimpse " in cli("models", "--ready")[1]


def test_a_network_needs_pytorch_too(monkeypatch):
    monkeypatch.setattr(model_table, "find_spec", lambda _: None)
    found = readiness(salbox.card("unisal"))
    assert found.short == "weights, torch"
    assert "salbox[train]" in found.text


def test_what_a_table_says_of_a_model(monkeypatch):
    card = salbox.card("gbvs.student")
    assert fidelity(card) == f"CC {card.agreement.split()[1].lstrip('0')}"
    assert fidelity(salbox.card("gbvs")) == "equal"
    monkeypatch.setattr(model_table, "known_speeds", lambda: {"gbvs": 0.0712, "sun": 1.26})
    assert [speed(salbox.card(name)) for name in ("gbvs", "sun", "bms")] == ["71 ms", "1.3 s", "-"]


def test_models_of_alike_names_share_a_line():
    found = {row[0]: row for row in rows([salbox.card(name) for name in salbox.list_models()])}
    assert found["*.kdsalbox"][1].startswith("10 models: aim, ikn,")
    assert "aim.student" in found


def test_no_model_is_a_sentence(cli, monkeypatch):
    monkeypatch.setattr("salbox.cli.models.list_models", lambda _: [])
    code, out, said = cli("models", "--task", "object")
    assert (code, out) == (0, "")
    assert said.startswith("there is no model for the task 'object'; one of your own is named by its path")
    assert json.loads(cli("models", "--task", "object", "--json")[1]) == []


def test_several_cards_and_how_to_cite_them(cli):
    code, out, _ = cli("models", "AIM,gbvs", "--bibtex")
    assert code == 0
    assert [line[: line.index("{")] for line in out.splitlines() if line.startswith("@")] == [
        "@article",
        "@inproceedings",
    ]
    code, out, _ = cli("models", "gaze", "gbvs")
    assert code == 0
    assert out.index("gaze  ") < out.index("gbvs  ")
    assert [card["name"] for card in json.loads(cli("models", "GAZE,gbvs", "--json")[1])] == ["gaze", "gbvs"]
    assert json.loads(cli("models", "gbvs", "--json")[1])["name"] == "gbvs"
    code, out, said = cli("models", "gaze,gbvs", "--bibtex")
    assert (code, said) == (0, "model 'gaze' has no paper to cite\n")
    assert "harel" in out.lower()


@pytest.mark.parametrize("option", ["--ready", "--long"])
def test_options_of_the_list_do_nothing_for_a_card(cli, option):
    code, _, said = cli("models", "gbvs", option)
    assert code == 2
    assert "leave NAME out" in said


def test_the_long_list_says_where_weights_come_from(cli):
    out = cli("models", "--long")[1]
    assert "saliency.onnx of the-super-toys/glimpse-models" in out
    assert "aim.kdsalbox" in out


def test_every_metric_is_listed_with_its_meaning(cli):
    code, out, _ = cli("metrics")
    assert code == 0
    listed = [line.split()[0] for line in out.splitlines() if line.split()[1:2] in (["high"], ["low"])]
    assert sorted(listed) == sorted(METRICS)
    assert "standard deviations above its own mean" in out
    code, out, _ = cli("metrics", "NSS,kl_mit")
    assert code == 0
    assert METRICS["nss"].formula in out
    assert METRICS["kl_mit"].source in out
    found = json.loads(cli("metrics", "--json")[1])
    assert [metric["name"] for metric in found] == list(METRICS)
    assert found[0]["needs"] == ["fixations"]
    code, _, said = cli("metrics", "nsss")
    assert code == 2
    assert "did you mean 'nss'" in said
