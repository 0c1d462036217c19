"""The commands that the documentation tells users to type have verbs and options that there are."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import NamedTuple

import pytest
import typer

from salbox.cli.main import VERBS, build_app

ROOT = Path(__file__).resolve().parents[2]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]
BLOCK = re.compile(r"^```(?:sh|bash|text|console)?\n(.*?)^```$", re.MULTILINE | re.DOTALL)
INLINE = re.compile(r"`(salbox [^`]+)`")
END = {"|", "<", ">", "&&", ";", "&", ">>", "2>"}  # after these begins something else


class Command(NamedTuple):
    """What is typed after `salbox`, and whether it is meant to be typed so: not in a sentence, nothing left out."""

    words: list[str]
    whole: bool


def commands(text: str) -> Iterator[Command]:
    """Yield the commands of a page, in blocks of code and in sentences."""
    lines = [line for block in BLOCK.findall(text) for line in block.replace("\\\n", " ").splitlines()]
    found = [(part, True) for line in lines for part in re.findall(r"(?:^|\| |&& )(salbox .*)", line)]
    sentences = INLINE.findall(re.sub(BLOCK, "", text).replace("\n", " "))
    found += [(inline.replace("\\|", "|"), False) for inline in sentences]
    for command, whole in found:
        try:
            words = shlex.split(re.sub(r"\s#.*", "", command))[1:]  # a# is no comment
        except ValueError:  # an apostrophe: a sentence in a block
            continue
        words = words[: next((n for n, word in enumerate(words) if word in END), len(words))]
        yield Command(words, whole and not {"...", "--help", "-h"} & set(words))


@cache
def options(verb: str) -> tuple[set[str], list[set[str]]]:
    """Return the options of a verb, by all their names, and those that it needs, each by its names."""
    parameters = typer.main.get_command(build_app([verb])).commands[verb].params
    needed = [set(p.opts) for p in parameters if p.required and p.param_type_name == "option"]
    return {"--help", "-h"} | {name for p in parameters for name in [*p.opts, *p.secondary_opts]}, needed


def wrong(words: list[str], whole: bool = False) -> str:
    """Return what is wrong with a command, or nothing."""
    verb = next((word for word in words if not word.startswith("-")), None)
    if verb is None or verb.isupper():  # `salbox --help`, `salbox VERB --help`
        return ""
    if verb not in VERBS:
        return f"no verb '{verb}'"
    rest = words[words.index(verb) + 1 :]
    asked = {word.partition("=")[0] for word in rest if re.match(r"--?[a-zA-Z]", word)}
    there, needed = options(verb)
    if unknown := sorted(asked - there):
        return f"'{verb}' has no {', '.join(unknown)}"
    missing = [max(names, key=len) for names in needed if not names & asked] if whole else []
    return f"'{verb}' needs {', '.join(missing)}" if missing else ""


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.relative_to(ROOT).as_posix())
def test_commands_have_verbs_and_options_that_there_are(page):
    found = [(f"salbox {' '.join(c.words)}", wrong(*c)) for c in commands(page.read_text("utf-8"))]
    assert [each for each in found if each[1]] == []


def test_a_wrong_command_is_found():
    block = "```sh\nsalbox predict a.jpg \\\n    --modles gbvs  # why\ncat a | salbox crop - -o b\n```\n"
    page = f"Say `salbox predikt a.jpg` or `salbox crop a.jpg`.\n\n{block}"
    said = [wrong(*command) for command in commands(page)]
    assert said == ["'predict' has no --modles", "'crop' needs --size", "no verb 'predikt'", ""]


def test_every_verb_is_shown_somewhere():
    shown = {c.words[0] for page in PAGES for c in commands(page.read_text("utf-8")) if c.words}
    assert set(VERBS) - shown == set()
