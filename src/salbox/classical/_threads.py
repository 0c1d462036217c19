"""How many threads an algorithm spreads its work over."""

from __future__ import annotations

import os

THREADS = max(1, min(8, len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1))
