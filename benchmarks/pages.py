"""The pages in a real browser: from a picture that is dropped to its maps on the screen; memory of ten visitors; sizes.

Needs Debian's chromium, playwright, Streamlit and ONNX Runtime for browsers (`make browser`). Linux only: memory is
read from /proc. Writes docs/results/pages.md.

    python benchmarks/pages.py [--rounds 9] [--visitors 10]
"""

from __future__ import annotations

import argparse
import contextlib
import gzip
import io
import os
import shutil
import subprocess
import sys
import tempfile
import threading
import time
import urllib.request
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from _tables import markdown_table, matmul_rate, provenance, write_page
from PIL import Image
from skimage import data

from salbox.models.registry import GAZE, PEOPLE, SHIPPED, STUDENTS
from salbox.web.app.launch import free_port
from salbox.web.page import write_page as write_static_page
from salbox.web.page.serving import page_server

SIZES = ((1024, 768), (512, 512))
AT_ONCE = ("gaze", *(f"{name}.student" for name in STUDENTS))
ON_DEMAND = (*PEOPLE, "scfnet")
LARGE = (4000, 3000)  # of the photos of many visitors
WAIT = 300_000  # milliseconds that anything may take
LET_GO_SECONDS = 45  # after which the files of a closed page are gone
NETWORKS = {"gaze": GAZE, "all students": SHIPPED, **{name: f"{name}.onnx" for name in ON_DEMAND}}

# Notes in the browser when a file was chosen and when each picture that is a map was there.
WATCH = """
globalThis.watched = { dropped: 0, loads: [] };
addEventListener("change", (event) => {
  if (event.target.type === "file") watched.dropped = performance.now();
}, true);
document.addEventListener("load", (event) => {
  const match = event.target.alt?.match(/^overlay of (.*)$/);
  if (match) watched.loads.push([match[1], performance.now()]);
}, true);
"""
IDLE = "!document.querySelector('[data-testid=stStatusWidget]')"  # the app computes nothing
# Notes when the first map of the static page was drawn.
WATCH_MODELS = """() => {
  globalThis.first = null;
  const models = document.getElementById("models");
  const note = () => { if (models.querySelector("button")) globalThis.first ??= performance.now(); };
  new MutationObserver(note).observe(models, { childList: true }); // emptied for each picture
}"""


def main() -> None:
    """Measure and write the page."""
    options = arguments()
    from playwright.sync_api import sync_playwright

    before = matmul_rate()
    with sync_playwright() as driver, tempfile.TemporaryDirectory() as name:
        browser = driver.chromium.launch(executable_path=shutil.which("chromium"), args=["--no-sandbox"])
        folder = Path(name)
        static, sizes = static_rows(browser, folder / "public", options.rounds)
        app, memory = app_rows(browser, folder, options)
        version = browser.version
        browser.close()
    after = matmul_rate()
    write_page(
        "pages.md",
        f"""# The pages in a browser

Written by `benchmarks/pages.py`. {provenance(("salbox", "streamlit", "onnxruntime"))} Chromium {version} without a
window, on the same machine. NumPy's float32 matrix product ran at {before:.0f} GFLOP/s before and {after:.0f} after.

## From a picture to its maps

Milliseconds, medians of {options.rounds} JPEG photos (the slowest in brackets), warm: an earlier picture has been
through. They count from the moment at which the file is chosen. "{len(AT_ONCE)} maps" are `gaze` and all students.

{markdown_table(["", "size", "first map", f"{len(AT_ONCE)} maps", "unisal.people"], [*app, *static])}

`salbox app`: until the browser has each picture. Maps of `unisal.people` come after the others. The static page: until
the maps are drawn; the larger networks are fetched when one asks for them, from this machine, and started:

{markdown_table(["network", "from the click to the map, ms"], sizes["on demand"])}

## Memory of `salbox app`

Of its process, which holds the models once for all visitors. Each visitor drops a photo of {LARGE[0]}x{LARGE[1]} on
*Look* and sees all maps.

{markdown_table(["", "MiB"], memory)}

## What the static page weighs

{markdown_table(["", "MB", "packed by gzip, MB"], sizes["files"])}

The page is ready, its networks started, {sizes["start"]:.1f} s after it is opened from this machine.
""",
    )


def arguments() -> argparse.Namespace:
    """Return the command's options."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=9)
    parser.add_argument("--visitors", type=int, default=10)
    return parser.parse_args()


def static_rows(browser: Any, folder: Path, rounds: int) -> tuple[list[list[str]], dict[str, Any]]:
    """Return the lines of the static page's times, and what it weighs."""
    written = write_static_page(folder)
    with page_server(folder, 0) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        page = new_page(browser, service_workers="block")
        start = time.perf_counter()
        page.goto(f"http://127.0.0.1:{server.server_port}/")
        page.wait_for_selector("body[data-threads]", state="attached")
        sizes: dict[str, Any] = {"start": time.perf_counter() - start, "on demand": []}
        page.evaluate(WATCH)
        page.evaluate(WATCH_MODELS)
        threads = page.get_attribute("body", "data-threads")
        rows = []
        for size in SIZES:
            drop_on_static(page, jpeg(size, 0))
            times = [drop_on_static(page, jpeg(size, number)) for number in range(1, rounds + 1)]
            firsts, alls = zip(*times, strict=True)
            rows.append([f"static page, {threads} threads", shown(size), spread(firsts), spread(alls), "on demand"])
        for model in ON_DEMAND:
            page.evaluate("delete document.body.dataset.milliseconds")
            page.click(f"button[data-model='{model}']")
            page.wait_for_selector("body[data-milliseconds]", state="attached")
            sizes["on demand"].append([model, page.get_attribute("body", "data-milliseconds")])
        page.context.close()
        server.shutdown()
    kinds = {name: {file} for name, file in NETWORKS.items()}
    kinds["ONNX Runtime Web"] = {name for name in written if name.startswith("ort")}
    kinds["the rest"] = set(written) - set.union(*kinds.values())
    kinds["all"] = set(written)
    sizes["files"] = [
        [kind, f"{sum(written[name] for name in files) / 1e6:.1f}", f"{packed(folder, files) / 1e6:.1f}"]
        for kind, files in kinds.items()
    ]
    return rows, sizes


