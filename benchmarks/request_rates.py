"""`gaze` in a service with threads: requests on the clock, 30 a second and more, and how long each waits.

Requests come at fixed times whatever becomes of those before them, so that a service that is too slow is seen to fall
behind; a request's time counts from when it was due. Two services: threads of one process that share a model, as a web
service of one's own has them, and `salbox serve` over HTTP. Writes docs/results/requests.md.

    python benchmarks/request_rates.py [--seconds 20] [--rates 10,20,30,40] [--threads 8]
"""

from __future__ import annotations

import argparse
import contextlib
import http.client
import io
import os
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np
from _tables import markdown_table, matmul_rate, provenance, write_page
from PIL import Image
from skimage import data

import salbox
from salbox.system.threads import available_cores

SIDES = (640, 480)  # of the photos
PHOTOS = (data.chelsea, data.coffee, data.astronaut, data.rocket)
WARM_UP = 20  # requests before the clock starts
START_SECONDS = 60  # that `salbox serve` may take to answer

Answer = Callable[[bytes], object]


@dataclass(frozen=True)
class Run:
    """What became of requests at one rate: seconds each took from when it was due, and until the last was answered."""

    rate: float
    waits: Sequence[float]
    seconds: float

    def row(self) -> list[str]:
        """Return a line of the table."""
        median, high, highest = np.percentile(self.waits, (50, 95, 100)) * 1000
        done = len(self.waits) / self.seconds
        return [f"{self.rate:g}", f"{done:.1f}", f"{median:.0f}", f"{high:.0f}", f"{highest:.0f}"]


def main() -> None:
    """Measure and write the page."""
    options = arguments()
    photos = [photo(make) for make in PHOTOS]
    before = matmul_rate()
    model = salbox.load("gaze")
    expected = [model(content) for content in photos]
    in_process = [clocked(model, photos, rate, options) for rate in options.rates]
    same = all(np.array_equal(a, b) for a, b in zip(in_threads(model, photos, options.threads), expected, strict=True))
    with service(options.workers) as ask:
        over_http = [clocked(ask, photos, rate, options) for rate in options.rates]
    after = matmul_rate()
    header = ["requests a second", "answered a second", "median, ms", "95 %, ms", "longest, ms"]
    write_page(
        "requests.md",
        f"""# Requests on the clock

Written by `benchmarks/request_rates.py`. {provenance(("salbox", "onnxruntime", "opencv-python-headless"))} NumPy's
float32 matrix product ran at {before:.0f} GFLOP/s before and {after:.0f} after.

JPEG photos of {SIDES[0]}x{SIDES[1]} in turn, {options.seconds:g} seconds at each rate. A request comes when it is due,
whatever became of those before it; its time counts from then until its map is there. Where fewer are answered than
come, the queue grows and so do the times.

## Threads that share a model

`salbox.load("gaze")` once, {options.threads} threads that call it with the bytes of a photo; decoding included,
`SALBOX_THREADS={os.environ["SALBOX_THREADS"]}`. Maps made in threads at the same time are
{"bit for bit" if same else "NOT"} those made one after the other.

{markdown_table(header, [run.row() for run in in_process])}

## `salbox serve`

`salbox serve -m gaze --workers {options.workers}` on this machine, the client beside it: `POST
/maps?model=gaze&format=png`, {options.threads} connections, the map back as PNG of the photo's size.

{markdown_table(header, [run.row() for run in over_http])}
""",
    )


def arguments() -> argparse.Namespace:
    """Return the command's options."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=20)
    parser.add_argument("--rates", type=numbers, default=[10.0, 20.0, 30.0, 40.0])
    parser.add_argument("--threads", type=int, default=8)
    parser.add_argument("--workers", type=int, default=available_cores())
    return parser.parse_args()


def numbers(text: str) -> list[float]:
    """Return numbers between commas."""
    return [float(number) for number in text.split(",")]


def photo(make: Callable[[], np.ndarray]) -> bytes:
    """Return a photo as JPEG."""
    buffer = io.BytesIO()
    Image.fromarray(make()).resize(SIDES).save(buffer, "JPEG", quality=90)
    return buffer.getvalue()


def clocked(answer: Answer, photos: Sequence[bytes], rate: float, options: argparse.Namespace) -> Run:
    """Return what becomes of requests that come at a rate."""
    with ThreadPoolExecutor(options.threads) as pool:
        list(pool.map(answer, [photos[k % len(photos)] for k in range(WARM_UP)]))
        start = time.perf_counter() + 0.1

        def request(number: int, due: float) -> float:
            answer(photos[number % len(photos)])
            return time.perf_counter() - due

        waiting = []
        for number in range(round(rate * options.seconds)):
            due = start + number / rate
            time.sleep(max(0.0, due - time.perf_counter()))
            waiting.append(pool.submit(request, number, due))
        waits = [each.result() for each in waiting]
    return Run(rate, waits, time.perf_counter() - start)


def in_threads(model: Answer, photos: Sequence[bytes], threads: int) -> list[np.ndarray]:
    """Return the photos' maps, each computed while others are."""
    with ThreadPoolExecutor(threads) as pool:
        found = list(pool.map(model, [content for content in photos for _ in range(threads)]))
    return found[::threads]


@contextlib.contextmanager
def service(workers: int) -> Iterator[Answer]:
    """Yield what asks `salbox serve` for a map, the service running."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = [sys.executable, "-m", "salbox", "serve", "-m", "gaze", "--workers", str(workers), "--port", str(port)]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)

    def ask(content: bytes, path: str = "/maps?model=gaze&format=png") -> bytes:
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=120)
        with contextlib.closing(connection):
            connection.request("POST" if content else "GET", path, content or None)
            reply = connection.getresponse()
            body = reply.read()
        if reply.status != http.HTTPStatus.OK:
            raise OSError(f"{reply.status}: {body[:200]!r}")
        return body

    try:
        end = time.monotonic() + START_SECONDS
        while True:
            try:
                ask(b"", "/health")
                break
            except OSError:
                if time.monotonic() > end or process.poll() is not None:
                    raise
                time.sleep(0.2)
        yield ask
    finally:
        process.terminate()
        process.wait(30)


if __name__ == "__main__":
    os.environ.setdefault("SALBOX_THREADS", "1")  # threads of the service share the cores out among themselves
    main()
