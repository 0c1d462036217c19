"""What `salbox VERB --help` prints: options in panels, those that matter first, examples last.

Typer's own page gives a name, its short form, its kind and its help a column each, and cuts names off in a terminal of
80 columns.
"""

from __future__ import annotations

import inspect
from collections.abc import Iterable
from typing import Any

from rich.box import ROUNDED
from rich.console import RenderableType
from rich.panel import Panel
from rich.table import Table
from rich.text import Text
from typer.core import TyperArgument, TyperCommand

from .output import SafeConsole

MAIN = "Options"  # the panel of options that name no other

_WIDEST = 100  # of a page: longer lines are hard to read
_NAMES = 30  # of an option with what it takes; where that is longer, what it takes stands in the help
_NAMES_WIDEST = 36  # of the column of names
_EXAMPLES = "Examples:"


class Verb(TyperCommand):
    """A verb whose help is a page of panels."""

    def format_help(self, ctx: Any, formatter: Any) -> None:
        """Print the page; nothing goes to the formatter."""
        console = SafeConsole(highlight=False)
        console.width = min(console.width, _WIDEST)
        said, examples = _parts(self.help or "")
        arguments = [p for p in self.get_params(ctx) if isinstance(p, TyperArgument)]
        usage = " ".join([ctx.command_path, *(_argument(p) for p in arguments), "[OPTIONS]"])
        console.print(Text(f"\nUsage: {usage}\n", style="bold"))
        for paragraph in said:
            console.print(Text(f"{paragraph}\n"))
        for title, parameters in _panels(self.get_params(ctx)).items():
            console.print(Panel(_table(parameters), title=title, title_align="left", border_style="dim", box=ROUNDED))
        if examples:
            console.print(Text("Examples", style="bold"))
        for example in examples:  # in one line each, to be copied
            console.print(Text(f"  {example}"), soft_wrap=True)


def _parts(text: str) -> tuple[list[str], list[str]]:
    """Return what is said of a verb, paragraph by paragraph, and its examples."""
    paragraphs = [" ".join(p.split()) for p in inspect.cleandoc(text).split("\n\n")]
    if _EXAMPLES not in paragraphs:
        return paragraphs, []
    place = paragraphs.index(_EXAMPLES)
    return paragraphs[:place], paragraphs[place + 1 :]


def _panels(parameters: Iterable[Any]) -> dict[str, list[Any]]:
    """Return the arguments and options of each panel, the main one first, the others as they come."""
    panels: dict[str, list[Any]] = {MAIN: []}
    for parameter in parameters:
        if not getattr(parameter, "hidden", False) and parameter.name != "help":
            panels.setdefault(getattr(parameter, "rich_help_panel", None) or MAIN, []).append(parameter)
    return {title: found for title, found in panels.items() if found}


def _table(parameters: Iterable[Any]) -> Table:
    rows = [_row(parameter) for parameter in parameters]
    table = Table(box=None, show_header=False, pad_edge=False, expand=True)
    table.add_column(style="cyan", overflow="fold", width=min(_NAMES_WIDEST, max(len(names) for names, _ in rows)))
    table.add_column(overflow="fold", ratio=1)
    for names, text in rows:
        table.add_row(Text(names), text)
    return table


def _row(parameter: Any) -> tuple[str, RenderableType]:
    """Return a parameter's names with what they take, and what it does."""
    text = Text(" ".join((getattr(parameter, "help", None) or "").split()))
    if isinstance(parameter, TyperArgument):
        return _argument(parameter), text
    names = ", ".join(sorted(parameter.opts, key=len))
    if parameter.secondary_opts:
        names = names.replace("--", "--[no-]")
    metavar = "" if parameter.is_flag else parameter.metavar or ""
    notes = []
    if metavar and len(f"{names} {metavar}") > _NAMES:
        notes.append(metavar)
        metavar = ""
    default = parameter.default
    if parameter.required:
        notes.append("required")
    elif parameter.show_default and not (
        default is None or isinstance(default, (bool, list, tuple)) or callable(default)
    ):
        notes.append(f"default: {default:g}" if isinstance(default, float) else f"default: {default}")
    if notes:
        text.append(f"  [{'; '.join(notes)}]", style="dim")
    return f"{names} {metavar}".rstrip(), text


def _argument(parameter: Any) -> str:
    name: str = parameter.metavar or parameter.name.upper()
    return name if parameter.required or name.startswith("[") else f"[{name}]"
