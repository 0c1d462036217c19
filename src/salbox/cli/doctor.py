"""`salbox doctor`: what works here, and what an install would add."""

from __future__ import annotations

import typer

from ..doctor import diagnose
from .output import SafeConsole, escape


def doctor() -> None:
    """Print versions, providers and extras: what works here and what an install would add.

    Examples:

      salbox doctor
    """
    console = SafeConsole(highlight=False, soft_wrap=True)  # an install command is not broken over lines
    findings = diagnose()
    width = max(len(finding.subject) for finding in findings)
    for finding in findings:
        mark = "[green]ok[/green]    " if finding.ok else ("[red]broken[/red]" if finding.required else "-     ")
        console.print(f"{escape(finding.subject):<{width}}  {mark}  {escape(finding.detail)}")
    if any(f.required and not f.ok for f in findings):
        raise typer.Exit(1)
