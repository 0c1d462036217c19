"""Ctrl-C and SIGTERM while a training runs: a request to stop at the next good moment."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Protocol

SIGNALS = (signal.SIGINT, signal.SIGTERM)


class Stop(Protocol):
    """Whether a training is to stop: an event of `threading`, or of `multiprocessing` for several processes."""

    def set(self) -> None:
        """Ask it to stop."""

    def is_set(self) -> bool:
        """Return whether it was asked to."""
        ...


@contextmanager
def interrupts(stop: Stop) -> Iterator[None]:
    """Let Ctrl-C and SIGTERM set `stop`; a second one does what it did before, and so ends the process at once."""
    if threading.current_thread() is not threading.main_thread():
        yield  # only the main thread takes signals
        return
    before = {number: signal.getsignal(number) for number in SIGNALS}

    def restore() -> None:
        for number, handler in before.items():
            signal.signal(number, handler)

    def interrupt(number: int, frame: Any) -> None:
        stop.set()
        restore()

    for number in SIGNALS:
        signal.signal(number, interrupt)
    try:
        yield
    finally:
        restore()


def ignore_interrupts() -> None:
    """Leave interrupts to the parent of this process."""
    for number in SIGNALS:
        signal.signal(number, signal.SIG_IGN)
