"""The `salbox` command: collects the verbs, and turns every error into one line and an exit code."""

from __future__ import annotations

import os
import sys
import traceback
import warnings
from collections.abc import Callable, Sequence
from importlib import import_module
from pathlib import Path
from typing import Annotated, Any

import typer

from ..errors import ImageWarning, ModelWarning, SalboxError, UsageError, printable
from ..system.streams import open_standard_streams
from ..version import __version__
from .help import Verb

INTERRUPTED = 130  # 128 + SIGINT, as shells say it; newer releases of Typer return it where older ones raise

# The function of this name in the module of this name, with one sentence: only a verb that runs is loaded.
GROUPS = {
    "Use": {
        "demo": "Compute and draw the maps of sample photos: no input is needed.",
        "predict": "Write the saliency maps of images, folders and videos.",
        "compare": "Draw the maps of several models side by side in one picture.",
        "crop": "Cut photos and videos to a shape that keeps what is looked at.",
        "cutout": "Cut out the main object, with a transparent background.",
        "compress": "Make photos smaller, with fewer bits where nobody looks.",
        "regions": "Say how much attention each region of an image gets.",
        "scanpath": "Draw in which order one person's eyes might go over an image.",
        "app": "Open salbox in a browser.",
        "page": "Write a web page that needs no server.",
        "serve": "Answer requests over HTTP.",
    },
    "Measure": {
        "evaluate": "Measure models, or maps on disk, on a dataset or by a teacher.",
        "report": "Write an evaluation as one HTML page, with pictures.",
        "explain": "Find out what a network looks at.",
        "bench": "Measure how large and how fast models are.",
        "submit": "Write the file that a benchmark takes, and check it.",
    },
    "Train": {
        "train": "Train a network on where people looked, or on masks of objects.",
        "distill": "Train a small network to do as a model does.",
        "teach": "Write a teacher's maps of photos, to learn from.",
        "experiment": "Train, test and run students of several models by one file.",
        "adapt": "Fit a model to the people of one laboratory.",
        "blend": "Combine models as one's own fixations say.",
    },
    "Look up and keep": {
        "models": "List the models, print a card, say how to cite.",
        "datasets": "List the datasets, print a card, say what a folder holds.",
        "metrics": "List the metrics, or say what one measures.",
        "export": "Write a network as ONNX, for other programs.",
        "doctor": "Say what runs on this machine, and what an install would add.",
    },
}
VERBS = {name: sentence for verbs in GROUPS.values() for name, sentence in verbs.items()}


def load_verb(name: str) -> Callable[..., Any]:
    """Return the function of a verb."""
    verb: Callable[..., Any] = getattr(import_module(f".{name}", __package__), name)
    return verb


def build_app(arguments: Sequence[str]) -> typer.Typer:
    """Return the application in which the verb that these arguments name is loaded, the others only listed."""
    app = typer.Typer(
        name="salbox",
        help="Every visual-saliency model in one box.",
        epilog="'salbox VERB --help' shows a verb's options, with examples.",
        add_completion=False,
        pretty_exceptions_enable=False,
        rich_markup_mode="rich",
        context_settings={"help_option_names": ["-h", "--help"]},
    )
    app.callback(invoke_without_command=True)(_salbox)
    # No option that stands before the verb takes a value.
    wanted = next((word for word in arguments if not word.startswith("-")), None)
    for group, verbs in GROUPS.items():
        for name, sentence in verbs.items():
            if name == wanted:
                app.command(name, cls=Verb, rich_help_panel=group)(load_verb(name))
            else:
                app.command(name, help=sentence, rich_help_panel=group)(_not_loaded)
    return app


def _not_loaded() -> None:
    """Stand in the list of verbs for one that does not run."""


def _salbox(
    context: typer.Context,
    version: Annotated[bool, typer.Option("--version", help="Print the version and leave.")] = False,
) -> None:
    if version:
        typer.echo(f"salbox {__version__}")
    elif context.invoked_subcommand is None:
        context.get_help()  # prints it


