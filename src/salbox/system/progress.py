"""What a long run says to whoever started it: lines, and how far it is; by default nobody listens."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TypeVar

T = TypeVar("T")


class Progress:
    """Takes lines and progress. The command line shows them; this one shows nothing."""

    def say(self, text: str) -> None:
        """Take a line."""

    def update(self, title: str, done: int, total: int | None) -> None:
        """Take how far a part of the run is; the total is None where nobody knows it."""

    def track(self, items: Iterable[T], total: int, title: str) -> Iterator[T]:
        """Yield items, their number taken as they come; what their `notes` and `failures` hold becomes lines."""
        for done, item in enumerate(items, start=1):
            for note in getattr(item, "notes", ()):
                self.say(f"note: {note}")
            for failure in getattr(item, "failures", ()):
                self.say(f"failed: {failure}")
            self.update(title, done, total)
            yield item


SILENT = Progress()
