"""What runs say of themselves, and how often a network is run, kept for a test to look at."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TypeVar

import pytest

from salbox.runtime.network import ExportedNetwork
from salbox.system.progress import Progress

T = TypeVar("T")


class Recorder(Progress):
    """Keeps what a run says.

    Parameters
    ----------
    stop_after : int, optional
        After how many items the run is interrupted, as by Ctrl+C.

    Attributes
    ----------
    lines : list of str
    updates : list of (title, done, total)
    items : list
        Those that were tracked and taken up.
    """

    def __init__(self, stop_after: int | None = None) -> None:
        self.lines: list[str] = []
        self.updates: list[tuple[str, int, int | None]] = []
        self.items: list[object] = []
        self._stop_after = stop_after

    def say(self, text: str) -> None:
        self.lines.append(text)

    def update(self, title: str, done: int, total: int | None) -> None:
        self.updates.append((title, done, total))

    def track(self, items: Iterable[T], total: int, title: str) -> Iterator[T]:
        for item in super().track(items, total, title):
            yield item
            self.items.append(item)
            if len(self.items) == self._stop_after:
                raise KeyboardInterrupt

    @property
    def titles(self) -> list[str]:
        """The parts of the run, in order."""
        return list(dict.fromkeys(title for title, _, _ in self.updates))


def count_passes(monkeypatch: pytest.MonkeyPatch) -> list[tuple[int, tuple[str, ...]]]:
    """Return a list that gets (images, heads) for each run of a network that salbox exported, in this process."""
    passes: list[tuple[int, tuple[str, ...]]] = []
    run = ExportedNetwork.maps

    def counted(self, images, heads=None, **options):
        passes.append((len(images), tuple(self.heads if heads is None else heads)))
        return run(self, images, heads, **options)

    monkeypatch.setattr(ExportedNetwork, "maps", counted)
    return passes
