"""`salbox demo`: all models on photos that come with the installation."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from ..paths import user_path
from ..prediction.demo import PHOTOS, demo_row, write_demo
from .output import say
from .progress import ConsoleProgress


def demo(
    output: Annotated[Path, typer.Option("-o", "--output", metavar="DIR", help="Where the pictures go.")] = Path(
        "salbox-demo"
    ),
) -> None:
    """Compute the maps of bundled sample photos with every model and draw them side by side.

    Examples:

      salbox demo

      salbox demo -o pictures
    """
    with ConsoleProgress() as progress:
        rows = {name: demo_row(name) for name in progress.track(PHOTOS, len(PHOTOS), "photos")}
    picture = write_demo(rows, user_path(output))
    say(f"wrote {picture} and the maps beside it; next: salbox predict PHOTO -m gbvs -o maps")
