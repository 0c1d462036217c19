"""What the service says of itself, as Prometheus reads it."""

from __future__ import annotations

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, ProcessCollector, generate_latest

from .pool import Pool

TEXT = "text/plain; version=0.0.4; charset=utf-8"
_SECONDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30)


class Figures:
    """Counts of requests and their seconds, and the state of the pool.

    Parameters
    ----------
    pool : Pool
    """

    def __init__(self, pool: Pool) -> None:
        self._registry = CollectorRegistry()
        ProcessCollector(registry=self._registry)
        self._requests = Counter("salbox_requests", "Requests answered.", ("kind", "status"), registry=self._registry)
        self._seconds = Histogram(
            "salbox_request_seconds",
            "From the last byte of a request to its answer.",
            ("kind",),
            buckets=_SECONDS,
            registry=self._registry,
        )
        waiting = Gauge("salbox_waiting", "Images that wait for a process.", registry=self._registry)
        waiting.set_function(lambda: pool.waiting)
        restarts = Gauge("salbox_process_restarts", "Processes that were replaced.", registry=self._registry)
        restarts.set_function(lambda: pool.restarts)

    def add(self, kind: str, status: int, seconds: float) -> None:
        """Count a request."""
        self._requests.labels(kind, str(status)).inc()
        self._seconds.labels(kind).observe(seconds)

    def text(self) -> bytes:
        """Return all figures in Prometheus' text format."""
        return generate_latest(self._registry)
