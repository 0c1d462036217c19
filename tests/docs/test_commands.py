"""The commands that the documentation tells users to type have verbs and options that there are."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest
import typer

from salbox.cli.main import VERBS, build_app

ROOT = Path(__file__).resolve().parents[2]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]
BLOCK = re.compile(r"^```(?:sh|bash|text|console)?\n(.*?)^```$", re.MULTILINE | re.DOTALL)
INLINE = re.compile(r"`(salbox [^`]+)`")
END = {"|", "<", ">", "&&", ";", "&", ">>", "2>"}  # after these begins something else


def commands(text: str) -> Iterator[list[str]]:
    """Yield the words after `salbox` of each command of a page, in blocks of code and in sentences."""
    lines = [line for block in BLOCK.findall(text) for line in block.replace("\\\n", " ").splitlines()]
    found = [part for line in lines for part in re.findall(r"(?:^|\| |&& )(salbox .*)", line)]
    found += [inline.replace("\\|", "|") for inline in INLINE.findall(re.sub(BLOCK, "", text).replace("\n", " "))]
    for command in found:
        try:
            words = shlex.split(command, comments=True)[1:]
        except ValueError:  # an apostrophe: a sentence in a block
            continue
        yield words[: next((n for n, word in enumerate(words) if word in END), len(words))]


@cache
def options(verb: str) -> set[str]:
    """Return the options of a verb, by all their names."""
    command = typer.main.get_command(build_app([verb])).commands[verb]
    return {"--help", "-h"} | {name for p in command.params for name in [*p.opts, *p.secondary_opts]}


def wrong(words: list[str]) -> str:
    """Return what is wrong with a command, or nothing."""
    verb = next((word for word in words if not word.startswith("-")), None)
    if verb is None or verb.isupper():  # `salbox --help`, `salbox VERB --help`
        return ""
    if verb not in VERBS:
        return f"no verb '{verb}'"
    rest = words[words.index(verb) + 1 :]
    asked = {word.partition("=")[0] for word in rest if re.match(r"--?[a-zA-Z]", word)}
    unknown = sorted(asked - options(verb))
    return f"'{verb}' has no {', '.join(unknown)}" if unknown else ""


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.relative_to(ROOT).as_posix())
def test_commands_have_verbs_and_options_that_there_are(page):
    found = [f"salbox {' '.join(words)}: {wrong(words)}" for words in commands(page.read_text("utf-8")) if wrong(words)]
    assert found == []


def test_a_wrong_command_is_found():
    block = "```sh\nsalbox predict a.jpg \\\n    --modles gbvs  # why\ncat a | salbox crop -\n```\n"
    page = f"Say `salbox predikt a.jpg`.\n\n{block}"
    said = [wrong(words) for words in commands(page)]
    assert said == ["'predict' has no --modles", "", "no verb 'predikt'"]


def test_most_verbs_are_shown_somewhere():
    shown = {words[0] for page in PAGES for words in commands(page.read_text("utf-8")) if words}
    assert set(VERBS) - shown == set()
