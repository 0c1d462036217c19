"""Progress and summaries of long runs, on standard error."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path

from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn

from ..batch import BatchPlan, Outcome
from ..clips import ClipPlan, run_clip

console = Console(stderr=True, highlight=False, soft_wrap=True)


COLUMNS = (
    TextColumn("{task.description}"),
    BarColumn(),
    MofNCompleteColumn(),
    TimeElapsedColumn(),
    TextColumn("left"),
    TimeRemainingColumn(),
)


def track(outcomes: Iterable[Outcome], total: int, title: str) -> Iterator[Outcome]:
    """Yield outcomes while a progress bar shows how many are done; failures are printed as they come."""
    with Progress(*COLUMNS, console=console, disable=not console.is_terminal) as progress:
        task = progress.add_task(title, total=total)
        for outcome in outcomes:
            for note in outcome.notes:
                progress.console.print(escape(f"note: {note}"))
            for failure in outcome.failures:
                progress.console.print(escape(f"failed: {failure}"))
            progress.advance(task)
            yield outcome


def track_clip(path: Path, plan: BatchPlan, clip: ClipPlan) -> Outcome:
    """Return the outcome of a video while a progress bar shows the frames."""
    with Progress(*COLUMNS, console=console, disable=not console.is_terminal) as progress:
        task = progress.add_task(path.name, total=None)
        outcome = run_clip(path, plan, clip, lambda done, total: progress.update(task, completed=done, total=total))
    for failure in outcome.failures:
        console.print(escape(f"failed: {failure}"))
    if outcome.written:
        console.print(escape(f"{path}: the maps carry no sound"))
    return outcome


def report(outcomes: Iterable[Outcome], folder: Path) -> int:
    """Print a summary that names the failures and what was made otherwise; return the exit code, 1 if there is any."""
    written = skipped = images = 0
    failed: list[str] = []
    otherwise: dict[Path, str] = {}
    for outcome in outcomes:
        images += 1
        written += len(outcome.written)
        skipped += len(outcome.skipped)
        failed += [str(outcome.source)] if outcome.failures else []
        otherwise |= outcome.otherwise
    there = f", {skipped} were there already (--overwrite makes them again)" if skipped else ""
    console.print(escape(f"{written} outputs of {images} inputs written to {folder}{there}"))
    if failed:
        console.print(escape(f"{len(failed)} failed: {', '.join(failed)}"))
    if otherwise:
        first, difference = next(iter(otherwise.items()))
        which = f"{len(otherwise)} maps that are there were made otherwise ({first}: {difference})"
        console.print(escape(f"{which}: make them again with --overwrite, or choose another folder"))
    return 1 if failed or otherwise else 0
