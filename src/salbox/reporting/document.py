"""A page of HTML that needs no other file: what holds its parts together, for all pages that salbox writes.

The pieces that such parts are made of are imported from here too.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Mapping, Sequence
from importlib import resources
from typing import NamedTuple

from ._charts import Bar, interval_chart
from ._environment import environment
from ._html import Child, Html, escaped, fragment, number, tag
from ._thumbnails import colored, picture
from .content import Picture

__all__ = [
    "Bar",
    "Child",
    "Html",
    "Part",
    "Picture",
    "colored",
    "document",
    "environment",
    "escaped",
    "facts",
    "fragment",
    "interval_chart",
    "number",
    "picture",
    "scrolling",
    "tag",
]


class Part(NamedTuple):
    """A part of a page: the anchor that leads to it, its title, what it holds."""

    anchor: str
    title: str
    content: Html


def document(
    title: str,
    parts: Sequence[Part],
    *,
    lead: Child = None,
    footer: Child = None,
    style: str = "",
    notes: Mapping[str, str] | None = None,
) -> str:
    """Return a page, light or dark as whoever reads it has it, that needs no other file and makes no request.

    All texts are escaped; a content security policy forbids requests and any script but the page's own, which sorts
    tables and copies commands.

    Parameters
    ----------
    title : str
    parts : sequence of Part
        In their order, below links to them.
    lead : pieces of HTML
        What stands between title and links.
    footer : pieces of HTML
    style : str
        Rules beside those that all pages share.
    notes : mapping
        Name -> content of what a program reads off the page, as meta elements.
    """
    shared, script = _file("page.css"), _file("page.js")
    body = tag(
        "div",
        tag("header", tag("h1", title), lead, _contents(parts)),
        tag("main", [_section(part) for part in parts]),
        tag("footer", footer),
        class_="wrap",
    )
    head = tag(
        "head",
        tag("meta", charset="utf-8"),
        tag("meta", http_equiv="Content-Security-Policy", content=_policy(script)),
        tag("meta", name="viewport", content="width=device-width, initial-scale=1"),
        tag("meta", name="color-scheme", content="light dark"),
        tag("meta", name="referrer", content="no-referrer"),
        [tag("meta", name=name, content=content) for name, content in (notes or {}).items()],
        tag("title", title),
        # Without an icon of its own a page that a server gives out makes the browser ask for one.
        tag("link", rel="icon", href="data:,"),
        tag("style", shared),
        tag("style", Html("\n" + style)) if style else None,
    )
    return f"<!DOCTYPE html>\n{tag('html', head, tag('body', body, tag('script', script)), lang='en')}\n"


def facts(pairs: Sequence[tuple[str, str]]) -> Html:
    """Return a row of (value, label), each in a small frame."""
    return tag("ul", [tag("li", tag("b", value), tag("span", label)) for value, label in pairs], class_="facts")


def scrolling(table: Html, label: str) -> Html:
    """Return a table that scrolls by itself where the page is narrow, reachable by keyboard."""
    return tag("div", table, class_="scroll", role="region", aria_label=label, tabindex=0)


def _file(name: str) -> Html:
    """Return the style sheet or the script, which stand in files beside this one, as the page carries it."""
    return Html("\n" + resources.files(__package__).joinpath(name).read_text(encoding="utf-8"))


def _policy(script: str) -> str:
    own = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    return (
        f"default-src 'none'; img-src data:; style-src 'unsafe-inline'; script-src 'sha256-{own}'; "
        "base-uri 'none'; form-action 'none'"
    )


def _contents(parts: Sequence[Part]) -> Html:
    links = [tag("li", tag("a", part.title, href=f"#{part.anchor}")) for part in parts]
    return tag("nav", tag("ul", links), aria_label="Parts of the page")


def _section(part: Part) -> Html:
    name = f"{part.anchor}-title"
    return tag("section", tag("h2", part.title, id=name), part.content, id=part.anchor, aria_labelledby=name)
