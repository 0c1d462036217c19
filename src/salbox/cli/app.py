"""`salbox app`: the pages in a browser, served by this machine."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from ..errors import UsageError
from ..models.loading import card
from ..models.specs import split_names
from ..paths import user_path
from ..web.app.launch import LOOPBACK, PORTS, is_loopback, run_app
from ..web.app.settings import Settings
from .output import say


def app(
    models: Annotated[
        list[str],
        typer.Option("-m", "--models", metavar="NAMES", help="More models to offer: names, run folders, .onnx files."),
    ] = [],  # noqa: B006
    explain: Annotated[
        list[Path],
        typer.Option("--explain", metavar="DIR", help="A folder of 'salbox explain' to browse. Repeatable."),
    ] = [],  # noqa: B006
    host: Annotated[
        str, typer.Option("--host", metavar="ADDRESS", help="Where to listen; 0.0.0.0 lets the network in.")
    ] = LOOPBACK,
    port: Annotated[
        int | None,
        typer.Option("--port", metavar="N", min=1, max=65535, help=f"By default the first free from {PORTS[0]} on."),
    ] = None,
    opens: Annotated[bool, typer.Option("--open/--no-open", help="Open a browser.")] = True,
) -> None:
    """Open salbox in a browser: drop pictures, compare models and layouts, measure, crop, cut out.

    The app works without a network and listens to this machine alone. Ctrl-C ends it.

    Examples:

      salbox app

      salbox app -m runs/mine --explain why/gaze

      salbox app --host 0.0.0.0 --port 8080 --no-open
    """
    names = tuple(split_names(models))
    for name in names:
        card(name)
    folders = tuple(user_path(folder) for folder in explain)
    for folder in folders:
        if not folder.is_dir():
            raise UsageError(f"{folder}: no such folder; 'salbox explain -o {folder}' makes one")

    def announce(address: str) -> None:
        if not is_loopback(host):
            say(f"anybody who reaches {host} can use this app; there is no password", to_error=True)
        say(f"salbox app on {address} (Ctrl-C ends it)", to_error=True)

    run_app(Settings(names, folders), announce, host=host, port=port, opens_browser=opens)
