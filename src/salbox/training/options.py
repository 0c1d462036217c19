"""What the command lines of trainings say: times and sizes in text, and what goes together."""

from __future__ import annotations

import re

from ..errors import UsageError


def parse_time(text: str) -> float:
    """Return the seconds of "HH:MM:SS", "MM:SS" or "SS".

    Raises
    ------
    UsageError
        If it is none of them.
    """
    if not re.fullmatch(r"(\d+:){0,2}\d+", text.strip()):
        raise UsageError(f"--max-time '{text}': expected HH:MM:SS, such as 00:05:00")
    seconds = 0.0
    for part in text.split(":"):
        seconds = 60 * seconds + int(part)
    return seconds


def parse_size(text: str) -> tuple[int, int]:
    """Return (height, width) of "192x256".

    Raises
    ------
    UsageError
        If it is something else.
    """
    found = re.fullmatch(r"\s*(\d+)\s*x\s*(\d+)\s*", text)
    if found is None:
        raise UsageError(f"--size '{text}': expected HEIGHTxWIDTH, such as 192x256")
    return int(found[1]), int(found[2])


def check_length(max_seconds: float | None, compress: bool, seed: int) -> None:
    """Raise a UsageError unless a plan's time, its schedule and its seed go together."""
    if max_seconds is not None and max_seconds <= 0:
        raise UsageError("--max-time: expected more than no time")
    if compress and max_seconds is None:
        raise UsageError("--compress-schedule needs --max-time")
    if seed < 0:
        raise UsageError(f"seed={seed}: expected 0 or above")