def drop_on_static(page: Any, content: bytes) -> tuple[float, float]:
    """Return milliseconds until the first map of a picture was drawn, and all."""
    page.evaluate("() => { delete document.body.dataset.milliseconds; globalThis.first = null; }")
    page.set_input_files("#file", {"name": "photo.jpg", "mimeType": "image/jpeg", "buffer": content})
    page.wait_for_selector("body[data-milliseconds]", state="attached")
    first = page.evaluate("first - watched.dropped")
    return first, float(page.get_attribute("body", "data-milliseconds"))


def app_rows(browser: Any, folder: Path, options: argparse.Namespace) -> tuple[list[list[str]], list[list[str]]]:
    """Return the lines of the app's times, and of its memory."""
    with running_app(folder) as (address, process):
        memory = [["started, no visitor", f"{resident(process.pid):.0f}"]]
        page = new_page(browser, viewport={"width": 1300, "height": 1800})
        page.add_init_script(WATCH)
        rows = []
        for size in SIZES:
            drop_on_app(page, address, jpeg(size, 0))
            times = [drop_on_app(page, address, jpeg(size, number)) for number in range(1, options.rounds + 1)]
            rows.append(["`salbox app`", shown(size), *(spread(each) for each in zip(*times, strict=True))])
        memory.append(["one visitor, after these pictures", f"{resident(process.pid):.0f}"])
        page.context.close()
        visitors = []
        for number in range(options.visitors):
            visitors.append(new_page(browser))
            visitors[-1].add_init_script(WATCH)
            drop_on_app(visitors[-1], address, jpeg(LARGE, number))
        memory.append([f"{len(visitors)} visitors at once", f"{resident(process.pid):.0f}"])
        for visitor in visitors:
            visitor.context.close()
        time.sleep(LET_GO_SECONDS)
        last = new_page(browser)  # files of closed pages go with the next visit
        last.goto(address)
        last.locator("input[type=file]").first.wait_for(state="attached")
        memory.append(["all gone", f"{resident(process.pid):.0f}"])
        last.context.close()
    return rows, memory


def drop_on_app(page: Any, address: str, content: bytes) -> tuple[float, float, float]:
    """Return milliseconds until the browser had the first map, `gaze` and all students, and all maps.

    The page is opened anew: a second picture would stand beside the first.
    """
    wanted = [*AT_ONCE, *PEOPLE]
    page.goto(address)
    field = page.locator("input[type=file]").first
    field.wait_for(state="attached")
    page.wait_for_function(IDLE)
    field.set_input_files({"name": "photo.jpg", "mimeType": "image/jpeg", "buffer": content})
    end = time.monotonic() + WAIT / 1000
    while set(wanted) - {name for name, _ in page.evaluate("watched.loads")}:
        if time.monotonic() > end:
            sys.exit("the maps never came")
        time.sleep(0.1)
    page.wait_for_function(IDLE)
    dropped = page.evaluate("watched.dropped")
    there = {name: moment - dropped for name, moment in page.evaluate("watched.loads")}
    quick = [there[name] for name in AT_ONCE]
    return min(quick), max(quick), max(there.values())


@contextlib.contextmanager
def running_app(folder: Path) -> Iterator[tuple[str, subprocess.Popen[bytes]]]:
    """Yield the app's address and its process."""
    port = free_port("127.0.0.1", None, range(8701, 8750))
    command = [sys.executable, "-m", "salbox", "app", "--no-open", "--port", str(port)]
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen(command, cwd=folder, stdout=log, stderr=log)
        try:
            for _ in range(WAIT // 200):
                with contextlib.suppress(OSError):
                    urllib.request.urlopen(f"http://localhost:{port}/_stcore/health", timeout=5).close()
                    break
                time.sleep(0.2)
            yield f"http://localhost:{port}", process
        finally:
            process.terminate()
            process.wait(30)


def new_page(browser: Any, **options: Any) -> Any:
    """Return a visitor's page."""
    page = browser.new_context(**options).new_page()
    page.set_default_timeout(WAIT)
    return page


def jpeg(size: tuple[int, int], number: int) -> bytes:
    """Return a photo of a size that is no other's, as JPEG."""
    photos = (data.coffee, data.astronaut, data.chelsea, data.rocket)
    rolled = np.roll(photos[number % len(photos)](), 17 * number, axis=1)
    buffer = io.BytesIO()
    Image.fromarray(rolled).resize(size).save(buffer, "JPEG", quality=92)
    return buffer.getvalue()


def resident(pid: int) -> float:
    """Return the resident memory of a process, MiB."""
    pages = int(Path(f"/proc/{pid}/statm").read_text(encoding="ascii").split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 2**20


def packed(folder: Path, names: set[str]) -> int:
    """Return how many bytes files have once a host has packed them."""
    return sum(len(gzip.compress((folder / name).read_bytes())) for name in names)


def shown(size: tuple[int, int]) -> str:
    """Return a size as people write it."""
    return f"{size[0]}x{size[1]}"


def spread(times: Sequence[float]) -> str:
    """Return the median of milliseconds, and the largest in brackets."""
    return f"{np.median(times):.0f} ({max(times):.0f})"


if __name__ == "__main__":
    main()
