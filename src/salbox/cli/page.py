"""`salbox page`: the page that needs no server."""

from __future__ import annotations

import contextlib
import tempfile
from pathlib import Path
from typing import Annotated

import typer

from ..errors import UsageError
from ..paths import user_path
from ..web.page import write_page
from ..web.page.serving import HOST, page_server
from .options import refuse_unused
from .output import say

PORT = 8000


def page(
    output: Annotated[
        Path | None, typer.Option("-o", "--output", metavar="DIR", help="Where the page goes: an empty folder.")
    ] = None,
    serve: Annotated[bool, typer.Option("--serve", help="Show it on this machine until Ctrl-C.")] = False,
    port: Annotated[int, typer.Option("--port", metavar="N", min=0, max=65535, help="For --serve.")] = PORT,
    runtime: Annotated[
        Path | None,
        typer.Option(
            "--runtime",
            metavar="DIR",
            help="Where the npm package onnxruntime-web lies.  [default: the cache, else it is fetched by npm]",
        ),
    ] = None,
) -> None:
    """Write a page that shows where people look, in any browser, without a server: the networks run in it.

    Any host of files serves it. Nothing that is dropped on it leaves the device, and once loaded it works offline.

    Examples:

      salbox page -o public

      salbox page --serve
    """
    if output is None and not serve:
        raise UsageError("where to? -o DIR writes the page, --serve shows it on this machine")
    refuse_unused("--serve", serve, {"--port": port != PORT})
    with contextlib.ExitStack() as stack:
        place = user_path(output) if output is not None else Path(stack.enter_context(tempfile.TemporaryDirectory()))
        server = stack.enter_context(page_server(place, port)) if serve else None
        sizes = write_page(place, None if runtime is None else user_path(runtime))
        if output is not None:
            say(f"wrote {output}: {len(sizes)} files, {sum(sizes.values()) / 1e6:.1f} MB")
        if server is not None:
            say(f"http://{HOST}:{server.server_port}/ shows it; Ctrl-C ends it")
            with contextlib.suppress(KeyboardInterrupt):
                server.serve_forever()
