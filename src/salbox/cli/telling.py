"""Long runs on standard error: lines, and one progress bar at a time."""

from __future__ import annotations

from types import TracebackType
from typing import Self

from rich.markup import escape
from rich.progress import Progress, TaskID

from ..distillation.telling import Teller
from .progress import COLUMNS, console


class ConsoleTeller(Teller):
    """Tells people; use it in a `with` block. Where standard error is no terminal it prints lines alone."""

    def __init__(self) -> None:
        self._progress = Progress(*COLUMNS, console=console, disable=not console.is_terminal, transient=True)
        self._task: TaskID | None = None
        self._title = ""

    def __enter__(self) -> Self:
        self._progress.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._progress.stop()

    def say(self, text: str) -> None:
        """Print a line."""
        self._progress.console.print(escape(text))

    def progress(self, title: str, done: int, total: int) -> None:
        """Show how far a part of the run is; another title begins another bar."""
        if self._task is None or title != self._title:
            if self._task is not None:
                self._progress.remove_task(self._task)
            self._task, self._title = self._progress.add_task(escape(title), total=total), title
        self._progress.update(self._task, completed=done, total=total)