def run(arguments: list[str] | None = None) -> None:
    """Run the command line and leave with its exit code.

    0: done; 1: some inputs failed, and were named, or maps that are there were made otherwise; 2: wrong usage, or
    something that the system refuses; 130: interrupted.
    """
    sys.exit(_run(sys.argv[1:] if arguments is None else arguments))


def _run(arguments: list[str]) -> int:
    open_standard_streams()
    with warnings.catch_warnings():
        warnings.showwarning = _warner(warnings.formatwarning)
        code = _run_verb(arguments)
    return _end_output(code)


def _warner(usual: Callable[..., str]) -> Callable[..., None]:
    """Return what shows warnings: those about models and images as the line that they are, others as usual."""

    def show(
        message: Warning | str, category: type[Warning], filename: str, lineno: int, file: Any = None, line: Any = None
    ) -> None:
        if issubclass(category, (ImageWarning, ModelWarning)):
            _complain(str(message), 0)
        else:
            _print_error(usual(message, category, filename, lineno, line).rstrip("\n"))

    return show


def _run_verb(arguments: list[str]) -> int:
    try:
        if any("\0" in word for word in arguments):
            raise UsageError("an argument holds a zero byte, which nothing can be called")
        code = build_app(arguments)(arguments, prog_name="salbox", standalone_mode=False) or 0
        return _complain("interrupted", code) if code == INTERRUPTED else code
    except SalboxError as error:
        if error.__cause__ is not None:  # somebody's own code failed
            _debug(error.__cause__)
        return _complain(str(error), 2)
    except (KeyboardInterrupt, typer.Abort):
        return _complain("interrupted", INTERRUPTED)
    except BrokenPipeError:
        return _leave_output(1)
    except MemoryError:
        return _complain("not enough memory", 2)
    except Exception as error:
        if hasattr(error, "format_message"):  # wrong usage, found by Typer
            return _complain(f"{error.format_message()} ('salbox --help' shows what there is)", 2)
        _debug(error)
        if isinstance(error, OSError):  # a full disk, a folder that nobody may write to: not what salbox can mend
            return _complain(_refused(error), 2)
        message = " ".join(str(error).split())
        return _complain(
            f"internal error, please report it: {type(error).__name__}: {message} (SALBOX_DEBUG=1 shows where)", 1
        )


def _refused(error: OSError) -> str:
    """Return what the system said no to, and why."""
    reason = error.strerror or " ".join(str(error).split()) or type(error).__name__
    try:
        Path.cwd()
    except OSError:
        return f"the current folder is gone ({reason}): go to another one"
    places = [str(name) for name in (error.filename, error.filename2) if name is not None]
    return f"{' and '.join(places) or 'the system refuses to read or write'}: {reason}"


def _end_output(code: int) -> int:
    """Return the exit code once all that was printed has gone where it goes."""
    try:
        if sys.stdout is not None:
            sys.stdout.flush()
    except BrokenPipeError:
        return _leave_output(1)
    except OSError as error:
        return _complain(f"standard output cannot be written ({error.strerror or error})", _leave_output(2))
    return code


def _leave_output(code: int) -> int:
    """Return the exit code, standard output turned away: nothing more can be said, not even at interpreter exit.

    The reader has gone, as in `salbox models | head`, or the disk is full.
    """
    if sys.stdout is not None:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    return code


def _debug(error: BaseException) -> None:
    if os.environ.get("SALBOX_DEBUG"):
        _print_error("".join(traceback.format_exception(error)).rstrip("\n"))


def _complain(message: str, code: int) -> int:
    """Print one line on standard error; return the exit code."""
    _print_error(f"salbox: {' '.join(message.split())}")
    return code


def _print_error(text: str) -> None:
    if sys.stderr is not None:  # as it is where it is closed
        print(printable(text), file=sys.stderr)  # noqa: T201
