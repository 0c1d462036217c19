"""`salbox doctor`: what runs here, and what an install would add."""

from __future__ import annotations

import typer

from ..doctor import diagnose
from .output import SafeConsole, escape

_WIDTH = 16  # of the column of subjects


def doctor() -> None:
    """Say what runs on this machine, each thing tried out, and what an install would add.

    Maps are made, pictures and videos written and read, a figure drawn, a gradient computed where PyTorch is here. The
    exit code is 1 if something that salbox cannot do without is broken.

    Examples:

      salbox doctor
    """
    console = SafeConsole(highlight=False, soft_wrap=True)  # an install command is not broken over lines
    broken = False
    for finding in diagnose():
        mark = "[green]ok[/green]    " if finding.ok else ("[red]broken[/red]" if finding.required else "-     ")
        console.print(f"{escape(finding.subject):<{_WIDTH}}  {mark}  {escape(finding.detail)}")
        broken |= finding.required and not finding.ok
    if broken:
        raise typer.Exit(1)
