"""Options that several verbs share."""

from __future__ import annotations

from typing import Annotated

import typer

ModelNames = Annotated[
    list[str],
    typer.Option("-m", "--models", metavar="NAMES", help="Models, separated by commas; 'salbox models' lists them."),
]
ModelParameters = Annotated[
    list[str],
    typer.Option(
        "--param",
        metavar="[MODEL:]KEY=VALUE",
        help="A parameter of a model, or of all that have it; 'salbox models NAME' lists them. Repeatable.",
    ),
]
MaxPixels = Annotated[
    float,
    typer.Option("--max-pixels", metavar="N", help="Refuse images of more pixels, before they are decoded."),
]
