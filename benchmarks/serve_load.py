"""`salbox serve` under load on the loopback: requests a second, times, memory, and a process killed in the middle.

Some clients send photos of mixed sizes, one after the other, for five minutes; each answer has to be the file that the
first answer for that photo was. Half-way a process that computes is killed. Writes
docs/results/robustness/serve.json, of which `benchmarks/robustness.py` makes a page. Linux only.
"""

from __future__ import annotations

import argparse
import hashlib
import http.client
import io
import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from _tables import RESULTS, provenance
from PIL import Image

SALBOX = [sys.executable, "-c", "if __name__ == '__main__':\n from salbox.cli.main import run; run()"]
SIZES = ((160, 120), (320, 240), (640, 480), (800, 600), (1280, 720))  # width, height
ADDRESS = "/maps?model={model}&format=png"
WARM_UP = 0.2  # share of the time, after which memory is to be flat
START_SECONDS = 600.0
FLAT = 1.05


@dataclass
class Tally:
    """What clients saw: seconds of each answer, statuses, and answers that were not what the first one was."""

    seconds: list[float] = field(default_factory=list)
    statuses: Counter[str] = field(default_factory=Counter)
    different: int = 0
    answers: dict[int, str] = field(default_factory=dict)
    lock: threading.Lock = field(default_factory=threading.Lock)


def main() -> None:
    """Put a service under load, and write what came of it."""
    options = _options()
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [*SALBOX, "serve", "-m", options.model, "--port", str(port), "--workers", str(options.workers)]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as service:
        try:
            _wait(port, service)
            report = measured(service.pid, port, options)
        finally:
            service.send_signal(signal.SIGINT)
            service.wait(60)
    options.report.parent.mkdir(parents=True, exist_ok=True)
    options.report.write_text(json.dumps(report, indent=1) + "\n")
    print({key: value for key, value in report.items() if key != "megabytes"})
    sys.exit(0 if not report["lost"] and not report["different"] else 1)


def measured(pid: int, port: int, options: argparse.Namespace) -> dict[str, object]:
    """Return what clients, and the service's memory, tell."""
    photos, tally, end = _photos(), Tally(), threading.Event()
    clients = [
        threading.Thread(target=_client, args=(port, options.model, photos, tally, end, number))
        for number in range(options.clients)
    ]
    began = time.monotonic()
    for client in clients:
        client.start()
    memory: list[tuple[float, float]] = []
    killed = 0
    while (passed := time.monotonic() - began) < options.seconds:
        memory.append((round(passed, 1), round(resident(pid))))
        if not killed and passed > options.seconds / 2:
            killed = workers(pid)[0]
            os.kill(killed, signal.SIGKILL)
        time.sleep(min(1.0, options.seconds / 100))
    end.set()
    for client in clients:
        client.join()
    seconds = time.monotonic() - began
    warm = [m for t, m in memory if WARM_UP * options.seconds < t < options.seconds / 2]
    last = [m for t, m in memory if t > (1 - WARM_UP) * options.seconds]
    times = np.array(tally.seconds)
    return {
        "provenance": provenance(("salbox", "onnxruntime", "fastapi", "uvicorn")),
        "model": options.model,
        "workers": options.workers,
        "clients": options.clients,
        "sizes": SIZES,
        "seconds": round(seconds, 1),
        "answers": len(times),
        "a_second": round(len(times) / seconds, 2),
        "milliseconds": {f"p{p}": round(1000 * float(np.percentile(times, p)), 1) for p in (50, 90, 99, 100)},
        "statuses": dict(tally.statuses),
        "lost": sum(count for status, count in tally.statuses.items() if status not in ("200", "429")),
        "different": tally.different,
        "killed": bool(killed),
        "restarts": _restarts(port),
        "memory_before_the_kill": float(np.median(warm)),
        "memory_at_the_end": float(np.median(last)),
        "memory_ratio": round(float(np.median(last) / np.median(warm)), 4),
        "megabytes": memory[:: max(1, len(memory) // 100)],
    }


def _client(port: int, model: str, photos: list[bytes], tally: Tally, end: threading.Event, number: int) -> None:
    """Send photos until the end; a 429 is sent again, as it says."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=120)
    turn = number
    while not end.is_set():
        which = turn % len(photos)
        began = time.perf_counter()
        try:
            connection.request("POST", ADDRESS.format(model=model), photos[which])
            answer = connection.getresponse()
            content, status = answer.read(), str(answer.status)
        except (OSError, http.client.HTTPException) as error:
            content, status = b"", type(error).__name__
            connection.close()
        taken = time.perf_counter() - began
        with tally.lock:
            tally.statuses[status] += 1
            if status == "200":
                tally.seconds.append(taken)
                digest = hashlib.sha256(content).hexdigest()
                tally.different += tally.answers.setdefault(which, digest) != digest
        if status == "429":
            time.sleep(0.1)
        else:
            turn += 1
    connection.close()


def _photos() -> list[bytes]:
    """Return JPEGs of noise with large patches, five sizes of three contents."""
    found = []
    for seed in range(3):
        coarse = np.random.default_rng(seed).integers(0, 256, (6, 8, 3), np.uint8)
        for size in SIZES:
            file = io.BytesIO()
            Image.fromarray(coarse).resize(size, Image.Resampling.BICUBIC).save(file, "JPEG", quality=90)
            found.append(file.getvalue())
    return found


def workers(pid: int) -> list[int]:
    """Return the processes of a service that compute, by their number: those that `multiprocessing` spawned."""
    spawned = [c for c in sorted(_children(pid)) if b"spawn_main" in Path(f"/proc/{c}/cmdline").read_bytes()]
    if not spawned:
        raise SystemExit("the service has no process that computes")
    return spawned


def resident(pid: int) -> float:
    """Return the memory of a process and of its children, MB."""
    total = 0
    for each in [pid, *_children(pid)]:
        try:
            total += int(Path(f"/proc/{each}/statm").read_text().split()[1])
        except OSError:  # it has ended meanwhile
            continue
    return total * os.sysconf("SC_PAGE_SIZE") / 1e6


def _children(pid: int) -> set[int]:
    found: set[int] = set()
    for task in Path(f"/proc/{pid}/task").iterdir():
        try:
            found |= {int(child) for child in (task / "children").read_text().split()}
        except OSError:
            continue
    return found


def _restarts(port: int) -> int:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    connection.request("GET", "/metrics")
    lines = connection.getresponse().read().decode().splitlines()
    return int(float(next(line.split()[1] for line in lines if line.startswith("salbox_process_restarts "))))


def _wait(port: int, service: subprocess.Popen[bytes]) -> None:
    end = time.monotonic() + START_SECONDS
    while time.monotonic() < end and service.poll() is None:
        try:
            with socket.create_connection(("127.0.0.1", port), 1):
                return
        except OSError:
            time.sleep(0.1)
    raise SystemExit("the service did not begin")


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seconds", type=float, default=300.0, metavar="N")
    parser.add_argument("--clients", type=int, default=8, metavar="N")
    parser.add_argument("--workers", type=int, default=2, metavar="N")
    parser.add_argument("--model", default="gaze", metavar="NAME")
    parser.add_argument("--report", type=Path, default=RESULTS / "robustness" / "serve.json")
    return parser.parse_args()


if __name__ == "__main__":
    main()
