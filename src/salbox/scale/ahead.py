"""Reading ahead: the next images are fetched while one is computed, so many bytes of them and no more."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Generator, Iterator
from typing import Generic, TypeVar

T = TypeVar("T")

MOST_BYTES = 1 << 26  # that wait; one that is larger waits alone


def ahead(items: Iterator[T], size: Callable[[T], int], most: int = MOST_BYTES) -> Generator[T, None, None]:
    """Yield items as they come, taken from their iterator in a thread of its own while the earlier ones are worked on.

    Parameters
    ----------
    items : iterator
        What it raises is raised when its turn comes.
    size : callable
        Returns how many bytes an item holds.
    most : int
        So many bytes wait at most; an item that has more waits alone.
    """
    waiting = _Waiting(items, size, most)
    thread = threading.Thread(target=waiting.fill, daemon=True)
    thread.start()
    try:
        yield from waiting.taken()
    finally:
        waiting.leave()
        thread.join()


class _Waiting(Generic[T]):
    """Items between the thread that fetches them and the one that works on them."""

    def __init__(self, items: Iterator[T], size: Callable[[T], int], most: int) -> None:
        self._items, self._size, self._most = items, size, most
        self._kept: deque[T] = deque()
        self._bytes = 0
        self._changed = threading.Condition()
        self._is_over = self._is_left = False
        self._error: BaseException | None = None

    def fill(self) -> None:
        """Fetch items while there is room."""
        try:
            for item in self._items:
                with self._changed:
                    self._changed.wait_for(lambda item=item: self._has_room(item) or self._is_left)  # type: ignore[misc]
                    if self._is_left:
                        return
                    self._kept.append(item)
                    self._bytes += self._size(item)
                    self._changed.notify_all()
        except BaseException as error:  # raised where the item would have been taken
            self._error = error
        finally:
            with self._changed:
                self._is_over = True
                self._changed.notify_all()

    def taken(self) -> Iterator[T]:
        """Yield the items."""
        while True:
            with self._changed:
                self._changed.wait_for(lambda: self._kept or self._is_over)
                if not self._kept:
                    break
                item = self._kept.popleft()
                self._bytes -= self._size(item)
                self._changed.notify_all()
            yield item
        if self._error is not None:
            raise self._error

    def leave(self) -> None:
        """Have the fetching end: nobody takes more."""
        with self._changed:
            self._is_left = True
            self._changed.notify_all()

    def _has_room(self, item: T) -> bool:
        return not self._kept or self._bytes + self._size(item) <= self._most
