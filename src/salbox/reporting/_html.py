"""HTML that cannot be broken out of: what is not `Html` already is escaped."""

from __future__ import annotations

import html
import re
from collections.abc import Iterable
from typing import TypeAlias

_VOID = frozenset({"br", "col", "img", "link", "meta"})
# HTML forbids control characters; lone surrogates, which stand for undecodable bytes of file names, have no UTF-8.
_FORBIDDEN = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ud800-\udfff\ufffe\uffff]")


class Html(str):
    """A piece of HTML, ready to be put into a page."""

    __slots__ = ()


Child: TypeAlias = "str | int | Iterable[Child] | None"


def escaped(text: object) -> Html:
    """Return a text as HTML, also safe within a quoted attribute; what HTML forbids becomes U+FFFD."""
    return Html(html.escape(_FORBIDDEN.sub("\N{REPLACEMENT CHARACTER}", str(text)), quote=True))


def fragment(*children: Child) -> Html:
    """Return pieces one after the other; texts are escaped, None is left out."""
    return Html("".join(_flat(children)))


def number(value: float, digits: int = 3) -> str:
    """Return a figure with so many digits and a true minus sign."""
    return f"{value:.{digits}f}".replace("-", "\N{MINUS SIGN}")


def tag(name: str, /, *children: Child, **attributes: str | int | float | bool | None) -> Html:
    """Return an element.

    Parameters
    ----------
    name : str
    children : Html, texts, lists of them, or None
    attributes
        `class_` and `aria_label` become class and aria-label; True gives an attribute without a value, False and None
        give none.
    """
    written = []
    for key, value in attributes.items():
        attribute = key.rstrip("_").replace("_", "-")
        if value is True:
            written.append(f" {attribute}")
        elif value is not None and value is not False:
            written.append(f' {attribute}="{escaped(value)}"')
    opening = f"<{name}{''.join(written)}>"
    return Html(opening if name in _VOID else f"{opening}{fragment(*children)}</{name}>")


def _flat(children: Iterable[Child]) -> Iterable[str]:
    for child in children:
        if isinstance(child, Html):
            yield child
        elif isinstance(child, (str, int)):
            yield escaped(child)
        elif child is not None:
            yield from _flat(child)
