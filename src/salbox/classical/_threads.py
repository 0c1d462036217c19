"""How many threads an algorithm spreads its work over."""

from __future__ import annotations

from ..system.threads import available_threads

THREADS = available_threads()
