"""A server of files, to try the page on this machine."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from ...errors import UsageError

HOST = "127.0.0.1"


class _Handler(SimpleHTTPRequestHandler):
    """Answers with files of a folder, isolated from other pages, as browsers ask of one that uses threads."""

    extensions_map = {  # noqa: RUF012  (so is the base's; the system's own table may lack them or say otherwise)
        **SimpleHTTPRequestHandler.extensions_map,
        ".js": "text/javascript",
        ".mjs": "text/javascript",
        ".wasm": "application/wasm",
        ".json": "application/json",
    }

    def end_headers(self) -> None:
        self.send_header("Cross-Origin-Opener-Policy", "same-origin")
        self.send_header("Cross-Origin-Embedder-Policy", "require-corp")
        self.send_header("Cache-Control", "no-cache")
        super().end_headers()

    def log_message(self, format: str, *args: Any) -> None:
        """Print nothing."""


@contextmanager
def page_server(folder: Path, port: int) -> Iterator[ThreadingHTTPServer]:
    """Yield a server of a folder's files on this machine alone, not yet running; port 0 stands for any that is free.

    Raises
    ------
    UsageError
        If the port is taken.
    """
    try:
        server = ThreadingHTTPServer((HOST, port), partial(_Handler, directory=str(folder)))
    except OSError as error:
        raise UsageError(f"port {port}: {error.strerror or error}; --port N takes another") from None
    with server:
        yield server
