"""`--engine ray`: the options of verbs whose work another engine than processes of this machine can do."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable
from typing import Annotated, Any

import typer

from ..scale.engine import ENGINES, engine
from .options import SPEED

Name = Annotated[
    str,
    typer.Option("--engine", metavar="|".join(ENGINES), help="Who does the work.", rich_help_panel=SPEED),
]
Address = Annotated[
    str | None,
    typer.Option(
        "--address",
        metavar="HOST:PORT",
        help="Of a Ray cluster, auto for this machine's; by default one is begun.",
        rich_help_panel=SPEED,
    ),
]
Gpus = Annotated[
    float,
    typer.Option(
        "--gpus-per-worker",
        metavar="N",
        help="Of each worker of a cluster, with --device cuda; .5 has two share one.",
        rich_help_panel=SPEED,
    ),
]


def with_engine(verb: Callable[..., Any]) -> Callable[..., Any]:
    """Give a verb the options that say who does what it shares out, and have it done so."""
    signature = inspect.signature(verb, eval_str=True)
    own = [
        inspect.Parameter("engine_name", inspect.Parameter.KEYWORD_ONLY, default=ENGINES[0], annotation=Name),
        inspect.Parameter("address", inspect.Parameter.KEYWORD_ONLY, default=None, annotation=Address),
        inspect.Parameter("gpus", inspect.Parameter.KEYWORD_ONLY, default=0.0, annotation=Gpus),
    ]

    @functools.wraps(verb)
    def wrapper(
        *args: Any, engine_name: str = ENGINES[0], address: str | None = None, gpus: float = 0.0, **given: Any
    ) -> Any:
        with engine(engine_name, address, gpus):
            return verb(*args, **given)

    kept = [p.replace(kind=inspect.Parameter.KEYWORD_ONLY) for p in signature.parameters.values()]
    wrapper.__signature__ = signature.replace(parameters=[*kept, *own])  # type: ignore[attr-defined]
    wrapper.__annotations__ = {p.name: p.annotation for p in [*kept, *own]}
    return wrapper
