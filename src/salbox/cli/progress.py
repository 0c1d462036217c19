"""Progress on standard error: lines, one bar at a time, and the summary of a batch."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from types import TracebackType
from typing import Protocol, Self

from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    TaskID,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)
from rich.progress import Progress as Bars

from ..prediction.batch import Outcome
from ..system.progress import Progress
from .output import SafeConsole, escape

console = SafeConsole(stderr=True, highlight=False, soft_wrap=True)

_COLUMNS = (
    TextColumn("{task.description}"),
    BarColumn(),
    MofNCompleteColumn(),
    TimeElapsedColumn(),
    TextColumn("left"),
    TimeRemainingColumn(),
)


class ConsoleProgress(Progress):
    """Shows people how far a run is; use it in a `with` block. Where standard error is no terminal it prints lines.

    Parameters
    ----------
    keep : bool
        Leave the last bar on the screen when the block ends.
    """

    def __init__(self, *, keep: bool = True) -> None:
        self._bars = Bars(*_COLUMNS, console=console, disable=not console.is_terminal, transient=not keep)
        self._task: TaskID | None = None
        self._title = ""

    def __enter__(self) -> Self:
        self._bars.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if not self._bars.disable:  # where nothing was shown, older versions of rich print an empty line
            self._bars.stop()

    def say(self, text: str) -> None:
        """Print a line."""
        self._bars.console.print(escape(text))

    def update(self, title: str, done: int, total: int | None) -> None:
        """Show how far a part of the run is; another title begins another bar."""
        if self._task is None or title != self._title:
            if self._task is not None:
                self._bars.remove_task(self._task)
            self._task, self._title = self._bars.add_task(escape(title), total=total), title
        self._bars.update(self._task, completed=done, total=total)


def name_failures(failures: Sequence[str]) -> int:
    """Print how many inputs failed, and the first few; return the exit code, 1 if there is any."""
    if failures:
        console.print(escape(f"{len(failures)} failed: {'; '.join(failures[:3])}"))
    return 1 if failures else 0


class Tried(Protocol):
    """What came of one input."""

    @property
    def source(self) -> Path:
        """Its file."""

    @property
    def failures(self) -> Sequence[str]:
        """What failed."""


def report_failed(outcomes: Iterable[Tried]) -> int:
    """Print which inputs failed, whose reasons were said before; return the exit code, 1 if there is any."""
    failed = [str(outcome.source) for outcome in outcomes if outcome.failures]
    if failed:
        console.print(escape(f"{len(failed)} failed: {', '.join(failed)}"))
    return 1 if failed else 0


def report(outcomes: Iterable[Outcome], folder: Path) -> int:
    """Print a summary that names the failures and what was made otherwise; return the exit code, 1 if there is any."""
    written = skipped = 0
    tried = list(outcomes)
    otherwise: dict[Path, str] = {}
    for outcome in tried:
        written += len(outcome.written)
        skipped += len(outcome.skipped)
        otherwise |= outcome.otherwise
    there = f", {skipped} were there already (--overwrite makes them again)" if skipped else ""
    console.print(escape(f"{written} outputs of {len(tried)} inputs written to {folder}{there}"))
    code = report_failed(tried)
    if otherwise:
        first, difference = next(iter(otherwise.items()))
        which = f"{len(otherwise)} maps that are there were made otherwise ({first}: {difference})"
        console.print(escape(f"{which}: make them again with --overwrite, or choose another folder"))
    return 1 if otherwise else code
