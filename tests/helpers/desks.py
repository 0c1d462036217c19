"""What a process of the service begins with, in tests: it answers, dies, or takes its time, as a job says."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from salbox.errors import SalboxError
from salbox.serve.jobs import Answer, Job


def answering() -> Callable[[Sequence[Job]], list[Answer]]:
    """Return what answers with the size of a batch and the number of its process."""
    return _answer


def broken() -> Callable[[Sequence[Job]], list[Answer]]:
    """Raise, as a process does whose model cannot be loaded."""
    raise SalboxError("the weights are gone")


def _answer(jobs: Sequence[Job]) -> list[Answer]:
    for job in jobs:
        if job.kind == "sleep":
            time.sleep(float(job.options["seconds"]))
        if job.kind == "die" or (job.kind == "die once" and _first(job)):
            os.kill(os.getpid(), signal.SIGKILL)
    return [Answer(f"{job.image.decode()} {len(jobs)} {os.getpid()}".encode()) for job in jobs]


def _first(job: Job) -> bool:
    sign = Path(str(job.options["sign"]))
    if sign.exists():
        return False
    sign.touch()
    return True
