"""What a long run tells whoever started it; by default nobody listens."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TypeVar

T = TypeVar("T")


class Teller:
    """Takes lines and progress. The command line shows them; this one shows nothing."""

    def say(self, text: str) -> None:
        """Take a line."""

    def progress(self, title: str, done: int, total: int) -> None:
        """Take how far a part of the run is."""

    def track(self, items: Iterable[T], total: int, title: str) -> Iterator[T]:
        """Yield items while their number is told."""
        for done, item in enumerate(items, start=1):
            yield item
            self.progress(title, done, total)
