"""Progress and summaries of long runs, on standard error."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path

from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn

from ..batch import Outcome

console = Console(stderr=True, highlight=False, soft_wrap=True)


def track(outcomes: Iterable[Outcome], total: int, title: str) -> Iterator[Outcome]:
    """Yield outcomes while a progress bar shows how many are done; failures are printed as they come."""
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        TextColumn("left"),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=console, disable=not console.is_terminal) as progress:
        task = progress.add_task(title, total=total)
        for outcome in outcomes:
            for failure in outcome.failures:
                progress.console.print(escape(f"failed: {failure}"))
            progress.advance(task)
            yield outcome


def report(outcomes: Iterable[Outcome], folder: Path) -> int:
    """Print a summary that names the failures; return the exit code, 1 if there were any."""
    written = skipped = images = 0
    failed: list[str] = []
    for outcome in outcomes:
        images += 1
        written += len(outcome.written)
        skipped += len(outcome.skipped)
        failed += [str(outcome.source)] if outcome.failures else []
    there = f", {skipped} were there already" if skipped else ""
    console.print(escape(f"{written} maps of {images} images written to {folder}{there}"))
    if failed:
        console.print(escape(f"{len(failed)} failed: {', '.join(failed)}"))
    return 1 if failed else 0
