"""The page that needs no server in a real browser: what it takes, and where that is."""

from __future__ import annotations

import base64
import importlib.util
import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import numpy as np
from devtools import CHROMIUM

from salbox.models.weights import home
from salbox.web.page.runtime_files import FILES, PACKAGE, VERSION

RUNTIME_VARIABLE = "SALBOX_ORT_WEB"  # a folder with onnxruntime-web, for these tests
SECONDS = 240  # that a busy machine may take to start the networks


def runtime() -> Path | None:
    """Return the folder with ONNX Runtime for browsers: the variable's, or the cache; None if there is none."""
    if os.environ.get(RUNTIME_VARIABLE):
        return Path(os.environ[RUNTIME_VARIABLE])
    kept = home() / PACKAGE / VERSION
    return kept if all((kept / name).is_file() for name in FILES) else None


def missing() -> str:
    """Return why the page cannot be opened here; "" if it can."""
    if CHROMIUM is None:
        return "there is no chromium"
    if importlib.util.find_spec("playwright") is None:
        return "there is no playwright"
    return "" if runtime() else f"there is no {PACKAGE} {VERSION}: {RUNTIME_VARIABLE}=DIR, or 'salbox page' fetches it"


class _PlainHandler(SimpleHTTPRequestHandler):
    """Answers as a host of files that cannot be told to send headers of a page's own."""

    extensions_map = {**SimpleHTTPRequestHandler.extensions_map, ".mjs": "text/javascript"}  # noqa: RUF012

    def log_message(self, *_: Any) -> None:
        """Print nothing."""


@contextmanager
def plain_host(folder: Path) -> Iterator[tuple[str, ThreadingHTTPServer]]:
    """Yield the address of a plain host of a folder, and the host."""
    with ThreadingHTTPServer(("127.0.0.1", 0), partial(_PlainHandler, directory=str(folder))) as host:
        thread = threading.Thread(target=host.serve_forever)
        thread.start()
        try:
            yield f"http://127.0.0.1:{host.server_port}/", host
        finally:
            host.shutdown()
            thread.join()


def computed(page: Any, source: Any) -> None:
    """Give the page a picture, and wait until all of its maps are there."""
    page.evaluate("delete document.body.dataset.milliseconds")
    page.set_input_files("#file", source)
    page.wait_for_selector("body[data-milliseconds]", state="attached", timeout=SECONDS * 1000)


def map_of(page: Any, name: str) -> np.ndarray:
    """Return a map of the picture on the page, (H, W) float32."""
    script = """name => {
        const bytes = new Uint8Array(salbox.map(name).buffer);
        let text = "";
        for (let k = 0; k < bytes.length; k += 32768) text += String.fromCharCode(...bytes.subarray(k, k + 32768));
        return btoa(text);
    }"""
    values = np.frombuffer(base64.b64decode(page.evaluate(script, name)), np.float32)
    height = page.evaluate("salbox.size()[1]")
    return values.reshape(height, -1)
