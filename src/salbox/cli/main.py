"""The `salbox` command: collects the verbs, and turns every error into one line and an exit code."""

from __future__ import annotations

import os
import sys
import traceback
from typing import Annotated

import typer

from ..errors import SalboxError
from ..version import __version__
from .bench import bench
from .compare import compare
from .datasets import datasets
from .demo import demo
from .distill import distill
from .doctor import doctor
from .evaluate import evaluate
from .export import export
from .models import models
from .predict import predict
from .report import report
from .submit import submit
from .teach import teach

INTERRUPTED = 130  # 128 + SIGINT, as shells say it; newer releases of Typer return it where older ones raise

app = typer.Typer(
    name="salbox",
    help="Every visual-saliency model in one box.",
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    context_settings={"help_option_names": ["-h", "--help"]},
)
for verb in (demo, models, predict, compare, evaluate, datasets, report, submit, teach, distill, export, bench, doctor):
    app.command()(verb)


@app.callback(invoke_without_command=True)
def _salbox(
    context: typer.Context,
    version: Annotated[bool, typer.Option("--version", help="Print the version and leave.")] = False,
) -> None:
    if version:
        typer.echo(f"salbox {__version__}")
    elif context.invoked_subcommand is None:
        typer.echo(context.get_help())


def run(arguments: list[str] | None = None) -> None:
    """Run the command line and leave with its exit code.

    0: done; 1: some inputs failed, and were named, or maps that are there were made otherwise; 2: wrong usage; 130:
    interrupted.
    """
    sys.exit(_run(sys.argv[1:] if arguments is None else arguments))


def _run(arguments: list[str]) -> int:
    try:
        code = app(arguments, prog_name="salbox", standalone_mode=False) or 0
        return _complain("interrupted", code) if code == INTERRUPTED else code
    except SalboxError as error:
        return _complain(str(error), 2)
    except (KeyboardInterrupt, typer.Abort):
        return _complain("interrupted", INTERRUPTED)
    except BrokenPipeError:
        # The reader has gone, as in `salbox models | head`: nothing more can be said, not even at interpreter exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    except Exception as error:
        if hasattr(error, "format_message"):  # wrong usage, found by Typer
            return _complain(f"{error.format_message()} ('salbox --help' shows what there is)", 2)
        if os.environ.get("SALBOX_DEBUG"):
            traceback.print_exc()
        message = " ".join(str(error).split())
        return _complain(
            f"internal error, please report it: {type(error).__name__}: {message} (SALBOX_DEBUG=1 shows where)", 1
        )


def _complain(message: str, code: int) -> int:
    print(f"salbox: {message}", file=sys.stderr)  # noqa: T201
    return code
