"""`salbox doctor`: what works here, and what an install would add."""

from __future__ import annotations

import typer
from rich.console import Console
from rich.markup import escape

from ..doctor import diagnose


def doctor() -> None:
    """Print versions, providers and extras: what works here and what an install would add.

    Examples:

      salbox doctor
    """
    console = Console(highlight=False, soft_wrap=True)  # an install command is not broken over lines
    findings = diagnose()
    width = max(len(finding.subject) for finding in findings)
    for finding in findings:
        mark = "[green]ok[/green]    " if finding.ok else ("[red]broken[/red]" if finding.required else "-     ")
        console.print(f"{finding.subject:<{width}}  {mark}  {escape(finding.detail)}")
    if any(f.required and not f.ok for f in findings):
        raise typer.Exit(1)
